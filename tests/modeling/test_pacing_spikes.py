from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.modeling.pacing_spikes import without_pacing_spikes
from napari_latent_explorer.simulation.ecg import simulate_rhythm_ecg
from napari_latent_explorer.simulation.population import simulate_population

PEOPLE = simulate_population(20, seed=2).factors


def test_spikes_are_counted_and_bridged() -> None:
    strip = simulate_rhythm_ecg(PEOPLE[0]).signal_mv.astype(float)
    positions = np.arange(300, 4800, 450)
    spiky = strip.copy()
    for position in positions:
        spiky[:, position : position + 2] += np.linspace(-1, 3, 12)[:, None]
    found, n_spikes = without_pacing_spikes(spiky, 500.0)
    assert n_spikes == len(positions)
    assert np.abs(found - strip).max() < 0.25  # a line across 10 ms, where there may be a QRS complex
    far = np.ones(strip.shape[1], dtype=bool)
    for position in positions:
        far[position - 8 : position + 10] = False
    np.testing.assert_array_equal(found[:, far], strip[:, far])


@pytest.mark.parametrize("one", PEOPLE, ids=lambda one: one.participant_id)
def test_qrs_complexes_are_no_spikes(one) -> None:
    strip = simulate_rhythm_ecg(one).signal_mv.astype(float)
    for scale in (0.3, 1.0, 4.0):
        found, n_spikes = without_pacing_spikes(strip * scale, 500.0)
        assert n_spikes == 0
        np.testing.assert_array_equal(found, strip * scale)


@pytest.mark.parametrize(
    "place", ["dicom/anonymous_ecg.dcm", "dicom/Example.dcm", "ge_muse/musePHI_ecg1.xml", "ptb_s0010_re", "cinc2021"]
)
def test_hearts_without_pacemaker_have_no_spikes(realdata: Path, place: str) -> None:
    ecg = read_recording(realdata / "ecg" / place, ReadOptions(ecg_kind="rhythm"))
    assert without_pacing_spikes(ecg.leads().astype(float), ecg.sampling_rate_hz)[1] == 0


def test_noise_and_slow_strips_are_left_alone() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (12, 3000))
    for strip, rate_hz in ((noise, 500.0), (np.eye(12, 1000) * 5, 250.0), (np.zeros((12, 5)), 1000.0)):
        found, n_spikes = without_pacing_spikes(strip, rate_hz)
        assert n_spikes == 0
        np.testing.assert_array_equal(found, strip)
