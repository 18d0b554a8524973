"""`train`, `encode` and `project`: from a study to latents and maps."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from napari_latent_explorer._cli.progress import console, run
from napari_latent_explorer._cli.study import StudyFolder
from napari_latent_explorer.errors import BundleError, shown_text

if TYPE_CHECKING:
    from napari_latent_explorer.io.study import Study
    from napari_latent_explorer.modeling.trained_model import TrainedModel

BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a model bundle, made by `train`.")]


def train(
    study_folder: StudyFolder,
    output: Annotated[Path, typer.Option(help="Folder of the bundle to make.")],
    preset: Annotated[
        Literal["compact", "published", "ml4h", "ml4h_head"] | None,
        typer.Option(
            help="For a desktop CPU; or for a GPU as the paper says, as its code did then, or as its code does now.",
            show_default="compact",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON object with any fields of TrainingConfig (epochs, shares, rates ...), which change those of the "
            "preset; other options that are given win over it.",
        ),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(min=0.01, help="End training after this wall time, in minutes.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Settles weights, split and order of participants.", show_default="0")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--restart", help="Go on with a training that was stopped, or begin anew.")
    ] = True,
    baselines: Annotated[
        Literal["pretraining", "equal_passes"] | None,
        typer.Option(
            help="Unimodal autoencoders to compare with: those begun with, or with as many passes in all.",
            show_default="pretraining",
        ),
    ] = None,
    vae: Annotated[
        bool | None,
        typer.Option(
            "--vae/--no-vae", help="Train plain variational autoencoders to compare with.", show_default="no-vae"
        ),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write logs for TensorBoard as well.")] = False,
) -> None:
    """Train a cross-modal autoencoder of MRI and ECG on a study and save it as a bundle.

    One latent space of 256 dimensions for cines (50 x 96 x 96) and ECGs (12 leads x 600 samples at 500 Hz); the bundle
    holds weights (safetensors), configuration and training curve. Several processes or GPUs: start it as `torchrun
    --nproc-per-node 2 -m napari_latent_explorer train STUDY --output BUNDLE`.
    """
    from napari_latent_explorer.modeling.recordings import open_study
    from napari_latent_explorer.modeling.training import train as train_on
    from napari_latent_explorer.modeling.training_config import ReadingName, TrainingConfig
    from napari_latent_explorer.modeling.training_file import read_training_config

    readings: dict[str | None, ReadingName] = {"published": "paper", "ml4h": "ml4h", "ml4h_head": "ml4h_head"}
    settings = TrainingConfig.reading(readings[preset]) if preset in readings else TrainingConfig()
    options: dict[str, Any] = {
        "preset": None if preset is None else settings.preset,
        "max_minutes": max_minutes,
        "seed": seed,
        "baselines": baselines,
        "has_vae_baselines": vae,
    }
    if config is not None:
        settings = read_training_config(config, settings)
    settings = replace(settings, **{name: value for name, value in options.items() if value is not None})
    study = open_study(study_folder)
    bundle = run(
        train_on(study, settings, output, resume=resume, log_folder=output / "tensorboard" if tensorboard else None),
        "Training",
        "The last finished epoch is kept. Run the same command again to go on.",
    )
    if not console.quiet:
        typer.echo(
            f"{output}: bundle {bundle.fingerprint}. Next: napari-latent-explorer encode {study_folder} {output}"
        )


def encode(
    study_folder: StudyFolder,
    bundle_folder: BundleFolder,
    batch_size: Annotated[int, typer.Option(min=1, help="Participants in one step.")] = 32,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler; its workers must see study and bundle at the same paths."),
    ] = None,
) -> None:
    """Encode every recording of a study into latents (256 numbers each, no unit) and keep them in the study.

    On the GPU if there is one, else on the CPU; with `--scheduler` on the workers of a Dask cluster.
    """
    from napari_latent_explorer.modeling.batch_encoding import load_for_encoding
    from napari_latent_explorer.modeling.encoding import encode_study
    from napari_latent_explorer.modeling.recordings import open_study
    from napari_latent_explorer.modeling.trained_model import load_model

    study = open_study(study_folder)
    bundle = load_for_encoding(bundle_folder) if scheduler is None else load_model(bundle_folder)
    for modality in _shared_modalities(study, bundle):
        skipped: dict[str, str] = {}
        work = encode_study(study, bundle, modality, batch_size=batch_size, skipped=skipped, scheduler=scheduler)
        latents = run(work, f"Encoding {modality}", "What is encoded is kept. Run the same command again to go on.")
        study.save_latents(latents)
        typer.echo(f"{modality}: {len(latents.values)} x {latents.latent_dim} latents of bundle {bundle.fingerprint}")
        if skipped:
            first, reason = next(iter(skipped.items()))
            told = f"{len(skipped)} recordings could not be encoded, e.g. of {first}: {reason}"
            typer.echo(f"{modality}: {shown_text(told)}")
    typer.echo(f"Next: napari-latent-explorer project {study_folder} {bundle_folder}")


def project(
    study_folder: StudyFolder,
    bundle_folder: BundleFolder,
    seed: Annotated[int, typer.Option(min=0, help="Settles the map.")] = 0,
) -> None:
    """Lay the latents of a study out on two-dimensional maps (no unit) and keep these in the study.

    For each modality, and for both together: t-SNE; t-SNE on equal scales, where unusual recordings stand apart; PCA.
    """
    from napari_latent_explorer.analysis.map_space import JOINT, MAP_KINDS
    from napari_latent_explorer.analysis.projection import fit_map_of
    from napari_latent_explorer.modeling.recordings import open_study
    from napari_latent_explorer.modeling.trained_model import load_model

    study, bundle = open_study(study_folder), load_model(bundle_folder)
    latents = {name: study.latents(name, bundle.fingerprint) for name in _shared_modalities(study, bundle)}
    sources = {name: {name: space} for name, space in latents.items()} | ({JOINT: latents} if len(latents) > 1 else {})
    for name, source in sources.items():
        for kind, title in MAP_KINDS.items():
            work = fit_map_of(source, kind, seed=seed)
            projection = run(work, f"Projecting {name}, {title}", "Finished maps are kept. Run the same command again.")
            study.save_projection(projection.key, bundle.fingerprint, *projection.to_arrays())
        typer.echo(f"{name}: maps of {len(projection.coordinates)} participants: {', '.join(MAP_KINDS.values())}")
    typer.echo(f"Next: napari-latent-explorer evaluate {study_folder} {bundle_folder} --output SCORES")


def _shared_modalities(study: "Study", bundle: "TrainedModel") -> list[str]:
    shared = [name for name in study.modalities if name in bundle.modalities]
    if not shared:
        raise BundleError(
            f"The bundle {bundle.path} does not fit the study {study.path}: it knows {', '.join(bundle.modalities)}, "
            f"the study has {', '.join(study.modalities)}. Train a bundle on this study."
        )
    return shared
