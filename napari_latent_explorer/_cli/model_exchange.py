"""`import-dropfuse` and `export-onnx`: released weights of others as a bundle, and a bundle for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_latent_explorer._cli.model import BundleFolder

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


def export_onnx(
    bundle_folder: BundleFolder,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the networks and their metadata.")],
) -> None:
    """Write a bundle's encoders and decoders in ONNX, with metadata.json in the words of MONAI bundles.

    Shapes, leads and units (ECG in 50 uV, cine z-scored) stand in the metadata. The folder can be opened wherever a
    bundle is expected, and so can one with networks of others. Needs the extra `onnx`.
    """
    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.onnx_export import export_onnx as export
    from napari_latent_explorer.modeling.trained_model import load_model

    for path in export(ModelBundle.load(bundle_folder), output):
        typer.echo(path)
    typer.echo(f"{output}: model {load_model(output).fingerprint}.")
