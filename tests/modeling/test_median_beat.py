from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_wfdb import read_ecg_wfdb
from napari_latent_explorer.modeling.median_beat import make_median_beat
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset, spatial_velocity
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg
from napari_latent_explorer.simulation.population import simulate_population

POPULATION = simulate_population(40, seed=1)
GAINS = np.array([1.0, 1.2, 0.2, -1.1, 0.4, 0.7, -0.8, 0.5, 1.3, 1.5, 1.1, 0.8])[:, None]


def wave(time_ms: np.ndarray, center_ms: float, width_ms: float) -> np.ndarray:
    return np.exp(-0.5 * ((time_ms - center_ms) / width_ms) ** 2)


def beat(time_ms: np.ndarray) -> np.ndarray:
    """P, QRS (a half sine from 0 to 90 ms) and T of one beat, QRS onset at 0 ms; exactly 0 just before it."""
    qrs = np.where((time_ms >= 0) & (time_ms <= 90), np.sin(np.pi * time_ms / 90), 0.0)
    return GAINS * (0.1 * wave(time_ms, -110, 20) + qrs + 0.25 * wave(time_ms, 280, 40))


def strip(onsets_ms: list[float], duration_ms: float = 10_000, ectopic: tuple[int, ...] = ()) -> np.ndarray:
    time_ms = np.arange(0, duration_ms, 2.0)
    signal = np.zeros((12, len(time_ms)))
    for index, onset_ms in enumerate(onsets_ms):
        if index in ectopic:
            signal += GAINS[::-1] * (2.0 * wave(time_ms, onset_ms + 80, 35) - 1.0 * wave(time_ms, onset_ms + 320, 60))
        else:
            signal += beat(time_ms - onset_ms)
    return signal


def as_ecg(signal: np.ndarray, rate_hz: float = 500.0) -> ECG:
    return ECG(signal, LEAD_NAMES, rate_hz, "rhythm", source="a strip")


EXPECTED = beat(np.arange(600) * 2.0 - 436.0)


def misfit_mv(median: ECG, samples: slice) -> float:
    """Largest difference from the beat that was put in, the onset being free by one sample of 2 ms."""
    lags = (-1, 0, 1)
    return min(np.abs(np.roll(median.signal_mv, lag, axis=1) - EXPECTED)[:, samples].max() for lag in lags)


def test_identical_beats_with_one_ectopic_give_the_beat_itself() -> None:
    onsets = [400.0 + 1000 * k for k in range(10)]
    onsets[5] -= 300
    median = make_median_beat(as_ecg(strip(onsets, ectopic=(5,))))
    assert (median.kind, median.sampling_rate_hz, median.signal_mv.shape) == ("median", 500.0, (12, 600))
    assert median.qrs_onset_ms == 436
    assert misfit_mv(median, slice(2, -2)) < 0.01
    assert median.source == "9 of 10 beats of a strip"


def test_a_premature_beat_of_the_same_shape_is_left_out() -> None:
    onsets = [400.0 + 1000 * k for k in range(10)]
    onsets[5] -= 350
    assert make_median_beat(as_ecg(strip(onsets))).source == "9 of 10 beats of a strip"


def test_an_irregular_rhythm_keeps_its_beats() -> None:
    onsets = np.cumsum([400.0, 650, 1100, 700, 1250, 600, 1150, 640, 1300, 720])
    median = make_median_beat(as_ecg(strip(onsets.tolist())))
    assert int(median.source.split()[0]) >= 5
    assert misfit_mv(median, slice(200, 450)) < 0.02


def test_baseline_wander_and_noise_are_taken_away() -> None:
    signal = strip([400.0 + 1000 * k for k in range(10)])
    rng = np.random.default_rng(0)
    time_s = np.arange(signal.shape[1]) / 500
    signal += 0.4 * np.sin(2 * np.pi * 0.25 * time_s + rng.uniform(0, 6, (12, 1))) + rng.uniform(-1, 1, (12, 1))
    signal += rng.normal(0, 0.02, signal.shape)
    median = make_median_beat(as_ecg(signal))
    assert misfit_mv(median, slice(150, 450)) < 0.06


