"""`study simulate` and `study info`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from napari_latent_explorer._cli.foreign_text import plain
from napari_latent_explorer._cli.progress import run
from napari_latent_explorer.data.cohort import MISSING_CODE, Cohort

if TYPE_CHECKING:
    from napari_latent_explorer.io.study import Study

_MAX_REASONS = 8

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
    """Say what a study holds: people, phenotypes with units, recordings, files it was built from, latents and maps."""
    from napari_latent_explorer.analysis.map_space import MAP_KINDS, MAP_NAMES, map_key
    from napari_latent_explorer.modeling.recordings import open_study

    study = open_study(study_folder)
    cohort = study.cohort()
    stdout = Console()
    where = f"{len(cohort)} participants in {plain(str(study.path))}"
    stdout.print(f"[bold]{plain(study.name)}[/bold]: {where}", highlight=False)
    for modality, mask in cohort.availability.items():
        stdout.print(f"  {modality}: {int(mask.sum())} recordings", highlight=False)
    for line in _files_of(study):
        stdout.print(f"  {plain(line)}", highlight=False)
    for fingerprint in study.latent_fingerprints():
        have = [name for name in study.modalities if study.has_latents(name, fingerprint)]
        keys = [map_key(name, kind) for name in MAP_NAMES for kind in MAP_KINDS]
        maps = [key for key in keys if study.has_projection(key, fingerprint)]
        made = f"latents {', '.join(have)}; maps {', '.join(maps) or 'none'}"
        stdout.print(f"  bundle {plain(fingerprint)}: {made}", highlight=False)
    stdout.print(_phenotype_table(cohort))


def _files_of(study: "Study") -> list[str]:
    """Say what became of the files that a study was built from, and where its heart boxes come from."""
    from napari_latent_explorer.building.outcomes import OUTCOMES, kind_of_reason
    from napari_latent_explorer.building.report import REPORT_PAGE, REPORT_TABLE, read_report
    from napari_latent_explorer.io.heart_boxes import rows_with_box

    n_drawn = len(rows_with_box(study.path))
    drawn = [f"heart boxes: {n_drawn} drawn by hand"] if n_drawn else []
    if not (study.path / REPORT_TABLE).is_file():
        return drawn
    table = read_report(study.path)
    n_of = table.groupby("outcome")["n_files"].sum()
    counts = ", ".join(f"{int(n_of.get(outcome, 0))} {outcome}" for outcome in OUTCOMES)
    lines = [f"files: {counts}; each with its reason in {REPORT_PAGE}"]
    kinds = table.assign(kind=table["reason"].map(kind_of_reason))
    for outcome in ("failed", "skipped"):
        of_kind = kinds[(kinds["outcome"] == outcome) & (kinds["n_files"] > 0)].groupby("kind")
        first = of_kind.agg(n=("n_files", "sum"), reason=("reason", "first")).sort_values("n", ascending=False)
        lines += [f"  {one.n} {outcome}: {one.reason}" for one in first.head(_MAX_REASONS).itertuples()]
    boxes = table.loc[table["heart_box"] != "", "heart_box"].value_counts()
    found = [f"{n} from {source}" for source, n in boxes.items()]
    return [*lines, *([f"heart boxes: {', '.join(found)}"] if found else []), *drawn]


def _phenotype_table(cohort: Cohort) -> Table:
    table = Table("phenotype", "median (quartiles), or share", "missing")
    for name, spec in cohort.specs.items():
        n_missing = int((cohort.phenotypes[name].isna()).sum())
        table.add_row(plain(spec.title), plain(_summary(cohort, name)), str(n_missing or ""))
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
