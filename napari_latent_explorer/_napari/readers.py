"""What can be opened with napari's own Open, or dropped on its window.

| path | becomes |
|---|---|
| study folder, or its ``manifest.json`` | the workspace with that study |
| long-axis DICOM cine, WFDB ECG, while a model is loaded | a recording that is encoded and reconstructed |
| any DICOM cine otherwise (short-axis stacks always) | an Image layer ``(time, slice, row, column)`` in ms and mm |

A folder that is none of these is left to other readers.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari

from napari_latent_explorer._napari.explorers import explorer_of
from napari_latent_explorer._napari.workspace import open_workspace
from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.io.formats import read_recording, recognise

LayerData = tuple[Any, ...]
NO_LAYER: list[LayerData] = [(None,)]
"""How a reader tells napari that it has opened the path, but not as a layer."""
STUDY_FILE = "manifest.json"


def get_reader(path: str | Sequence[str]) -> Callable[[str], list[LayerData]] | None:
    """Return the function that opens `path`, or None when it is nothing that we know."""
    if not isinstance(path, str):
        return None
    if _study_folder(Path(path)) is not None:
        return open_study
    return open_recording if recognise(path) is not None else None


def open_study(path: str) -> list[LayerData]:
    """Open the workspace with the study at `path`; the newest model that encoded it is used if it lies beside it."""
    viewer, folder = napari.current_viewer(), _study_folder(Path(path))
    if viewer is not None and folder is not None:
        bundle = folder.parent / "bundle"
        open_workspace(viewer).open_folder(folder, bundle if bundle.is_dir() else None)
    return NO_LAYER


def open_recording(path: str) -> list[LayerData]:
    """Encode and reconstruct the recording at `path`, or show it as a layer where no model can take it."""
    viewer = napari.current_viewer()
    explorer = explorer_of(viewer) if viewer is not None else None
    can_encode = explorer is not None and explorer.bundle is not None
    known = recognise(path)
    if known is not None and known.modality == "ecg":
        if explorer is None or not can_encode:
            raise BundleError(
                f"{path} is an ECG, which is shown in the ECG dock beside what a model makes of it. "
                "Open a study with its model first, for instance File > Open Sample > Latent Explorer."
            )
        explorer.load_recording(path)
        return NO_LAYER
    cine = read_recording(path)
    if not isinstance(cine, CineMRI):
        return NO_LAYER
    if explorer is not None and can_encode and cine.frames.shape[1] == 1:
        explorer.load_recording(path)
        return NO_LAYER
    return [_cine_layer(cine, Path(path).name)]


def _cine_layer(cine: CineMRI, name: str) -> LayerData:
    frame_ms = cine.rr_interval_ms / len(cine.frame_times_ms)
    attributes = {
        "name": name,
        "colormap": "gray",
        "scale": (frame_ms, *cine.spacing_mm),
        "units": ("ms", "mm", "mm", "mm"),
        "axis_labels": ("time", "slice", "row", "column"),
        "metadata": {"imaging_plane": cine.imaging_plane, "rr_interval_ms": cine.rr_interval_ms},
    }
    return cine.frames, attributes, "image"


def _study_folder(path: Path) -> Path | None:
    folder = path.parent if path.name == STUDY_FILE else path
    return folder if (folder / STUDY_FILE).is_file() and (folder / "participants.parquet").is_file() else None
