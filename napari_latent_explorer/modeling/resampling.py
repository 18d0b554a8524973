"""Linear resampling of a cine along one axis at a time, as small matrices.

A grid that is only shifted and scaled lets rows, columns and time be resampled one after the other, each by a matrix
whose rows hold the weights of the old samples. Where the new pixels are larger than the old ones the weights are spread
over their width, so that nothing is skipped (no aliasing).
"""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels
from napari_latent_explorer.errors import RecordingError

Floats = NDArray[np.float64]


def space_matrix(n_old: int, center: float, step: float, n_new: int) -> Floats:
    """Weights ``(n_new, n_old)`` that take samples at 0, 1, ..., n_old - 1 to `n_new` samples around `center`.

    Parameters
    ----------
    n_old
        Number of samples there are.
    center
        Where the middle of the new samples lies, in old samples.
    step
        Distance between new samples, in old samples.
    n_new
        Number of samples wanted. Outside the old ones the signal counts as 0.
    """
    positions = center + (np.arange(n_new) - (n_new - 1) / 2.0) * step
    half_width = max(1.0, step)
    first = int(np.floor(positions[0] - half_width))
    last = int(np.ceil(positions[-1] + half_width))
    unbounded = np.arange(min(first, 0), max(last, n_old - 1) + 1)
    weights = np.maximum(0.0, 1.0 - np.abs(unbounded - positions[:, None]) / half_width)
    weights /= weights.sum(axis=1, keepdims=True)
    inside = int(np.searchsorted(unbounded, 0))
    return weights[:, inside : inside + n_old]


def nearest_samples(n_old: int, center: float, step: float, n_new: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Nearest old sample ``(n_new,)`` of each new one, and which of them lie inside; see `space_matrix`."""
    positions = center + (np.arange(n_new) - (n_new - 1) / 2.0) * step
    nearest = np.floor(positions + 0.5).astype(np.intp)
    is_inside = (nearest >= 0) & (nearest < n_old)
    return np.clip(nearest, 0, n_old - 1), is_inside


def picked_labels(labels: CineLabels, classes: NDArray[np.uint8], nearest: NDArray[np.intp]) -> CineLabels | None:
    """Label map whose frames were picked from those of another; None when nobody labelled any of them.

    Parameters
    ----------
    labels
        The other one.
    classes
        ``(n_new, n_rows, n_columns)`` its class numbers at the new frames, rows and columns.
    nearest
        ``(n_new,)`` which of its frames was picked.
    """
    if labels.labelled_frames is None:
        return CineLabels(classes[:, None], labels.names)
    labelled = tuple(np.flatnonzero(np.isin(nearest, labels.labelled_frames)).tolist())
    return CineLabels(classes[:, None], labels.names, labelled) if labelled else None


def cycle_matrix(frame_times_ms: Floats, rr_interval_ms: float, n_new: int) -> Floats:
    """Weights ``(n_new, n_frames)`` that take frames at any times to `n_new` frames spread evenly over one heart cycle.

    The first new frame lies at the R peak (0 ms). The cycle repeats: before the first frame comes the last one.

    Raises
    ------
    RecordingError
        When the frames last longer than the cycle.
    """
    n_frames = len(frame_times_ms)
    if frame_times_ms[-1] - frame_times_ms[0] >= rr_interval_ms:
        raise RecordingError(
            f"The frames last {frame_times_ms[-1] - frame_times_ms[0]:.0f} ms and the heart cycle {rr_interval_ms:.0f} "
            "ms; a cine of one cycle is expected. Check the RR interval of the recording."
        )
    wanted_ms = frame_times_ms[0] + (np.arange(n_new) * rr_interval_ms / n_new - frame_times_ms[0]) % rr_interval_ms
    around_ms = np.append(frame_times_ms, frame_times_ms[0] + rr_interval_ms)
    before = np.clip(np.searchsorted(around_ms, wanted_ms, side="right") - 1, 0, n_frames - 1)
    share = (wanted_ms - around_ms[before]) / (around_ms[before + 1] - around_ms[before])
    matrix = np.zeros((n_new, n_frames))
    rows = np.arange(n_new)
    matrix[rows, before] = 1.0 - share
    matrix[rows, (before + 1) % n_frames] += share
    return matrix
