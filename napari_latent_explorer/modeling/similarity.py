"""How much alike a decoded recording and the true one look: SSIM of each frame, correlation of each lead."""

import numpy as np
from numpy.typing import NDArray

WINDOW = 7
"""Side of SSIM's square window in pixels."""
_K1, _K2 = 0.01, 0.03


def frame_ssim(truth: NDArray[np.floating], found: NDArray[np.floating]) -> NDArray[np.float64]:
    """Structural similarity ``(n, n_frames)`` of cines ``(n, n_frames, n_rows, n_columns)``; 1 is the same.

    Means over windows that lie within the image; the range is that of each true cine over all of its frames.

    References
    ----------
    Wang et al., Image quality assessment: from error visibility to structural similarity (2004).
    """
    from scipy.ndimage import uniform_filter

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        edge = WINDOW // 2
        filtered: NDArray[np.float64] = uniform_filter(x, size=(1, 1, WINDOW, WINDOW))
        return filtered[:, :, edge:-edge, edge:-edge]

    x, y = np.asarray(truth, np.float64), np.asarray(found, np.float64)
    span = (x.max(axis=(1, 2, 3)) - x.min(axis=(1, 2, 3)))[:, None, None, None]
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    mean_x, mean_y = mean(x), mean(y)
    sample = WINDOW**2 / (WINDOW**2 - 1)
    variance_x, variance_y = sample * (mean(x * x) - mean_x**2), sample * (mean(y * y) - mean_y**2)
    covariance = sample * (mean(x * y) - mean_x * mean_y)
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return np.asarray(similarity.mean(axis=(2, 3)))


def lead_correlation(truth: NDArray[np.floating], found: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pearson correlation ``(n, n_leads)`` of signals ``(n, n_leads, n_samples)``; NaN of a flat lead."""
    x, y = (np.asarray(one, np.float64) for one in (truth, found))
    x, y = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    size = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    correlation: NDArray[np.float64] = np.divide(
        (x * y).sum(axis=-1), size, out=np.full(size.shape, np.nan), where=size > 0
    )
    return correlation
