"""Where the sample study that ships with the package lies.

The folder is inside the package, so that a wheel, an editable install and a checkout all have it at the same place; the
`sample_data` at the top of the repository is a link to it.
"""

from importlib.resources import files
from pathlib import Path

from napari_latent_explorer.errors import BundleError, RecordingError, StudyError


def sample_folder() -> Path:
    """Folder with the sample study, its model bundle and one recording in each format."""
    return Path(str(files("napari_latent_explorer"))) / "sample_data"


def sample_study_path() -> Path:
    """Path of the sample study.

    Raises
    ------
    StudyError
        When this installation was made without it.
    """
    return _found(sample_folder() / "study", "manifest.json", StudyError)


def sample_bundle_path() -> Path:
    """Path of the model bundle that made the sample study's latents.

    Raises
    ------
    BundleError
        When this installation was made without it.
    """
    return _found(sample_folder() / "bundle", "", BundleError)


def sample_recordings_path() -> Path:
    """Path of the folder with one recording in each format that is read.

    Raises
    ------
    RecordingError
        When this installation was made without it.
    """
    return _found(sample_folder() / "recordings", "", RecordingError)


def _found(folder: Path, file: str, error: type[StudyError | BundleError | RecordingError]) -> Path:
    if not (folder / file).exists():
        raise error(
            f"Looking for the sample data that ships with napari-latent-explorer: nothing at {folder / file}. "
            "Install the package again, or make a study with `napari-latent-explorer study simulate`."
        )
    return folder
