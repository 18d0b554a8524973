"""What every reader of ECGs does last: bridge gaps, complete the limb leads, refuse what cannot be a heart's voltage.

Samples that a file marks as missing come here as NaN. A short gap is bridged by a straight line, because everything
after this point needs numbers; a lead with long ones is left out when it can be computed from others or is none of the
twelve, and otherwise the recording is refused, because a line of half a second looks like a heart that stands still.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.lead_names import standard_lead_name, with_derived_limb_leads
from napari_latent_explorer.io.reading import EcgKind, ReadOptions

MAX_MISSING_FRACTION = 0.05
MAX_VOLTAGE_MV = 1000.0
"""Electrodes on the skin give some millivolts, on an offset of 300 mV at the most (IEC 60601-2-25)."""


def finish_ecg(
    signal_mv: NDArray[np.float64],
    lead_names: Sequence[str],
    sampling_rate_hz: float,
    kind: EcgKind,
    place: Path,
    qrs_onset_ms: float | None = None,
) -> tuple[ECG, tuple[str, ...]]:
    """Make an ECG of what a file holds.

    Parameters
    ----------
    signal_mv
        ``(n_leads, n_samples)`` in mV, NaN where there is no sample.
    lead_names
        One name per lead in any spelling.
    sampling_rate_hz
        Samples per second.
    kind
        What it is.
    place
        The file, for messages.
    qrs_onset_ms
        QRS onset of a median beat, where the file tells it.

    Returns
    -------
    ecg
        Standard leads first, in clinical order.
    notes
        What was derived, filled in or left out, in sentences.

    Raises
    ------
    RecordingError
        When there is no usable signal.
    """
    signal_mv, n_begin, n_end = _trimmed(signal_mv)
    if signal_mv.size == 0:
        raise RecordingError(f"{place} holds no samples. Export the recording again.")
    missing = ~np.isfinite(signal_mv)
    is_whole = missing.mean(axis=1) <= MAX_MISSING_FRACTION
    names = distinct_lead_names(lead_names, place)
    whole = np.flatnonzero(is_whole)
    if len(whole) == 0:
        raise _broken(names, missing, place)
    bridged = {names[index]: _bridge(signal_mv[index], missing[index]) for index in whole if missing[index].any()}
    notes = [f"{n_begin + n_end} samples without a value at the ends are cut off."] if n_begin + n_end else []
    notes += [_bridged_note(bridged)] if bridged else []
    completed_mv, completed, note = with_derived_limb_leads(signal_mv[whole], [names[index] for index in whole])
    lost = [name for name in names if name not in completed]
    if set(lost) & set(LEAD_NAMES):
        raise _broken(names, missing, place)
    if len(whole) < len(names):
        broken = ", ".join(name for name, is_good in zip(names, is_whole, strict=True) if not is_good)
        notes.append(f"Lead {broken} has too many missing samples and is not taken from the file.")
    _refuse_impossible(completed_mv, completed, place)
    if qrs_onset_ms is not None:
        qrs_onset_ms -= n_begin * 1000.0 / sampling_rate_hz
    ecg = ECG(completed_mv.astype(np.float32), completed, sampling_rate_hz, kind, qrs_onset_ms, str(place))
    return ecg, tuple(text for text in (*notes, note) if text)


def distinct_lead_names(written: Sequence[str], place: Path) -> tuple[str, ...]:
    """Give leads their standard names; unknown names that occur again are numbered (``ECG``, ``ECG 2``).

    Raises
    ------
    RecordingError
        When one of the twelve leads occurs twice: nothing says which one is meant.
    """
    seen: Counter[str] = Counter()
    names = []
    for index, text in enumerate(written):
        name = standard_lead_name(text) or f"signal {index + 1}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    repeated = [name for name in LEAD_NAMES if seen[name] > 1]
    if repeated:
        raise RecordingError(
            f"Lead {', '.join(repeated)} occurs more than once in {place}. Export the recording with each lead once."
        )
    return tuple(names)


@contextmanager
def explained(place: str | Path) -> Iterator[None]:
    """Turn what the system refuses (no permission, too long a name) into one error with the name of the file.

    Numbers out of range become infinite without a word, and are refused as missing later.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except (OSError, ValueError, MemoryError) as refusal:
        raise RecordingError(f"Cannot read {place}: {reason_of(refusal)}.") from refusal


def choose_kind(options: ReadOptions, available: Sequence[EcgKind], place: Path) -> EcgKind:
    """Kind to read: the wanted one, else the first of the available ones.

    Raises
    ------
    RecordingError
        When the wanted kind is not there.
    """
    if options.ecg_kind is None:
        return available[0]
    if options.ecg_kind not in available:
        words = {"rhythm": "a rhythm strip", "median": "a median beat"}
        raise RecordingError(
            f"{place} holds {' and '.join(words[kind] for kind in available)}, not {words[options.ecg_kind]}. "
            "Ask for the kind that is there, or for none."
        )
    return options.ecg_kind


def _trimmed(signal_mv: NDArray[np.float64]) -> tuple[NDArray[np.float64], int, int]:
    """Signal without the samples at its ends that no lead has, and how many were cut off at each end."""
    known = np.flatnonzero(np.isfinite(signal_mv).any(axis=0))
    if len(known) == 0:
        return signal_mv[:, :0], 0, 0
    return signal_mv[:, known[0] : known[-1] + 1], int(known[0]), signal_mv.shape[1] - 1 - int(known[-1])


def _bridge(lead_mv: NDArray[np.float64], gaps: NDArray[np.bool_]) -> int:
    """Fill the gaps of a lead in place; how many samples they were."""
    samples = np.arange(len(lead_mv))
    lead_mv[gaps] = np.interp(samples[gaps], samples[~gaps], lead_mv[~gaps])
    return int(gaps.sum())


def _bridged_note(bridged: dict[str, int]) -> str:
    counts = ", ".join(f"{name} {n_samples}" for name, n_samples in bridged.items())
    if len(bridged) > 1 and len(set(bridged.values())) == 1:
        counts = f"{next(iter(bridged.values()))} in each of {', '.join(bridged)}"
    return f"Missing samples are bridged by straight lines: {counts}."


def _broken(names: Sequence[str], missing: NDArray[np.bool_], place: Path) -> RecordingError:
    fractions = zip(names, missing.mean(axis=1), strict=True)
    shares = [f"lead {name} {100 * share:.0f} %" for name, share in fractions if share > MAX_MISSING_FRACTION]
    return RecordingError(
        f"Too many samples of {place} are missing: {', '.join(shares)}; at most {100 * MAX_MISSING_FRACTION:.0f} % are "
        "bridged. Use another recording, or cut out a part that is whole."
    )


def _refuse_impossible(signal_mv: NDArray[np.float64], names: Sequence[str], place: Path) -> None:
    largest_mv = np.abs(signal_mv).max(axis=1)
    worst = int(largest_mv.argmax())
    if largest_mv[worst] > MAX_VOLTAGE_MV:
        raise RecordingError(
            f"Lead {names[worst]} of {place} reaches {largest_mv[worst]:.3g} mV; an ECG stays under {MAX_VOLTAGE_MV:g} "
            "mV. The unit or the gain stated in the file is wrong; correct it there."
        )
