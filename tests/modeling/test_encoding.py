import os
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import BundleError, RecordingError, StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.modeling import encoding
from napari_latent_explorer.modeling.batch_encoding import BatchEncoder
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.encoding import encode_recording, encode_study
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.worker_pool import Guard
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.coder import CoderConfig

SMALL = AutoencoderConfig(
    latent_dim=8,
    mri=CoderConfig(50, (96, 96), 3, 2, (2, 2), (2, 2), 1, "gelu", "average"),
    ecg=CoderConfig(12, (600,), 5, 2, (2,), (2,), 1, "mish", "max"),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(create_simulated_study(tmp_path_factory.mktemp("encoding") / "study", 5, 5, stored=False))


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    torch.manual_seed(0)
    metadata = describe_model(SMALL, is_simulated=True, data_source="", n_participants=0)
    return ModelBundle(CrossModalAutoencoder(SMALL), metadata, PREPROCESSING)


@pytest.mark.parametrize("modality", ["mri", "ecg"])
def test_rows_are_the_participants_own_latents(study: Study, bundle: ModelBundle, modality: str) -> None:
    latents = finish(encode_study(study, bundle, modality, batch_size=2))
    assert latents.participant_ids.tolist() == study.cohort().participant_ids.tolist()
    assert (latents.modality, latents.bundle_fingerprint) == (modality, bundle.fingerprint)
    recording = study.cine("SIM000004") if modality == "mri" else study.ecg("SIM000004")
    np.testing.assert_allclose(latents.of(["SIM000004"])[0], encode_recording(bundle, recording), atol=1e-5)


def test_a_stopped_encoding_keeps_its_batches(
    study: Study, bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = encode_study(study, bundle, "ecg", batch_size=2)
    progress = [next(work) for _ in range(3)]
    work.close()
    assert [p.done for p in progress] == [0, 2, 4]
    encoded: list[int] = []
    encode = ModelBundle.encode

    def counted(self: ModelBundle, modality: str, batch: np.ndarray) -> np.ndarray:
        encoded.append(len(batch))
        return encode(self, modality, batch)

    monkeypatch.setattr(ModelBundle, "encode", counted)
    assert len(finish(encode_study(study, bundle, "ecg", batch_size=2)).values) == 5
    assert encoded == [1]
    assert not list(study.path.rglob(".parts-*"))


def test_saved_latents_are_not_made_again(study: Study, bundle: ModelBundle) -> None:
    latents = finish(encode_study(study, bundle, "ecg"))
    study.save_latents(latents)
    assert list(encode_study(study, bundle, "ecg")) == []


def test_what_cannot_be_encoded_is_said(study: Study, bundle: ModelBundle) -> None:
    with pytest.raises(StudyError, match="recording of 'ct'"):
        finish(encode_study(study, bundle, "ct"))
    only_ecg = ModelBundle(CrossModalAutoencoder(SMALL.only("ecg")), bundle.metadata, PREPROCESSING)
    with pytest.raises(BundleError, match="not 'mri'"):
        finish(encode_study(study, only_ecg, "mri"))


def test_only_who_has_no_latents_yet_is_encoded(
    tmp_path: Path, bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 4, 5, stored=False))
    study.save_latents(finish(encode_study(study, bundle, "mri")))
    before = study.latents("mri", bundle.fingerprint)
    study.set_heart_box("SIM000002", HeartBox(5, 5, 60, 60))
    assert study.latents("mri", bundle.fingerprint).participant_ids.tolist() == ["SIM000001", "SIM000003", "SIM000004"]
    encoded: list[int] = []
    encode = ModelBundle.encode

    def counted(self: ModelBundle, modality: str, batch: np.ndarray) -> np.ndarray:
        encoded.append(len(batch))
        return encode(self, modality, batch)

    monkeypatch.setattr(ModelBundle, "encode", counted)
    after = finish(encode_study(study, bundle, "mri"))
    assert encoded == [1]
    assert after.participant_ids.tolist() == before.participant_ids.tolist()
    changed = np.any(after.values != before.values, axis=1)
    assert changed.tolist() == [False, True, False, False]


def test_recordings_that_do_not_fit_are_left_out_by_name(
    tmp_path: Path, bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 3, 5, stored=False))
    ecg = Study.ecg

    def lacking_a_lead(self: Study, participant_id: str) -> ECG:
        whole = ecg(self, participant_id)
        return whole if participant_id != "SIM000002" else replace(whole, lead_names=("X1", *whole.lead_names[1:]))

    monkeypatch.setattr(Study, "ecg", lacking_a_lead)
    with pytest.raises(RecordingError, match="lacks"):
        finish(encode_study(study, bundle, "ecg"))
    skipped: dict[str, str] = {}
    latents = finish(encode_study(study, bundle, "ecg", batch_size=1, skipped=skipped))
    assert latents.participant_ids.tolist() == ["SIM000001", "SIM000003"]
    assert list(skipped) == ["SIM000002"]
    assert "I" in skipped["SIM000002"]


def test_ids_that_look_like_paths_lead_nowhere(study: Study, bundle: ModelBundle, tmp_path: Path) -> None:
    ids = np.array(["../../x", "a/b", "/etc/x"])
    writer = StudyWriter.create(tmp_path / "study", Cohort(ids, pd.DataFrame(index=range(3)), {}))
    for participant_id in ids.tolist():
        writer.add_participant(participant_id, ecg=study.ecg("SIM000001"))
    odd = writer.finish()
    work = encode_study(odd, bundle, "ecg", batch_size=2)
    for _ in range(2):
        next(work)
    work.close()
    parts = list((odd.path / "latents" / bundle.fingerprint / ".parts-ecg").iterdir())
    assert len(parts) == 1
    assert finish(encode_study(odd, bundle, "ecg")).participant_ids.tolist() == ids.tolist()


