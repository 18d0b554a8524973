"""What walks change of decoded hearts, kept on disk, so that it is measured once.

``calibrations/<bundle fingerprint>/<key>.json``, in the folder of the study, or in the user's own where that cannot be
written. The key says of which walk it is, so that a file of another one is never taken for it.
"""

import json
from pathlib import Path
from typing import Final

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study_manifest import path_component
from napari_latent_explorer.modeling.walk_calibration import WalkCalibration
from napari_latent_explorer.session.calibration_exchange import calibration_from_json, calibration_to_dict
from napari_latent_explorer.session.session_file import keeping_folders
from napari_latent_explorer.session.state import ExplorerState

FOLDER: Final = "calibrations"
MAX_BYTES: Final = 1 << 20


class CalibrationStore:
    """Where calibrations of one study by one model lie.

    Parameters
    ----------
    folders
        The one to write to first; a study that is in memory only has none.
    """

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders

    def find(self, key: str) -> WalkCalibration | None:
        """Read what the walk of this key changes; None where nothing is kept, or what is kept is damaged."""
        for folder in self._folders:
            try:
                with (folder / f"{key}.json").open("rb") as stream:
                    return calibration_from_json(json.loads(stream.read(MAX_BYTES)), key)
            except (OSError, ValueError, RecursionError, StudyError):
                continue
        return None

    def keep(self, calibration: WalkCalibration) -> None:
        """Write what a walk changes to the first folder that can be written, if any."""
        for folder in self._folders:
            try:
                write_file(folder / f"{calibration.key}.json", json.dumps(calibration_to_dict(calibration)).encode())
            except StudyError:
                continue
            return


def calibration_store(state: ExplorerState, bundle_fingerprint: str) -> CalibrationStore:
    """Find where calibrations of the open study by a model are kept."""
    if not isinstance(getattr(state.study, "path", None), Path):
        return CalibrationStore(())
    bundle = path_component(bundle_fingerprint, "the fingerprint of a bundle")
    return CalibrationStore(tuple(folder / bundle for folder in keeping_folders(state, FOLDER)))
