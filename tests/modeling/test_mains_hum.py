import numpy as np
import pytest

from napari_latent_explorer.modeling.mains_hum import without_mains_hum
from napari_latent_explorer.simulation.ecg import simulate_rhythm_ecg
from napari_latent_explorer.simulation.population import simulate_population

PEOPLE = simulate_population(12, seed=2).factors


def clean_strip(n_samples: int = 5000) -> np.ndarray:
    """Noisy strip without hum: QRS complexes of 90 ms, 13 of them, at no even distance."""
    rng = np.random.default_rng(0)
    time_ms = np.arange(n_samples) * 2.0
    signal = rng.normal(0, 0.01, (12, n_samples))
    for onset_ms in np.cumsum(rng.uniform(700, 800, n_samples // 350)):
        inside = (time_ms >= onset_ms) & (time_ms < onset_ms + 90)
        signal[:, inside] += np.linspace(0.5, 2, 12)[:, None] * np.sin(np.pi * (time_ms[inside] - onset_ms) / 90)
    return signal


@pytest.mark.parametrize("hz", [50.0, 49.9, 50.21, 60.0, 60.05])
@pytest.mark.parametrize("n_samples", [1200, 5000, 30_000])
def test_hum_is_subtracted_and_nothing_else(hz: float, n_samples: int) -> None:
    clean = clean_strip(n_samples)
    phase = np.arange(12)[:, None]
    hum = 0.2 * np.linspace(0.2, 1, 12)[:, None] * np.sin(2 * np.pi * hz * np.arange(n_samples) / 500 + phase)
    found = without_mains_hum(clean + hum, 500.0)
    assert 1000 * np.sqrt(np.mean((found - clean) ** 2)) < (8 if n_samples < 2000 else 3)


def test_a_strip_without_hum_stays_as_it_is() -> None:
    np.testing.assert_array_equal(without_mains_hum(clean_strip(), 500.0), clean_strip())


def test_a_regular_heart_is_no_hum() -> None:
    time_ms = np.arange(5000) * 2.0
    qrs = np.where(time_ms % 800 < 60, np.sin(np.pi * (time_ms % 800) / 60), 0.0) * np.ones((12, 1))
    np.testing.assert_array_equal(without_mains_hum(qrs, 500.0), qrs)


def test_simulated_strips_lose_only_their_hum() -> None:
    for one in PEOPLE:
        strip = simulate_rhythm_ecg(one).signal_mv.astype(float)
        taken = strip - without_mains_hum(strip, 500.0)
        assert np.abs(taken).max() < 0.02
        spectrum = np.abs(np.fft.rfft(taken, axis=1)).sum(axis=0)
        assert not spectrum.any() or abs(np.fft.rfftfreq(taken.shape[1], 0.002)[spectrum.argmax()] - 50) < 0.2


@pytest.mark.parametrize(("n_samples", "rate_hz"), [(1, 500.0), (10, 500.0), (1000, 80.0), (5000, 100.0)])
def test_short_and_slow_strips_do_not_fail(n_samples: int, rate_hz: float) -> None:
    assert without_mains_hum(np.ones((12, n_samples)), rate_hz).shape == (12, n_samples)
