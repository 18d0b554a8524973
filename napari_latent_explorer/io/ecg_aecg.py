"""ECGs in HL7 aECG, the annotated ECG (root ``AnnotatedECG``), whatever device wrote them.

| what | how |
|---|---|
| rhythm strip | ``series`` |
| median beat | ``derivedSeries`` of under three seconds, and any series whose code names a beat |
| sampling rate | ``increment`` of the time sequence, in s, ms or us; s where no unit is written |
| voltage | origin + digits x scale, in uV, mV, nV or V; other sequences are left out |
| leads | ``MDC_ECG_LEAD_...`` in any case; sequence sets of the same moments are put together |
| QRS onset of the median | begin of ``MDC_ECG_WAVC_QRSWAVE`` that is annotated in relative time for all leads |

Sequence sets of other moments (four sets of three leads) are no twelve-lead strip: the set with most leads is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_part import EcgPart, onset_within, read_part, refuse_many_leads, stack_leads
from napari_latent_explorer.io.lead_names import standard_lead_name
from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.reading import ANY, EcgKind, Reading, ReadOptions
from napari_latent_explorer.io.xml_document import (
    child,
    children,
    not_an_ecg,
    number_of,
    read_xml,
    text_of,
    xml_root_name,
)
from napari_latent_explorer.io.xml_samples import numbers_in

ROOT = "AnnotatedECG"
_UV_PER_UNIT = {"uv": 1.0, "mv": 1e3, "nv": 1e-3, "v": 1e6}
_MS_PER_UNIT = {"": 1e3, "s": 1e3, "ms": 1.0, "us": 1e-3}
_LONGEST_BEAT_S = 3.0
_MAX_SETS = 200
_QRS_WAVE = "MDC_ECG_WAVC_QRSWAVE"


@dataclass(frozen=True, slots=True)
class _SequenceSet:
    """Leads of the same moments: their rate, the time of the first sample, voltages in mV, and what was left out."""

    rate_hz: float
    head: str
    leads_mv: dict[str, NDArray[np.float64]]
    notes: list[str] = field(default_factory=list)

    @property
    def moments(self) -> tuple[float, str, int]:
        """What two sets of the same moments share."""
        return self.rate_hz, self.head, len(next(iter(self.leads_mv.values())))


def is_ecg_aecg(path: Path) -> bool:
    """Whether it is an annotated ECG; never raises."""
    return xml_root_name(path) == ROOT


def read_ecg_aecg(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        File.
    options
        Wanted kind; without one, the representative beat if the file has one of twelve leads, else the rhythm strip.

    Raises
    ------
    RecordingError
        When it is no such ECG, damaged, or lacks what is wanted.
    """
    file = Path(path)
    root = read_xml(file)
    if root.tag != ROOT:
        raise not_an_ecg(file, root, "an annotated ECG of HL7")
    return read_part(chain(_parts(file, root, "series"), _parts(file, root, "derivedSeries")), file, options)


def _parts(file: Path, root: Element, name: str) -> Iterator[EcgPart]:
    for series in root.iter(name):
        components = (found for part in children(series, "component") for found in children(part, "sequenceSet"))
        sets = [found for element in components if (found := _sequence_set(file, element)) is not None]
        if len(sets) > _MAX_SETS:
            raise RecordingError(f"A series of {file} has {len(sets)} sequence sets; at most {_MAX_SETS} are read.")
        begin_ms = _qrs_begin_ms(series)
        for together in _joined(sets):
            leads = together.leads_mv
            signal_mv = stack_leads(list(leads.values()), list(leads), file)
            kind = _kind(series, signal_mv.shape[1] / together.rate_hz)
            onset_ms = None if kind == "rhythm" or begin_ms is None else begin_ms - _head_ms(together.head)
            onset_ms = onset_within(onset_ms, signal_mv.shape[1], together.rate_hz)
            yield EcgPart(kind, tuple(leads), signal_mv, together.rate_hz, onset_ms, tuple(together.notes))


def _kind(series: Element, duration_s: float) -> EcgKind:
    code = child(series, "code")
    is_beat = code is not None and "BEAT" in code.get("code", "").upper()
    return "median" if is_beat or (series.tag == "derivedSeries" and duration_s < _LONGEST_BEAT_S) else "rhythm"


