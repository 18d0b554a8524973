"""Errors of decoded recordings, gathered chunk by chunk so that no recording has to be kept.

The error of always answering with the mean recording needs no second pass: it is the mean square minus the square of
the mean. How much alike recordings look (`similarity`) takes longer, and is measured on the first `MAX_SSIM` people.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.preprocessing_spec import ECG_UNIT_UV
from napari_latent_explorer.modeling.scores import dice
from napari_latent_explorer.modeling.similarity import frame_ssim, lead_correlation
from napari_latent_explorer.modeling.tensors import Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SSIM = 200
N_BOOTSTRAPS = 300


class ReconstructionScores:
    """Sums over participants from which the tables follow.

    Parameters
    ----------
    label_names
        Label values to score, with their names.
    lead_names
        Names of the ECG's leads.
    """

    def __init__(self, label_names: Mapping[int, str], lead_names: Sequence[str] = ()) -> None:
        self._label_names, self._lead_names = label_names, lead_names
        self._n = 0
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._squares: dict[str, float] = {"mri": 0.0, "ecg": 0.0}
        self._errors: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        self._dice: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._ssim: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
        self._correlations: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)

    def add_recordings(self, tensors: Tensors) -> None:
        """Count true recordings towards the mean recording."""
        self._n += len(tensors.mri)
        for modality in ("mri", "ecg"):
            x = tensors.of(modality)
            self._sums[modality] = self._sums.get(modality, 0.0) + x.sum(axis=0, dtype=np.float64)
            self._squares[modality] += float(np.mean(np.square(x, dtype=np.float64))) * len(x)

    def add_decoded(self, model: str, source: str, tensors: Tensors, decoded: Decoded) -> None:
        """Count recordings decoded by `model` from latents of the modality `source`."""
        found = {"mri": decoded.cine, "ecg": None}
        if decoded.ecg_mv is not None:
            found["ecg"] = decoded.ecg_mv * np.float32(1000.0 / ECG_UNIT_UV)
        for modality, array in found.items():
            if array is not None:
                difference = (array - tensors.of(modality)).reshape(len(array), -1)
                errors = np.mean(np.square(difference), axis=1)
                self._errors[model, source, modality] += errors.tolist()
        if found["mri"] is not None and len(self._ssim[model, source]) < MAX_SSIM:
            self._ssim[model, source] += list(frame_ssim(tensors.mri, found["mri"]))
        if found["ecg"] is not None:
            self._correlations[model, source] += list(lead_correlation(tensors.ecg, found["ecg"]))
        if decoded.labels is not None and tensors.labels is not None:
            for truth, labels in zip(tensors.labels, decoded.labels, strict=True):
                for value in self._label_names:
                    self._dice[source, value].append(dice(truth, labels, value))

    def table(self) -> pd.DataFrame:
        """One row per model, latent and decoded recording: error, its root, share of variance explained."""
        rows = []
        for modality in ("mri", "ecg"):
            mean_error = self._squares[modality] / self._n - float(np.mean((self._sums[modality] / self._n) ** 2))
            rows.append(_row("mean recording", "", modality, mean_error, mean_error))
            for (model, source, decoded), errors in self._errors.items():
                if decoded == modality:
                    row = _row(model, source, modality, float(np.mean(errors)), mean_error)
                    rows.append(row | _mean_interval(errors, row["mse"]))
        return pd.DataFrame(rows)

    def ssim_table(self) -> pd.DataFrame:
        """Mean SSIM of each frame of decoded cines, per model and latent."""
        return _per_position(self._ssim, "frame", "ssim", ())

    def correlation_table(self) -> pd.DataFrame:
        """Mean correlation of each lead of decoded ECGs, per model and latent."""
        return _per_position(self._correlations, "lead", "correlation", self._lead_names)

    def segmentation_table(self) -> pd.DataFrame:
        """Mean Dice over participants per structure and latent; empty without a label head."""
        rows = [
            {"latents": source, "label": value, "structure": self._label_names[value], "dice": _mean(values)}
            for (source, value), values in self._dice.items()
        ]
        return pd.DataFrame(rows, columns=["latents", "label", "structure", "dice"])


def _row(model: str, source: str, modality: str, error: float, mean_error: float) -> dict[str, object]:
    unit = ECG_UNIT_UV if modality == "ecg" else 1.0
    return {
        "model": model,
        "latents": source,
        "decoded": modality,
        "mse": error * unit**2,
        "rmse": float(np.sqrt(error)) * unit,
        "unit": "uV" if modality == "ecg" else "standard deviations",
        "explained": 1.0 - error / mean_error,
    }


def _mean_interval(errors: list[float], mse: object) -> dict[str, float]:
    """95 % interval over people of a mean squared error, in the unit of `mse`."""
    values = np.array(errors)
    drawn = np.random.default_rng(0).integers(len(values), size=(N_BOOTSTRAPS, len(values)))
    scale = float(mse) / max(float(values.mean()), 1e-300)  # type: ignore[arg-type]
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5)) * scale
    return {"mse_low": float(low), "mse_high": float(high)}


def _per_position(
    gathered: "Mapping[tuple[str, str], list[NDArray[np.float64]]]", position: str, score: str, names: Sequence[str]
) -> pd.DataFrame:
    """One row per model, latent and frame or lead."""
    rows = []
    for (model, source), values in gathered.items():
        if not values:
            continue
        table = np.stack(values)
        known = np.isfinite(table)
        means = np.where(known, table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        for number, mean in enumerate(means.tolist()):
            label = names[number] if number < len(names) else number + 1
            rows.append(
                {"model": model, "latents": source, position: label, score: mean, "n": int(known[:, number].sum())}
            )
    return pd.DataFrame(rows, columns=["model", "latents", position, score, "n"])


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
