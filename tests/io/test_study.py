import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import study as study_module
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter


def make_cohort(n: int) -> Cohort:
    specs = {
        "sex": PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        "smoking": PhenotypeSpec("smoking", "categorical", categories=("never", "previous", "current")),
        "lvm": PhenotypeSpec("lvm", "continuous", "LV mass", "g", missing_codes=("-9",), description="Mass."),
    }
    rng = np.random.default_rng(0)
    smoking = pd.Categorical.from_codes(rng.integers(-1, 3, n), categories=["never", "previous", "current"])
    sex = pd.Categorical.from_codes(rng.integers(0, 2, n), categories=["female", "male"])
    lvm = rng.normal(90, 20, n)
    lvm[::7] = np.nan
    table = pd.DataFrame({"sex": sex, "smoking": smoking, "lvm": lvm})
    return Cohort(np.array([f"P/{i} é" for i in range(n)]), table, specs)


def make_cine(seed: int, shape: tuple[int, int, int, int] = (5, 1, 12, 10), dtype: type = np.uint8) -> CineMRI:
    rng = np.random.default_rng(seed)
    affine = np.eye(4) * 1.7
    return CineMRI(
        rng.integers(0, 200, shape).astype(dtype),
        (8.0, 1.8, 1.8),
        np.arange(shape[0]) * 17.3,
        affine,
        "la_4ch",
        871.3,
        f"simulated {seed}",
    )


def make_labels(seed: int, shape: tuple[int, int, int, int] = (5, 1, 12, 10)) -> CineLabels:
    return CineLabels(np.random.default_rng(seed).integers(0, 16, shape), LA_4CH_CLASSES)


def make_ecg(seed: int) -> ECG:
    signal = np.random.default_rng(seed).normal(size=(12, 600))
    return ECG(signal, LEAD_NAMES, 500.0, "median", 435.0, f"simulated {seed}")


def write_study(path: Path, n: int = 4) -> Study:
    cohort = make_cohort(n)
    writer = StudyWriter.create(path, cohort, "A study")
    for row, participant_id in enumerate(cohort.participant_ids.tolist()):
        writer.add_participant(participant_id, make_cine(row), make_labels(row), make_ecg(row))
    return writer.finish()


