"""What makes a recording unreadable: MRI with ghosts or breathing, an ECG with spikes. Pure functions of array and generator."""

import numpy as np
from numpy.typing import NDArray

_AUGMENTED_LEADS = (3, 4, 5)


def ghosting(frames: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Copies of the body displaced along the phase encoding (rows), from lines of k-space that disagree.

    Parameters
    ----------
    frames
        ``(n_frames, n_rows, n_columns)`` signal.
    rng
        Settles the ghosts' number, strength and phase.

    Returns
    -------
    ghosted
        Same shape.
    """
    period = int(rng.integers(2, 5))
    strength = rng.uniform(0.75, 0.95)
    phase = rng.uniform(0.0, 2.0 * np.pi)
    line = np.arange(frames.shape[1])
    drift = np.exp(1j * rng.uniform(2.0, 3.0) * np.sin(2.0 * np.pi * line / period + phase))
    modulation = 1.0 - strength * (0.5 + 0.5 * np.cos(2.0 * np.pi * line / period + phase))
    return _reweight_lines(frames, (modulation * drift / np.sqrt(np.mean(modulation**2)))[None, :])


def motion(frames: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A participant who breathes and moves: every line of k-space was taken at another place along the rows.

    Parameters
    ----------
    frames
        ``(n_frames, n_rows, n_columns)`` signal.
    rng
        Settles the motion.

    Returns
    -------
    blurred
        Same shape.
    """
    n_frames, n_rows, _ = frames.shape
    breath = np.sin(2.0 * np.pi * (rng.uniform(2.0, 4.0) * np.arange(n_rows) / n_rows + rng.uniform()))
    jerks = np.cumsum(rng.standard_normal((n_frames, n_rows)) * (rng.random((n_frames, n_rows)) < 0.12), axis=1)
    shift_rows = rng.uniform(5.0, 8.0) * breath + 3.5 * jerks
    frequency = np.fft.fftfreq(n_rows)
    return _reweight_lines(frames, np.exp(-2j * np.pi * frequency * shift_rows))


def spikes(signal_mv: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Irregular spikes in aVR, aVL and aVF, as from a loose limb electrode.

    Parameters
    ----------
    signal_mv
        ``(12, n_samples)`` in mV, leads in the clinical order.
    rng
        Settles times, heights and signs.

    Returns
    -------
    spiked
        Same shape; the other nine leads are unchanged.
    """
    spiked = np.array(signal_mv, dtype=np.float32)
    n_samples = spiked.shape[1]
    for lead in _AUGMENTED_LEADS:
        n_spikes = int(rng.integers(n_samples // 60, n_samples // 30 + 1))
        for start in rng.integers(0, n_samples, n_spikes):
            width = int(rng.integers(2, 6))
            height_mv = rng.uniform(0.8, 2.5) * rng.choice((-1.0, 1.0))
            pulse = height_mv * np.bartlett(2 * width + 1)[1:-1]
            stop = min(start + len(pulse), n_samples)
            spiked[lead, start:stop] += pulse[: stop - start].astype(np.float32)
    return spiked


def _reweight_lines(frames: NDArray[np.float32], weights: NDArray[np.complex128]) -> NDArray[np.float32]:
    """Multiply the lines of k-space, ``weights (n_frames or 1, n_rows)``, and go back to magnitudes."""
    lines = np.fft.fft(frames, axis=1)
    return np.abs(np.fft.ifft(lines * weights[:, :, None], axis=1)).astype(np.float32)
