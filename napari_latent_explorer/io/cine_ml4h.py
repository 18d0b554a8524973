"""Cine MRI from the HDF5 file that ml4h makes of one person's UK Biobank recordings (layout: `ml4h_layout.py`).

| what | how |
|---|---|
| cine | ``(rows, columns, frames)`` of one series; the short-axis series ``..._sax_b<k>`` together are a stack |
| which one | the wanted plane or series, else the 4-chamber view, else the first plane there is; of the first visit |
| imaging plane | the series' name, which in this layout is all there is |
| spacing, place | `geometry_ml4h.py`: what the file says, else the protocol's, with a note |
| times | not stored: equal steps over the RR interval of the ECG in the file, else over an assumed one, with a note |
| labels | `labels_ml4h.py`, of the 4-chamber view |
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI, ImagingPlane
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.frame_timing import FrameTiming, time_frames
from napari_latent_explorer.io.geometry_ml4h import place_slices
from napari_latent_explorer.io.hdf5_numbers import opened_hdf5, read_numbers
from napari_latent_explorer.io.labels_ml4h import is_label_name, labelled_series, read_series_labels
from napari_latent_explorer.io.ml4h_layout import (
    MRI_GROUP,
    Tensor,
    group_names,
    has_recordings,
    read_measurement,
    tensors_of,
)
from napari_latent_explorer.io.pixel_values import count_unusable
from napari_latent_explorer.io.reading import ANY, MAX_RECORDING_BYTES, FileOutcome, Reading, ReadOptions

_PLANES: tuple[ImagingPlane, ...] = ("la_4ch", "la_2ch", "la_3ch", "sa", "unknown")
"""The first one that is there is read when none is asked for."""
_SERIES = re.compile(r"cine_segmented_(?:l(?P<long>ax_[234]ch)|sax_b(?P<slice>[0-9]{1,3}))", re.ASCII)
_STACK = "cine_segmented_sax"


@dataclass(frozen=True, slots=True, eq=False)
class StoredCine:
    """One cine in a file: one series, or the slices of a stack.

    Attributes
    ----------
    series
        Name of the series, or of the stack.
    imaging_plane
        What the name says.
    slices
        Its arrays, one per slice.
    """

    series: str
    imaging_plane: ImagingPlane
    slices: tuple[Tensor, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names by which it can be asked for."""
        return frozenset(
            {self.series, *(tensor.name for tensor in self.slices), *(tensor.key for tensor in self.slices)}
        )

    @property
    def summary(self) -> str:
        """What it is, for people."""
        shape = " x ".join(map(str, self.slices[0].dataset.shape))
        n_slices = f"{len(self.slices)} slices, " if len(self.slices) > 1 else ""
        return f"{self.slices[0].key} ({self.imaging_plane}, {n_slices}{shape})"


def is_cine_ml4h(path: Path) -> bool:
    """Whether a file is an HDF5 file of ml4h with cardiac MRI in it."""
    return has_recordings(path, MRI_GROUP)


