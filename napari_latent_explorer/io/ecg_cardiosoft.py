"""Resting ECGs in CardioSoft XML, which UK Biobank delivers as field 20205 (``<eid>_20205_<instance>_<array>.xml``).

| what | how |
|---|---|
| median beat | ``MedianSamples``, whole; samples that the device calls invalid are kept and noted: models learnt them |
| rhythm strip | ``StripData``, where a version of CardioSoft puts it; ``FullDisclosure`` if there is no strip |
| unit | as ``Resolution`` states it (5 uV per step in UK Biobank); never assumed |
| QRS onset | ``QOnset``, in ms after the first sample of the median |
| leads | any case (``AVR``); limb leads that are missing or empty are computed, others are named |
| exercise ECGs | refused (field 6025): three leads under load |

Samples are integers after a tab, separated by commas and broken into lines anywhere. ``FullDisclosure`` is one long
list of all leads: either a second of each lead after the other, or a sample of each; both occur, and the smoother
reading of the two is the true one.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_part import EcgPart, onset_within, read_part, refuse_many_leads, stack_leads
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

ROOT = "CardiologyXML"
_UV_PER_UNIT = {"uvperlsb": 1.0, "mvperlsb": 1e3, "nvperlsb": 1e-3}


def is_ecg_cardiosoft(path: Path) -> bool:
    """Whether it is a CardioSoft document; never raises."""
    return xml_root_name(path) == ROOT


def read_ecg_cardiosoft(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one resting ECG.

    Parameters
    ----------
    path
        File.
    options
        Wanted kind; without one, the median beat if it has twelve leads, else the rhythm strip.

    Raises
    ------
    RecordingError
        When it is no resting ECG, damaged, or lacks what is wanted.
    """
    file = Path(path)
    root = read_xml(file)
    if root.tag != ROOT:
        raise not_an_ecg(file, root, "a CardioSoft ECG")
    _refuse_exercise(file, root)
    return read_part(_all_parts(file, root), file, options)


def _refuse_exercise(file: Path, root: Element) -> None:
    kind = text_of(child(root, "ObservationType"))
    if "rest" in kind.lower() or (not kind and child(root, "ExerciseMeasurements") is None):
        return
    raise RecordingError(
        f"{file} is no resting ECG: its ObservationType is {kind or 'missing'}. Exercise ECGs (UK Biobank's "
        "field 6025) have few leads, recorded under load; choose the resting ECG (field 20205)."
    )


def _all_parts(file: Path, root: Element) -> Iterator[EcgPart]:
    onset_ms = _onset_ms(root)
    yield from _parts(file, root, "MedianSamples", "median", onset_ms)
    has_strip = False
    for part in _parts(file, root, "StripData", "rhythm", None):
        has_strip = True
        yield part
    if not has_strip:
        yield from _full_disclosure(file, root)


def _parts(file: Path, root: Element, name: str, kind: EcgKind, onset_ms: float | None) -> Iterator[EcgPart]:
    for block in root.iter(name):
        leads, empty = _leads(file, block)
        if leads:
            rate_hz, step_uv = _sampling_rate_hz(file, block), _step_uv(file, block)
            signal_mv = stack_leads(list(leads.values()), list(leads), file) * step_uv / 1000
            _refuse_other_length(file, block, signal_mv.shape[1])
            notes = [printable(f"Lead {', '.join(empty)} is empty in the file.")] if empty else []
            if kind == "median":
                notes += _validity_note(block, signal_mv.shape[1])
            onset = onset_within(onset_ms, signal_mv.shape[1], rate_hz)
            yield EcgPart(kind, tuple(leads), signal_mv, rate_hz, onset, tuple(notes))


def _leads(file: Path, block: Element) -> tuple[dict[str, NDArray[np.float64]], list[str]]:
    """Read the steps of each lead, and the names of the leads without any."""
    leads: dict[str, NDArray[np.float64]] = {}
    empty = []
    refuse_many_leads(sum(1 for _ in children(block, "WaveformData")), file)
    for data in children(block, "WaveformData"):
        name = next((value for key, value in data.attrib.items() if key.lower() == "lead"), "").strip()
        steps = numbers_in(data.text or "")
        if steps is None:
            raise RecordingError(
                f"Lead {name} of {file} holds something else than whole numbers. Copy or export it again."
            )
        if len(steps) == 0:
            empty.append(name)
        elif name in leads:
            raise RecordingError(f"Lead {name} occurs twice in one part of {file}. Export it again.")
        else:
            leads[name] = steps
    return leads, empty


