"""What a model states about its inputs is what its recordings are brought to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_latent_explorer
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
from napari_latent_explorer.modeling.dropfuse_weights import PREPROCESSING_OF_RELEASE
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.preprocessing_spec import (
    INDEPENDENT_LEADS,
    STANDARD,
    CineSpec,
    EcgSpec,
    PreprocessingSpec,
    read_spec,
)
from napari_latent_explorer.modeling.recordings import open_study
from napari_latent_explorer.modeling.tensors import prepare_study_tensor
from napari_latent_explorer.modeling.trained_model import load_model
from napari_latent_explorer.nn.cine import CINE_SPACE, N_FRAMES
from napari_latent_explorer.nn.ecg import N_SAMPLES
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population

SAMPLES = Path(napari_latent_explorer.__file__).parent / "sample_data"
FACTORS = simulate_population(3, seed=1).factors[0]
SHAPES = {"mri": (50, 96, 96), "ecg": (12, 600)}


def changed(modality, **entries):
    return {**PREPROCESSING, modality: {**PREPROCESSING[modality], **entries}}


def test_our_own_statement_is_the_standard():
    assert read_spec(PREPROCESSING, SHAPES, "x", is_native=True) == STANDARD
    assert (STANDARD.mri.n_frames, STANDARD.mri.space, STANDARD.ecg.n_samples) == (N_FRAMES, CINE_SPACE, N_SAMPLES)


def test_the_sample_bundle_is_fed_and_named_as_ever():
    bundle = load_model(SAMPLES / "bundle")
    assert (bundle.input_spec, bundle.fingerprint) == (STANDARD, "903f3b03cc6498d8")
    study = open_study(SAMPLES / "study")
    ids = study.cohort().participant_ids[:2].tolist()
    for modality in ("mri", "ecg"):
        tensors = [prepare_study_tensor(study, one, modality, bundle.input_spec) for one in ids]
        plain = [prepare_study_tensor(study, one, modality) for one in ids]
        np.testing.assert_array_equal(tensors, plain)
        saved = study.latents(modality, bundle.fingerprint).of(ids)
        np.testing.assert_allclose(bundle.encode(modality, np.stack(tensors)), saved, rtol=1e-3, atol=2e-3)


def test_the_release_is_cropped_as_published():
    spec = read_spec(PREPROCESSING_OF_RELEASE, SHAPES, "x", is_native=True)
    assert spec == PreprocessingSpec(CineSpec(spacing_mm=None, crop="published"))


def test_another_statement_is_another_bundle(tmp_path):
    ours = ModelBundle.load(SAMPLES / "bundle")
    other = replace(ours, preprocessing=changed("mri", spacing_mm=1.5))
    assert other.fingerprint != ours.fingerprint
    other.save(tmp_path)
    assert (load_model(tmp_path).fingerprint, load_model(tmp_path).input_spec.mri.spacing_mm) == (
        other.fingerprint,
        1.5,
    )


@pytest.mark.parametrize(
    ("stated", "match"),
    [
        (changed("mri", spacing_mm=0), r"mri\.spacing_mm is 0, expected a number from 0\.2 to 10"),
        (changed("mri", spacing_mm=None), r"mri\.spacing_mm is missing"),
        (changed("mri", spacing_mm=True), r"mri\.spacing_mm is True"),
        (changed("mri", crop="square"), r"mri\.crop is 'square', expected one of centred, published"),
        (changed("mri", crop="published"), r"mri\.spacing_mm is 1\.8, expected null.*mri\.first_frame is 'R peak'"),
        (changed("mri", intensity="per frame"), r"mri\.intensity is 'per frame', expected 'z-scored"),
        (changed("mri", imaging_plane="axial"), r"mri\.imaging_plane is 'axial'"),
        (changed("mri", first_frame="end of systole"), r"mri\.first_frame is 'end of systole', expected 'R peak'"),
        (changed("mri", pixels="mirrored"), r"mri\.pixels is 'mirrored', expected nothing"),
        (changed("mri", gamma=2), r"mri\.gamma is 2, expected one of the entries crop"),
        (changed("ecg", kind="rhythm strip"), r"ecg\.kind is 'rhythm strip', expected 'median beat'"),
        (changed("ecg", sampling_rate_hz="500"), r"ecg\.sampling_rate_hz is '500', expected a number from 50 to 5000"),
        (changed("ecg", sampling_rate_hz=10**400), r"ecg\.sampling_rate_hz is 1000"),
        (changed("ecg", sampling_rate_hz=float("nan")), r"ecg\.sampling_rate_hz is nan"),
        (changed("ecg", qrs_onset_ms=1300), r"ecg\.qrs_onset_ms is 1300, expected a number from 0 to 1200"),
        (changed("ecg", lead_names=["I"]), r"ecg\.lead_names is \['I'\], expected the 12 leads"),
        (changed("ecg", filter="0.5 Hz"), r"ecg\.filter is '0\.5 Hz'"),
        ({"mri": PREPROCESSING["mri"]}, "ecg is missing, expected an object"),
        ({**PREPROCESSING, "ecg": 3}, "ecg is 3, expected an object"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_followed_is_named(stated, match):
    with pytest.raises(BundleError, match=match) as refusal:
        read_spec(stated, SHAPES, "folder/metadata.json")
    assert "folder/metadata.json" in str(refusal.value)


@pytest.mark.parametrize(
    ("stated", "match"),
    [
        (changed("mri", intensity="0 to 1 per participant over all frames and pixels"), r"mri\.intensity is '0 to 1'"),
        (changed("ecg", unit_uv=1000), r"ecg\.unit_uv is 1000"),
    ],
    ids=["intensity", "unit"],
)
def test_our_own_networks_take_one_signal_only(stated, match):
    read_spec(stated, SHAPES, "x")
    with pytest.raises(BundleError, match=match):
        read_spec(stated, SHAPES, "x", is_native=True)


def test_a_modality_that_the_model_does_not_take_need_not_be_stated():
    assert read_spec({"ecg": PREPROCESSING["ecg"]}, {"ecg": (12, 600)}, "x") == STANDARD
    eight = {"ecg": {**PREPROCESSING["ecg"], "lead_names": list(INDEPENDENT_LEADS)}}
    assert read_spec(eight, {"ecg": (8, 600)}, "x", lead_names=INDEPENDENT_LEADS).ecg.lead_names == INDEPENDENT_LEADS


# ----------------------------------------------------------------------------------------------------------- following


@pytest.fixture(scope="module")
def heart():
    cine, labels = simulate_cine(FACTORS)
    return cine, labels


def test_a_coarser_grid_shows_the_same_heart_at_the_same_places(heart):
    cine, labels = heart
    spec = CineSpec(n_frames=25, n_rows=48, n_columns=40, spacing_mm=3.6)
    center = tuple((cine.affine @ [0, 47.5, 47.5, 1])[:3])
    prepared = prepare_cine(cine, labels, center=center, spec=spec)
    assert prepared.tensor.shape == (25, 48, 40)
    assert prepared.cine.spacing_mm[1:] == (3.6, 3.6)
    assert prepared.labels is not None
    assert prepared.labels.frames.shape == (25, 1, 48, 40)
    # every second frame, and each pixel about the mean of the four under it
    halved = cine.frames[::2, 0].astype(float).reshape(25, 48, 2, 48, 2).mean(axis=(2, 4))[:, :, 4:44]
    assert np.corrcoef(prepared.tensor.ravel(), halved.ravel())[0, 1] > 0.99
    assert prepare_cine(prepared.cine, spec=spec).rule.startswith("Taken as it is")


def test_the_stated_crop_counts_before_that_of_the_box(heart):
    cine, labels = heart
    published, centred = CineSpec(spacing_mm=None, crop="published"), CineSpec(crop="centred")
    box = HeartBox(20, 30, 40, 50, "centred", "by hand")
    by_hand = prepare_cine(cine, heart_box=box, spec=published)
    np.testing.assert_array_equal(by_hand.cine.frames[:, 0, :40, :50], cine.frames[:, 0, 20:60, 30:80])
    assert not by_hand.cine.frames[:, 0, 40:].any()
    found = prepare_cine(cine, labels, spec=published)
    same = prepare_cine(cine, labels, heart_box=replace(box, source="motion"), spec=published)
    np.testing.assert_array_equal(found.tensor, same.tensor)  # labels show the heart better than what moves
    assert found.rule.startswith("Cropped as published")
    assert "found by what moves" in prepare_cine(cine, spec=published).warnings[0]
    other = prepare_cine(cine, heart_box=replace(box, rule="published"), spec=centred)
    assert "drawn by hand" in other.rule


def test_a_published_crop_of_another_size(heart):
    cine, _ = heart
    spec = CineSpec(n_frames=10, n_rows=32, n_columns=64, spacing_mm=None, crop="published")
    prepared = prepare_cine(cine, heart_box=HeartBox(20, 30, 40, 50, "published"), spec=spec)
    assert prepared.tensor.shape == (10, 32, 64)
    np.testing.assert_allclose(prepared.cine.frames[:, 0, :, :50], cine.frames[::5, 0, 20:52, 30:80])
    assert any("8 rows below" in warning for warning in prepared.warnings)


def test_a_model_of_another_plane_warns_of_ours(heart):
    assert "short-axis cines only" in prepare_cine(heart[0], spec=CineSpec(imaging_plane="sa")).warnings[0]
    assert prepare_cine(heart[0], spec=CineSpec(imaging_plane="la_4ch")).warnings == ()


@pytest.mark.parametrize("rate_hz", [250.0, 400.0, 1000.0])
def test_a_beat_at_another_rate_is_the_same_beat(rate_hz):
    ecg = simulate_ecg(FACTORS)
    spec = EcgSpec(round(0.8 * rate_hz), rate_hz, 300.0)
    prepared = prepare_ecg(ecg, spec)
    assert prepared.tensor.shape == (12, round(0.8 * rate_hz))
    assert (prepared.ecg_mv.sampling_rate_hz, prepared.ecg_mv.qrs_onset_ms) == (rate_hz, 300.0)
    times_ms = np.arange(spec.n_samples) * 1000 / rate_hz + ecg.qrs_onset_ms - 300.0
    expected = np.stack([np.interp(times_ms, np.arange(600) * 2.0, lead) for lead in ecg.leads()]) * 20
    assert np.corrcoef(prepared.tensor.ravel(), expected.ravel())[0, 1] > 0.999
    assert np.abs(prepared.tensor - expected).max() < 0.1 * np.abs(expected).max()
    again = prepare_ecg(prepared.ecg_mv, spec)
    assert again.rule.startswith("Median beat taken as it is")
    np.testing.assert_array_equal(again.tensor, prepared.tensor)


def test_the_standard_beat_does_not_fit_another_model():
    ecg = simulate_ecg(FACTORS)
    late = ECG(ecg.signal_mv, LEAD_NAMES, 500.0, "median", 400.0)
    assert prepare_ecg(late, EcgSpec(qrs_onset_ms=400.0)).rule.startswith("Median beat taken as it is")
    assert prepare_ecg(late).rule.startswith("Median beat moved")
