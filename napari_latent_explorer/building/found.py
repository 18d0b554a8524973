"""What lies in a folder that somebody gave: files, places with a recording, and files that are left aside."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Modality = Literal["mri", "ecg", "labels"]


@dataclass(frozen=True, slots=True)
class BiobankName:
    """What the name of a file of UK Biobank says: ``<eid>_<field>_<instance>_<array>.zip``.

    Attributes
    ----------
    participant_id
        Number of the participant.
    field
        What it is, see `names.BIOBANK_FIELDS`.
    instance
        Visit; 2 is the first with imaging.
    array
        Number of the recording at that visit.
    """

    participant_id: str
    field: int
    instance: int
    array: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where one recording is to be read.

    Attributes
    ----------
    path
        File or folder.
    modality
        What is to be read there.
    biobank
        What its name says, if it is named as UK Biobank does.
    """

    path: Path
    modality: Modality
    biobank: BiobankName | None = None


@dataclass(frozen=True, slots=True)
class UnusedFile:
    """A file or folder that the plan leaves aside.

    Attributes
    ----------
    path
        Where it is.
    modality
        For which kind of recording it was looked at.
    reason
        Why it is not used, in words.
    participant_id
        Whose it seems to be; empty when its name does not tell.
    """

    path: Path
    modality: Modality
    reason: str
    participant_id: str = ""


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Sort as people count: ``scan2`` comes before ``scan10``."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((int(part[:18]), part) if part.isascii() and part.isdigit() else (-1, part) for part in parts)