@pytest.fixture
def saved_bundle(bundle: ModelBundle, tmp_path: Path) -> ModelBundle:
    """Another than `bundle`, of which the study holds latents already."""
    torch.manual_seed(2)
    ModelBundle(CrossModalAutoencoder(SMALL), bundle.metadata, PREPROCESSING).save(tmp_path / "bundle")
    return ModelBundle.load(tmp_path / "bundle")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    options = {"dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(2, processes=True, threads_per_worker=1, **options) as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_a_cluster_makes_the_same_latents(study: Study, saved_bundle: ModelBundle, scheduler: str) -> None:
    for modality in ("mri", "ecg"):
        here = finish(encode_study(study, saved_bundle, modality, batch_size=2))
        there = finish(encode_study(study, saved_bundle, modality, batch_size=2, scheduler=scheduler))
        assert there.participant_ids.tolist() == here.participant_ids.tolist()
        # another number of threads may add in another order
        np.testing.assert_allclose(there.values, here.values, atol=1e-6)


@pytest.mark.slow
def test_a_cluster_that_is_stopped_goes_on_where_it_was(
    study: Study, saved_bundle: ModelBundle, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finish(encode_study(study, saved_bundle, "mri", batch_size=1))
    work = encode_study(study, saved_bundle, "mri", batch_size=1, scheduler=scheduler)
    while next(work).done == 0:
        pass
    work.close()
    parts = study.path / "latents" / saved_bundle.fingerprint / ".parts-mri"
    n_kept = len(list(parts.iterdir()))
    assert 0 < n_kept < 5
    asked: list[list[str]] = []
    connect = encoding.work_on_cluster

    def noted(encoder: object, batches: list[list[str]], *more: Any) -> object:
        asked.extend(batches)
        return connect(encoder, batches, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(encoding, "work_on_cluster", noted)
    resumed = finish(encode_study(study, saved_bundle, "mri", batch_size=1, scheduler=scheduler))
    assert len(asked) == 5 - n_kept
    assert resumed.participant_ids.tolist() == whole.participant_ids.tolist()
    np.testing.assert_allclose(resumed.values, whole.values, atol=1e-6)
    assert not parts.exists()


@pytest.mark.slow
def test_a_worker_that_dies_costs_nothing(study: Study, saved_bundle: ModelBundle, scheduler: str) -> None:
    import distributed

    work = encode_study(study, saved_bundle, "mri", batch_size=1, scheduler=scheduler)
    while next(work).done == 0:
        pass
    with distributed.Client(scheduler, set_as_default=False) as client:
        dying = next(iter(client.scheduler_info()["workers"]))
        end = client.submit(os._exit, 3, workers=[dying], pure=False)
        assert len(finish(work).values) == 5
        end.cancel()


def lost_on_every_worker(
    work: BatchEncoder, batches: list[list[str]], scheduler: str, message: str, guard: Guard, keep: Any
) -> Iterator[Progress]:
    """Stand in for `work_on_cluster`: whoever is to encode one person dies."""
    for n_done, batch in enumerate(batches, 1):
        if "SIM000002" in batch:
            guard.on_lost(batch, "every worker that worked on it died")
        else:
            keep(work(batch))
        yield Progress(n_done, len(batches), message)


def test_a_recording_that_no_worker_survives_costs_itself_only(
    study: Study, saved_bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "work_on_cluster", lost_on_every_worker)
    with pytest.raises(StudyError, match=r"recording of SIM000002 could not be encoded.*every worker"):
        finish(encode_study(study, saved_bundle, "ecg", 3, None, "somewhere"))
    skipped: dict[str, str] = {}
    latents = finish(encode_study(study, saved_bundle, "ecg", 3, skipped, "somewhere"))
    assert latents.participant_ids.tolist() == ["SIM000001", "SIM000003", "SIM000004", "SIM000005"]
    assert skipped == {"SIM000002": "every worker that worked on it died"}


def test_a_worker_must_find_the_same_study_and_bundle(
    study: Study, saved_bundle: ModelBundle, bundle: ModelBundle, tmp_path: Path
) -> None:
    bundle.save(tmp_path / "other")
    for folder, words in (("other", "another bundle at"), ("absent", "at the same paths")):
        encoder = BatchEncoder(study, replace(saved_bundle, path=tmp_path / folder), "ecg", may_skip=False)
        with pytest.raises(BundleError, match=words):
            pickle.loads(pickle.dumps(encoder))(["SIM000001"])
    moved = tmp_path / "study"
    shutil.copytree(study.path, moved)
    encoder = BatchEncoder(Study.open(moved), saved_bundle, "ecg", may_skip=False)
    finish(create_simulated_study(tmp_path / "younger", 5, 6, stored=False))
    shutil.rmtree(moved)
    (tmp_path / "younger").rename(moved)
    with pytest.raises(StudyError, match="another study at"):
        encoder(["SIM000001"])


def test_a_bundle_that_no_worker_can_open_is_refused(study: Study, bundle: ModelBundle) -> None:
    with pytest.raises(BundleError, match="Save it first"):
        finish(encode_study(study, bundle, "mri", scheduler="tcp://127.0.0.1:1"))
