"""ECG from the HDF5 file that ml4h makes of one person's UK Biobank recordings (layout: `ml4h_layout.py`).

| what | how |
|---|---|
| median beat | ``median_<lead>``, read where it gives all twelve leads; QRS onset from `QOnset` (ms) |
| rhythm strip | ``strip_<lead>`` |
| leads | by their names, whatever the order; limb leads that are missing are computed |
| visit | the first that has most leads |
| units | 5 uV and 500 Hz: what the device wrote and ml4h kept, and nowhere noted in the file, so a note says it |
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_signal import choose_kind, finish_ecg
from napari_latent_explorer.io.hdf5_numbers import opened_hdf5, read_numbers
from napari_latent_explorer.io.lead_names import standard_lead_name, with_derived_limb_leads
from napari_latent_explorer.io.ml4h_layout import (
    ECG_GROUP,
    Tensor,
    group_names,
    has_recordings,
    read_measurement,
    tensors_of,
)
from napari_latent_explorer.io.reading import ANY, EcgKind, FileOutcome, Reading, ReadOptions

_MV_PER_UNIT = 0.005
_SAMPLING_RATE_HZ = 500.0
_PREFIX: dict[EcgKind, str] = {"median": "median_", "rhythm": "strip_"}
_MAX_LEAD_BYTES = 16 << 20
_FAINT_MV = 0.1


def is_ecg_ml4h(path: Path) -> bool:
    """Whether a file is an HDF5 file of ml4h with a resting ECG in it."""
    return has_recordings(path, ECG_GROUP)


def read_ecg_ml4h(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        File.
    options
        `ecg_kind` counts.

    Raises
    ------
    RecordingError
        When there is no ECG of the wanted kind, its leads differ in length, or the file is damaged.
    """
    place = Path(path)
    with opened_hdf5(place) as root:
        kind = choose_kind(options, _kinds(root, place), place)
        leads = _leads(root, kind)
        signals = [read_numbers(tensor.dataset, _MAX_LEAD_BYTES).astype(np.float64) for tensor in leads]
        qrs_onset_ms = read_measurement(root, "QOnset", leads[0].visit) if kind == "median" else None
    shapes = sorted({signal.shape for signal in signals})
    if len(shapes) != 1 or len(shapes[0]) != 1:
        raise RecordingError(f"The leads in {place} have the shapes {shapes}; expected one length for all.")
    signal_mv = np.stack(signals) * _MV_PER_UNIT
    duration_ms = 1000.0 * signal_mv.shape[1] / _SAMPLING_RATE_HZ
    if qrs_onset_ms is not None and not 0.0 < qrs_onset_ms < duration_ms:
        qrs_onset_ms = None
    names = [tensor.name.removeprefix(_PREFIX[kind]) for tensor in leads]
    ecg, notes = finish_ecg(signal_mv, names, _SAMPLING_RATE_HZ, kind, place, qrs_onset_ms)
    used = f"{kind} ECG of {leads[0].key.partition('/')[2]}"
    return Reading(ecg, None, (_unit_note(ecg.signal_mv), *notes), (FileOutcome(str(place), True, used),))


def _kinds(root: Any, place: Path) -> list[EcgKind]:
    """Kinds that are there, the median first if it has the twelve leads."""
    found: dict[EcgKind, list[str]] = {}
    for kind in _PREFIX:
        names = [standard_lead_name(tensor.name.removeprefix(_PREFIX[kind])) for tensor in _leads(root, kind)]
        if names:
            found[kind] = names
    if not found:
        raise RecordingError(f"{place} holds no median_<lead> and no strip_<lead> in its group {ECG_GROUP}.")
    return sorted(found, key=lambda kind: (not _is_complete(found[kind]), kind != "median"))


def _is_complete(names: Sequence[str]) -> bool:
    completed = with_derived_limb_leads(np.zeros((len(names), 1)), names)[1] if len(set(names)) == len(names) else names
    return set(LEAD_NAMES) <= set(completed)


def _leads(root: Any, kind: EcgKind) -> list[Tensor]:
    """Leads of the visit that has most of them, the first of several."""
    prefix = _PREFIX[kind]
    of_visit: dict[tuple[int, int], list[Tensor]] = {}
    for name in group_names(root, ECG_GROUP):
        if name.startswith(prefix):
            for tensor in tensors_of(root, ECG_GROUP, name):
                of_visit.setdefault(tensor.visit, []).append(tensor)
    best = min(of_visit, key=lambda visit: (-len(of_visit[visit]), visit), default=None)
    return [] if best is None else of_visit[best]


def _unit_note(signal_mv: Any) -> str:
    note = "Units of 5 uV and 500 Hz are taken for granted: the file does not hold them."
    largest_mv = float(np.abs(signal_mv).max())
    if largest_mv >= _FAINT_MV:
        return note
    return f"{note} Its largest voltage would then be {largest_mv:.3f} mV, so they may be wrong."
