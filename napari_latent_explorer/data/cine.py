"""Cine cardiac MRI and its label maps: arrays with geometry, nothing about files or networks.

Axes are always ``(frame, slice, row, column)``; a long-axis cine has one slice. The affine takes the index
``(slice, row, column, 1)`` to patient millimetres in DICOM's LPS convention (x to the patient's left, y to posterior,
z to the head).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import RecordingError

ImagingPlane = Literal["la_4ch", "la_2ch", "la_3ch", "sa", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class CineMRI:
    """One cine acquisition over one heart cycle.

    Attributes
    ----------
    frames
        ``(n_frames, n_slices, n_rows, n_columns)`` signal in arbitrary units, any real dtype.
    spacing_mm
        Distance between the centres of neighbouring slices, rows and columns, in mm (not the slice thickness).
    frame_times_ms
        ``(n_frames,)`` time after the R peak, in ms, increasing.
    affine
        ``(4, 4)`` index ``(slice, row, column, 1)`` to patient mm (LPS).
    imaging_plane
        What the slices show.
    rr_interval_ms
        Length of the heart cycle in ms.
    source
        Where it comes from, for people (a folder, a simulated participant).
    """

    frames: NDArray[Any]
    spacing_mm: tuple[float, float, float]
    frame_times_ms: NDArray[np.float64]
    affine: NDArray[np.float64]
    imaging_plane: ImagingPlane
    rr_interval_ms: float
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", read_only(self.frames))
        object.__setattr__(self, "frame_times_ms", read_only(self.frame_times_ms, np.float64))
        object.__setattr__(self, "affine", read_only(self.affine, np.float64))
        problems = []
        if self.frames.ndim != 4 or 0 in self.frames.shape:
            problems.append(f"frames have shape {self.frames.shape}, expected (frame, slice, row, column), none empty")
        if self.frame_times_ms.shape != self.frames.shape[:1]:
            problems.append(f"{self.frame_times_ms.shape} frame times for {self.frames.shape[:1]} frames")
        if not (np.isfinite(self.frame_times_ms).all() and np.all(np.diff(self.frame_times_ms) > 0)):
            problems.append("frame times do not increase")
        if not (self.affine.shape == (4, 4) and np.isfinite(self.affine).all() and np.linalg.det(self.affine) != 0):
            problems.append("its affine places pixels at infinity, or all of them in one plane")
        if not all(np.isfinite(step) and step > 0 for step in self.spacing_mm):
            problems.append(f"spacing {self.spacing_mm} mm is not positive")
        if not (np.isfinite(self.rr_interval_ms) and self.rr_interval_ms > 0):
            problems.append(f"the heart cycle lasts {self.rr_interval_ms} ms")
        if problems:
            where = self.source or "no source"
            raise RecordingError(f"This cine is not usable ({where}): " + "; ".join(problems) + ".")

    @property
    def heart_rate_bpm(self) -> float:
        """Beats per minute."""
        return 60_000.0 / self.rr_interval_ms


@dataclass(frozen=True, slots=True, eq=False)
class CineLabels:
    """Label map of a cine, on the same grid.

    Attributes
    ----------
    frames
        ``(n_frames, n_slices, n_rows, n_columns)`` uint8 class numbers; 0 is background.
    names
        Name of each class number.
    labelled_frames
        Frames that somebody labelled, increasing; None for all of them. The others hold 0, which there means unknown
        and not background.
    """

    frames: NDArray[np.uint8]
    names: Mapping[int, str]
    labelled_frames: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", read_only(self.frames, np.uint8))
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))
        if self.labelled_frames is not None:
            self._refuse_odd_frames(self.labelled_frames)
            if len(self.labelled_frames) == len(self.frames):
                object.__setattr__(self, "labelled_frames", None)

    def _refuse_odd_frames(self, labelled: tuple[int, ...]) -> None:
        n_frames = len(self.frames)
        is_known = np.zeros(n_frames, dtype=bool)
        if not labelled or list(labelled) != sorted({frame for frame in labelled if 0 <= frame < n_frames}):
            raise RecordingError(
                f"This label map is not usable: it says that frames {list(labelled)} of {n_frames} are labelled; "
                f"expected increasing numbers from 0 to {n_frames - 1}, at least one."
            )
        is_known[list(labelled)] = True
        if self.frames[~is_known].any():
            raise RecordingError(
                f"This label map is not usable: frames other than {list(labelled)} hold labels, though only those are "
                "said to be labelled."
            )


LA_4CH_CLASSES: Mapping[int, str] = MappingProxyType(
    {
        0: "background",
        1: "RV_free_wall",
        2: "RA_free_wall",
        3: "LA_free_wall",
        4: "LV_anterolateral_wall",
        5: "interventricular_septum",
        6: "interatrial_septum",
        7: "crista_terminalis",
        8: "RA_cavity",
        9: "RV_cavity",
        10: "LA_cavity",
        11: "LV_cavity",
        12: "descending_aorta",
        13: "thoracic_cavity",
        14: "ascending_aorta",
        15: "breast_prosthesis",
    }
)
"""Classes of the 4-chamber long axis (ml4h, MRI_LAX_4CH_SEGMENTED_CHANNEL_MAP)."""

SA_CLASSES: Mapping[int, str] = MappingProxyType(
    {
        0: "background",
        1: "RV_free_wall",
        2: "interventricular_septum",
        3: "LV_free_wall",
        4: "LV_cavity",
        5: "RV_cavity",
        6: "thoracic_cavity",
        7: "liver",
        8: "stomach",
        9: "spleen",
        10: "body",
        11: "kidney",
        12: "left_atrium",
        13: "right_atrium",
        14: "aorta",
        15: "pulmonary_artery",
    }
)
"""Classes of the short axis (ml4h, MRI_SAX_SEGMENTED_CHANNEL_MAP)."""

ACDC_CLASSES: Mapping[int, str] = MappingProxyType(
    {0: "background", 1: "RV_cavity", 2: "LV_myocardium", 3: "LV_cavity"}
)
"""Classes of the Automated Cardiac Diagnosis Challenge (Bernard et al., IEEE Trans. Med. Imaging 37, 2018)."""

MNMS_CLASSES: Mapping[int, str] = MappingProxyType(
    {0: "background", 1: "LV_cavity", 2: "LV_myocardium", 3: "RV_cavity"}
)
"""Classes of the M&Ms and M&Ms-2 challenges: those of ACDC, numbered from left to right."""
