"""Boundaries of P, QRS and T against the known intervals of simulated hearts, and against what real devices say."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.ecg_intervals import EcgIntervals
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.modeling.ecg_waves import find_waves
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.population import simulate_population


@pytest.fixture(scope="module")
def beats():
    """Factors, and intervals found, of people whose ECG is clean; those with fibrillation last."""
    people = [one for one in simulate_population(150, seed=11).factors if one.ecg_quality == "good"]
    people.sort(key=lambda one: one.has_atrial_fibrillation)
    found = [find_waves(simulate_ecg(one).signal_mv, 500.0) for one in people]
    intervals = [EcgIntervals.of(waves, None) for waves in found]
    return list(zip(people, intervals, strict=True))


def test_intervals_are_those_of_the_simulated_hearts(beats):
    sinus = [(one, intervals) for one, intervals in beats if not one.has_atrial_fibrillation]
    for name, wanted, most_off_ms, most_spread_ms in (
        ("pr_ms", "pr_interval_ms", 5.0, 3.0),
        ("qrs_ms", "qrs_duration_ms", 4.0, 4.0),
        ("qt_ms", "qt_interval_ms", 5.0, 5.0),
    ):
        known = [(getattr(intervals, name), getattr(one, wanted)) for one, intervals in sinus]
        assert sum(value is None for value, _ in known) <= 0.02 * len(known)
        off = np.array([value - true for value, true in known if value is not None])
        assert abs(off.mean()) < most_off_ms, name
        assert off.std() < most_spread_ms, name
        assert np.abs(off).max() < 20.0, name


def test_there_is_no_p_wave_in_atrial_fibrillation(beats):
    fibrillating = [intervals for one, intervals in beats if one.has_atrial_fibrillation]
    assert fibrillating
    assert all(intervals.pr_ms is None and intervals.qrs_ms > 50.0 for intervals in fibrillating)


def test_t_ends_in_the_lead_that_is_named(beats):
    person = beats[0][0]
    signal_mv = simulate_ecg(person).signal_mv.copy()
    assert find_waves(signal_mv, 500.0).t_lead == "II"
    signal_mv[1] = np.nan
    assert find_waves(signal_mv, 500.0).t_lead == "V5"


def test_sampling_rate_and_known_onset_are_minded(beats):
    ecg = simulate_ecg(beats[0][0])
    at_500 = find_waves(ecg.signal_mv, 500.0)
    at_250 = find_waves(ecg.signal_mv[:, ::2], 250.0)
    for name in ("p_onset_ms", "qrs_onset_ms", "qrs_end_ms", "t_end_ms"):
        assert getattr(at_250, name) == pytest.approx(getattr(at_500, name), abs=9.0), name
    assert find_waves(ecg.signal_mv, 500.0, qrs_onset_ms=437.5).qrs_onset_ms == 437.5


@pytest.mark.parametrize("n_samples", [1, 40, 600])
def test_a_flat_or_short_beat_has_no_waves(n_samples):
    assert find_waves(np.zeros((12, n_samples)), 500.0) is None
    assert find_waves(np.full((12, n_samples), np.nan), 500.0) is None


def test_noise_and_lone_spikes_break_nothing():
    rng = np.random.default_rng(0)
    for n_samples in (5, 30, 100, 300, 600):
        find_waves(rng.normal(size=(12, n_samples)), 500.0)
        for place in (0, n_samples // 2, n_samples - 1):
            find_waves(np.tile(np.eye(1, n_samples, place), (12, 1)), 500.0)


def test_a_real_median_beat_agrees_with_its_device(realdata):
    """The device wrote PR 158, QRS 78 and QT 364 ms; the tangent ends T some 10 ms before a device does."""
    ecg = read_recording(realdata / "ecg" / "ge_muse" / "musePHI_ecg1.xml", ReadOptions(ecg_kind="median"))
    intervals = EcgIntervals.of(find_waves(ecg.leads(), ecg.sampling_rate_hz), 1000.0)
    assert intervals.pr_ms == pytest.approx(158.0, abs=10.0)
    assert intervals.qrs_ms == pytest.approx(78.0, abs=10.0)
    assert intervals.qt_ms == pytest.approx(364.0, abs=20.0)
