from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.ecg_wfdb import read_ecg_wfdb
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg
from napari_latent_explorer.simulation.mri import simulate_cine, simulate_short_axis
from napari_latent_explorer.simulation.population import simulate_population

FACTORS = simulate_population(3, seed=1).factors[0]


@pytest.fixture(scope="module")
def on_grid() -> tuple[CineMRI, CineLabels]:
    return simulate_cine(FACTORS)


@pytest.fixture(scope="module")
def finer() -> tuple[CineMRI, CineLabels]:
    return simulate_cine(FACTORS, n_frames=30, size=180, spacing_mm=1.2)


def test_what_is_on_the_grid_is_taken_exactly(on_grid: tuple[CineMRI, CineLabels]) -> None:
    prepared = prepare_cine(*on_grid)
    signal = on_grid[0].frames[:, 0].astype(np.float64)
    np.testing.assert_allclose(prepared.tensor, (signal - signal.mean()) / (signal.std() + 1e-7), atol=1e-5)
    assert prepared.cine is on_grid[0]
    assert prepared.labels is on_grid[1]
    assert prepared.warnings == ()
    np.testing.assert_allclose(prepared.to_signal(prepared.tensor), signal, atol=1e-3)


def test_another_grid_comes_to_the_same_place_and_time(
    on_grid: tuple[CineMRI, CineLabels], finer: tuple[CineMRI, CineLabels]
) -> None:
    middle = on_grid[0].affine @ [0, 47.5, 47.5, 1]
    prepared = prepare_cine(*finer, center=(middle[0], middle[1], middle[2]))
    assert prepared.tensor.shape == (50, 96, 96)
    assert prepared.tensor.dtype == np.float32
    np.testing.assert_allclose(prepared.cine.affine, on_grid[0].affine, atol=1e-6)
    np.testing.assert_allclose(prepared.cine.frame_times_ms, on_grid[0].frame_times_ms, atol=1e-6)
    assert np.corrcoef(prepared.tensor.ravel(), prepare_cine(on_grid[0]).tensor.ravel())[0, 1] > 0.98
    assert prepared.labels is not None
    for number in (11, 9):
        expected, found = on_grid[1].frames == number, prepared.labels.frames == number
        assert 2 * (expected & found).sum() / (expected.sum() + found.sum()) > 0.95


def test_labels_say_where_the_heart_is(finer: tuple[CineMRI, CineLabels]) -> None:
    prepared = prepare_cine(*finer)
    assert prepared.labels is not None
    is_heart = np.isin(prepared.labels.frames[:, 0], range(1, 12)).any(axis=0)
    for axis in (0, 1):
        inside = np.flatnonzero(is_heart.any(axis=1 - axis))
        assert abs((inside[0] + inside[-1]) / 2 - 47.5) <= 1
    assert "labels of chambers and walls" in prepared.rule
    assert "1.20 x 1.20 mm" in prepared.rule


def test_frames_that_nobody_labelled_stay_unknown(finer: tuple[CineMRI, CineLabels]) -> None:
    cine, complete = finer
    sparse = np.zeros_like(complete.frames)
    sparse[[0, 12]] = complete.frames[[0, 12]]  # end-diastole and end-systole of 30 frames
    prepared = prepare_cine(cine, CineLabels(sparse, complete.names, (0, 12)))
    assert prepared.labels is not None
    assert prepared.labels.labelled_frames == (0, 20)
    fully = prepare_cine(cine, complete, center=tuple((prepared.cine.affine @ [0, 47.5, 47.5, 1])[:3])).labels
    assert fully is not None
    assert fully.labelled_frames is None
    np.testing.assert_array_equal(prepared.labels.frames[[0, 20]], fully.frames[[0, 20]])


def test_without_labels_what_moves_says_where_the_heart_is(finer: tuple[CineMRI, CineLabels]) -> None:
    by_motion, by_labels = prepare_cine(finer[0]), prepare_cine(*finer)
    shift_mm = np.linalg.norm(by_motion.cine.affine[:3, 3] - by_labels.cine.affine[:3, 3])
    assert shift_mm < 15
    assert "standard deviation over time" in by_motion.rule


def test_a_mirrored_recording_gives_the_same_tensor(finer: tuple[CineMRI, CineLabels]) -> None:
    cine = finer[0]
    affine = cine.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (cine.frames.shape[3] - 1)
    affine[:3, 2] *= -1
    mirrored = prepare_cine(replace(cine, frames=cine.frames[..., ::-1], affine=affine))
    np.testing.assert_allclose(mirrored.tensor, prepare_cine(cine).tensor, atol=1e-4)
    assert "turned by right angles" in mirrored.rule


