"""What makes a recording unreadable: MRI with ghosts or breathing, an ECG with spikes."""

import numpy as np
from numpy.typing import NDArray

_AUGMENTED_LEADS = (3, 4, 5)


def ghosting(frames: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Add copies of the body along the phase encoding (rows), as if every n-th line of k-space disagreed.

    Parameters
    ----------
    frames
        ``(n_frames, n_rows, n_columns)`` signal.
    rng
        Settles the ghosts' number, strengths and phases.

    Returns
    -------
    ghosted
        Same shape.
    """
    n_rows = frames.shape[1]
    n_copies = int(rng.integers(2, 4))
    fade = np.sin(np.pi * (np.arange(n_rows) + 0.5) / n_rows).astype(np.float32) ** 0.5
    faded = frames * fade[None, :, None]
    ghosted = 0.55 * frames.astype(np.complex64)
    for copy in range(1, n_copies + 1):
        turn = np.exp(1j * rng.uniform(-1.2, 1.2))
        weight = np.complex64(rng.uniform(0.35, 0.55) * turn)
        ghosted += weight * np.roll(faded, round(n_rows * copy / (n_copies + 1)), axis=1)
    magnitude: NDArray[np.float32] = np.abs(ghosted)
    return magnitude


def motion(frames: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Let the participant breathe and move: every line of k-space is taken at another place along the rows.

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
    shift_rows = rng.uniform(4.5, 7.0) * breath + 2.0 * jerks
    frequency = np.fft.fftfreq(n_rows)
    lines = np.fft.fft(frames, axis=1) * np.exp(-2j * np.pi * frequency * shift_rows)[:, :, None]
    return np.abs(np.fft.ifft(lines, axis=1)).astype(np.float32)


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
