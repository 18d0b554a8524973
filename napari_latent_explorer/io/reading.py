"""What every reader is asked for, and what it gives back: a recording, and what became of each file.

A place (a folder, an archive, a file) may hold several recordings; `ReadOptions` say which is meant, and whatever is
not named in them is chosen by the reader's stated rule.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_latent_explorer.data.cine import CineLabels, CineMRI, ImagingPlane
from napari_latent_explorer.data.ecg import ECG

MAX_RECORDING_BYTES = 2 << 30
"""A recording that would take more memory than this, whole and decoded, is refused before anything is allocated."""
MAX_ECG_FILE_BYTES = 256 << 20
"""Files with an ECG are read whole; larger ones are refused."""

EcgKind = Literal["rhythm", "median"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Which recording is meant, where a place holds several.

    Attributes
    ----------
    imaging_plane
        Wanted imaging plane; None for whatever there is, if there is only one.
    series
        Series description or SeriesInstanceUID of the wanted cine.
    assumed_plane
        What the chosen cine shows, whatever its geometry says.
    ecg_kind
        Wanted kind; None for the device's median beat where the file has one, else the rhythm strip.
    related
        Other places with recordings of the same participant, read for their geometry only (a short-axis stack tells the
        long-axis planes apart).
    """

    imaging_plane: ImagingPlane | None = None
    series: str | None = None
    assumed_plane: ImagingPlane | None = None
    ecg_kind: EcgKind | None = None
    related: tuple[Path, ...] = ()


ANY = ReadOptions()
"""No wish at all."""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file.

    Attributes
    ----------
    file
        Its path; a member of an archive is ``archive.zip!folder/member``.
    is_used
        Whether something of it is in the recording.
    reason
        What it was used for, or why it was not.
    """

    file: str
    is_used: bool
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One recording, and what became of the files at its place.

    Attributes
    ----------
    recording
        Cine or ECG.
    labels
        Label map of the cine, where its files come with one.
    notes
        What its user should know, in sentences (a plane that was guessed, samples that were filled in).
    outcomes
        Every file that was looked at, used or not.
    """

    recording: CineMRI | ECG
    labels: CineLabels | None = None
    notes: tuple[str, ...] = ()
    outcomes: tuple[FileOutcome, ...] = ()
