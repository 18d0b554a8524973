from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import binary_erosion

from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.translation_examples import can_be_shown, translation_examples


class Drawer:
    """Draws a square of LV wall as large as the first latent says, and an ECG as high."""

    label_names = LA_4CH_CLASSES

    def decode(self, latents: np.ndarray, *, with_labels: bool) -> Decoded:
        size = int(latents[0, 0])
        labels = np.zeros((1, 2, 96, 96), dtype=np.uint8)
        labels[:, 0, 10 : 10 + size, 20 : 20 + size] = 4
        ecg_mv = np.full((1, 12, 600), latents[0, 0], dtype=np.float32)
        return Decoded((labels == 4).astype(np.float32), labels if with_labels else None, ecg_mv)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(create_simulated_study(tmp_path_factory.mktemp("examples") / "study", 24, 5, stored=False))


@pytest.fixture(scope="module")
def tables(study: Study) -> dict[str, pd.DataFrame]:
    cohort = study.cohort()
    ids = cohort.participant_ids
    people = pd.DataFrame({"phenotype": "lvm", "participant_id": ids, "truth": cohort.values("lvm")})
    people = people.assign(original=1.0, reconstructed=2.0, translated=3.0)
    latents = {
        str(one): {"mri": np.array([12.0], np.float32), "ecg": np.array([7.0], np.float32)} for one in ids.tolist()
    }
    return translation_examples(study, Drawer(), people, latents)  # type: ignore[arg-type]


def test_people_are_those_at_thirds_of_the_outer_quarters(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    cohort = study.cohort()
    ranked = cohort.participant_ids[np.argsort(cohort.values("lvm"))].tolist()
    shown = tables["examples"].drop_duplicates("participant_id").set_index("participant_id")["quarter"].to_dict()
    assert shown == {ranked[-3]: "highest", ranked[-5]: "highest", ranked[2]: "lowest", ranked[4]: "lowest"}
    assert tables["examples"]["cine"].tolist() == ["original", "translated", "reconstructed"] * 4
    assert tables["examples"]["measured"].tolist() == [1.0, 3.0, 2.0] * 4


def test_outlines_are_the_rims_of_what_the_phenotype_is_of(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    for row in tables["examples"].to_dict("records"):
        outline = np.frombuffer(row["outline"], np.bool_).reshape(row["n_rows"], row["n_columns"])
        if row["cine"] == "original":
            labels = study.labels(row["participant_id"])
            assert labels is not None
            wall = np.isin(labels.frames[0, 0], (4, 5))
            np.testing.assert_array_equal(outline, wall & ~binary_erosion(wall))
        else:
            side = 7 if row["cine"] == "translated" else 12  # from the ECG's or from the MRI's vector
            assert outline.sum() == 4 * side - 4
            assert outline[10 : 10 + side, 20 : 20 + side].sum() == 4 * side - 4
        grey = np.frombuffer(row["image"], np.uint8)
        assert grey.size == 96 * 96
        if row["cine"] != "original":
            assert sorted(set(grey.tolist())) == [round(255 / 4.5), round(255 * 2 / 4.5)]


def test_ecgs_are_the_other_way_round(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    for row in tables["ecg_examples"].to_dict("records"):
        expected = {"translated": 12.0, "reconstructed": 7.0}
        if row["ecg"] == "original":
            ecg = study.ecg(row["participant_id"])
            np.testing.assert_allclose(row["signal_mv"], ecg.signal_mv[ecg.lead_names.index("II")], atol=1e-6)
        else:
            assert set(row["signal_mv"]) == {expected[row["ecg"]]}


def test_too_few_people_have_no_quarters_to_show(study: Study) -> None:
    few = pd.DataFrame({"phenotype": "lvm", "participant_id": [f"P{k}" for k in range(7)], "truth": range(7)})
    assert translation_examples(study, Drawer(), few, {}) == {}  # type: ignore[arg-type]


def test_recordings_of_real_people_are_not_put_on_a_page(study: Study, tmp_path: Path) -> None:
    assert can_be_shown(study)
    (study.path / "factors.parquet").rename(tmp_path / "factors.parquet")
    try:
        assert not can_be_shown(Study.open(study.path))
    finally:
        (tmp_path / "factors.parquet").rename(study.path / "factors.parquet")
