"""What the name of a file tells before it is opened: of which kind it may be, and what UK Biobank's names say."""

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import cache
from pathlib import PurePath
from typing import Final, Literal

from napari_latent_explorer.building.found import BiobankName, Modality
from napari_latent_explorer.io.formats import FORMATS

LONG_AXIS_FIELD: Final = 20208
SHORT_AXIS_FIELD: Final = 20209
ECG_FIELD: Final = 20205
FIRST_IMAGING_INSTANCE: Final = 2

BIOBANK_FIELDS: Final[dict[int, tuple[Modality | None, str]]] = {
    ECG_FIELD: ("ecg", "12-lead ECG at rest"),
    LONG_AXIS_FIELD: ("mri", "long-axis cines"),
    SHORT_AXIS_FIELD: ("mri", "short-axis cines"),
    6025: (None, "ECG during exercise"),
    20207: (None, "scout images"),
    20210: (None, "aortic distensibility"),
    20211: (None, "tagged cines"),
    20212: (None, "cines of the outflow tract"),
    20213: (None, "blood flow"),
    20214: (None, "T1 maps"),
}
"""Fields of heart recordings: what is read of them, and what they hold. The others are left aside by name."""

MAY_BE_ANYTHING: Final = (".csv", ".tsv", ".txt", ".npy", ".npz")
"""Suffixes that tell nothing: where nobody says that such a file is a recording, what is in it decides."""

_BIOBANK = re.compile(r"([0-9]{1,12})_([0-9]{4,6})_([0-9]{1,3})_([0-9]{1,4})\.[A-Za-z0-9.]+", re.ASCII)
_DICOM_SUFFIXES = frozenset({".dcm", ".ima", ".dicom"})
_LABEL_WORD = re.compile(r"(?:^|[^a-z])(?:gt|seg|segmentation|labels?|masks?)(?:[^a-z]|$)")
_LABEL_SUFFIXES = (".nii", ".nii.gz")
_KNOWN_SUFFIXES = (".nii.gz", ".tar.gz")

_HEADER_OF = {".dat": ".hea", ".mat": ".hea", ".xyz": ".hea", ".img": ".hdr"}

NameKind = Literal["file", "dicom"]


def biobank_name(name: str) -> BiobankName | None:
    """Take a name apart if it is one of UK Biobank's heart recordings, else give None."""
    match = _BIOBANK.fullmatch(name)
    if match is None or int(match[2]) not in BIOBANK_FIELDS:
        return None
    return BiobankName(match[1], int(match[2]), int(match[3]), int(match[4]))


def kinds_by_name(name: str, wanted: frozenset[Modality]) -> dict[Modality, NameKind]:
    """Which of the `wanted` kinds of recordings a file of that name may be (part of).

    ``dicom`` is one of many files that make up a cine, ``file`` is a recording by itself.
    """
    lower = name.lower()
    kinds: dict[Modality, NameKind] = {}
    if "labels" in wanted and lower.endswith(_LABEL_SUFFIXES) and (len(wanted) == 1 or is_label_name(name)):
        return {"labels": "file"}
    if "mri" in wanted:
        if _is_dicom_name(lower):
            kinds["mri"] = "dicom"
        elif _patterns("mri").fullmatch(lower) and not (is_nifti_name(name) and is_label_name(name)):
            kinds["mri"] = "file"
    if "ecg" in wanted and _patterns("ecg").fullmatch(lower):
        kinds["ecg"] = "file"
    return kinds


def header_names(name: str) -> tuple[str, ...]:
    """Files beside it of which it would only be the data, as ``a.hea`` is for ``a.dat``; empty if it is none."""
    suffix = PurePath(name).suffix
    header = _HEADER_OF.get(suffix.lower())
    if header is None:
        return ()
    return tuple(name.removesuffix(suffix) + spelt for spelt in (header, header.upper()))


def without_headers(names: Sequence[str]) -> list[str]:
    """Names but those that are only the data of a header among them."""
    every = frozenset(names)
    return [name for name in names if every.isdisjoint(header_names(name))]


def is_label_name(name: str) -> bool:
    """Whether the name says that it is a label map and no picture, as in ``patient001_frame01_gt.nii.gz``."""
    return _LABEL_WORD.search(stem(name).lower()) is not None


def is_nifti_name(name: str) -> bool:
    """Whether the name is one of a NIfTI file."""
    return name.lower().endswith(_LABEL_SUFFIXES)


def stem(name: str) -> str:
    """Name without its suffix; ``.nii.gz`` counts as one."""
    lower = name.lower()
    known = next((suffix for suffix in _KNOWN_SUFFIXES if lower.endswith(suffix)), None)
    return name[: -len(known)] if known else PurePath(name).stem


def usual_names(modality: Modality) -> str:
    """Names that recordings of that kind usually have, for people."""
    if modality == "labels":
        return ", ".join(f"*{suffix}" for suffix in _LABEL_SUFFIXES)
    return ", ".join(
        dict.fromkeys(pattern for known in FORMATS if known.modality == modality for pattern in known.patterns)
    )


def _is_dicom_name(lower: str) -> bool:
    """Scanners name images ``IM0001`` or by a UID, ``1.2.840...``, as often as ``*.dcm``."""
    if lower == "dicomdir":
        return False
    suffix = PurePath(lower).suffix
    return suffix in _DICOM_SUFFIXES or suffix in ("", ".") or suffix[1:].isdigit()


@cache
def _patterns(modality: str) -> re.Pattern[str]:
    patterns = {
        pattern.lower()
        for known in FORMATS
        if known.modality == modality
        for pattern in known.patterns
        if "." in pattern
    }
    return re.compile("|".join(translate(pattern) for pattern in sorted(patterns)) or r"(?!)")
