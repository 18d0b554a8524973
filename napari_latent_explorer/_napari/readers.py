"""What can be opened with napari's own Open, or dropped on its window.

| path | becomes |
|---|---|
| study folder, or its ``manifest.json`` | the workspace with that study |
| ECG in any known format | the ECG dock: the recording, and with a model in use what that makes of it |
| cine of one slice, while a model is in use | a recording that is encoded and reconstructed |
| any other cine (DICOM folder, file or zip, NIfTI, HDF5) | an Image layer in ms and mm, and Labels where it has some |

What is none of these is left to other readers. Files named ``.csv``, ``.npy`` and ``.mat`` are not claimed, because
napari and other plugins open those; an ECG in one of them is opened from, or dropped on, the ECG dock.

napari calls readers on the thread of its window, and a stack of 240 images takes a second. So in a viewer a reader
only hands the path on: a job reads it, the strip in the docks shows how far it is, and the layer comes when it is
read. All files of a drop are opened together (see `inbox.py`). Without a viewer layers are returned at once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.guest_layers import layer_data
from napari_latent_explorer._napari.workspace import open_study_folder
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.formats import recognise
from napari_latent_explorer.session.outside_recordings import open_recordings

LayerData = tuple[Any, ...]
Paths = str | Sequence[str]
NO_LAYER: list[LayerData] = [(None,)]
"""How a reader tells napari that it has opened the path, but not as a layer."""
STUDY_FILE = "manifest.json"


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the function that opens `path` (or all of several), or None when it is nothing that we know."""
    paths = _as_paths(path)
    if len(paths) == 1 and _study_folder(paths[0]) is not None:
        return open_study
    return open_recording if paths and all(recognise(one) is not None for one in paths) else None


def open_study(path: Paths) -> list[LayerData]:
    """Open the workspace with the study at `path`."""
    viewer, folder = napari.current_viewer(), _study_folder(_as_paths(path)[0])
    if viewer is not None and folder is not None:
        open_study_folder(viewer, folder)
    return NO_LAYER


def open_recording(path: Paths) -> list[LayerData]:
    """Have the recording at `path` opened in the viewer; without a viewer, read it and return its layers.

    Raises
    ------
    RecordingError
        Without a viewer, when it cannot be read or has no layers.
    """
    viewer = napari.current_viewer()
    if viewer is not None:
        session_of(viewer).inbox.put(_as_paths(path))
        return NO_LAYER
    opened = finish(open_recordings(_as_paths(path)))
    layers = [layer for recording in opened.recordings for layer in layer_data(recording)]
    if layers:
        return list(layers)
    if opened.failures:
        raise opened.failures[0]
    raise RecordingError(
        f"{path} is an ECG, which is no layer: a viewer shows it in the ECG dock. In a script, read it with "
        "napari_latent_explorer.io.formats.read_recording."
    )


def _as_paths(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str) else [Path(one) for one in path]


def _study_folder(path: Path) -> Path | None:
    folder = path.parent if path.name == STUDY_FILE else path
    return folder if (folder / STUDY_FILE).is_file() and (folder / "participants.parquet").is_file() else None
