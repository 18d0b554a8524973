"""Whether a cine that is drawn from an ECG shows the heart's own mass and volumes (Fig. 3c).

A network that was trained on original cines measures three cines of each person: the original, the one decoded from the
MRI's latent and the one decoded from the ECG's latent. What it says of the two decoded ones is correlated with what it
says of the original, as in the paper, and with the truth of the table.
"""

from collections.abc import Generator

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.modeling.recording_cache import RecordingCache, z_scored
from napari_latent_explorer.modeling.supervised import SupervisedModel
from napari_latent_explorer.modeling.trained_model import TrainedModel

CINES = ("original", "reconstructed", "translated")
N_BOOTSTRAPS = 300
_CHUNK = 32


def measure_translations(
    bundle: TrainedModel,
    judge: SupervisedModel,
    recordings: RecordingCache,
    rows: NDArray[np.intp],
    latents: dict[str, NDArray[np.float32]],
    outcomes: dict[str, NDArray[np.float64]],
    participant_ids: NDArray[np.str_],
    seed: int = 0,
) -> Generator[Progress, None, tuple[pd.DataFrame, pd.DataFrame]]:
    """Measure the cines of the people in `rows`, whom the judge has not learned from.

    Parameters
    ----------
    bundle
        Decodes.
    judge
        Trained on original cines.
    recordings, latents, outcomes, participant_ids
        Cines, latents of ``mri`` and ``ecg``, true values by phenotype, and ids of the same people.
    rows
        Whom to measure.
    seed
        Settles bootstrap samples.

    Returns
    -------
    tuple
        Correlations with 95 % intervals, one row per phenotype, cine and what it is compared with; and the values per
        person.
    """
    numbers = [column for column, spec in enumerate(judge.specs) if spec.kind == "continuous"]
    parts: dict[str, list[NDArray[np.float64]]] = {cine: [] for cine in CINES}
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        shown = {"original": recordings.batch(chunk)}
        for cine, modality in (("reconstructed", "mri"), ("translated", "ecg")):
            decoded = bundle.decode(latents[modality][chunk], with_ecg=False).cine
            assert decoded is not None
            shown[cine] = z_scored(torch.from_numpy(np.array(decoded)))
        for cine, x in shown.items():
            parts[cine].append(judge.predict(x)[:, numbers])
        yield Progress(start + len(chunk), len(rows), "measuring translated cines")
    found = {cine: np.concatenate(values) for cine, values in parts.items()}
    scores, people = [], []
    for position, column in enumerate(numbers):
        name = judge.specs[column].name
        values = {cine: found[cine][:, position] for cine in CINES} | {"truth": outcomes[name][rows]}
        people.append(pd.DataFrame({"phenotype": name, "participant_id": participant_ids[rows]} | values))
        pairs = [(cine, "truth") for cine in CINES] + [(cine, "original") for cine in CINES[1:]]
        for cine, against in pairs:
            row = {"phenotype": name, "cine": cine, "compared_with": against}
            scores.append(row | correlation_interval(values[cine], values[against], seed))
    return pd.DataFrame(scores), pd.concat(people, ignore_index=True)


def correlation_interval(x: NDArray[np.float64], y: NDArray[np.float64], seed: int = 0) -> dict[str, float]:
    """Pearson correlation over those known in both, with its 95 % bootstrap interval; NaN for fewer than three."""
    known = np.isfinite(x) & np.isfinite(y)
    n = int(known.sum())
    if n < 3:
        return {"correlation": np.nan, "low": np.nan, "high": np.nan, "n": n}
    everybody = np.arange(n)[None]
    drawn = np.random.default_rng(seed).integers(n, size=(N_BOOTSTRAPS, n))
    a, b = (one[known][np.concatenate([everybody, drawn])] for one in (x, y))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    values = np.divide((a * b).sum(axis=1), size, out=np.full(len(a), np.nan), where=size > 0)
    if not np.isfinite(values[1:]).any():
        return {"correlation": np.nan, "low": np.nan, "high": np.nan, "n": n}
    low, high = np.nanpercentile(values[1:], (2.5, 97.5))
    return {"correlation": float(values[0]), "low": float(low), "high": float(high), "n": n}
