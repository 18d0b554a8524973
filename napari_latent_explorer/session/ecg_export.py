"""ECGs as a table for others to read: one row per ECG and sample, time in ms, leads in mV, provenance above."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.exports import harmless, write_commented

DECIMALS_MV, DECIMALS_MS = 5, 4


def ecg_table(ecgs: Sequence[ECG]) -> pd.DataFrame:
    """Make a table with the columns ``ecg``, ``time_ms`` and one per standard lead, ``I_mv``; absent leads are empty.

    Parameters
    ----------
    ecgs
        Each is called by its `source`.
    """
    parts = []
    for ecg in ecgs:
        n_samples = ecg.signal_mv.shape[1]
        times_ms = np.round(np.arange(n_samples) * 1000.0 / ecg.sampling_rate_hz, DECIMALS_MS)
        leads = dict(zip(ecg.lead_names, np.round(ecg.signal_mv.astype(np.float64), DECIMALS_MV), strict=True))
        columns = {f"{name}_mv": leads[name] for name in LEAD_NAMES if name in leads}
        parts.append(pd.DataFrame({"ecg": harmless(ecg.source), "time_ms": times_ms, **columns}))
    order = ["ecg", "time_ms", *(f"{name}_mv" for name in LEAD_NAMES)]
    return pd.concat(parts, ignore_index=True).reindex(columns=order)


def write_ecg_table(path: Path, ecgs: Sequence[ECG], facts: Mapping[str, str]) -> Generator[Progress, None, Path]:
    """Write the table of some ECGs as CSV, atomically, with `facts` in comments above.

    Parameters
    ----------
    path
        The file.
    ecgs
        As for `ecg_table`, at least one.
    facts
        Where they come from, e.g. of `session.provenance.provenance_of`, and what else is known of them.

    Yields
    ------
    Progress
        Once.

    Raises
    ------
    StudyError
        When the place cannot be written.
    """
    yield Progress(0, 1, f"Writing {path.name}")
    write_commented(path, (f"{fact}: {words}" for fact, words in facts.items()), ecg_table(ecgs))
    return path
