"""`demo` and `tour`: the sample study, or one's own, in napari.

The viewer is opened through napari's own plugin calls; what it shows is said by the plugin's manifest.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from napari_latent_explorer._cli.system_libraries import install_command, is_display_at_hand, missing_packages
from napari_latent_explorer._cli.virtual_display import run_under_virtual_display
from napari_latent_explorer.errors import LatentExplorerError

PLUGIN = "napari-latent-explorer"

TourFolder = Annotated[Path, typer.Option(help="Folder for what the tour shows.")]


def demo(output: TourFolder = Path("tour")) -> None:
    """Open napari with the sample study in its docks; without a display, write a tour of it instead."""
    if not is_display_at_hand():
        typer.echo(f"No display here: the tour runs under a virtual one and writes what it shows to {output}.")
        tour(output)
        return
    import napari

    viewer = napari.Viewer()
    viewer.open_sample(PLUGIN, "sample_study")
    napari.run()


def tour(
    output: TourFolder = Path("tour"),
    study: Annotated[Path | None, typer.Option(help="Folder of a study; the sample study if left out.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of the bundle that encoded it.")] = None,
    cine: Annotated[Path | None, typer.Option(help="Folder of a DICOM cine to encode and show as well.")] = None,
    ecg: Annotated[Path | None, typer.Option(help="WFDB header of a 12-lead ECG to encode and show as well.")] = None,
) -> None:
    """Go through the main job in napari and write what it shows.

    The folder gets screenshots of the whole window, the cine as a movie, the ECG figure (mV, ms) and a table of
    predictions with units and intervals. Without a display, all of it happens under a virtual one.
    """
    paths = {"study": study, "bundle": bundle, "cine": cine, "ecg": ecg}
    _refuse_missing(paths)
    if is_display_at_hand():
        _tour_here(output, paths)
    else:
        _tour_under_virtual_display(output, paths)


def _refuse_missing(paths: dict[str, Path | None]) -> None:
    missing = [f"--{name} {path}" for name, path in paths.items() if path is not None and not path.exists()]
    if missing:
        raise LatentExplorerError(f"The tour cannot start: there is nothing at {', '.join(missing)}.")
    if (paths["study"] is None) != (paths["bundle"] is None):
        raise LatentExplorerError("A study is shown with the bundle that encoded it: give both --study and --bundle.")


def _tour_here(output: Path, paths: dict[str, Path | None]) -> None:
    import napari
    from npe2 import PluginManager

    viewer = napari.Viewer()
    try:
        commands = PluginManager.instance().commands
        written = commands.execute(f"{PLUGIN}.tour", args=(viewer, output), kwargs=paths)
    finally:
        viewer.close()
    for path in written:
        typer.echo(path)


def _tour_under_virtual_display(output: Path, paths: dict[str, Path | None]) -> None:
    missing = missing_packages()
    if missing:
        raise LatentExplorerError(
            "There is no display here, and the virtual one lacks system libraries. Install them, then try again:\n\n"
            f"    {install_command(missing)}\n"
        )
    options = [part for name, path in paths.items() if path is not None for part in (f"--{name}", str(path))]
    command = [sys.executable, "-P", "-m", "napari_latent_explorer", "tour", "--output", str(output), *options]
    with tempfile.TemporaryDirectory() as folder:
        # a fresh configuration, so that the pictures do not depend on how somebody left their windows
        status = run_under_virtual_display(command, NAPARI_CONFIG=str(Path(folder) / "settings.yaml"))
    if status:
        raise typer.Exit(status)
