"""When the frames of a cine were taken, where its file says so badly or not at all.

A NIfTI file has one number for it, the time from frame to frame (`pixdim[4]`, in the unit of `xyzt_units`), and in
cines that number is often something else: 1 s because nothing was known, or the few milliseconds between two
excitations. A heart cycle that would last less than 250 or more than 3000 ms is therefore not believed. Asked in this
order:

| what | where |
|---|---|
| time of each frame | `VolumeTiming`, `FrameTimesStart` (s), `TriggerTime` (ms) of the ``.json`` beside the file |
| length of the cycle | `NominalInterval` (ms), `HeartRate` (per minute) of the ``.json`` |
| time from frame to frame | `RepetitionTime` (s) of the ``.json``, else the header |
| nothing | frames at equal steps over a cycle of `ASSUMED_RR_MS`, which a note says |

The last is sound for what follows, which compares phases of the cycle, and wrong for heart rates: so it is said.

References
----------
BIDS for the sidecar's names and units (https://bids-specification.readthedocs.io), DICOM for those in ms; why the
number in the header is another one: https://github.com/rordenlab/dcm2niix/issues/369.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.source_file import SourceFile

ASSUMED_RR_MS = 1000.0
"""Length of a heart cycle of which nothing is known: 60 beats per minute."""
PLAUSIBLE_RR_MS = (250.0, 3000.0)
"""Heart cycles that are believed: 240 to 20 beats per minute."""

_MAX_SIDECAR_BYTES = 4 << 20
_FRAME_TIMES = {"VolumeTiming": 1e3, "FrameTimesStart": 1e3, "TriggerTime": 1.0}
"""ms per unit."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FrameTiming:
    """Times of the frames of one cycle.

    Attributes
    ----------
    frame_times_ms
        ``(n_frames,)`` after the R peak.
    rr_interval_ms
        Length of the cycle.
    note
        Where they come from; empty when there is nothing to say.
    is_known
        False when the cycle's length was assumed.
    """

    frame_times_ms: Floats
    rr_interval_ms: float
    note: str
    is_known: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame_times_ms", read_only(self.frame_times_ms, np.float64))


def read_sidecar(path: Path) -> Mapping[str, Any]:
    """Facts in the ``.json`` beside a NIfTI file; none where there is no such file.

    Raises
    ------
    RecordingError
        When it is there and is no JSON object.
    """
    stem = path.name
    for suffix in (".gz", ".nii", ".hdr"):
        stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    sidecar = path.with_name(f"{stem}.json")
    if not sidecar.is_file():
        return {}
    try:
        facts = json.loads(SourceFile(sidecar).read(_MAX_SIDECAR_BYTES))
    except (ValueError, RecursionError) as damage:
        raise RecordingError(
            f"{sidecar} is not JSON: {reason_of(damage)}. Correct it, or move it elsewhere."
        ) from damage
    if not isinstance(facts, dict):
        raise RecordingError(f"{sidecar} is not a JSON object. Correct it, or move it elsewhere.")
    return facts


def time_frames(
    n_frames: int, step_ms: float | None = None, start_ms: float | None = None, sidecar: Mapping[str, Any] | None = None
) -> FrameTiming:
    """Find the times of `n_frames`, by the rule above.

    Parameters
    ----------
    n_frames
        How many there are.
    step_ms, start_ms
        From frame to frame, and of the first, as the header has them; None where it does not say.
    sidecar
        See `read_sidecar`.
    """
    facts = sidecar or {}
    noted_rr_ms = _first_plausible(_number(facts, "NominalInterval"), _per_minute(_number(facts, "HeartRate")))
    for name, ms_per_unit in _FRAME_TIMES.items():
        times_ms = _times(facts.get(name), ms_per_unit, n_frames)
        if times_ms is not None:
            span_ms = float(times_ms[-1] - times_ms[0])
            if noted_rr_ms is not None and noted_rr_ms > span_ms:
                return FrameTiming(times_ms, noted_rr_ms, "", True)
            return FrameTiming(times_ms, span_ms + float(np.median(np.diff(times_ms))), "", True)
    repetition_ms = _number(facts, "RepetitionTime", 1e3)
    steps_ms = [None if step is None else step * n_frames for step in (repetition_ms, step_ms)]
    rr_ms = _first_plausible(noted_rr_ms, *steps_ms)
    if rr_ms is None:
        return _assumed(n_frames, step_ms)
    first_ms = start_ms if start_ms is not None and 0.0 <= start_ms < rr_ms / n_frames else 0.0
    note = f"The frames are taken to fill the heart cycle of {rr_ms:.0f} ms at equal steps."
    return FrameTiming(first_ms + np.arange(n_frames) * rr_ms / n_frames, rr_ms, note, True)


def _assumed(n_frames: int, step_ms: float | None) -> FrameTiming:
    found = "The file does not say when its frames were taken"
    if step_ms is not None:
        cycle_ms = step_ms * n_frames
        found = (
            f"The file's time step of {step_ms:g} ms would make a heart cycle of {cycle_ms:g} ms and is not believed"
        )
    note = (
        f"{found}: the frames are spread evenly over an assumed cycle of {ASSUMED_RR_MS:.0f} ms, so phases are right "
        "but times and heart rate are not known."
    )
    return FrameTiming(np.arange(n_frames) * ASSUMED_RR_MS / n_frames, ASSUMED_RR_MS, note, False)


def _times(values: Any, ms_per_unit: float, n_frames: int) -> Floats | None:
    if not isinstance(values, list) or len(values) != n_frames or n_frames < 2:
        return None
    if not all(isinstance(value, int | float) and abs(value) < 1e9 for value in values):
        return None
    times_ms = np.array(values, dtype=np.float64) * ms_per_unit
    if times_ms[0] < 0 or np.diff(times_ms).min() <= 0:
        return None
    cycle_ms = float(times_ms[-1] - times_ms[0] + np.median(np.diff(times_ms)))
    return times_ms if _is_plausible(cycle_ms) else None


def _number(facts: Mapping[str, Any], name: str, scale: float = 1.0) -> float | None:
    value = facts.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) * scale if is_number and value is not None else None


def _per_minute(rate: float | None) -> float | None:
    return 60_000.0 / rate if rate else None


def _first_plausible(*intervals_ms: float | None) -> float | None:
    return next((interval for interval in intervals_ms if interval is not None and _is_plausible(interval)), None)


def _is_plausible(interval_ms: float) -> bool:
    return math.isfinite(interval_ms) and PLAUSIBLE_RR_MS[0] <= interval_ms <= PLAUSIBLE_RR_MS[1]