@pytest.mark.parametrize("rate_hz", [250.0, 1000.0])
def test_any_sampling_rate_gives_the_same_beat(rate_hz: float) -> None:
    signal = strip([400.0 + 1000 * k for k in range(10)])
    time = np.arange(0, 10_000, 1000.0 / rate_hz)
    resampled = np.stack([np.interp(time, np.arange(0, 10_000, 2.0), lead) for lead in signal])
    median = make_median_beat(as_ecg(resampled, rate_hz))
    assert np.corrcoef(median.signal_mv.ravel(), EXPECTED.ravel())[0, 1] > 0.99


def test_a_fast_heart_shows_one_beat_alone() -> None:
    median = make_median_beat(as_ecg(strip([300.0 + 620 * k for k in range(15)])))
    assert np.abs(median.signal_mv[:, :70]).max() < 0.01
    assert np.abs(median.signal_mv[:, -60:]).max() < 0.01
    assert misfit_mv(median, slice(120, 400)) < 0.02


def test_too_few_beats_are_refused() -> None:
    with pytest.raises(RecordingError, match=r"a strip: (Only|only) .*beats"):
        make_median_beat(as_ecg(strip([400.0, 1400.0], 2_400)))
    with pytest.raises(RecordingError, match="Cannot make a median beat of a strip"):
        make_median_beat(as_ecg(np.zeros((12, 5000))))
    with pytest.raises(RecordingError, match="Cannot make a median beat of a strip"):
        make_median_beat(as_ecg(np.random.default_rng(0).normal(size=(12, 5000))))
    with pytest.raises(RecordingError, match="Cannot make a median beat of a strip"):
        make_median_beat(as_ecg(np.ones((12, 3))))


def test_the_onset_of_simulated_beats_is_found_within_milliseconds() -> None:
    errors_ms = [find_qrs_onset(simulate_ecg(one).signal_mv, 500.0) - 435.0 for one in POPULATION.factors]
    assert abs(np.mean(errors_ms)) < 2
    assert np.std(errors_ms) < 2
    assert np.max(np.abs(errors_ms)) <= 6


def test_spatial_velocity_of_a_ramp_is_its_slope() -> None:
    leads = np.zeros((12, 100))
    leads[6] = 3.0 * np.arange(100)
    leads[7] = 4.0 * np.arange(100)
    leads[2] = 50.0 * np.arange(100)
    np.testing.assert_allclose(spatial_velocity(leads, 500.0)[5:-5], 2.5)  # 5 mV per sample of 2 ms


def test_simulated_strips_give_the_simulated_median_beat() -> None:
    people = [one for one in POPULATION.factors if one.ecg_quality == "good" and not one.has_atrial_fibrillation]
    correlations = []
    for one in people[:12]:
        made, known = make_median_beat(simulate_rhythm_ecg(one)), simulate_ecg(one)
        correlations.append(np.corrcoef(made.signal_mv.ravel(), known.signal_mv.ravel())[0, 1])
    assert np.median(correlations) > 0.99
    assert min(correlations) > 0.97


def test_a_strip_with_spikes_in_the_augmented_leads_is_still_aligned() -> None:
    spiky = next(one for one in simulate_population(300, seed=1).factors if one.ecg_quality == "spikes")
    made, known = make_median_beat(simulate_rhythm_ecg(spiky)), simulate_ecg(spiky)
    chest = slice(6, 12)
    assert np.corrcoef(made.signal_mv[chest].ravel(), known.signal_mv[chest].ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("name", "n_beats"), [("ptb_s0010_re", 52), ("ptbxl_00001_lr", 10), ("cinc2021", 11)])
def test_real_strips(realdata: Path, name: str, n_beats: int) -> None:
    rhythm = read_ecg_wfdb(realdata / "ecg" / name).recording
    median = make_median_beat(rhythm)
    n_good, n_found = int(median.source.split()[0]), int(median.source.split()[2])
    assert n_found == n_beats
    assert n_good >= 0.8 * n_beats
    one, two, three, avr, avl, avf = median.leads(LEAD_NAMES[:6])
    np.testing.assert_allclose(two - one, three, atol=0.05)  # Einthoven and Goldberger hold for medians nearly too
    np.testing.assert_allclose(avr + avl + avf, 0, atol=0.05)
    assert 0.5 < np.abs(median.signal_mv).max() < 2.5
    onset_ms = find_qrs_onset(median.signal_mv, 500.0)
    assert abs(onset_ms - 435.0) <= 4
    before, qrs = np.abs(median.signal_mv[:, 190:214]).max(), np.abs(median.signal_mv[:, 218:270]).max()
    assert before < 0.3 * qrs
