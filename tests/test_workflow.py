"""From files to a decoded heart without a window: every floor under the session, one after the other."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.projection import Projection, fit_tsne
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.decoding import DecodeRequest, decode
from napari_latent_explorer.modeling.encoding import encode_recording, encode_study
from napari_latent_explorer.modeling.recordings import create_simulated_study, open_study
from napari_latent_explorer.modeling.training import train
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import RangeFilter

N_PARTICIPANTS = 10
TINY = TrainingConfig(
    train_fraction=0.5,
    valid_fraction=0.4,
    epochs_mri=0,
    epochs_ecg=0,
    epochs_joint=1,
    epochs_labels=1,
    batch_size=4,
    batch_size_joint=4,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workflow")


@pytest.fixture(scope="module")
def study(folder):
    """Ten people whose study has been encoded by a bundle trained on it, and projected."""
    finish(create_simulated_study(folder / "study", N_PARTICIPANTS, seed=3, n_workers=1))
    study = open_study(folder / "study")
    bundle = finish(train(study, TINY, folder / "bundle", n_workers=1))
    for modality in study.modalities:
        latents = finish(encode_study(study, bundle, modality))
        study.save_latents(latents)
        study.save_projection(modality, bundle.fingerprint, *finish(fit_tsne(latents)).to_arrays())
    return study


@pytest.fixture(scope="module")
def bundle(study, folder):
    """The bundle as it comes back from disk."""
    return ModelBundle.load(folder / "bundle")


def test_everyone_has_latents_and_a_place_on_both_maps(study, bundle):
    ids = study.cohort().participant_ids
    for modality in ("mri", "ecg"):
        latents = study.latents(modality, bundle.fingerprint)
        assert latents.participant_ids.tolist() == ids.tolist()
        assert latents.latent_dim == bundle.latent_dim == 256
        stored = study.projection(modality, bundle.fingerprint)
        projection = Projection.from_arrays(modality, bundle.fingerprint, *stored)
        assert np.isfinite(projection.coordinates).all()
        assert len(np.unique(projection.coordinates, axis=0)) == len(ids)


def test_a_recording_is_encoded_as_its_study_was(study, bundle):
    participant_id = study.cohort().participant_ids[2]
    expected = study.latents("ecg", bundle.fingerprint).of([participant_id])[0]
    np.testing.assert_allclose(encode_recording(bundle, study.ecg(participant_id)), expected, rtol=1e-3, atol=1e-3)


def test_a_latent_becomes_a_heart_its_labels_and_an_ecg(study, bundle):
    participant_id = study.cohort().participant_ids[0]
    for modality in ("mri", "ecg"):
        vector = study.latents(modality, bundle.fingerprint).of([participant_id])[0]
        heart = decode(bundle, DecodeRequest(vector))
        assert heart.bundle_fingerprint == bundle.fingerprint
        assert heart.cine.shape == (50, 96, 96)
        assert heart.labels.shape == (50, 96, 96)
        assert set(np.unique(heart.labels)) <= {0, *bundle.label_names}
        assert heart.ecg_mv.shape == (12, 600)
        assert np.isfinite(heart.cine).all()
        assert np.isfinite(heart.ecg_mv).all()


def test_the_session_goes_from_a_filter_to_a_groups_heart(study, bundle):
    explorer = Explorer()
    outcomes = []
    explorer.decode.decoded.connect(outcomes.append)
    try:
        explorer.open(study, bundle)
        assert explorer.jobs.wait(timeout_s=60)
        lvm_g = study.cohort().values("lvm")
        explorer.set_filter(RangeFilter("lvm", float(np.median(lvm_g)), float(lvm_g.max())))
        assert explorer.view_state.n_visible == (lvm_g >= np.median(lvm_g)).sum()
        heavy = study.cohort().participant_ids[explorer.view_state.visible_mask]
        explorer.select(heavy)
        group = explorer.create_group("heavy")
        explorer.set_active_group("heavy")
        assert explorer.decode.wait(timeout_s=30)
    finally:
        explorer.close()
    assert sorted(group.participant_ids) == sorted(heavy)
    np.testing.assert_array_equal(outcomes[-1].vector, group.representative.vector)
    assert outcomes[-1].result.cine.shape == (50, 96, 96)


def test_latents_of_another_bundle_are_refused(bundle):
    with pytest.raises(BundleError, match="made by another bundle"):
        decode(bundle, DecodeRequest(np.zeros(64, np.float32)))


@pytest.mark.parametrize("place", ["cine/siemens_4ch", "ecg/ptb_s0010_re/s0010_re"])
def test_real_files_become_latents_and_are_reconstructed(realdata, bundle, place):
    recording = read_recording(realdata / place)
    heart = decode(bundle, DecodeRequest(encode_recording(bundle, recording)))
    assert np.isfinite(heart.cine).all()
    assert np.isfinite(heart.ecg_mv).all()
    assert "simulated hearts only" in bundle.warning
