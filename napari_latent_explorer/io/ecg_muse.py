"""Resting ECGs in the XML of GE MUSE (root ``RestingECG``).

| what | how |
|---|---|
| samples | base64 of little-endian integers |
| unit | ``LeadAmplitudeUnitsPerBit`` of ``LeadAmplitudeUnits``, which are microvolts where none are named |
| sampling rate | ``SampleBase`` x 10^``SampleExponent`` Hz |
| median beat, rhythm strip | ``Waveform`` by its ``WaveformType`` |
| leads | usually eight; III, aVR, aVL and aVF are computed when they are not stored |
| QRS onset | ``QOnset`` in samples of ``ECGSampleBase`` x 10^``ECGSampleExponent`` Hz after the median's first sample |
| missing samples | the lowest number that a sample can be |
| checksums | a CRC32 that does not fit is noted, not refused: exports are edited by hand to take names out |

What the files say about the leads' own offsets has no public definition: one that is the same for all leads is noted
and not applied, and leads with different ones are refused, because they may not be of the same moments.
"""

import zlib
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_part import EcgPart, onset_within, read_part, refuse_many_leads, stack_leads
from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions
from napari_latent_explorer.io.xml_document import (
    child,
    children,
    not_an_ecg,
    number_of,
    read_xml,
    text_of,
    xml_root_name,
)
from napari_latent_explorer.io.xml_samples import bytes_in_base64, integers_in_base64

ROOT = "RestingECG"
_UV_PER_UNIT = {"": 1.0, "MICROVOLT": 1.0, "UV": 1.0, "MILLIVOLT": 1e3, "MV": 1e3, "NANOVOLT": 1e-3, "NV": 1e-3}
_OFFSETS = ("LeadTimeOffset", "LeadOffsetFirstSample", "FirstSampleBaseline")


def is_ecg_muse(path: Path) -> bool:
    """Whether it is a document of GE MUSE; never raises."""
    return (xml_root_name(path) or "").lower() == ROOT.lower()


def read_ecg_muse(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        File.
    options
        Wanted kind; without one, the median beat if it has (or can be made to have) twelve leads, else the rhythm.

    Raises
    ------
    RecordingError
        When it is no such ECG, damaged, or lacks what is wanted.
    """
    file = Path(path)
    root = read_xml(file)
    if root.tag.lower() != ROOT.lower():
        raise not_an_ecg(file, root, "an ECG of GE MUSE")
    onset_ms = _onset_ms(root)
    return read_part((_part(file, waveform, onset_ms) for waveform in children(root, "Waveform")), file, options)


def _part(file: Path, waveform: Element, onset_ms: float | None) -> EcgPart:
    leads = {text_of(child(data, "LeadID")): data for data in children(waveform, "LeadData")}
    n_leads = sum(1 for _ in children(waveform, "LeadData"))
    refuse_many_leads(n_leads, file)
    if len(leads) < n_leads or "" in leads:
        raise RecordingError(f"A waveform of {file} has a lead without a name, or one twice. Export the ECG again.")
    filled = {name: data for name, data in leads.items() if text_of(child(data, "WaveFormData"))}
    if not filled:
        raise RecordingError(f"A waveform of {file} is empty. Export the ECG with its waveforms.")
    signal_uv = [_lead_uv(file, name, data) for name, data in filled.items()]
    signal_mv = stack_leads(signal_uv, list(filled), file) / 1000
    rate_hz = _rate_hz(waveform, "SampleBase", "SampleExponent")
    if rate_hz is None:
        raise RecordingError(
            f"A waveform of {file} has no SampleBase, so its sampling rate is unknown. Export it again."
        )
    notes = [*_offset_notes(file, filled), *_checksum_notes(filled)]
    if len(filled) < len(leads):
        notes.append(printable(f"Lead {', '.join(name for name in leads if name not in filled)} is empty in the file."))
    if "median" not in text_of(child(waveform, "WaveformType")).lower():
        return EcgPart("rhythm", tuple(filled), signal_mv, rate_hz, None, tuple(notes))
    onset_ms = onset_within(onset_ms, signal_mv.shape[1], rate_hz)
    return EcgPart("median", tuple(filled), signal_mv, rate_hz, onset_ms, tuple(notes))


def _lead_uv(file: Path, name: str, data: Element) -> NDArray[np.float64]:
    """Voltage ``(n_samples,)`` in uV, NaN where missing."""
    n_bytes = number_of(text_of(child(data, "LeadSampleSize"), "2"))
    steps = integers_in_base64(text_of(child(data, "WaveFormData")), int(n_bytes or 0))
    if steps is None:
        raise RecordingError(f"Lead {name} of {file} is no base64 of integers. Copy or export it again.")
    announced = number_of(text_of(child(data, "LeadSampleCountTotal")))
    if announced is not None and announced != len(steps):
        raise RecordingError(
            f"Lead {name} of {file} announces {announced:g} samples and holds {len(steps)}. Copy or export it again."
        )
    step = number_of(text_of(child(data, "LeadAmplitudeUnitsPerBit")))
    unit = text_of(child(data, "LeadAmplitudeUnits")).upper().removesuffix("S")
    if step is None or step <= 0 or unit not in _UV_PER_UNIT:
        found = f"{text_of(child(data, 'LeadAmplitudeUnitsPerBit')) or 'no number of'} {unit}"
        raise RecordingError(f"Lead {name} of {file} has steps of {found}, expected MICROVOLTS. Export the ECG again.")
    missing = steps == -(2.0 ** (8 * int(n_bytes or 0) - 1))
    return np.where(missing, np.nan, steps * (step * _UV_PER_UNIT[unit]))


def _rate_hz(element: Element | None, base: str, exponent: str) -> float | None:
    value, power = number_of(text_of(child(element, base))), number_of(text_of(child(element, exponent)))
    if value is None or not -9 <= (power or 0.0) <= 9:
        return None
    return float(value * 10.0 ** (power or 0.0))


def _onset_ms(root: Element) -> float | None:
    for name in ("RestingECGMeasurements", "OriginalRestingECGMeasurements"):
        measurements = child(root, name)
        sample = number_of(text_of(child(measurements, "QOnset")))
        rate_hz = _rate_hz(measurements, "ECGSampleBase", "ECGSampleExponent")
        if sample is not None and rate_hz:
            return sample * 1000.0 / rate_hz
    return None


def _offset_notes(file: Path, leads: dict[str, Element]) -> list[str]:
    notes = []
    for field in _OFFSETS:
        values = {number_of(text_of(child(data, field))) or 0.0 for data in leads.values()}
        if len(values) > 1:
            raise RecordingError(f"The leads of {file} have different values of {field}; they may not fit each other.")
        if values != {0.0}:
            notes.append(f"{field} is {values.pop():g} for every lead, and is not applied.")
    return notes


def _checksum_notes(leads: dict[str, Element]) -> list[str]:
    wrong = []
    for name, data in leads.items():
        content, stated = bytes_in_base64(text_of(child(data, "WaveFormData"))), text_of(child(data, "LeadDataCRC32"))
        if content is not None and stated.isascii() and stated.isdigit() and zlib.crc32(content) != int(stated[:20]):
            wrong.append(name)
    return (
        [printable(f"The checksum of lead {', '.join(wrong)} does not fit: samples may be damaged.")] if wrong else []
    )
