"""`study simulate` and `study info`."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from napari_latent_explorer._cli.progress import run
from napari_latent_explorer.data.cohort import MISSING_CODE, Cohort

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Make a study, or say what one holds.")

OutputFolder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make, or a half-written one to finish.")]
StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study.")]


@app.command()
def simulate(
    output: OutputFolder,
    participants: Annotated[int, typer.Option(min=1, help="Number of people.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Person i depends on seed and i alone.")] = 1,
    recordings: Annotated[
        bool, typer.Option(help="Write cine, labels and ECG (0.5 MB a person), or make them from factors on demand.")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes that simulate at once.")] = os.cpu_count() or 1,
    name: Annotated[str, typer.Option(help="Name of the study for people; the folder's name if empty.")] = "",
) -> None:
    """Simulate beating hearts with known factors and write them as a study.

    Each person has a 4-chamber cine MRI (50 frames of 96 x 96 pixels, 1.8 mm), its labels, a 12-lead ECG (600 samples
    at 500 Hz, mV) and phenotypes (g, ml, %, ms, bpm, kg/m2, years). About 0.2 s a person and core.
    """
    from napari_latent_explorer.modeling.recordings import create_simulated_study

    work = create_simulated_study(output, participants, seed, stored=recordings, n_workers=workers, name=name)
    study = run(work, "Simulating", "Everyone simulated so far is kept. Run the same command again to go on.")
    typer.echo(f"{study.path}: {len(study.cohort())} participants. Next: napari-latent-explorer train {output}")


@app.command()
def info(study_folder: StudyFolder) -> None:
    """Say what a study holds: people, phenotypes with their units, recordings, latents and maps."""
    from napari_latent_explorer.modeling.recordings import open_study

    study = open_study(study_folder)
    cohort = study.cohort()
    stdout = Console()
    stdout.print(f"[bold]{study.name}[/bold]: {len(cohort)} participants in {study.path}", highlight=False)
    for modality, mask in cohort.availability.items():
        stdout.print(f"  {modality}: {int(mask.sum())} recordings", highlight=False)
    for fingerprint in study.latent_fingerprints():
        have = [name for name in study.modalities if study.has_latents(name, fingerprint)]
        maps = [name for name in study.modalities if study.has_projection(name, fingerprint)]
        made = f"latents {', '.join(have)}; maps {', '.join(maps) or 'none'}"
        stdout.print(f"  bundle {fingerprint}: {made}", highlight=False)
    stdout.print(_phenotype_table(cohort))


def _phenotype_table(cohort: Cohort) -> Table:
    table = Table("phenotype", "median (quartiles), or share", "missing")
    for name, spec in cohort.specs.items():
        n_missing = int((cohort.phenotypes[name].isna()).sum())
        table.add_row(spec.title, _summary(cohort, name), str(n_missing or ""))
    return table


def _summary(cohort: Cohort, name: str) -> str:
    spec = cohort.specs[name]
    if spec.kind == "continuous":
        low, middle, high = cohort.phenotypes[name].quantile([0.25, 0.5, 0.75])
        return f"{middle:.4g} ({low:.4g} to {high:.4g})"
    codes = cohort.codes(name)
    known = max(int((codes != MISSING_CODE).sum()), 1)
    percentages = [100 * (codes == code).sum() / known for code in range(len(spec.categories))]
    return ", ".join(f"{label} {share:.3g} %" for label, share in zip(spec.categories, percentages, strict=True))
