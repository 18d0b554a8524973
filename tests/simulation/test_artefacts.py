"""Artefacts: where they strike, where they do not, and that the generator alone settles them."""

import numpy as np
import pytest

from napari_latent_explorer.simulation.artefacts import ghosting, motion, spikes


@pytest.fixture
def point() -> np.ndarray:
    """Three frames that are black but for a bright block."""
    frames = np.zeros((3, 96, 96), dtype=np.float32)
    frames[:, 44:52, 40:48] = 1.0
    return frames


def test_ghosts_are_copies_along_the_rows(point: np.ndarray) -> None:
    ghosted = ghosting(point, np.random.default_rng(1))
    assert ghosted.shape == point.shape
    assert ghosted.dtype == np.float32
    outside = np.ones(96, dtype=bool)
    outside[40:48] = False
    assert np.all(ghosted[:, :, outside] < 1e-6)
    n_copies = np.sum(np.diff((ghosted[0, :, 44] > 0.1).astype(int)) == 1)
    assert n_copies in (3, 4)


def test_motion_smears_along_the_rows_and_keeps_the_energy(point: np.ndarray) -> None:
    smeared = motion(point, np.random.default_rng(1))
    assert np.all(smeared[:, :, :40] < 1e-6)
    assert np.sum(smeared**2) == pytest.approx(np.sum(point**2), rel=1e-3)
    assert np.sum(smeared[0, :, 44] > 0.1) > 16


@pytest.mark.parametrize("artefact", [ghosting, motion])
def test_the_generator_settles_mri_artefacts(artefact, point: np.ndarray) -> None:
    first, again, other = (artefact(point, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_spikes_strike_the_augmented_leads_only() -> None:
    signal = np.random.default_rng(0).normal(0.0, 0.1, (12, 600)).astype(np.float32)
    spiked = spikes(signal, np.random.default_rng(1))
    changed = np.flatnonzero(np.any(spiked != signal, axis=1))
    np.testing.assert_array_equal(changed, [3, 4, 5])
    assert np.all(np.abs(spiked - signal).max(axis=1)[3:6] > 0.7)


def test_spikes_come_irregularly() -> None:
    spiked = spikes(np.zeros((12, 5000), dtype=np.float32), np.random.default_rng(1))
    begins = np.flatnonzero(np.diff((np.abs(spiked[3]) > 0.3).astype(int)) == 1)
    intervals = np.diff(begins)
    assert len(begins) > 50
    assert np.std(intervals) > 0.5 * np.mean(intervals)
