"""`import-dropfuse`: released weights of others as a bundle of this program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.dropfuse_weights import Half

HalfFile = Annotated[Path | None, typer.Option(help="File of this half (.h5).")]


def import_dropfuse(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the bundle to make.")],
    ecg_encoder: HalfFile = None,
    ecg_decoder: HalfFile = None,
    mri_encoder: HalfFile = None,
    mri_decoder: HalfFile = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder with the halves, told apart by what is in them.", file_okay=False)
    ] = None,
    full_model: Annotated[Path | None, typer.Option(help="File of the whole model (.h5) instead of halves.")] = None,
) -> None:
    """Import the released weights of the paper (DropFuse, ml4h) from their Keras files.

    Cines of 50 frames x 96 x 96 pixels in the published crop, ECGs of 12 leads x 600 samples at 500 Hz in units of
    50 uV; 256 latents. Each file's SHA-256 is compared with those of the release.
    """
    from napari_latent_explorer.modeling import dropfuse_weights

    given = {
        ("encoder", "ecg"): ecg_encoder,
        ("decoder", "ecg"): ecg_decoder,
        ("encoder", "mri"): mri_encoder,
        ("decoder", "mri"): mri_decoder,
    }
    files: dict[Half, Path] = {half: path for half, path in given.items() if path is not None}  # type: ignore[misc]
    if sum((bool(files), folder is not None, full_model is not None)) != 1:
        raise typer.BadParameter("Give either the halves one by one, or --folder, or --full-model.")
    if folder is not None:
        files = dropfuse_weights.find_halves(folder)
    bundle = dropfuse_weights.import_dropfuse(files, full_model=full_model)
    bundle.save(output)
    for source in bundle.metadata["imported_from"]:
        typer.echo(f"{source['file']}: {source['verdict']} (SHA-256 {source['sha256']})")
    typer.echo(f"{output}: bundle {bundle.fingerprint} of {' and '.join(bundle.modalities)}. {bundle.warning}")
