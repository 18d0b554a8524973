"""`evaluate`: how good a bundle is, as a page, as tables, and as Markdown to paste."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from napari_latent_explorer._cli.model import BundleFolder
from napari_latent_explorer._cli.model_card import model_card
from napari_latent_explorer._cli.progress import run
from napari_latent_explorer._cli.scores import write_scores
from napari_latent_explorer._cli.study import StudyFolder
from napari_latent_explorer.io.atomic import write_file

WORK = "evaluation_work"
CARD = "model_card.md"


def evaluate(
    study_folder: StudyFolder,
    bundle_folder: BundleFolder,
    output: Annotated[Path, typer.Option(help="Folder for the page and the tables.")],
    seed: Annotated[int, typer.Option(min=0, help="Settles parts of the people, folds and bootstrap samples.")] = 0,
    supervised_minutes: Annotated[
        float, typer.Option(min=0, help="Train a network of the same encoder per modality for so long; 0 for none.")
    ] = 5.0,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Train on fewer and fewer people too, and fit the scaling law.")
    ] = False,
    scaling_minutes: Annotated[
        float, typer.Option(min=0.01, help="Time of each of these trainings, in minutes.")
    ] = 2.0,
    depth: Annotated[int, typer.Option(min=1, max=20, help="Hidden layers of the tangent kernel's network.")] = 1,
) -> None:
    """Score a bundle on people whom it has not learned from, beside unimodal and supervised networks and chance.

    Writes report.html, scores.md, model_card.md and one Parquet table per question: errors of decoded cines (standard
    deviations) and ECGs (uV), SSIM and correlations; R2 and AUROC of phenotypes by ridge, logistic and kernel
    regression; retrieval of the paired recording; mixing of the modalities; mass and volumes of translated cines; Dice
    of the segmentation; with --scaling, R2 by the numbers of people without and with labels; which findings of the
    paper hold.
    """
    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.evaluation import EvaluationConfig
    from napari_latent_explorer.modeling.evaluation import evaluate as evaluate_on
    from napari_latent_explorer.modeling.paper_findings import paper_findings
    from napari_latent_explorer.modeling.recordings import open_study
    from napari_latent_explorer.modeling.scaling import ScalingConfig, measure_scaling, training_base
    from napari_latent_explorer.modeling.trained_model import load_model

    study = open_study(study_folder)
    bundle = load_model(bundle_folder)
    config = EvaluationConfig(seed=seed, supervised_minutes=supervised_minutes, depth=depth)
    stopped = "Networks that are trained go on from their last epoch. Run the same command again."
    result = run(evaluate_on(study, bundle, config, work=output / WORK), "Evaluating", stopped)
    specs = study.cohort().specs
    write_scores(result, specs, output)
    if scaling:
        laws = ScalingConfig(scaling_minutes, depth=depth, seed=seed)
        base = training_base(study, ModelBundle.load(bundle_folder))
        result = result.with_tables(run(measure_scaling(study, base, laws, output / WORK), "Scaling", stopped))
    findings = {"findings": paper_findings(result.tables, specs)}
    result = result.with_tables(findings)
    write_file(output / CARD, model_card(bundle, study.name, result, specs).encode())
    typer.echo(write_scores(result, specs, output))
    shutil.rmtree(output / WORK, ignore_errors=True)
