"""Resting ECGs in Philips' XML, Sierra ECG 1.02 to 1.04.02 (root ``restingecgdata``).

| what | how |
|---|---|
| rhythm strip | ``parsedwaveforms``: base64 or numbers, packed by XLI (`xli_compression.py`) or not |
| limb leads | III, aVR, aVL and aVF are stored as what is left of them when I and II (or III) have predicted them |
| calibration | a pulse of 1 mV in all leads near the end: where there is one, everything after the last whole second
  before it is cut off |
| median beat | ``repbeats``: the device's representative beat, with its own rate, resolution and ``qonset`` in ms |
| channels | those with a label; files carry sixteen, of which the last ones are often empty |
| unit | ``resolution`` or ``signalresolution``, uV per step |

The prediction rounds towards zero: recovered so, the leads of real files are smoother than with any other rounding, and
aVR, aVL and aVF add up to zero best. Some files hold whole limb leads: those that follow from I and II as they are
stored are left as they are.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.ecg_part import EcgPart, onset_within, read_part, refuse_many_leads, stack_leads
from napari_latent_explorer.io.lead_names import standard_lead_name
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions
from napari_latent_explorer.io.xli_compression import leads_in_xli
from napari_latent_explorer.io.xml_document import (
    child,
    children,
    not_an_ecg,
    number_of,
    read_xml,
    text_of,
    xml_root_name,
)
from napari_latent_explorer.io.xml_samples import bytes_in_base64, integers_in_base64, numbers_in

ROOT = "restingecgdata"
_TYPES = ("SierraECG", "PhilipsECG")
_VERSIONS = ("1.02", "1.03", "1.04")
_TWELVE_LEAD_SETS = ("STD-12", "10-WIRE", "STD12", "12-LEAD")
_MAX_LEADS = 32
_MAX_SAMPLES = 100_000
_SLACK_SAMPLES = 2000
_PULSE_MV = 1.0
_SHORTEST_PULSE_MS = 100.0

Steps = NDArray[np.float64]


def is_ecg_philips(path: Path) -> bool:
    """Whether it is a Sierra ECG document; never raises."""
    return xml_root_name(path) == ROOT


def read_ecg_philips(path: str | Path, options: ReadOptions = ANY) -> Reading:
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
        raise not_an_ecg(file, root, "a Philips ECG")
    _refuse_other_versions(file, root)
    return read_part(chain(_rhythm_strips(file, root), _representative_beats(file, root)), file, options)


def _refuse_other_versions(file: Path, root: Element) -> None:
    name = text_of(child(root, "documentinfo", "documenttype"))
    version = text_of(child(root, "documentinfo", "documentversion"))
    if name not in _TYPES or not version.startswith(_VERSIONS):
        raise RecordingError(
            f"{file} is a document of type {name or 'unknown'}, version {version or 'unknown'}; SierraECG and "
            "PhilipsECG from 1.02 to 1.04.02 are read. Export the ECG in one of them."
        )


def _rhythm_strips(file: Path, root: Element) -> Iterator[EcgPart]:
    acquisition = child(root, "dataacquisition", "signalcharacteristics")
    for data in root.iter("parsedwaveforms"):
        rate_hz = number_of(data.get("samplespersecond")) or number_of(text_of(child(acquisition, "samplingrate")))
        step_uv = number_of(data.get("resolution")) or _resolution_uv(acquisition)
        duration_ms = number_of(data.get("durationperchannel"))
        if not rate_hz or rate_hz < 0 or not step_uv or step_uv < 0 or not duration_ms or duration_ms < 0:
            raise RecordingError(
                f"{file} does not state the sampling rate, resolution and duration of its leads as numbers above zero. "
                "Export the ECG again."
            )
        n_samples = round(min(duration_ms * rate_hz / 1000, _MAX_SAMPLES + 1.0))
        names = _lead_names(file, data, acquisition)
        leads = dict(zip(names, _stored_steps(file, data, len(names), n_samples), strict=True))
        steps, note = _without_calibration(np.stack(list(_completed(leads).values())), rate_hz, step_uv)
        yield EcgPart("rhythm", names, steps * step_uv / 1000, rate_hz, notes=(note,) if note else ())


def _resolution_uv(acquisition: Element | None) -> float | None:
    texts = (text_of(child(acquisition, name)) for name in ("resolution", "signalresolution"))
    return next((number for number in map(number_of, texts) if number), None)


def _lead_names(file: Path, data: Element, acquisition: Element | None) -> tuple[str, ...]:
    labels = [standard_lead_name(label) for label in data.get("leadlabels", "").split(maxsplit=_MAX_LEADS)[:_MAX_LEADS]]
    n_leads = number_of(data.get("numberofleads")) or float(len(labels))
    if labels and n_leads >= 1:
        names = tuple(labels[: int(min(n_leads, _MAX_LEADS))])
        if len(set(names)) == len(names):
            return names
    lead_set = text_of(child(acquisition, "acquisitiontype")) or text_of(child(acquisition, "leadset"))
    n_channels = number_of(text_of(child(acquisition, "numberchannelsallocated"))) or 0.0
    if labels or lead_set.upper() not in _TWELVE_LEAD_SETS or n_channels < len(LEAD_NAMES):
        raise RecordingError(
            f"{file} does not name its leads (lead set {lead_set or 'unknown'}, labels {' '.join(labels) or 'none'}). "
            "Export the ECG again."
        )
    return LEAD_NAMES


def _stored_steps(file: Path, data: Element, n_leads: int, n_samples: int) -> list[Steps]:
    """Whole numbers as stored, one array per lead."""
    if not 0 < n_samples <= _MAX_SAMPLES:
        raise RecordingError(f"{file} announces more than {_MAX_SAMPLES} samples per lead. Cut out a strip.")
    leads = _unpacked(file, data, n_leads, n_samples)
    shortest = min((len(lead) for lead in leads), default=0)
    if len(leads) < n_leads or shortest < n_samples:
        raise RecordingError(
            f"{file} announces {n_leads} leads of {n_samples} samples and holds {len(leads)} of {shortest} or more. It "
            "is cut short; copy or export it again."
        )
    return [lead[:n_samples].astype(np.float64) for lead in leads]


def _unpacked(file: Path, data: Element, n_leads: int, n_samples: int) -> list[Steps]:
    encoding, packing = data.get("dataencoding", "").lower(), _packing(data)
    if packing == "xli" and encoding == "base64":
        content = bytes_in_base64(data.text or "")
        try:
            if content is None:
                raise ValueError("the text is no base64")
            return [lead.astype(np.float64) for lead in leads_in_xli(content, n_leads, n_samples + _SLACK_SAMPLES)]
        except ValueError as damage:
            raise RecordingError(
                f"The waveforms of {file} are damaged: {reason_of(damage)}. Copy or export it again."
            ) from damage
    if packing or encoding not in ("base64", "plain"):
        raise RecordingError(
            f"The waveforms of {file} are encoded as {encoding or 'unknown'} and packed by {packing or 'nothing'}; "
            "base64 or plain numbers, and XLI, are read. Export the ECG again."
        )
    numbers = integers_in_base64(data.text or "") if encoding == "base64" else numbers_in(data.text or "")
    if numbers is None:
        raise RecordingError(f"The waveforms of {file} are no {encoding} numbers. Copy or export it again.")
    starts = range(0, min(len(numbers), n_leads * n_samples), n_samples)
    return [numbers[start : start + n_samples] for start in starts]


def _packing(data: Element) -> str:
    flag = data.get("compressflag", "").strip().lower()
    if flag == "false":
        return ""
    unsaid = "xli" if flag == "true" else ""
    packing = (data.get("compressmethod") or data.get("compression") or unsaid).strip().lower()
    return "" if packing in ("uncompressed", "none") else packing


def _completed(leads: dict[str, Steps]) -> dict[str, Steps]:
    """Leads with the predicted limb leads made whole."""
    if not {"I", "II"} <= leads.keys() or _are_whole(leads):
        return leads
    whole = dict(leads)
    if "III" in leads:
        whole["III"] = leads["II"] - leads["I"] - leads["III"]
    three = whole.get("III", leads["II"] - leads["I"])
    if "aVR" in leads:
        whole["aVR"] = -leads["aVR"] - np.trunc((leads["I"] + leads["II"]) / 2)
    if "aVL" in leads:
        whole["aVL"] = np.trunc((leads["I"] - three) / 2) - leads["aVL"]
    if "aVF" in leads:
        whole["aVF"] = np.trunc((leads["II"] + three) / 2) - leads["aVF"]
    return whole


def _are_whole(leads: dict[str, Steps]) -> bool:
    """Whether limb leads look like leads, not like what a prediction leaves over."""
    predicted = {
        "III": leads["II"] - leads["I"],
        "aVR": -(leads["I"] + leads["II"]) / 2,
        "aVL": leads["I"] - leads["II"] / 2,
        "aVF": leads["II"] - leads["I"] / 2,
    }
    stored = [name for name in predicted if name in leads]
    left_over = sum(float(np.abs(leads[name]).sum()) for name in stored)
    return sum(float(np.abs(leads[name] - predicted[name]).sum()) for name in stored) <= left_over


def _without_calibration(steps: Steps, rate_hz: float, step_uv: float) -> tuple[Steps, str]:
    """Leads without the pulse near their end, and what was cut off."""
    n_second = round(rate_hz)
    is_pulse = (np.abs(steps * step_uv / 1000 - _PULSE_MV) <= step_uv / 1000).all(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_pulse, [False]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        is_long = (end - begin) * 1000.0 / rate_hz >= _SHORTEST_PULSE_MS
        keep = int(begin) // max(n_second, 1) * n_second
        if is_long and begin >= steps.shape[1] - n_second and keep > 0:
            note = f"The calibration pulse of 1 mV is cut off, with all after {keep / rate_hz:g} s."
            return steps[:, :keep], note
    return steps, ""


def _representative_beats(file: Path, root: Element) -> Iterator[EcgPart]:
    for beats in root.iter("repbeats"):
        rate_hz, step_uv = number_of(beats.get("samplespersec")), number_of(beats.get("resolution"))
        leads: dict[str, Steps] = {}
        onset_ms = None
        refuse_many_leads(sum(1 for _ in children(beats, "repbeat")), file)
        for beat in children(beats, "repbeat"):
            samples = _beat_steps(file, beats, beat)
            if len(samples) and beat.get("leadname"):
                leads.setdefault(beat.get("leadname", ""), samples)
                onset_ms = onset_ms or number_of(beat.get("qonset") or text_of(child(beat, "qonset")))
        if leads and rate_hz and step_uv and step_uv > 0:
            signal_mv = stack_leads(list(leads.values()), list(leads), file) * step_uv / 1000
            onset_ms = onset_within(onset_ms, signal_mv.shape[1], rate_hz)
            yield EcgPart("median", tuple(leads), signal_mv, rate_hz, onset_ms)


def _beat_steps(file: Path, beats: Element, beat: Element) -> Steps:
    text = text_of(child(beat, "waveform")) or text_of(beat)
    is_plain = beats.get("dataencoding", "").lower() == "plain"
    steps = numbers_in(text) if is_plain else integers_in_base64(text)
    if steps is None:
        name = beat.get("leadname", "")
        raise RecordingError(f"The representative beat of lead {name} of {file} is damaged. Copy or export it again.")
    return steps
