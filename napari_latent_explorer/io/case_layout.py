"""How public collections lay out the NIfTI files of one person, told from the files' names.

| collection | cine | one frame | labels | numbers |
|---|---|---|---|---|
| ACDC | ``patient001_4d`` | ``patient001_frame01`` | ``patient001_frame01_gt`` | `ACDC_CLASSES` |
| M&Ms | ``A0S9V9_sa`` | | ``A0S9V9_sa_gt``, all frames, blank but at ED and ES | `MNMS_CLASSES` |
| M&Ms-2 | ``001_SA_CINE``, ``001_LA_CINE`` | ``001_SA_ED`` | ``001_SA_ED_gt`` | `MNMS_CLASSES` |

Each name ends in ``.nii.gz`` or ``.nii``. The long axis (``LA``) of M&Ms-2 is the 4-chamber view. ACDC counts frames
from 1 and keeps a text ``Info.cfg`` beside them (`ED`, `ES`, `NbFrame`, and facts that belong into a table).

References
----------
ACDC: https://www.creatis.insa-lyon.fr/Challenge/acdc/; M&Ms: https://www.ub.edu/mnms/; M&Ms-2: https://www.ub.edu/mnms-2/.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from napari_latent_explorer.data.cine import ACDC_CLASSES, MNMS_CLASSES, ImagingPlane
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.nifti_header import is_nifti
from napari_latent_explorer.io.source_file import SourceFile

Phase = Literal["ED", "ES"]
INFO_FILE = "Info.cfg"

_ENDING = r"(?P<gt>_gt)?\.nii(?:\.gz)?"
_ACDC = re.compile(rf"(?P<case>.+)_(?:4d|frame(?P<number>\d{{1,4}})){_ENDING}", re.IGNORECASE)
_MNMS = re.compile(rf"(?P<case>.+)_(?P<axis>sa|la)(?:_(?P<phase>ed|es|cine))?{_ENDING}", re.IGNORECASE)
_NIFTI_SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
_MAX_FILES = 400
_MAX_INFO_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One NIfTI file of a case.

    Attributes
    ----------
    path
        File.
    case
        Name of the person in the collection.
    imaging_plane
        What it shows.
    frame
        Number of its only frame, from 0, or its name where no number is known; None for all frames.
    is_label
        Whether it holds class numbers.
    names
        What those mean in its collection.
    """

    path: Path
    case: str
    imaging_plane: ImagingPlane
    frame: int | Phase | None
    is_label: bool
    names: Mapping[int, str]

    @property
    def group(self) -> tuple[str, str]:
        """What files of one cine have in common: the person and the plane."""
        return self.case, self.imaging_plane


def parse_case_file(path: Path) -> CaseFile | None:
    """Read what a file's name says about it; None when no collection names its files so."""
    acdc = _ACDC.fullmatch(path.name)
    if acdc is not None:
        frame = None if acdc["number"] is None else int(acdc["number"]) - 1
        return CaseFile(path, acdc["case"], "sa", frame, acdc["gt"] is not None, ACDC_CLASSES) if frame != -1 else None
    mnms = _MNMS.fullmatch(path.name)
    if mnms is None:
        return None
    plane: ImagingPlane = "sa" if mnms["axis"].lower() == "sa" else "la_4ch"
    phases: Mapping[str, Phase] = {"ed": "ED", "es": "ES"}
    phase = phases.get((mnms["phase"] or "").lower())
    return CaseFile(path, mnms["case"], plane, phase, mnms["gt"] is not None, MNMS_CLASSES)


def nifti_files_in(folder: Path, like: CaseFile | None = None) -> tuple[Path, ...]:
    """NIfTI files that lie in a folder itself, by their content, sorted by name.

    Parameters
    ----------
    folder
        Folder of one case.
    like
        Only files that are named as of its person and plane.

    Raises
    ------
    RecordingError
        When there are more than one person's case has (their content is not looked at then), or the folder cannot be
        read.
    """
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries if entry.name.lower().endswith(_NIFTI_SUFFIXES))
            visible = sorted(islice((name for name in names if not name.startswith(".")), _MAX_FILES + 1))
    except (OSError, ValueError) as refusal:
        raise RecordingError(f"Cannot read the folder {folder}: {reason_of(refusal)}.") from refusal
    if len(visible) > _MAX_FILES:
        raise RecordingError(f"{folder} holds more than {_MAX_FILES} NIfTI files; give the folder of one person.")
    files = [folder / name for name in visible]
    if like is not None:
        known = [(file, parse_case_file(file)) for file in files]
        files = [file for file, case in known if case is not None and case.group == like.group]
    return tuple(file for file in files if is_nifti(file))


def read_case_info(folder: Path) -> Mapping[str, str]:
    """Lines ``key: value`` of ACDC's `INFO_FILE` in a folder; none where there is no such file.

    Raises
    ------
    RecordingError
        When it is too large or cannot be read.
    """
    path = folder / INFO_FILE
    if not path.is_file():
        return {}
    text = SourceFile(path).read(_MAX_INFO_BYTES).decode("utf-8", "replace")
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, separator, value in pairs if separator}


def whole_number(info: Mapping[str, str], key: str) -> int | None:
    """Positive number of a key of `read_case_info`; None where it is absent or none."""
    text = info.get(key, "")
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and int(text) > 0 else None
