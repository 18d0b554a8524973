"""When in the heart cycle the images of a DICOM series were taken.

Scanners say it in different places. The first of these is used that every image has and that tells the images of a
slice apart, and whatever is not a trigger time is noted:

| source | times |
|---|---|
| `TriggerTime` | as written |
| `NominalCardiacTriggerDelayTime`, `ActualCardiacTriggerDelayTime` | as written (enhanced files have only these) |
| Philips' phase number, `TemporalPositionIdentifier`, `TemporalPositionIndex` | even parts of the heart cycle |
| `FrameReferenceTime` | since the first image of the slice, where the scanner noted a heart cycle |
| `InstanceNumber` | even parts of the heart cycle, where as many images lie at the slice as the scanner meant to take |

`CardiacCyclePosition` (end of systole or diastole) is no time and is not used. Times before the R peak belong to the
end of the cycle before and are moved there by one heart cycle.

Series without any are refused as cine, and so are those that are gated but show no cycle: one image per slice, several
inversion times (T1 maps), several heart beats (perfusion, real time), phase and velocity images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_image import DicomImage

MIN_CYCLES, MAX_CYCLES = 0.25, 1.3
"""Parts of the noted heart cycle that times may span: tagging ends early, and the heart does not keep time."""


class NotCineError(RecordingError):
    """A series that is no cine; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedImage:
    """An image and its time after the R peak in ms."""

    time_ms: float
    image: DicomImage


@dataclass(frozen=True, slots=True, eq=False)
class TimedSlices:
    """Images by slice and time.

    Attributes
    ----------
    slices
        Images of each slice by time; times may repeat.
    rr_interval_ms
        Length of the heart cycle as the scanner noted it (median); None when it did not.
    notes
        What was taken for the time, where it is not the trigger time.
    """

    slices: tuple[tuple[TimedImage, ...], ...]
    rr_interval_ms: float | None
    notes: tuple[str, ...]


_Times = list[float] | None
_Slice = Sequence[DicomImage]


def timed_slices(slices: Sequence[_Slice]) -> TimedSlices:
    """Find the times of a series' images.

    Parameters
    ----------
    slices
        Images by slice position.

    Raises
    ------
    NotCineError
        When the series is no cine of one heart cycle.
    """
    images = [image for one in slices for image in one]
    noted = [image.timing.rr_interval_ms for image in images if image.timing.rr_interval_ms is not None]
    rr_interval_ms = float(np.median(noted)) if noted else None
    _refuse_other_kinds(slices)
    found = [(name, _complete([read(one, rr_interval_ms) for one in slices])) for name, read in _SOURCES]
    usable = [(name, times) for name, times in found if times and _tells_apart(times)]
    if not usable:
        raise NotCineError(_why_not(images))
    name, times = next((entry for entry in usable if all(len(set(one)) == len(one) for one in entry[1])), usable[0])
    notes = (
        [] if name == "TriggerTime" else [f"The times of the frames are taken from {name}; there is no TriggerTime."]
    )
    times = _after_r_peak(times, rr_interval_ms, notes)
    span_ms = float(np.median([max(one) - min(one) for one in times]))
    _refuse_other_spans(span_ms, rr_interval_ms)
    by_time = tuple(
        tuple(sorted(map(TimedImage, one, members), key=lambda timed: timed.time_ms))
        for one, members in zip(times, slices, strict=True)
    )
    return TimedSlices(by_time, rr_interval_ms, tuple(notes))


def _refuse_other_kinds(slices: Sequence[_Slice]) -> None:
    first = slices[0][0].origin
    if first.component != "magnitude":
        raise NotCineError(f"it shows the {first.component}, not the magnitude of the signal")
    if any(len({image.origin.inversion_time_ms for image in one}) > 2 for one in slices):
        raise NotCineError("its images differ by their inversion time (a T1 map or scout of it)")


def _refuse_other_spans(span_ms: float, rr_interval_ms: float | None) -> None:
    if rr_interval_ms is None or MIN_CYCLES * rr_interval_ms <= span_ms <= MAX_CYCLES * rr_interval_ms:
        return
    what = "more than one heart cycle (perfusion or real time)" if span_ms > rr_interval_ms else "a moment of the cycle"
    raise NotCineError(f"its images span {span_ms:.0f} ms of a heart cycle of {rr_interval_ms:.0f} ms: {what}")


def _complete(times: Sequence[_Times]) -> list[list[float]]:
    complete = [one for one in times if one is not None]
    return complete if len(complete) == len(times) else []


def _tells_apart(times: Sequence[Sequence[float]]) -> bool:
    return float(np.median([len(set(one)) for one in times])) > 1.0


def _why_not(images: _Slice) -> str:
    n_timed = sum(image.timing.trigger_time_ms is not None for image in images)
    if 0 < n_timed < len(images):
        return f"TriggerTime is missing in {len(images) - n_timed} of its {len(images)} images"
    if n_timed or any(image.timing.trigger_delay_ms is not None for image in images):
        return "it is gated but has one time per slice (stills, not a cycle)"
    return "no trigger times, nor phases of a noted heart cycle"


def _after_r_peak(times: list[list[float]], rr_interval_ms: float | None, notes: list[str]) -> list[list[float]]:
    n_before = sum(time_ms < 0 for one in times for time_ms in one)
    if not n_before:
        return times
    lowest_ms = min(min(one) for one in times)
    if rr_interval_ms is None or lowest_ms <= -rr_interval_ms:
        raise NotCineError(f"it has times before the R peak ({lowest_ms:g} ms) that no noted heart cycle explains")
    notes.append(
        f"{n_before} images lie before the R peak (from {lowest_ms:g} ms); they were moved to the cycle's end."
    )
    return [[time_ms + rr_interval_ms if time_ms < 0 else time_ms for time_ms in one] for one in times]


def _trigger_times(images: _Slice, rr_interval_ms: float | None) -> _Times:
    return _all_known([image.timing.trigger_time_ms for image in images])


def _trigger_delays(images: _Slice, rr_interval_ms: float | None) -> _Times:
    return _all_known([image.timing.trigger_delay_ms for image in images])


def _phases(images: _Slice, rr_interval_ms: float | None) -> _Times:
    numbers = _all_known([image.timing.phase_number for image in images])
    if numbers is None or rr_interval_ms is None:
        return None
    n_phases = max(images[0].timing.n_phases or 0, len(set(numbers)))
    return [(number - min(numbers)) * rr_interval_ms / n_phases for number in numbers]


def _reference_times(images: _Slice, rr_interval_ms: float | None) -> _Times:
    times_ms = _all_known([image.timing.reference_time_ms for image in images])
    if times_ms is None or rr_interval_ms is None:
        return None
    return [time_ms - min(times_ms) for time_ms in times_ms]


def _ranks(images: _Slice, rr_interval_ms: float | None) -> _Times:
    numbers = _all_known([image.origin.instance_number for image in images])
    if numbers is None or rr_interval_ms is None or images[0].timing.n_phases != len(set(numbers)):
        return None
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)))}
    return [ranks[number] * rr_interval_ms / len(ranks) for number in numbers]


def _all_known(values: Sequence[float | None]) -> _Times:
    known = [float(value) for value in values if value is not None]
    return known if len(known) == len(values) else None


_SOURCES: tuple[tuple[str, Callable[[_Slice, float | None], _Times]], ...] = (
    ("TriggerTime", _trigger_times),
    ("NominalCardiacTriggerDelayTime", _trigger_delays),
    ("the phases' numbers and the heart cycle", _phases),
    ("FrameReferenceTime", _reference_times),
    ("the images' numbers and the heart cycle", _ranks),
)
