"""The one table of what recordings are recognised, and by what.

A format is recognised by what is in the file, not by its name alone; looking never raises, reading explains.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.archive import is_archive, members_of
from napari_latent_explorer.io.cine_cases import is_nifti_case, read_nifti_case
from napari_latent_explorer.io.cine_dicom import is_cine_dicom, read_cine_dicom
from napari_latent_explorer.io.cine_ml4h import is_cine_ml4h, read_cine_ml4h
from napari_latent_explorer.io.cine_nifti import read_cine_nifti
from napari_latent_explorer.io.ecg_aecg import is_ecg_aecg, read_ecg_aecg
from napari_latent_explorer.io.ecg_array import is_ecg_array, read_ecg_array
from napari_latent_explorer.io.ecg_cardiosoft import is_ecg_cardiosoft, read_ecg_cardiosoft
from napari_latent_explorer.io.ecg_dicom import is_ecg_dicom, read_ecg_dicom
from napari_latent_explorer.io.ecg_ml4h import is_ecg_ml4h, read_ecg_ml4h
from napari_latent_explorer.io.ecg_muse import is_ecg_muse, read_ecg_muse
from napari_latent_explorer.io.ecg_philips import is_ecg_philips, read_ecg_philips
from napari_latent_explorer.io.ecg_text import is_ecg_text, read_ecg_text
from napari_latent_explorer.io.ecg_unread import is_unread_ecg, refuse_unread_ecg
from napari_latent_explorer.io.ecg_wfdb import read_ecg_wfdb
from napari_latent_explorer.io.foreign_files import describe_foreign
from napari_latent_explorer.io.nifti_header import is_nifti
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions
from napari_latent_explorer.io.wfdb_header import is_wfdb
from napari_latent_explorer.io.xml_document import xml_root_name

_MAX_FILES_LOOKED_AT = 200
_CLOCK_S = 2.0


@dataclass(frozen=True, slots=True)
class RecordingFormat:
    """One format.

    Attributes
    ----------
    name
        Name for people.
    modality
        ``mri`` or ``ecg``.
    patterns
        File names that it usually has, for file dialogs.
    is_recognised
        Whether a path looks like it; never raises.
    read
        Reads what the options name, or raises `RecordingError`.
    """

    name: str
    modality: str
    patterns: tuple[str, ...]
    is_recognised: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], Reading]


def recognise(path: str | Path, modality: str | None = None) -> RecordingFormat | None:
    """Format of the recording (of that modality) at `path`; None when there is none that is known. Never raises."""
    try:
        place = Path(path)
        wanted = (known for known in FORMATS if modality in (None, known.modality))
        return next((known for known in wanted if known.is_recognised(place)), None)
    except (OSError, ValueError, TypeError):
        return None


def read_recording(path: str | Path, options: ReadOptions = ANY) -> CineMRI | ECG:
    """Read the recording at `path` in whatever known format it is; see `read_place`."""
    return read_place(path, options).recording


def read_place(path: str | Path, options: ReadOptions = ANY, modality: str | None = None) -> Reading:
    """Read the recording at `path` in whatever known format it is, with what became of each file there.

    Parameters
    ----------
    path
        File, folder or archive.
    options
        Which recording is meant, where there are several.
    modality
        ``mri`` or ``ecg``, where only that is wanted; a file may hold both.

    Raises
    ------
    RecordingError
        When it is of no known format, damaged, or not what it was taken for.
    """
    known = recognise(path, modality)
    if known is None:
        _refuse_damaged_archive(Path(path))
        wanted = (entry for entry in FORMATS if modality in (None, entry.modality))
        formats = "; ".join(f"{entry.name} ({', '.join(entry.patterns)})" for entry in wanted)
        found = _unknown(path) if os.path.exists(path) else "there is no such file or folder"
        raise RecordingError(f"Cannot read {path}: {found}. What is read: {formats}.")
    started = time.time()
    try:
        return known.read(Path(path), options)
    except OSError as refusal:
        raise RecordingError(f"Cannot read {path}: {reason_of(refusal)}. Check that you may read it.") from refusal
    except RecordingError:
        raise
    except Exception as surprise:
        if not _is_written_since(Path(path), started):
            raise
        raise RecordingError(
            f"Cannot read {path}: somebody wrote there while it was read. Read it again when it is finished."
        ) from surprise


def _is_written_since(place: Path, time_s: float) -> bool:
    """Whether a file at a place, or beside it, has been written since a time; clocks of discs are coarse."""
    folders = os.walk(place if place.is_dir() else place.parent)
    files = (Path(folder, name) for folder, _, names in folders for name in names)
    for file in islice(files, _MAX_FILES_LOOKED_AT):
        with suppress(OSError):
            if file.stat().st_mtime > time_s - _CLOCK_S:
                return True
    return False


def _refuse_damaged_archive(place: Path) -> None:
    """Say what is wrong with an archive that cannot be opened; that nothing in it is known is not."""
    if is_archive(place):
        members_of(place)


def _unknown(path: str | Path) -> str:
    place = Path(path)
    root = xml_root_name(place)
    if root not in (None, "", "html"):
        return f"it is an XML document of root {root}, and no ECG that is read"
    files = (Path(parent, name) for parent, _, names in os.walk(place) for name in sorted(names))
    for file in islice(files, _MAX_FILES_LOOKED_AT):
        known = recognise(file)
        if known is not None:
            return f"it is a folder of several recordings, such as {file.name} ({known.name}); open one of them"
    return describe_foreign(place)


FORMATS: tuple[RecordingFormat, ...] = (
    RecordingFormat("DICOM ECG", "ecg", ("*.dcm",), is_ecg_dicom, read_ecg_dicom),
    RecordingFormat("DICOM cine MRI", "mri", ("*.dcm", "*.ima", "*.zip", "folder"), is_cine_dicom, read_cine_dicom),
    RecordingFormat("ml4h cine MRI", "mri", ("*.hd5", "*.h5", "*.hdf5"), is_cine_ml4h, read_cine_ml4h),
    RecordingFormat("ml4h ECG", "ecg", ("*.hd5", "*.h5", "*.hdf5"), is_ecg_ml4h, read_ecg_ml4h),
    RecordingFormat("ACDC or M&Ms case", "mri", ("*.nii.gz", "*.nii", "folder"), is_nifti_case, read_nifti_case),
    RecordingFormat("NIfTI cine MRI", "mri", ("*.nii.gz", "*.nii", "*.hdr", "*.img"), is_nifti, read_cine_nifti),
    RecordingFormat("CardioSoft ECG", "ecg", ("*.xml",), is_ecg_cardiosoft, read_ecg_cardiosoft),
    RecordingFormat("GE MUSE ECG", "ecg", ("*.xml",), is_ecg_muse, read_ecg_muse),
    RecordingFormat("Philips ECG", "ecg", ("*.xml",), is_ecg_philips, read_ecg_philips),
    RecordingFormat("HL7 aECG", "ecg", ("*.xml",), is_ecg_aecg, read_ecg_aecg),
    RecordingFormat("WFDB ECG", "ecg", ("*.hea", "*.dat", "*.mat"), is_wfdb, read_ecg_wfdb),
    RecordingFormat("ECG array", "ecg", ("*.npy", "*.npz"), is_ecg_array, read_ecg_array),
    RecordingFormat("ECG table", "ecg", ("*.csv", "*.tsv", "*.txt"), is_ecg_text, read_ecg_text),
    RecordingFormat("ECG to be converted first", "ecg", ("*.scp", "*.edf"), is_unread_ecg, refuse_unread_ecg),
)
"""Every format that is read, the most particular first."""
