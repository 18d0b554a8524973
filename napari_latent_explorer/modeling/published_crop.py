"""The published crop of the heart: the box around it, laid into the upper left of the model's pixels as it is.

References
----------
ml4h's ``_heart_mask_instances`` and ``pad_or_crop_array_to_shape``: https://github.com/broadinstitute/ml4h. There, 50
frames are taken as they are; a cine of another number of frames is brought to 50 over its heart cycle here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.heart_position import middle_slice
from napari_latent_explorer.modeling.resampling import cycle_matrix, picked_labels
from napari_latent_explorer.nn.cine import CINE_SPACE, N_FRAMES


def crop_as_published(
    cine: CineMRI,
    labels: CineLabels | None,
    box: HeartBox,
    n_frames: int = N_FRAMES,
    space: tuple[int, int] = CINE_SPACE,
) -> tuple[CineMRI, CineLabels | None, str, tuple[str, ...]]:
    """Crop the middle slice of a cine, and its labels, by the published rule.

    Returns
    -------
    cine, labels
        In the pixels of the recording, with the model's number of frames, rows and columns.
    rule
        What was done, in words.
    warnings
        What was cut off, in words.

    Raises
    ------
    RecordingError
        When the box lies outside the picture.
    """
    slice_index = middle_slice(cine)
    frames = _cut(cine.frames[:, slice_index], box, space)
    if 0 in frames.shape:
        raise RecordingError(
            f"The heart box from row {box.row_start} and column {box.column_start} lies outside the picture of "
            f"{cine.source} ({cine.frames.shape[2]} x {cine.frames.shape[3]} pixels). Draw it again."
        )
    times_ms, when = cine.frame_times_ms, f"{n_frames} frames as they are"
    nearest = np.arange(n_frames)
    if len(frames) != n_frames:
        weights = cycle_matrix(cine.frame_times_ms, cine.rr_interval_ms, n_frames)
        frames = np.tensordot(weights.astype(np.float32), frames.astype(np.float32), axes=1)
        nearest = weights.argmax(axis=1)
        times_ms = np.arange(n_frames) * cine.rr_interval_ms / n_frames
        when = f"{len(weights[0])} frames brought to {n_frames} over the heart cycle"
    corner = np.eye(4)
    corner[:3, 3] = slice_index, box.row_start, box.column_start
    cropped = CineMRI(
        _laid_in(frames, space)[:, None],
        cine.spacing_mm,
        times_ms,
        cine.affine @ corner,
        cine.imaging_plane,
        cine.rr_interval_ms,
        cine.source,
    )
    cropped_labels = None
    if labels is not None:
        classes = _laid_in(_cut(labels.frames[nearest, slice_index], box, space), space)
        cropped_labels = picked_labels(labels, classes, nearest)
    rows_mm, columns_mm = cine.spacing_mm[1:]
    rule = (
        f"Cropped as published, by the heart box of {box.n_rows} x {box.n_columns} pixels at row {box.row_start}, "
        f"column {box.column_start} ({box.source}), laid into the upper left of {space[0]} x {space[1]} "
        f"pixels of {rows_mm:.2f} x {columns_mm:.2f} mm, 0 around it; {when}; z-scored over all frames and pixels."
    )
    return cropped, cropped_labels, rule, _cut_off(box, space)


def _cut(frames: NDArray[Any], box: HeartBox, space: tuple[int, int]) -> NDArray[Any]:
    n_rows, n_columns = min(box.n_rows, space[0]), min(box.n_columns, space[1])
    return frames[:, box.row_start : box.row_start + n_rows, box.column_start : box.column_start + n_columns]


def _laid_in(frames: NDArray[Any], space: tuple[int, int]) -> NDArray[Any]:
    laid = np.zeros((len(frames), *space), dtype=frames.dtype)
    laid[:, : frames.shape[1], : frames.shape[2]] = frames
    return laid


def _cut_off(box: HeartBox, space: tuple[int, int]) -> tuple[str, ...]:
    over = (box.n_rows - space[0], box.n_columns - space[1])
    if max(over) <= 0:
        return ()
    parts = [f"{n} {what}" for n, what in zip(over, ("rows below", "columns at the right"), strict=True) if n > 0]
    return (f"The heart box is larger than {space[0]} x {space[1]} pixels: {' and '.join(parts)} are cut off.",)
