"""A picture of how many points are where, for more points than can be drawn one by one.

Each pixel counts its points and takes the mean of their colours; how opaque it is grows with the logarithm of the
count, so that a single person is still seen beside thousands. Sheets (hidden, plain, selected) lie above each other as
points do.

The hard idea: a million points are more than fits between two frames. So the picture is made by a generator that looks
at some points at a time, and whoever asks for it decides when it goes on. The points come sorted by place, hence each
step touches one band of the picture only.

References
----------
Cottam J, Lumsdaine A, Wang P (2014), Abstract rendering: out-of-core rendering for information visualization, SPIE 9017
(aggregate per pixel first, then choose colours).
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer._vispy.picture import Color
from napari_latent_explorer._vispy.point_grid import Rectangle

POINTS_PER_STEP = 65_536
FAINTEST = 0.35
"""Opacity of a pixel with one point, as a share of that of the fullest pixel."""


@dataclass(frozen=True, slots=True)
class DensitySheet:
    """Points of one kind.

    Attributes
    ----------
    kind
        Which of the points, as numbered by the caller.
    opacity
        Of the fullest pixel.
    color
        One colour for all; None for the mean of the points' own.
    """

    kind: int
    opacity: float
    color: Color | None = None


def paint_density(
    coordinates: NDArray[np.floating],
    rgba: NDArray[np.floating],
    kinds: NDArray[np.uint8],
    rows: NDArray[np.integer],
    sheets: Iterable[DensitySheet],
    area: Rectangle,
    shape: tuple[int, int],
) -> Generator[None, None, NDArray[np.uint8]]:
    """Count the points of an area per pixel, and colour the counts.

    Parameters
    ----------
    coordinates
        ``(n_points, 2)``.
    rgba
        ``(n_points, 4)`` in 0..1.
    kinds
        ``(n_points,)`` to which sheet each belongs.
    rows
        ``(n_rows,)`` of the points to look at, sorted by place from bottom to top; all of the area's must be there.
    sheets
        From bottom to top.
    area
        What the picture covers.
    shape
        Number of pixels up and across.

    Yields
    ------
    None
        After some points.

    Returns
    -------
    NDArray
        ``shape`` + ``(4,)``, colours multiplied by their opacity, 0..255; the first line is the lowest.
    """
    picture = np.zeros((*shape, 4))
    for sheet in sheets:
        sums = np.zeros((1 if sheet.color else 4, shape[0] * shape[1]))
        for start in range(0, len(rows), POINTS_PER_STEP):
            block = rows[start : start + POINTS_PER_STEP]
            _count(sums, coordinates, rgba, block[kinds[block] == sheet.kind], area, shape)
            yield
        if sums[0].any():
            _lay_over(picture, sums.reshape(-1, *shape), sheet)
            yield
    return np.rint(255.0 * picture).astype(np.uint8)


def _count(
    sums: NDArray[np.float64],
    coordinates: NDArray[np.floating],
    rgba: NDArray[np.floating],
    rows: NDArray[np.integer],
    area: Rectangle,
    shape: tuple[int, int],
) -> None:
    """Add to `sums` ``(1 or 4, n_pixels)`` the number of these points per pixel, and the sums of their colours."""
    places = coordinates[rows]
    column = (places[:, 0] - area.left) * (shape[1] / (area.right - area.left))
    line = (places[:, 1] - area.bottom) * (shape[0] / (area.top - area.bottom))
    is_inside = (column >= 0) & (column < shape[1]) & (line >= 0) & (line < shape[0])
    if not is_inside.all():
        rows, column, line = rows[is_inside], column[is_inside], line[is_inside]
    if len(rows) == 0:
        return
    pixels = line.astype(np.intp) * shape[1] + column.astype(np.intp)
    first = int(pixels.min())
    pixels -= first
    band = slice(first, first + int(pixels.max()) + 1)
    sums[0, band] += np.bincount(pixels)
    for channel, sum_of_channel in enumerate(sums[1:]):
        sum_of_channel[band] += np.bincount(pixels, rgba[rows, channel])


def _lay_over(picture: NDArray[np.float64], sums: NDArray[np.float64], sheet: DensitySheet) -> None:
    """Lay a sheet's colours over the picture ``(up, across, 4)``, in place."""
    counts = sums[0]
    share = np.log1p(counts) / np.log1p(counts.max())
    alpha = np.where(counts > 0, sheet.opacity * (FAINTEST + (1.0 - FAINTEST) * share), 0.0)
    picture *= 1.0 - alpha[..., None]
    if sheet.color is None:
        picture[..., :3] += (alpha / np.maximum(counts, 1.0))[..., None] * np.moveaxis(sums[1:], 0, -1)
    else:
        picture[..., :3] += alpha[..., None] * np.array(sheet.color[:3])
    picture[..., 3] += alpha
