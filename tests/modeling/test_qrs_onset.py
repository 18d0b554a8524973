import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset, spatial_velocity
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.population import simulate_population

SIGNALS = [simulate_ecg(one).signal_mv for one in simulate_population(40, seed=1).factors]


def test_the_onset_of_simulated_beats_is_found_within_milliseconds() -> None:
    errors_ms = [find_qrs_onset(signal, 500.0) - 435.0 for signal in SIGNALS]
    assert abs(np.mean(errors_ms)) < 1
    assert np.std(errors_ms) < 2
    assert np.max(np.abs(errors_ms)) <= 5


@pytest.mark.parametrize(("noise_mv", "worst_ms"), [(0.015, 10), (0.03, 16)])
def test_noise_moves_the_onset_by_little(noise_mv: float, worst_ms: float) -> None:
    rng = np.random.default_rng(0)
    errors_ms = [find_qrs_onset(signal + rng.normal(0, noise_mv, signal.shape), 500.0) - 435.0 for signal in SIGNALS]
    assert abs(np.mean(errors_ms)) < 4
    assert np.max(np.abs(errors_ms)) <= worst_ms


def test_spatial_velocity_of_a_ramp_is_its_slope() -> None:
    leads = np.zeros((12, 100))
    leads[6] = 3.0 * np.arange(100)
    leads[7] = 4.0 * np.arange(100)
    leads[2] = 50.0 * np.arange(100)
    np.testing.assert_allclose(spatial_velocity(leads, 500.0)[5:-5], 2.5)  # 5 mV per sample of 2 ms


@pytest.mark.parametrize("signal", [np.zeros((12, 600)), np.full((12, 600), 3.0), np.ones((12, 1))])
def test_a_beat_without_signal_is_refused(signal: np.ndarray) -> None:
    with pytest.raises(RecordingError, match="all its leads are flat"):
        find_qrs_onset(signal, 500.0)
