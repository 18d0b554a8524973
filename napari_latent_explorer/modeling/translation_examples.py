"""Pictures of a few people for an evaluation's page: original, translated and reconstructed (Fig. 3a, 3b and S3).

Whom to show is settled by the table alone, so that nobody picks the pretty ones: of the scored people with the highest
and with the lowest quarter of a phenotype, those at one and at two thirds of the quarter. Frames are the first of the
cycle, which is end-diastole. Originals of real people are recordings of real people; see `can_be_shown`.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.preprocessing import prepare_ecg
from napari_latent_explorer.modeling.tensors import read_tensors
from napari_latent_explorer.modeling.trained_model import TrainedModel

OUTLINED = {
    "lvm": ("LV_anterolateral_wall", "interventricular_septum"),
    "rvedv": ("RV_cavity",),
}
"""What is outlined for each phenotype that is shown."""
N_PER_QUARTER = 2
SHOWN_LEAD = "II"
_BRIGHTEST_SD = 3.5
_DARKEST_SD = -1.0


def can_be_shown(study: Study) -> bool:
    """Whether originals may stand on a page that is passed on: only those of simulated people."""
    return study.factors_table() is not None


def translation_examples(
    study: Study, bundle: TrainedModel, people: pd.DataFrame, latents: dict[str, dict[str, NDArray[np.float32]]]
) -> dict[str, pd.DataFrame]:
    """Draw the examples of each phenotype that `people` has and `OUTLINED` knows.

    Parameters
    ----------
    study, bundle
        Whose recordings, and what decodes.
    people
        ``phenotype``, ``participant_id``, ``truth`` and what was measured on each cine, of `measure_translations`.
    latents
        Per participant id, the vectors of ``mri`` and ``ecg``.

    Returns
    -------
    dict
        ``examples``: one row per phenotype, person and cine, with the picture ``(n_rows, n_columns)`` and its outline
        as bytes; ``ecg_examples``: one row per person and ECG, with one lead in mV. Nothing without people.
    """
    pictures, traces = [], []
    for phenotype, structures in OUTLINED.items():
        for row in _chosen(people[people["phenotype"] == phenotype]).to_dict("records"):
            one = {name: str(row[name]) for name in ("phenotype", "participant_id", "quarter")}
            own = read_tensors(study, [one["participant_id"]])
            drawn = {
                source: bundle.decode(latents[one["participant_id"]][source][None], with_labels=True)
                for source in ("ecg", "mri")
            }
            original = None if own.labels is None else own.labels[0, 0]
            frames = {"original": (own.mri[0, 0], original)} | {
                cine: _first_frame(drawn[source]) for cine, source in (("translated", "ecg"), ("reconstructed", "mri"))
            }
            for cine, (frame, labels) in frames.items():
                outline = _outline(labels, bundle, structures)
                picture = {"cine": cine, "measured": row[cine], "truth": row["truth"]}
                size = {"n_rows": frame.shape[0], "n_columns": frame.shape[1]}
                pictures.append(one | picture | size | {"image": _grey(frame).tobytes(), "outline": outline.tobytes()})
            traces += _traces(one, prepare_ecg(study.ecg(one["participant_id"])).ecg_mv.signal_mv, drawn)
    return {"examples": pd.DataFrame(pictures), "ecg_examples": pd.DataFrame(traces)} if pictures else {}


def _chosen(people: pd.DataFrame) -> pd.DataFrame:
    """People of the highest and the lowest quarter, at equal steps through each."""
    ordered = people.dropna(subset=["truth"]).sort_values("truth", kind="stable")
    quarter = len(ordered) // 4
    if quarter < N_PER_QUARTER:
        return ordered.iloc[:0].assign(quarter="")
    steps = [quarter * (k + 1) // (N_PER_QUARTER + 1) for k in range(N_PER_QUARTER)]
    low, high = ordered.iloc[steps], ordered.iloc[[len(ordered) - 1 - step for step in steps]]
    return pd.concat([high.assign(quarter="highest"), low.assign(quarter="lowest")])


def _first_frame(decoded: Decoded) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    assert decoded.cine is not None
    return decoded.cine[0, 0], None if decoded.labels is None else decoded.labels[0, 0]


def _grey(frame: NDArray[np.float32]) -> NDArray[np.uint8]:
    scaled = (frame - _DARKEST_SD) / (_BRIGHTEST_SD - _DARKEST_SD)
    return np.asarray(np.round(255 * np.clip(scaled, 0.0, 1.0)), dtype=np.uint8)


def _outline(labels: NDArray[np.uint8] | None, bundle: TrainedModel, structures: tuple[str, ...]) -> NDArray[np.bool_]:
    """Pixels of the structures that touch something else; empty where there are no labels."""
    if labels is None:
        return np.zeros(0, dtype=np.bool_)
    values = [value for value, name in bundle.label_names.items() if name in structures]
    inside = np.pad(np.isin(labels, values), 1)
    core = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return np.asarray(inside[1:-1, 1:-1] & ~core)


def _traces(one: dict[str, str], original: NDArray[np.float32], drawn: dict[str, Decoded]) -> list[dict[str, object]]:
    """One lead of the original ECG, of the one from the MRI's latent and of the one from its own."""
    lead = LEAD_NAMES.index(SHOWN_LEAD)
    ecgs = {"original": original} | {
        name: decoded.ecg_mv[0]
        for name, decoded in (("translated", drawn["mri"]), ("reconstructed", drawn["ecg"]))
        if decoded.ecg_mv is not None
    }
    return [{**one, "ecg": name, "lead": SHOWN_LEAD, "signal_mv": ecg[lead].tolist()} for name, ecg in ecgs.items()]
