"""`study create` and `study add`: a study from folders of recordings and a table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from napari_latent_explorer._cli.progress import run
from napari_latent_explorer.errors import shown_text

if TYPE_CHECKING:
    from napari_latent_explorer.building.build import BuildResult
    from napari_latent_explorer.building.plan import BuildConfig
    from napari_latent_explorer.building.study_plan import StudyPlan
    from napari_latent_explorer.data.cine import ImagingPlane

Plane = Literal["la_4ch", "la_2ch", "la_3ch", "sa", "unknown", "any"]
Crop = Literal["centred", "published", "none"]
Kind = Literal["median", "rhythm", "any"]

_N_EXAMPLES = 3
_WHEN_STOPPED = "Everybody read so far is kept. Run the same command again to go on."


@dataclass(frozen=True, slots=True)
class Sources:
    """Where files are, how they are to be read, and by how many: the options that both commands have."""

    table: Annotated[
        Path | None, typer.Option(help="Table of phenotypes (CSV, TSV, Parquet, Excel, SPSS, Stata), one row a person.")
    ] = None
    id_column: Annotated[
        str | None, typer.Option(help="Column of the table with the ids; found if there is one to find.")
    ] = None
    cine: Annotated[
        Path | None, typer.Option(help="Cine MRI: DICOM (folders, files or zip archives), NIfTI, ml4h HDF5.")
    ] = None
    ecg: Annotated[
        Path | None, typer.Option(help="ECGs: CardioSoft, MUSE, Philips or HL7 XML, DICOM, WFDB, CSV, NPY, ml4h HDF5.")
    ] = None
    labels: Annotated[Path | None, typer.Option(help="Label maps of the cines: NIfTI, on the same grid.")] = None
    plane: Annotated[
        Plane | None,
        typer.Option(help="Imaging plane that is taken, la_4ch if not given; with `--series`, what that series shows."),
    ] = None
    series: Annotated[
        str | None, typer.Option(help="Series description or UID, where the plane does not settle it.")
    ] = None
    ecg_kind: Annotated[
        Kind, typer.Option(help="Median beat or rhythm strip; any: the device's median beat if it has one.")
    ] = "any"
    instance: Annotated[
        int | None, typer.Option(min=0, help="UK Biobank visit; the lowest imaging visit that there is if not given.")
    ] = None
    id_pattern: Annotated[
        str | None,
        typer.Option(help=r"Regular expression with a group `id`, searched for in each path, e.g. `sub-(?P<id>\d+)`."),
    ] = None
    columns: Annotated[
        Path | None, typer.Option(help="What columns of the table mean (as `study table --columns-out` writes it).")
    ] = None
    crop: Annotated[
        Crop,
        typer.Option(help="Rule of the heart crop: around its middle (1.8 mm pixels), as published, or none stored."),
    ] = "centred"
    label_scheme: Annotated[
        str | None,
        typer.Option(help="What class numbers mean where files do not tell: ml4h_la_4ch, ml4h_sa, acdc, mnms."),
    ] = None
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one per processor if not given.")] = None
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler; its workers must see the same files at the same paths."),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False

    def config(self, output: Path, name: str = "") -> "BuildConfig":
        """Say what is asked of a build."""
        from napari_latent_explorer.building.plan import BuildConfig
        from napari_latent_explorer.io.columns_file import read_columns_file

        return BuildConfig(
            output=output,
            table=self.table,
            id_column=self.id_column,
            cine=self.cine,
            ecg=self.ecg,
            labels=self.labels,
            imaging_plane=_wanted_plane(self.plane, self.series),
            series=self.series,
            ecg_kind=None if self.ecg_kind == "any" else self.ecg_kind,
            instance=self.instance,
            id_pattern=self.id_pattern,
            crop_rule=self.crop,
            label_scheme=self.label_scheme,
            columns=None if self.columns is None else read_columns_file(self.columns),
            name=name,
        )


def with_sources(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``sources`` each of their fields as an option of its own."""
    parameters = [one for one in signature(command).parameters.values() if one.name != "sources"]
    options = [one.replace(kind=one.KEYWORD_ONLY) for one in signature(Sources).parameters.values()]

    @wraps(command)
    def called(**given: Any) -> None:
        command(sources=Sources(**{one.name: given.pop(one.name) for one in options}), **given)

    in_order = sorted([*parameters, *options], key=lambda one: one.kind)
    called.__signature__ = Signature(in_order)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in in_order}
    return called


@with_sources
def create(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make, or a half-written one to finish.")],
    *,
    sources: Sources,
    name: Annotated[str, typer.Option(help="Name of the study for people; the folder's name if empty.")] = "",
) -> None:
    """Build a study from folders of recordings and a table of phenotypes.

    Files are matched to people by their names: UK Biobank's, or any name that holds the id as a whole word. Cines keep
    their pixels (mm), ECGs are in mV, times in ms. What cannot be read, or takes longer than 15 minutes a person, is
    reported, and the study is built from the rest. Stopped or killed at any moment, the same command goes on.
    """
    from napari_latent_explorer.building.build import build_study
    from napari_latent_explorer.building.plan import plan_study

    plan = run(plan_study(sources.config(output, name)), "Looking", "Nothing was written.")
    say_plan(plan)
    if sources.dry_run:
        return
    result = run(build_study(plan, sources.workers, sources.scheduler), "Building", _WHEN_STOPPED)
    say_result(result)
    typer.echo(f"Next: napari-latent-explorer train {output}, or encode {output} BUNDLE")


@with_sources
def add(
    study_folder: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study that was built.")],
    *,
    sources: Sources,
) -> None:
    """Add people to a study, and recordings to people who lack them; what is there stays as it is.

    New people need a row in the table, unless the study has no phenotypes. Units are those of the study (cines in mm,
    ECGs in mV, times in ms). Latents stay good for those who have them; encode the study again for the others.
    """
    from napari_latent_explorer.building.addition import add_to_study, plan_addition

    addition = run(plan_addition(sources.config(study_folder)), "Looking", "Nothing was written.")
    say_plan(addition.plan)
    _say(f"{len(addition.extended)} people of the study get a recording that they lacked")
    if sources.dry_run:
        return
    work = add_to_study(addition, sources.workers, sources.scheduler)
    result = run(work, "Adding", "The study is as it was. " + _WHEN_STOPPED)
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
