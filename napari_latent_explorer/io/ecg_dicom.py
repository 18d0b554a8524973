"""ECGs in DICOM: 12-lead, general, 32-bit and ambulatory ECG waveforms.

| what | how |
|---|---|
| median beat | a group of under 3 s that is derived, or labelled median, average, representative or template |
| rhythm strip | the other groups; those with the same time, rate and length are put together |
| leads | by SCP-ECG or MDC code, else by the code's meaning, else by the channel's label |
| voltage | sensitivity x correction + baseline, in uV, mV or V; channels without a voltage are left out |
| missing samples | see `dicom_waveform.py` |
| QRS onset of the median | the first annotated one just before its QRS complex |
| transfer syntaxes | explicit, implicit, big-endian, deflated |
| ambulatory ECGs | whole, as long as they fit in the limits of `io/reading.py` |

Leads that were recorded one after the other (four groups of three leads) are no twelve-lead strip: the group with most
leads is read and the others are named.
"""

import re
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError, reason_of, shown_text
from napari_latent_explorer.io.dicom_waveform import WaveformGroup, describe_group
from napari_latent_explorer.io.ecg_signal import choose_kind, finish_ecg
from napari_latent_explorer.io.reading import ANY, MAX_ECG_FILE_BYTES, EcgKind, FileOutcome, Reading, ReadOptions

_WAVEFORMS = b"1.2.840.10008.5.1.4.1.1.9."
_ECG_CLASSES = {f"1.2.840.10008.5.1.4.1.1.9.1.{number}" for number in (1, 2, 3, 4)}
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_HEAD_BYTES = 2048
_MAX_FILES_IN_FOLDER = 20
_QRS_ONSET_CODES = {"5.10.3-3"}
_LONGEST_RISE_MS = 120.0
_MAX_CLASS_CHARS = 80
_MOST_NAMED = 2
_ONSET_SLACK_MS = 10.0


def is_ecg_dicom(path: Path) -> bool:
    """Whether it is a DICOM waveform, or a folder with one and nothing else; looks at 2 kB and never raises."""
    try:
        return _waveform_file(path) is not None
    except (OSError, ValueError):
        return False


