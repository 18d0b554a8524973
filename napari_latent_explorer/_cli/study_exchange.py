"""`study export` and `study import-latents`: what other programs read of a study, and what they have made of it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_latent_explorer._cli.progress import run
from napari_latent_explorer._cli.study import StudyFolder
from napari_latent_explorer.errors import StudyError, shown_text

Modality = Literal["mri", "ecg", "joint"]

_MIN_PARTICIPANTS_FOR_A_MAP = 10

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Write what other programs read.")


@app.command()
def recording(
    study_folder: StudyFolder,
    participant: Annotated[str, typer.Argument(metavar="PARTICIPANT", help="Participant id, as in the study's table.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write `cine_dicom` and `ecg_wfdb` into.")],
) -> None:
    """Write one participant's recordings as files that other programs read: the cine as DICOM, the ECG as WFDB (mV).

    No participant id is written. Of simulated people, the ECG is a strip of 10 s at 500 Hz.
    """
    from napari_latent_explorer.modeling.recordings import export_recordings, open_study

    cine, ecg = export_recordings(open_study(study_folder), participant, output)
    typer.echo(f"Wrote {cine} and {ecg}")


@app.command()
def cohort(
    study_folder: StudyFolder,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="`.h5ad` (AnnData) or `.tsv` (latents only, as ml4h).")],
    modality: Annotated[Modality, typer.Option(help="Whose latents.")] = "mri",
    bundle: Annotated[str | None, typer.Option(help="Fingerprint of their bundle; the newest if not given.")] = None,
    ids: Annotated[bool, typer.Option("--ids/--no-ids", help="Write participant ids, or running names.")] = False,
) -> None:
    """Write the latents of a study, and in `.h5ad` its phenotypes (in their units) and map, for other programs.

    Without `--ids` participants are called anonymous_1, anonymous_2 and so on, by their row in the study.
    """
    from napari_latent_explorer.io.latent_tables import write_latent_h5ad, write_latent_tsv
    from napari_latent_explorer.modeling.recordings import open_study

    writers = {".h5ad": write_latent_h5ad, ".tsv": write_latent_tsv}
    if output.suffix.lower() not in writers:
        raise StudyError(f"Cannot tell the format from the name {output}. Let it end in .h5ad or .tsv.")
    study = open_study(study_folder)
    names = [name for name in study.latent_fingerprints() if study.has_latents(modality, name)]
    fingerprint = bundle or next(iter(names), "")
    if not fingerprint:
        raise StudyError(
            f"The study {study.path} has no {modality} latents. Run `napari-latent-explorer encode` on it."
        )
    latents = writers[output.suffix.lower()](output, study, modality, fingerprint, with_ids=ids)
    people = "with participant ids" if ids else "without participant ids (--ids writes them)"
    n, dimension = latents.values.shape
    typer.echo(f"{output}: {n} x {dimension} {modality} latents of bundle {fingerprint}, {people}")


def import_latents(
    study_folder: StudyFolder,
    latent_file: Annotated[
        Path, typer.Argument(metavar="FILE", help="TSV of ml4h (`sample_id`, `latent_0` ...) or `.h5ad`.")
    ],
    modality: Annotated[Modality, typer.Option(help="Whose encoder made them.")],
    bundle: Annotated[
        str | None, typer.Option(help="Name to keep them under; give MRI and ECG of one model the same.")
    ] = None,
    project: Annotated[bool, typer.Option("--project/--no-project", help="Lay them out on a t-SNE map too.")] = True,
) -> None:
    """Take latents that another program made of a study's participants into the study, with a map of them (no unit).

    Without `--bundle` the name comes from the file: the bundle's that an `.h5ad` of this program names, else one made
    of its content, such as tsv-0123456789abcdef.
    """
    from napari_latent_explorer.analysis.projection import fit_tsne
    from napari_latent_explorer.io.latent_tables import import_latents as read_latents
    from napari_latent_explorer.modeling.recordings import open_study

    study = open_study(study_folder)
    found = read_latents(latent_file, study, modality, bundle)
    latents = found.latents
    study.save_latents(latents)
    for line in (*map(str, found.findings), *found.notes):
        typer.echo(shown_text(line))
    n, dimension = latents.values.shape
    typer.echo(f"{modality}: {n} x {dimension} latents under the name {latents.bundle_fingerprint}")
    if project and n >= _MIN_PARTICIPANTS_FOR_A_MAP:
        work = fit_tsne(latents)
        projection = run(work, f"Projecting {modality}", "The latents are kept. Run the same command again.")
        study.save_projection(modality, latents.bundle_fingerprint, *projection.to_arrays())
        typer.echo(f"{modality}: map of {n} participants")