def test_the_shown_place_is_the_place_in_the_patient(finer: tuple[CineMRI, CineLabels]) -> None:
    """The brightest spot has the same millimetres before and after."""
    frames = np.zeros((4, 1, 80, 90))
    frames[:, 0, 30, 50] = 1000.0
    cine = replace(finer[0], frames=frames, frame_times_ms=np.arange(4) * 200.0, rr_interval_ms=800.0)
    expected = cine.affine @ [0, 30, 50, 1]
    prepared = prepare_cine(cine, center=tuple((cine.affine @ [0, 40, 45, 1])[:3]))
    row, column = np.unravel_index(prepared.tensor[0].argmax(), (96, 96))
    np.testing.assert_allclose(prepared.cine.affine @ [0, row, column, 1], expected, atol=1.8)


def test_what_the_model_has_not_seen_is_said() -> None:
    stack, _ = simulate_short_axis(FACTORS, n_slices=4, n_frames=10, size=64, spacing_mm=(10.0, 2.0, 2.0))
    partial = replace(stack, rr_interval_ms=stack.rr_interval_ms * 1.25)
    warnings = prepare_cine(partial).warnings
    assert any("4-chamber" in text and "short axis" in text for text in warnings)
    assert any("number 3 of 4" in text for text in warnings)
    assert any("leave out 28 %" in text for text in warnings)
    assert any("outside the picture" in text for text in warnings)
    assert all(text in prepare_cine(partial).rule for text in warnings)


def test_blank_still_and_damaged_cines_are_refused(finer: tuple[CineMRI, CineLabels]) -> None:
    cine = finer[0]
    with pytest.raises(RecordingError, match="Nothing moves"):
        prepare_cine(replace(cine, frames=np.repeat(cine.frames[:1], 30, axis=0)))
    with pytest.raises(RecordingError, match="blank"):
        prepare_cine(replace(cine, frames=np.full_like(cine.frames, 7)), center=(0.0, 0.0, 0.0))
    damaged = cine.frames.astype(np.float32)
    damaged[3, 0, 4, 5] = np.nan
    with pytest.raises(RecordingError, match=r"1 of .* no finite numbers"):
        prepare_cine(replace(cine, frames=damaged))


def test_a_real_four_chamber_cine_is_centred_on_the_heart(realdata: Path) -> None:
    cine = read_cine_dicom(realdata / "cine" / "siemens_4ch").recording
    prepared = prepare_cine(cine)
    assert prepared.warnings == ()
    assert abs(prepared.tensor.mean()) < 1e-4
    assert abs(prepared.tensor.std() - 1) < 1e-4
    # the heart's box, read off the picture by eye: rows 80 to 175, columns 68 to 163
    heart = cine.affine @ [0, 127.5, 115.5, 1]
    row, column = np.linalg.solve(prepared.cine.affine, heart)[1:3]
    assert np.hypot(row - 47.5, column - 47.5) * 1.8 < 15


def test_a_simulated_median_beat_is_taken_as_it_is() -> None:
    ecg = simulate_ecg(FACTORS)
    prepared = prepare_ecg(ecg)
    np.testing.assert_allclose(prepared.tensor, ecg.signal_mv * 20, rtol=1e-6)
    assert prepared.tensor.shape == (12, 600)


def test_a_median_beat_of_another_rate_and_place_is_moved() -> None:
    ecg = simulate_ecg(FACTORS)
    late = ECG(np.roll(ecg.signal_mv, 30, axis=1), LEAD_NAMES, 500.0, "median", 435.0 + 60.0)
    np.testing.assert_allclose(prepare_ecg(late).ecg_mv.signal_mv[:, :560], ecg.signal_mv[:, :560], atol=1e-5)
    unknown = replace(late, qrs_onset_ms=None)
    found = prepare_ecg(unknown)
    assert abs(find_qrs_onset(found.ecg_mv.signal_mv, 500.0) - 435.0) <= 2
    assert "found at" in found.rule
    slower = ECG(ecg.signal_mv[:, ::2], LEAD_NAMES, 250.0, "median", 435.0)
    assert np.corrcoef(prepare_ecg(slower).tensor.ravel(), prepare_ecg(ecg).tensor.ravel())[0, 1] > 0.995


def test_a_rhythm_strip_becomes_its_median_beat() -> None:
    prepared = prepare_ecg(simulate_rhythm_ecg(FACTORS))
    assert np.corrcoef(prepared.tensor.ravel(), prepare_ecg(simulate_ecg(FACTORS)).tensor.ravel())[0, 1] > 0.98
    assert "beats of simulated participant" in prepared.rule


def test_a_missing_lead_is_named() -> None:
    ecg = simulate_ecg(FACTORS)
    with pytest.raises(RecordingError, match="lacks lead V5, V6"):
        prepare_ecg(ECG(ecg.signal_mv[:10], LEAD_NAMES[:10], 500.0, "median", 435.0))


def test_a_real_ecg_fits_the_model(realdata: Path) -> None:
    prepared = prepare_ecg(read_ecg_wfdb(realdata / "ecg" / "ptb_s0010_re").recording)
    assert prepared.tensor.shape == (12, 600)
    assert 20 < np.abs(prepared.tensor).max() < 60