def read_ecg_dicom(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        File, or folder with one file.
    options
        Wanted kind: without one, the device's median beat if it has twelve leads, else the rhythm strip.

    Raises
    ------
    RecordingError
        When it is no ECG, damaged, or lacks what is wanted.
    """
    with _explained(path):
        file = _waveform_file(Path(path)) or Path(path)
        dataset = _dataset(file)
        _refuse_other_waveforms(file, dataset)
        groups, damage = _groups(dataset)
        medians = [group for group in groups if group.is_median]
        rhythms = [group for group in groups if not group.is_median]
        if not groups:
            raise RecordingError(f"Cannot read {file}: {'; '.join(damage) or 'it holds no waveform'}. Export it again.")
        kind = choose_kind(options, _available(medians, rhythms), file)
        reading = _read_kind(file, dataset, medians if kind == "median" else rhythms, kind)
        return Reading(reading.recording, notes=(*reading.notes, *damage), outcomes=reading.outcomes)


def _read_kind(file: Path, dataset: Any, candidates: Sequence[WaveformGroup], kind: EcgKind) -> Reading:
    chosen = max((_together(first, candidates) for first in candidates), key=_worth)
    names = tuple(name for group in chosen for name in group.lead_names)
    parts = []
    for group in chosen:
        try:
            parts.append(group.signal_mv(bool(dataset.original_encoding[1])))
        except RecordingError as refusal:
            raise RecordingError(
                f"Cannot read group {group.number} of {file}: {refusal}. Export it again."
            ) from refusal
    n_samples = min(part.shape[1] for part, _ in parts)
    signal_mv = np.concatenate([part[:, :n_samples] for part, _ in parts])
    rate_hz = chosen[0].sampling_rate_hz
    onset_ms = _onset_ms(dataset, chosen[0].number, signal_mv, rate_hz) if kind == "median" else None
    ecg, notes = finish_ecg(signal_mv, names, rate_hz, kind, file, onset_ms)
    elsewhere = sorted({name for group in candidates for name in group.lead_names} - set(ecg.lead_names))
    if elsewhere:
        notes = (*notes, f"Recorded at other times and left out: {', '.join(elsewhere)}.")
    said = dict.fromkeys(note for group in chosen for note in group.notes)
    said |= dict.fromkeys(note for _, part_notes in parts for note in part_notes)
    words = {"median": "median beat", "rhythm": "rhythm strip"}[kind]
    used = f"{words}, group {', '.join(str(group.number) for group in chosen)}"
    return Reading(ecg, notes=(*said, *notes), outcomes=(FileOutcome(str(file), True, used),))


def _waveform_file(path: Path) -> Path | None:
    """Find the waveform: the file itself, or the only file of a folder."""
    if path.is_dir():
        files = [file for _, file in zip(range(_MAX_FILES_IN_FOLDER), path.iterdir(), strict=False)]
        visible = [file for file in files if not file.name.startswith(".")]
        return visible[0] if len(visible) == 1 and visible[0].is_file() and _is_waveform(visible[0]) else None
    return path if path.is_file() and _is_waveform(path) else None


def _is_waveform(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head[128:132] != b"DICM":
        return False
    # The class of the object: in the file's meta information, else at the beginning of the object itself.
    for tag in (b"\x02\x00\x02\x00UI", b"\x08\x00\x16\x00"):
        found = head.find(tag, 132)
        if found >= 0:
            return head[found + len(tag) :][:32].find(_WAVEFORMS) in (2, 4)  # after the length, and perhaps the type
    return False


@contextmanager
def _explained(file: str | Path) -> Iterator[None]:
    """Values are read as they are spelt, silently; whatever pydicom raises for a damaged file becomes one error."""
    import pydicom

    with pydicom.config.disable_value_validation(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        except RecordingError:
            raise
        except Exception as damage:  # pydicom raises many kinds for a damaged file
            raise RecordingError(
                f"{file} is not a whole DICOM file: {reason_of(damage)}. Copy or export it again."
            ) from damage


def _dataset(file: Path) -> Any:
    import pydicom

    if not file.is_file():
        raise RecordingError(f"There is no file {file}.")
    if file.stat().st_size > MAX_ECG_FILE_BYTES:
        raise RecordingError(f"{file} is larger than {MAX_ECG_FILE_BYTES} bytes. Cut out a strip.")
    content = file.read_bytes()
    if _DEFLATED in content[:_HEAD_BYTES]:
        _refuse_bomb(file, content)
    return pydicom.dcmread(BytesIO(content))


def _refuse_bomb(file: Path, content: bytes) -> None:
    """Inflate a deflated object as far as it may go."""
    n_meta = int.from_bytes(content[140:144], "little")  # the first element is the length of the meta information
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(content[144 + n_meta :], MAX_ECG_FILE_BYTES)
    if inflater.unconsumed_tail:
        raise RecordingError(f"{file} unpacks to more than {MAX_ECG_FILE_BYTES} bytes. It is not safe to read.")


def _refuse_other_waveforms(file: Path, dataset: Any) -> None:
    sop_class = dataset.get("SOPClassUID")
    if str(sop_class) not in _ECG_CLASSES:
        found = shown_text(str(getattr(sop_class, "name", None) or "of no stated class"), _MAX_CLASS_CHARS)
        raise RecordingError(f"Cannot read {file} as an ECG: it is {found}. ECG waveforms are read; export one.")


def _groups(dataset: Any) -> tuple[list[WaveformGroup], tuple[str, ...]]:
    """Describe the groups that can be read, and say what is wrong with the others."""
    groups, damage = [], []
    for number, item in enumerate(dataset.get("WaveformSequence") or (), start=1):
        try:
            groups.append(describe_group(item, number))
        except RecordingError as refusal:
            damage.append(f"Group {number} is not read: {refusal}")
    if len(damage) > _MOST_NAMED:
        damage = [*damage[:_MOST_NAMED], f"{len(damage) - _MOST_NAMED} more groups are not read"]
    return groups, tuple(damage)


def _available(medians: Sequence[WaveformGroup], rhythms: Sequence[WaveformGroup]) -> tuple[EcgKind, ...]:
    if not rhythms:
        return ("median",)
    if not medians:
        return ("rhythm",)
    return ("median", "rhythm") if any(group.has_twelve_leads for group in medians) else ("rhythm", "median")


def _together(first: WaveformGroup, candidates: Sequence[WaveformGroup]) -> tuple[WaveformGroup, ...]:
    """Join a group with the later ones that hold other leads of the same moments."""
    joined = [first]
    grid = (first.sampling_rate_hz, first.n_samples, first.offset_ms)
    for other in candidates:
        taken = {name for group in joined for name in group.lead_names}
        same = (other.sampling_rate_hz, other.n_samples, other.offset_ms) == grid
        if other.number > first.number and same and taken.isdisjoint(other.lead_names):
            joined.append(other)
    return tuple(joined)


def _worth(groups: Sequence[WaveformGroup]) -> tuple[int, float]:
    leads = {name for group in groups for name in group.lead_names}
    return len(leads & set(LEAD_NAMES)), groups[0].n_samples / groups[0].sampling_rate_hz


def _onset_ms(dataset: Any, number: int, signal_mv: NDArray[np.float64], rate_hz: float) -> float | None:
    """QRS onset of the median beat in group `number`, if an annotation tells it.

    Devices put it under the number of the rhythm group, where every single beat is annotated too. So it is accepted
    only where it fits the signal: the steepest moment of the beat comes soon after it.
    """
    steepest = float(np.nanargmax(np.nansum(np.diff(signal_mv, axis=1) ** 2, axis=0))) * 1000.0 / rate_hz
    candidates = sorted(_annotated_onsets(dataset), key=lambda onset: (onset[0] != number, onset[1]))
    is_level = (signal_mv == 0.0).all(axis=0)
    for _, _, position in candidates:
        # DICOM counts from 1; some count from 0, which shows where the device has set all leads to 0 at the onset.
        counts_from_0 = 0 < position < len(is_level) and is_level[position] and not is_level[position - 1]
        onset_ms = (position if counts_from_0 else position - 1) * 1000.0 / rate_hz
        if -_ONSET_SLACK_MS <= steepest - onset_ms <= _LONGEST_RISE_MS:
            return onset_ms
    return None


def _annotated_onsets(dataset: Any) -> Iterator[tuple[int, int, int]]:
    """Group that an annotated QRS onset names, its annotation group, and its sample, counted from 1."""
    for annotation in dataset.get("WaveformAnnotationSequence") or ():
        position = annotation.get("ReferencedSamplePositions")
        concepts = annotation.get("ConceptNameCodeSequence") or ()
        if not concepts or not isinstance(position, int):
            continue
        code, meaning = (str(concepts[0].get(key, "") or "") for key in ("CodeValue", "CodeMeaning"))
        if code in _QRS_ONSET_CODES or re.search(r"qrs.*onset", meaning, re.IGNORECASE):
            channels = annotation.get("ReferencedWaveformChannels") or (0,)
            yield int(channels[0]), int(annotation.get("AnnotationGroupNumber") or 0), position
