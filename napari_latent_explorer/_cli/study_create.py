"""`study create` and `study add`: a study from folders of recordings and a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from napari_latent_explorer._cli.progress import run
from napari_latent_explorer.errors import shown_text

if TYPE_CHECKING:
    from napari_latent_explorer.building.build import BuildResult
    from napari_latent_explorer.building.study_plan import StudyPlan
    from napari_latent_explorer.data.cine import ImagingPlane

Plane = Literal["la_4ch", "la_2ch", "la_3ch", "sa", "unknown", "any"]
Crop = Literal["centred", "published", "none"]
Kind = Literal["median", "rhythm", "any"]

_N_EXAMPLES = 3
_WHEN_STOPPED = "Everybody read so far is kept. Run the same command again to go on."

Table = Annotated[
    Path | None, typer.Option(help="Table of phenotypes (CSV, TSV, Parquet, Excel, SPSS, Stata), one row a person.")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of the table with the ids; found if there is one to find.")]
CineFolder = Annotated[
    Path | None, typer.Option(help="Cine MRI: DICOM (folders, files or zip archives), NIfTI, ml4h HDF5.")
]
EcgFolder = Annotated[
    Path | None, typer.Option(help="ECGs: CardioSoft, MUSE, Philips or HL7 XML, DICOM, WFDB, CSV, NPY, ml4h HDF5.")
]
LabelsFolder = Annotated[Path | None, typer.Option(help="Label maps of the cines: NIfTI, on the same grid.")]
PlaneOption = Annotated[
    Plane | None,
    typer.Option(help="Imaging plane that is taken, la_4ch if not given; with `--series`, what that series shows."),
]
Series = Annotated[str | None, typer.Option(help="Series description or UID, where the plane does not settle it.")]
EcgKind = Annotated[
    Kind, typer.Option(help="Median beat or rhythm strip; any: the device's median beat if it has one.")
]
Instance = Annotated[
    int | None, typer.Option(min=0, help="UK Biobank visit; the lowest imaging visit that there is if not given.")
]
IdPattern = Annotated[
    str | None,
    typer.Option(help=r"Regular expression with a group `id`, searched for in each path, e.g. `sub-(?P<id>\d+)`."),
]
Columns = Annotated[
    Path | None, typer.Option(help="What columns of the table mean (as `study table --columns-out` writes it).")
]
CropOption = Annotated[
    Crop, typer.Option(help="Rule of the heart crop: around its middle (1.8 mm pixels), as published, or none stored.")
]
LabelScheme = Annotated[
    str | None, typer.Option(help="What class numbers mean where files do not tell: ml4h_la_4ch, ml4h_sa, acdc, mnms.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; one per processor if not given.")]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler; its workers must see the same files at the same paths."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def create(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make, or a half-written one to finish.")],
    table: Table = None,
    id_column: IdColumn = None,
    cine: CineFolder = None,
    ecg: EcgFolder = None,
    labels: LabelsFolder = None,
    plane: PlaneOption = None,
    series: Series = None,
    ecg_kind: EcgKind = "any",
    instance: Instance = None,
    id_pattern: IdPattern = None,
    columns: Columns = None,
    crop: CropOption = "centred",
    label_scheme: LabelScheme = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    dry_run: DryRun = False,
    name: Annotated[str, typer.Option(help="Name of the study for people; the folder's name if empty.")] = "",
) -> None:
    """Build a study from folders of recordings and a table of phenotypes.

    Files are matched to people by their names: UK Biobank's, or any name that holds the id as a whole word. Cines keep
    their pixels (mm), ECGs are in mV, times in ms. What cannot be read, or takes longer than 15 minutes a person, is
    reported, and the study is built from the rest. Stopped or killed at any moment, the same command goes on.
    """
    from napari_latent_explorer.building.build import build_study
    from napari_latent_explorer.building.plan import BuildConfig, plan_study
    from napari_latent_explorer.io.columns_file import read_columns_file

    config = BuildConfig(
        output=output,
        table=table,
        id_column=id_column,
        cine=cine,
        ecg=ecg,
        labels=labels,
        imaging_plane=_wanted_plane(plane, series),
        series=series,
        ecg_kind=None if ecg_kind == "any" else ecg_kind,
        instance=instance,
        id_pattern=id_pattern,
        crop_rule=crop,
        label_scheme=label_scheme,
        columns=None if columns is None else read_columns_file(columns),
        name=name,
    )
    plan = run(plan_study(config), "Looking", "Nothing was written.")
    say_plan(plan)
    if dry_run:
        return
    result = run(build_study(plan, workers, scheduler), "Building", _WHEN_STOPPED)
    say_result(result)
    typer.echo(f"Next: napari-latent-explorer train {output}, or encode {output} BUNDLE")


def add(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study that was built.")],
    table: Table = None,
    id_column: IdColumn = None,
    cine: CineFolder = None,
    ecg: EcgFolder = None,
    labels: LabelsFolder = None,
    plane: PlaneOption = None,
    series: Series = None,
    ecg_kind: EcgKind = "any",
    instance: Instance = None,
    id_pattern: IdPattern = None,
    columns: Columns = None,
    crop: CropOption = "centred",
    label_scheme: LabelScheme = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    dry_run: DryRun = False,
) -> None:
    """Add people to a study, and recordings to people who lack them; what is there stays as it is.

    New people need a row in the table, unless the study has no phenotypes. Units are those of the study (cines in mm,
    ECGs in mV, times in ms). Latents stay good for those who have them; encode the study again for the others.
    """
    from napari_latent_explorer.building.addition import add_to_study, plan_addition
    from napari_latent_explorer.building.plan import BuildConfig
    from napari_latent_explorer.io.columns_file import read_columns_file

    config = BuildConfig(
        output=study_folder,
        table=table,
        id_column=id_column,
        cine=cine,
        ecg=ecg,
        labels=labels,
        imaging_plane=_wanted_plane(plane, series),
        series=series,
        ecg_kind=None if ecg_kind == "any" else ecg_kind,
        instance=instance,
        id_pattern=id_pattern,
        crop_rule=crop,
        label_scheme=label_scheme,
        columns=None if columns is None else read_columns_file(columns),
    )
    addition = run(plan_addition(config), "Looking", "Nothing was written.")
    say_plan(addition.plan)
    _say(f"{len(addition.extended)} people of the study get a recording that they lacked")
    if dry_run:
        return
    result = run(add_to_study(addition, workers, scheduler), "Adding", "The study is as it was. " + _WHEN_STOPPED)
    say_result(result)
    typer.echo(f"Next: napari-latent-explorer encode {study_folder} BUNDLE")


def _wanted_plane(plane: Plane | None, series: str | None) -> "ImagingPlane | None":
    if plane is None:
        return "la_4ch" if series is None else None
    return None if plane == "any" else plane


def say_plan(plan: "StudyPlan") -> None:
    """Say whose recordings were found, and which files are left aside and why."""
    counts = {"a cine": plan.n_with("mri"), "an ECG": plan.n_with("ecg"), "labels": plan.n_with("labels")}
    parts = [f"{n} with {what}" for what, n in counts.items() if n]
    both = plan.n_with_both()
    _say(f"{len(plan.participants)} participants: {', '.join(parts)}{f', {both} with both' if both else ''}")
    for warning in plan.warnings:
        _say(f"  {warning}")
    for reason, files in plan.unused_by_reason().items():
        names = ", ".join(file.path.name for file in files[:_N_EXAMPLES])
        _say(f"  {len(files)} files not used: {reason} ({names}{', ...' if len(files) > _N_EXAMPLES else ''})")


def say_result(result: "BuildResult") -> None:
    """Say what became of the files, and where that stands in full."""
    cohort = result.study.cohort()
    held = [f"{int(mask.sum())} {modality}" for modality, mask in cohort.availability.items()]
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    _say(f"{result.study.path}: {len(cohort)} participants with {' and '.join(held)} recordings")
    _say(f"Files: {counts}. Each with its reason: {result.report}")


def _say(text: str) -> None:
    typer.echo(shown_text(text))