def test_the_table_comes_back_as_it_was(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    expected, cohort = make_cohort(4), study.cohort()
    assert study.name == "A study"
    assert cohort.participant_ids.tolist() == expected.participant_ids.tolist()
    assert dict(cohort.specs) == dict(expected.specs)
    for name in ("sex", "smoking"):
        np.testing.assert_array_equal(cohort.codes(name), expected.codes(name))
        assert cohort.phenotypes[name].cat.categories.tolist() == list(expected.specs[name].categories)
    np.testing.assert_array_equal(cohort.values("lvm"), expected.values("lvm"))
    assert cohort.availability["mri"].all()
    assert study.factors_table() is None


def test_recordings_come_back_with_every_fact(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    participant_id = study.cohort().participant_ids[2]
    cine, expected = study.cine(participant_id), make_cine(2)
    np.testing.assert_array_equal(cine.frames, expected.frames)
    assert cine.frames.dtype == np.uint8
    np.testing.assert_array_equal(cine.affine, expected.affine)
    np.testing.assert_array_equal(cine.frame_times_ms, expected.frame_times_ms)
    assert cine.spacing_mm == expected.spacing_mm
    assert (cine.imaging_plane, cine.rr_interval_ms, cine.source) == ("la_4ch", 871.3, "simulated 2")
    labels = study.labels(participant_id)
    np.testing.assert_array_equal(labels.frames, make_labels(2).frames)
    assert dict(labels.names) == dict(LA_4CH_CLASSES)
    ecg = study.ecg(participant_id)
    np.testing.assert_array_equal(ecg.signal_mv, make_ecg(2).signal_mv)
    assert (ecg.kind, ecg.qrs_onset_ms, ecg.sampling_rate_hz, ecg.lead_names) == ("median", 435.0, 500.0, LEAD_NAMES)


def test_recordings_may_be_missing_and_differ_in_shape_and_type(tmp_path: Path) -> None:
    cohort = make_cohort(3)
    first, second, third = cohort.participant_ids.tolist()
    writer = StudyWriter.create(tmp_path / "study", cohort)
    writer.add_participant(first, make_cine(0, (5, 1, 12, 10)), ecg=make_ecg(0))
    writer.add_participant(second, make_cine(1, (3, 4, 20, 30), np.uint16))
    writer.add_participant(third)
    study = writer.finish()
    assert study.cine(first).frames.shape == (5, 1, 12, 10)
    assert study.cine(second).frames.shape == (3, 4, 20, 30)
    assert study.cine(second).frames.dtype == np.uint16
    assert study.cohort().availability["mri"].tolist() == [True, True, False]
    assert study.cohort().availability["ecg"].tolist() == [True, False, False]
    with pytest.raises(StudyError, match="has no cine_labels"):
        study.labels(first)
    with pytest.raises(StudyError, match="no participant 'nobody'"):
        study.cine("nobody")


def test_an_array_of_zeros_is_a_recording_and_a_deleted_one_is_damage(tmp_path: Path) -> None:
    cohort = make_cohort(1)
    participant_id = cohort.participant_ids[0]
    writer = StudyWriter.create(tmp_path / "study", cohort)
    writer.add_participant(participant_id, ecg=ECG(np.zeros((12, 600)), LEAD_NAMES, 500.0, "median"))
    study = writer.finish()
    assert not study.ecg(participant_id).signal_mv.any()
    (tmp_path / "study" / "recordings.zarr" / "000000" / "ecg" / "c.0.0").unlink()
    with pytest.raises(StudyError, match="damaged"):
        Study.open(tmp_path / "study").ecg(participant_id)


@pytest.mark.parametrize("content", [b"", b"rubbish" * 100])
def test_a_damaged_chunk_or_description_is_named(tmp_path: Path, content: bytes) -> None:
    path = write_study(tmp_path / "study", 2).path
    folder = path / "recordings.zarr" / "000001" / "cine"
    study = Study.open(path)
    participant_id = study.cohort().participant_ids[1]
    (folder / "c.0.0.0.0").write_bytes(content)
    with pytest.raises(StudyError, match=r"000001 is damaged"):
        study.cine(participant_id)
    (folder / "zarr.json").write_bytes(content)
    with pytest.raises(StudyError, match=r"000001.cine.zarr\.json is damaged"):
        study.cine(participant_id)


def test_opening_2000_participants_reads_the_manifest_only_and_is_fast(tmp_path: Path) -> None:
    cohort = make_cohort(2000)
    factors = pd.DataFrame({"seed": np.arange(2000)})
    StudyWriter.create(tmp_path / "study", cohort, factors=factors, recording_source="simulation").finish()
    start = time.perf_counter()
    study = Study.open(tmp_path / "study")
    opened = time.perf_counter() - start
    assert len(study.cohort()) == 2000
    assert opened < 0.05
    assert time.perf_counter() - start < 1.0
    assert study.cohort() is study.cohort()
    pd.testing.assert_frame_equal(study.factors_table(), factors)


class CountingSource:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def cine(self, participant_id: str) -> CineMRI:
        self.calls.append(participant_id)
        return make_cine(0, (50, 1, 96, 96))

    def labels(self, participant_id: str) -> CineLabels:
        return make_labels(0)

    def ecg(self, participant_id: str) -> ECG:
        return make_ecg(0)


def simulated_study(path: Path, n: int = 3) -> Path:
    factors = pd.DataFrame({"seed": np.arange(n)})
    return StudyWriter.create(path, make_cohort(n), factors=factors, recording_source="simulation").finish().path


def test_recordings_on_demand_come_from_the_injected_source(tmp_path: Path) -> None:
    path = simulated_study(tmp_path / "study")
    with pytest.raises(StudyError, match="open_study"):
        Study.open(path).cine("P/0 é")
    source = CountingSource()
    study = Study.open(path, source)
    assert study.cine("P/0 é") is study.cine("P/0 é")
    assert source.calls == ["P/0 é"]
    assert study.ecg("P/0 é").kind == "median"


def test_the_cache_forgets_the_least_recently_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_module, "CACHE_BYTES", 2 * 50 * 96 * 96)
    source = CountingSource()
    study = Study.open(simulated_study(tmp_path / "study"), source)
    for name in ("a", "b", "a", "c", "a", "b"):
        study.cine(name)
    assert source.calls == ["a", "b", "c", "b"]


def test_many_threads_may_read(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", 6)
    ids = study.cohort().participant_ids.tolist() * 4
    with ThreadPoolExecutor(4) as pool:
        cines = list(pool.map(study.cine, ids))
    for row, cine in enumerate(cines):
        np.testing.assert_array_equal(cine.frames, make_cine(row % 6).frames)


def test_the_fingerprint_follows_the_content_not_the_place_or_the_name(tmp_path: Path) -> None:
    before = write_study(tmp_path / "a").fingerprint
    os.rename(tmp_path / "a", tmp_path / "b")
    edit_manifest(tmp_path / "b", name="Another name")
    moved = Study.open(tmp_path / "b")
    assert moved.fingerprint == before
    assert write_study(tmp_path / "c", 5).fingerprint != moved.fingerprint


def test_latents_lie_under_the_fingerprint_of_their_bundle(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    ids = study.cohort().participant_ids
    values = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    study.save_latents(LatentSpace(values, ids, "mri", "older"))
    study.save_latents(LatentSpace(values + 1, ids[::-1], "mri", "newer"))
    os.utime(study.path / "latents" / "older" / "mri.npz", (1, 1))
    assert study.latent_fingerprints() == ("newer", "older")
    assert study.has_latents("mri", "older")
    assert not study.has_latents("ecg", "older")
    again = study.latents("mri", "newer").aligned_to(ids)
    np.testing.assert_array_equal(again.values, (values + 1)[::-1])
    with pytest.raises(StudyError, match="napari-latent-explorer encode"):
        study.latents("ecg", "newer")


def test_latents_of_strangers_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    study.save_latents(LatentSpace(np.zeros((1, 2)), np.array(["stranger"]), "mri", "abc"))
    with pytest.raises(StudyError, match=r"does not have, e.g. stranger"):
        study.latents("mri", "abc")
    path = study.path / "latents" / "abc" / "mri.npz"
    for content in (b"", b"PK\x03\x04 nothing", path.read_bytes()[:100]):
        path.write_bytes(content)
        with pytest.raises(StudyError, match="damaged"):
            study.latents("mri", "abc")


def test_nothing_in_an_archive_is_unpickled(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    path = study.path / "projections" / "abc" / "tsne.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, coordinates=np.array([{"code": "runs"}], dtype=object))
    with pytest.raises(StudyError, match="damaged"):
        study.projection("tsne", "abc")


def test_a_projection_comes_back_with_its_description(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    arrays = {"coordinates": np.random.default_rng(0).normal(size=(4, 2)), "trust": np.ones(4)}
    study.save_projection("mri_tsne", "abc", arrays, {"method": "t-SNE", "perplexity": 30.0})
    assert study.has_projection("mri_tsne", "abc")
    again, meta = study.projection("mri_tsne", "abc")
    assert meta == {"method": "t-SNE", "perplexity": 30.0}
    np.testing.assert_array_equal(again["coordinates"], arrays["coordinates"])
    assert set(again) == {"coordinates", "trust"}


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "", "..", "a/b", ".hidden"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    study = write_study(tmp_path / "study")
    with pytest.raises(StudyError, match="cannot be used"):
        study.save_projection(name, "abc", {}, {})
    with pytest.raises(StudyError, match="cannot be used"):
        study.latents("mri", name)


def edit_manifest(path: Path, **changes: object) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "pip install --upgrade"),
        ({"version": "1"}, "version is '1'"),
        ({"schema": "something else"}, "not the manifest of a study"),
        ({"n_participants": 5}, "4 rows; its manifest says 5"),
        ({"recording_source": "../elsewhere"}, "recording_source"),
        ({"modalities": ["mri", "../x"]}, "unknown modalities"),
        ({"provenance": 3}, "damaged"),
        ({"is_complete": False}, "half-written: 4 of 4"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_with_its_reason(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = write_study(tmp_path / "study").path
    edit_manifest(path, **changes)
    with pytest.raises(StudyError, match=message):
        Study.open(path).cohort()


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00" * 50])
def test_rubbish_in_the_manifest_is_an_error_for_people(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StudyError, match=r"manifest\.json"):
        Study.open(tmp_path)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no such folder.*study simulate"):
        Study.open(tmp_path / "nowhere")
    with pytest.raises(StudyError, match="holds none"):
        Study.open(tmp_path)


@pytest.mark.parametrize("name", ["participants.parquet", "phenotypes.json", "availability.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_damaged_tables_are_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = write_study(tmp_path / "study").path
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(content)
    with pytest.raises(StudyError, match=name.replace(".", r"\.")):
        Study.open(path).cohort()


def test_opening_starts_no_threads(tmp_path: Path) -> None:
    path = write_study(tmp_path / "study").path
    before = threading.active_count()
    Study.open(path).cohort()
    assert threading.active_count() == before