def _sampling_rate_hz(file: Path, block: Element) -> float:
    rate = child(block, "SampleRate")
    unit = rate.get("units", "Hz") if rate is not None else "Hz"
    rate_hz = number_of(text_of(rate))
    if rate_hz is None or unit.strip().lower() != "hz":
        found = f"{text_of(rate) or 'nothing'} {unit}"
        raise RecordingError(f"{file} states {found} as sampling rate, expected a number of Hz.")
    return rate_hz


def _step_uv(file: Path, block: Element) -> float:
    resolution = child(block, "Resolution")
    unit = resolution.get("units", "") if resolution is not None else ""
    step, scale = number_of(text_of(resolution)), _UV_PER_UNIT.get(unit.strip().lower())
    if step is None or step <= 0 or scale is None:
        found = f"{text_of(resolution) or 'nothing'} {unit}"
        raise RecordingError(
            f"{file} states {found} as resolution, expected a number of uVperLsb. Without it the voltage is "
            "unknown; export the ECG again."
        )
    return step * scale


def _refuse_other_length(file: Path, block: Element, n_samples: int) -> None:
    announced = number_of(text_of(child(block, "ChannelSampleCountTotal")))
    if announced is not None and announced != n_samples:
        raise RecordingError(
            f"{block.tag} of {file} announces {announced:g} samples per lead and holds {n_samples}. Copy it again."
        )


def _validity_note(block: Element, n_samples: int) -> list[str]:
    first = number_of(text_of(child(block, "FirstValid"))) or 0.0
    last = number_of(text_of(child(block, "LastValid")))
    if first <= 0 and (last is None or last >= n_samples - 1):
        return []
    valid = f"{first:g} to {n_samples - 1 if last is None else last:g}"
    return [f"The device calls samples {valid} of {n_samples} valid; the others are kept as they are in the file."]


def _onset_ms(root: Element) -> float | None:
    onset = child(root, "RestingECGMeasurements", "QOnset")
    is_ms = onset is not None and onset.get("units", "ms").strip().lower() == "ms"
    return number_of(text_of(onset)) if is_ms else None


def _full_disclosure(file: Path, root: Element) -> Iterator[EcgPart]:
    for block in root.iter("FullDisclosure"):
        texts = [data.text or "" for data in children(block, "FullDisclosureData")]
        steps = numbers_in(",".join(text.strip(" \t\r\n,") for text in texts))
        order = text_of(child(block, "LeadOrder"))
        refuse_many_leads(order.count(","), file)
        names = tuple(name.strip() for name in order.split(",") if name.strip())
        if steps is None or (len(steps) and not names):
            raise RecordingError(f"FullDisclosure of {file} has no leads in order, or other things than numbers.")
        if len(steps):
            rate_hz, step_uv = _sampling_rate_hz(file, block), _step_uv(file, block)
            arranged = _arranged(steps, len(names), round(rate_hz))
            yield EcgPart(
                "rhythm", names, arranged * step_uv / 1000, rate_hz, notes=("The strip is the full disclosure.",)
            )


def _arranged(steps: NDArray[np.float64], n_leads: int, n_per_second: int) -> NDArray[np.float64]:
    """Leads ``(n_leads, n_samples)`` from one list, in the order in which they are smooth; an unfinished end is cut."""
    by_sample = steps[: len(steps) // n_leads * n_leads].reshape(-1, n_leads).T
    n_seconds = len(steps) // (n_leads * n_per_second) if n_per_second > 0 else 0
    if n_seconds == 0:
        return by_sample
    blocks = steps[: n_seconds * n_leads * n_per_second].reshape(n_seconds, n_leads, n_per_second)
    by_second = blocks.transpose(1, 0, 2).reshape(n_leads, -1)
    return min((by_second, by_sample), key=lambda leads: float(np.abs(np.diff(leads, axis=1)).mean()))
