from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter

FOUND = HeartBox(3, 4, 20, 30, "centred", "motion")
DRAWN = HeartBox(1, 2, 10, 11, "published", "by hand")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    ids = ["A", "B"]
    writer = StudyWriter.create(tmp_path / "study", Cohort(np.array(ids), pd.DataFrame(index=range(2)), {}))
    cine = CineMRI(np.ones((5, 1, 40, 50)), (8.0, 1.5, 1.5), np.arange(5) * 100.0, np.eye(4), "la_4ch", 600.0)
    writer.add_participant("A", cine, heart_box=FOUND)
    writer.add_participant("B", cine)
    return writer.finish()


def test_the_box_that_was_found_is_stored_with_the_cine(study: Study) -> None:
    assert study.heart_box("A") == FOUND
    assert study.heart_box("B") is None
    with pytest.raises(StudyError, match="no participant 'C'"):
        study.heart_box("C")


def test_a_drawn_box_counts_first_and_can_be_taken_back(study: Study) -> None:
    stored = {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()}
    fingerprints = [study.fingerprint]
    study.set_heart_box("A", HeartBox(1, 2, 10, 11, "published", "labels"))
    assert study.heart_box("A") == DRAWN  # whoever sets it, it is by hand
    assert Study.open(study.path).heart_box("A") == DRAWN
    fingerprints.append(study.fingerprint)
    study.set_heart_box("A", HeartBox(1, 2, 10, 12))
    fingerprints.append(study.fingerprint)
    assert fingerprints[2] == Study.open(study.path).fingerprint
    assert len(set(fingerprints)) == 3
    study.set_heart_box("A", None)
    assert study.heart_box("A") == FOUND
    assert study.fingerprint == fingerprints[0]
    assert {path: path.read_bytes() for path in study.path.rglob("*") if path.is_file()} == stored


def test_a_box_beyond_the_picture_is_refused(study: Study) -> None:
    with pytest.raises(StudyError, match=r"rows 31 to 40, columns 0 to 9\) reaches beyond the picture of 40 x 50"):
        study.set_heart_box("A", HeartBox(31, 0, 10, 10))
    study.set_heart_box("A", HeartBox(30, 40, 10, 10))


def test_latents_that_were_made_with_another_box_are_dropped(study: Study) -> None:
    ids = study.cohort().participant_ids
    for modality in ("mri", "ecg"):
        study.save_latents(LatentSpace(np.ones((2, 3)), ids, modality, "bundle1"))
    study.set_heart_box("B", DRAWN)
    assert study.latents("mri", "bundle1").participant_ids.tolist() == ["A"]
    assert study.latents("ecg", "bundle1").participant_ids.tolist() == ["A", "B"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"x" * 20_000, b"[" * 9_000])
def test_a_damaged_box_is_named(study: Study, content: bytes) -> None:
    study.set_heart_box("A", DRAWN)
    path = study.path / "heart_boxes" / "000000.json"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"000000\.json holds no heart box"):
        study.heart_box("A")


def test_damaged_attributes_of_a_cine_are_named(study: Study) -> None:
    path = study.path / "recordings.zarr" / "000000" / "cine" / "zarr.json"
    path.write_text(path.read_text().replace('"row_start": 3', '"row_start": -3'))
    with pytest.raises(StudyError, match=r"cine in .*000000 is damaged.*must not be negative"):
        study.heart_box("A")
    for damage in (b"", b"[]", b'{"attributes": 3}'):
        path.write_bytes(damage)
        with pytest.raises(StudyError, match="damaged"):
            study.heart_box("A")


def test_facts_are_kept_with_the_participant(tmp_path: Path) -> None:
    recording_store.create_store(tmp_path)
    recording_store.write_recordings(tmp_path, 4, facts={"outcomes": [["a.zip", "used"]]})
    assert recording_store.read_facts(tmp_path, 4) == {"outcomes": [["a.zip", "used"]]}