def read_cine_ml4h(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one cine, with its labels if there are any.

    Parameters
    ----------
    path
        File.
    options
        `imaging_plane`, `series` (such as ``cine_segmented_lax_4ch`` or ``cine_segmented_lax_4ch/3/instance_0``) and
        `assumed_plane` count.

    Raises
    ------
    RecordingError
        When the wanted cine is not there, or the file is damaged or makes claims that cannot be.
    """
    place = Path(path)
    with opened_hdf5(place) as root:
        stored = list_stored_cines(root)
        chosen, choice_note = _choose(place, stored, options)
        slices, affine, geometry_notes = place_slices(root, chosen.slices)
        signal = _read_slices(root, slices)
        timing, cycle_note = _timing(root, len(signal))
        cine = CineMRI(
            signal,
            _steps(affine),
            timing.frame_times_ms,
            affine,
            options.assumed_plane or chosen.imaging_plane,
            timing.rr_interval_ms,
            f"{place}:{chosen.slices[0].key}",
        )
        labels, label_note = _labels_or_note(root, chosen, cine)
    notes = (choice_note, *geometry_notes, timing.note, cycle_note, label_note)
    outcome = FileOutcome(str(place), True, f"the cine {chosen.summary}")
    return Reading(cine, labels, tuple(note for note in notes if note), (outcome,))


def list_stored_cines(root: Any) -> tuple[StoredCine, ...]:
    """Every cine of a file, the planes in the order in which they are preferred, the first visit first."""
    found: list[StoredCine] = []
    slices: dict[tuple[int, int], list[Tensor]] = {}
    for name in group_names(root, MRI_GROUP):
        if is_label_name(name):
            continue
        known = _SERIES.fullmatch(name)
        for tensor in tensors_of(root, MRI_GROUP, name):
            if len(tensor.dataset.shape or ()) != 3 or tensor.dataset.shape[2] < 2 or 0 in tensor.dataset.shape:
                continue
            if known is not None and known["slice"]:
                slices.setdefault(tensor.visit, []).append(tensor)
            else:
                found.append(StoredCine(name, _named_plane(known), (tensor,)))
    for tensors in slices.values():
        shapes = Counter(tensor.dataset.shape for tensor in tensors)
        alike = [tensor for tensor in tensors if tensor.dataset.shape == shapes.most_common(1)[0][0]]
        found.append(StoredCine(_STACK, "sa", tuple(sorted(alike, key=lambda tensor: _slice_number(tensor.name)))))
    return tuple(sorted(found, key=lambda cine: (_PLANES.index(cine.imaging_plane), cine.slices[0].visit)))


def _named_plane(known: re.Match[str] | None) -> ImagingPlane:
    planes: dict[str, ImagingPlane] = {"ax_2ch": "la_2ch", "ax_3ch": "la_3ch", "ax_4ch": "la_4ch"}
    return "unknown" if known is None else planes[known["long"]]


def _slice_number(name: str) -> int:
    known = _SERIES.fullmatch(name)
    return int(known["slice"]) if known is not None and known["slice"] else 0


def _choose(path: Path, stored: Sequence[StoredCine], options: ReadOptions) -> tuple[StoredCine, str]:
    fitting = [cine for cine in stored if options.series is None or options.series in cine.names]
    if options.imaging_plane is not None:
        fitting = [cine for cine in fitting if options.imaging_plane in (cine.imaging_plane, options.assumed_plane)]
    if options.series is None:
        fitting = [cine for cine in fitting if cine.imaging_plane != "unknown"]
    if not fitting:
        listed = "; ".join(cine.summary for cine in stored[:30]) or "no arrays of rows x columns x frames"
        raise RecordingError(f"{path} does not hold the wanted cine. It holds: {listed}.")
    others = [cine.summary for cine in stored if cine is not fitting[0] and cine.imaging_plane != "unknown"]
    if len(fitting) == 1 or not others:
        return fitting[0], ""
    return fitting[0], f"Read is {fitting[0].summary}; the file also holds {'; '.join(others[:20])}."


def _read_slices(root: Any, slices: Sequence[Tensor]) -> NDArray[Any]:
    """Signal ``(n_frames, n_slices, n_rows, n_columns)``."""
    n_rows, n_columns, n_frames = slices[0].dataset.shape
    limit = MAX_RECORDING_BYTES // len(slices)
    signal: NDArray[Any] | None = None
    for number, tensor in enumerate(slices):
        values = read_numbers(tensor.dataset, limit)
        n_bad = count_unusable([values])
        if n_bad:
            raise RecordingError(f"{n_bad} pixels of {tensor.key} in {root.file.filename} are no finite numbers.")
        if signal is None:
            signal = np.empty((n_frames, len(slices), n_rows, n_columns), dtype=values.dtype)
        signal[:, number] = values.transpose(2, 0, 1)  # (row, column, frame) -> (frame, row, column)
    assert signal is not None
    return signal


def _steps(affine: NDArray[np.float64]) -> tuple[float, float, float]:
    slices, rows, columns = np.linalg.norm(affine[:3, :3], axis=0)
    return float(slices), float(rows), float(columns)


def _timing(root: Any, n_frames: int) -> tuple[FrameTiming, str]:
    rr_ms, rate_bpm = read_measurement(root, "RRInterval"), read_measurement(root, "VentricularRate")
    facts = {"NominalInterval": rr_ms, "HeartRate": rate_bpm}
    timing = time_frames(n_frames, sidecar={name: value for name, value in facts.items() if value is not None})
    return (
        timing,
        "That cycle is the RR interval of the resting ECG in the file, not of the MRI." if timing.is_known else "",
    )


def _labels_or_note(root: Any, stored: StoredCine, cine: CineMRI) -> tuple[CineLabels | None, str]:
    if not labelled_series(root) & {tensor.name for tensor in stored.slices}:
        return None, ""
    if stored.imaging_plane != "la_4ch":
        return None, f"The labels of {stored.series} are left out: only those of the 4-chamber view are read."
    try:
        return read_series_labels(root, stored.series, stored.slices[0].visit, cine), ""
    except RecordingError as refusal:
        return None, f"Labels left out: {refusal}"