def _sequence_set(file: Path, sequences: Element) -> _SequenceSet | None:
    """Read one set; None when it holds no voltage."""
    time: tuple[float, str] | None = None
    leads: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    refuse_many_leads(sum(1 for _ in children(sequences, "component")), file)
    for component in children(sequences, "component"):
        code, value = child(component, "sequence", "code"), child(component, "sequence", "value")
        name = code.get("code", "") if code is not None else ""
        if value is None:
            continue
        if name.upper().startswith("TIME_"):
            time = time or _time(file, value)
        elif child(value, "digits") is not None:
            lead_mv = _lead_mv(file, standard_lead_name(name), value)
            if lead_mv is None:
                notes.append(printable(f"Sequence {standard_lead_name(name)} has no voltage and is left out."))
            else:
                _add(file, leads, standard_lead_name(name), lead_mv)
    if not leads:
        return None
    if time is None:
        raise RecordingError(f"{file} has leads without a time sequence, so their sampling rate is unknown.")
    return _SequenceSet(*time, leads, notes)


def _add(file: Path, leads: dict[str, NDArray[np.float64]], name: str, lead_mv: NDArray[np.float64]) -> None:
    if name in leads and not np.array_equal(leads[name], lead_mv):
        raise RecordingError(f"Lead {name} occurs twice in one sequence set of {file}, differently. Export it again.")
    leads[name] = lead_mv


def _time(file: Path, value: Element) -> tuple[float, str]:
    """Read the sampling rate in Hz, and the time of the first sample as it is written."""
    increment_ms = _milliseconds(child(value, "increment"))
    if increment_ms is None or increment_ms <= 0:
        raise RecordingError(
            f"{file} does not state the time between two samples (an increment in s, ms or us). Export the ECG again."
        )
    head = child(value, "head")
    written = f"{head.get('value', '')} {head.get('unit', '')}" if head is not None else ""
    rate_hz = 1000.0 / increment_ms
    return round(rate_hz, 6), written.strip()


def _milliseconds(quantity: Element | None) -> float | None:
    if quantity is None:
        return None
    number, scale = number_of(quantity.get("value")), _MS_PER_UNIT.get(_plain_unit(quantity.get("unit", "")))
    return None if number is None or scale is None else number * scale


def _lead_mv(file: Path, name: str, value: Element) -> NDArray[np.float64] | None:
    """Voltage ``(n_samples,)`` in mV; None for what is no voltage."""
    digits = numbers_in(text_of(child(value, "digits")))
    if digits is None:
        raise RecordingError(f"The digits of lead {name} of {file} are not all numbers. Copy or export it again.")
    scale_uv, origin_uv = _microvolts(child(value, "scale")), _microvolts(child(value, "origin"))
    origin = child(value, "origin")
    if origin is None or number_of(origin.get("value")) == 0:
        origin_uv = 0.0  # of whatever unit
    if scale_uv is None or origin_uv is None:
        if name in LEAD_NAMES:
            raise RecordingError(
                f"Lead {name} of {file} has no scale and origin in uV, mV, nV or V, so its voltage is unknown. Export "
                "the ECG again."
            )
        return None
    return (digits * scale_uv + origin_uv) / 1000 if origin_uv else digits * scale_uv / 1000


def _microvolts(quantity: Element | None) -> float | None:
    if quantity is None:
        return None
    number, scale = number_of(quantity.get("value")), _UV_PER_UNIT.get(_plain_unit(quantity.get("unit", "")))
    return None if number is None or scale is None else number * scale


def _plain_unit(unit: str) -> str:
    return re.sub("^[µμ]", "u", unit.strip()).lower()


def _joined(sets: list[_SequenceSet]) -> list[_SequenceSet]:
    """Put the sets of the same moments together, as far as they hold different leads."""
    joined: list[_SequenceSet] = []
    for one in sets:
        for other in joined:
            if other.moments == one.moments and other.leads_mv.keys().isdisjoint(one.leads_mv):
                other.leads_mv.update(one.leads_mv)
                other.notes.extend(one.notes)
                break
        else:
            joined.append(one)
    return joined


def _head_ms(head: str) -> float:
    """Relative time of the first sample; 0 where it is written as a date."""
    number, _, unit = head.partition(" ")
    return (number_of(number) or 0.0) * _MS_PER_UNIT.get(_plain_unit(unit), 0.0) if unit else 0.0


def _qrs_begin_ms(series: Element) -> float | None:
    """Relative time at which the QRS complex begins, as annotated for all leads."""
    for annotation in series.iter("annotation"):
        value, region = child(annotation, "value"), child(annotation, "support", "supportingROI")
        if value is None or region is None or value.get("code") != _QRS_WAVE:
            continue
        boundaries = [child(component, "boundary") for component in children(region, "component")]
        codes = [code.get("code", "") for one in boundaries if (code := child(one, "code")) is not None]
        if codes == ["TIME_RELATIVE"]:
            begin_ms = _milliseconds(child(boundaries[0], "value", "low"))
            if begin_ms is not None:
                return begin_ms
    return None
