"""The maps as a figure: what is in view, in the colours of the screen, with the legend and how many people it shows.

The hard idea: dots lie over each other, and a file of a million shapes cannot be opened. Few dots are shapes; of many a
picture is made in which each pixel has the mean colour of the dots on it and is the fuller the more there are, so that
no dot hides another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen

from napari_latent_explorer._qt.figure import (
    CAPTION_PX,
    INK,
    MARGIN_PX,
    TITLE_PX,
    Figure,
    Paint,
    in_order,
    moved,
    recorded_widget,
    words,
)
from napari_latent_explorer._qt.legend import QtLegend
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer._vispy.picture import STEPPED_BACK_ALPHA, ScatterPicture
from napari_latent_explorer.session.view_state import ViewState

SIDE_PX, GAP_PX = 420, 20
DOT_PX, SELECTED_PX, HIDDEN_PX = 3.6, 5.6, 2.2
DOT_ALPHA, HIDDEN_ALPHA = 0.85, 0.3
MOST_SHAPES = 4_000
"""More dots than these are a picture."""
PIXELS_PER_PX = 4
MUTED = LIGHT.color("muted")


@dataclass(frozen=True, slots=True, eq=False)
class ShownMap:
    """One map as it is on the screen.

    Attributes
    ----------
    title
        Above it.
    picture
        Its points.
    view_rect
        Left, bottom, width, height of what is in view, in map coordinates.
    made_how
        By which method, for the metadata.
    """

    title: str
    picture: ScatterPicture
    view_rect: tuple[float, float, float, float]
    made_how: str = ""


def map_figure(maps: Sequence[ShownMap], state: ViewState) -> Figure:
    """Make a figure of maps beside each other; on the GUI's thread, which it holds for milliseconds.

    Parameters
    ----------
    maps
        At least one.
    state
        What their colours mean, and how many people they show.
    """
    width = 2 * MARGIN_PX + len(maps) * SIDE_PX + (len(maps) - 1) * GAP_PX
    legend = QtLegend()
    legend.set_theme(LIGHT)
    legend.set_legend(state.legend)
    legend_height = legend.heightForWidth(width - 2 * MARGIN_PX)
    legend.resize(width - 2 * MARGIN_PX, legend_height)
    top = MARGIN_PX + TITLE_PX + SIDE_PX + 10
    parts: list[Paint] = [moved(recorded_widget(legend), MARGIN_PX, top)]
    legend.deleteLater()
    for number, shown in enumerate(maps):
        left = MARGIN_PX + number * (SIDE_PX + GAP_PX)
        parts.append(words(shown.title, left, MARGIN_PX + TITLE_PX - 10, is_bold=True))
        parts.append(moved(partial(_paint_map, shown), left, MARGIN_PX + TITLE_PX))
    bottom = top + legend_height + CAPTION_PX
    caption = f"{format_count(state.n_visible)} of {format_count(state.n_total)} participants"
    if state.n_selected:
        caption += f", {format_count(state.n_selected)} selected"
    parts.append(words(caption, MARGIN_PX, bottom, color=MUTED))
    facts = {"Shows": caption} | {f"Map {number}": shown.made_how for number, shown in enumerate(maps, 1)}
    title = " and ".join(shown.title for shown in maps)
    return Figure("map", title, (width, bottom + MARGIN_PX), in_order(*parts), facts)


def _paint_map(shown: ShownMap, painter: QPainter) -> None:
    picture = shown.picture
    places = _places_px(picture.coordinates, shown.view_rect)
    in_view = ((places > DOT_PX) & (places < SIDE_PX - DOT_PX)).all(axis=1)  # SVG of old knows no clipping; NaN is out
    has_selection = bool(picture.selected.any())
    hidden = np.tile(np.array(MUTED.getRgbF(), np.float32), (len(places), 1))
    alpha = DOT_ALPHA * (STEPPED_BACK_ALPHA if has_selection else 1.0)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for mask, colors, size, opacity, is_outlined in (
        (~picture.visible, hidden, HIDDEN_PX, HIDDEN_ALPHA, False),
        (picture.visible & ~picture.selected, picture.rgba, DOT_PX, alpha, False),
        (picture.visible & picture.selected, picture.rgba, SELECTED_PX, 1.0, True),
    ):
        rows = np.flatnonzero(mask & in_view)
        _paint_dots(painter, places[rows], colors[rows], size, opacity, is_outlined)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(LIGHT.color("line"), 1.0))
    painter.drawRect(QRectF(0.0, 0.0, SIDE_PX, SIDE_PX))
    painter.restore()


def _places_px(coordinates: NDArray[np.floating], view_rect: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Where points ``(n, 2)`` lie in the square, from its top left; its longer side is that of what is in view."""
    left, bottom, width, height = view_rect
    scale = SIDE_PX / max(width, height, 1e-12)
    middle = np.array([left + width / 2, bottom + height / 2])
    places = (np.asarray(coordinates, np.float64) - middle) * scale
    return np.asarray(places * [1.0, -1.0] + SIDE_PX / 2)


def _paint_dots(
    painter: QPainter,
    places: NDArray[np.float64],
    rgba: NDArray[np.floating],
    size: float,
    opacity: float,
    is_outlined: bool,
) -> None:
    if len(places) > MOST_SHAPES:
        thinned = opacity if is_outlined else opacity * float(np.sqrt(MOST_SHAPES / len(places)))  # else all is full
        painter.drawImage(QRectF(0.0, 0.0, SIDE_PX, SIDE_PX), _image(dots_picture(places, rgba, size, thinned)))
        return
    painter.setPen(QPen(INK, 0.7) if is_outlined else Qt.PenStyle.NoPen)
    for (x, y), (red, green, blue, alpha) in zip(places.tolist(), np.clip(rgba, 0, 1).tolist(), strict=True):
        painter.setBrush(QColor.fromRgbF(red, green, blue, alpha * opacity))
        painter.drawEllipse(QPointF(x, y), size / 2, size / 2)


def dots_picture(
    places: NDArray[np.float64], rgba: NDArray[np.floating], size: float, opacity: float
) -> NDArray[np.float64]:
    """Draw discs over each other, whatever their order.

    Parameters
    ----------
    places
        ``(n, 2)`` in pixels of the figure, inside the square.
    rgba
        ``(n, 4)`` in 0..1.
    size
        Diameter in pixels of the figure.
    opacity
        Of one disc, times its own.

    Returns
    -------
    NDArray
        ``(n_rows, n_columns, 4)`` in 0..1: mean colour, weighted by opacity, and the opacity of all discs together.
    """
    from scipy.signal import oaconvolve

    n = SIDE_PX * PIXELS_PER_PX
    column, row = np.clip(np.floor(places.T * PIXELS_PER_PX), 0, n - 1).astype(np.int64)
    pixel = row * n + column
    alpha = np.clip(rgba[:, 3] * opacity, 0.0, 0.999)
    passing = -np.log1p(-alpha)  # light that passes several discs is the product of what passes each
    radius = size * PIXELS_PER_PX / 2
    across = np.arange(-int(radius) - 1, int(radius) + 2)
    disc = np.clip(radius + 0.5 - np.hypot(across[:, None], across[None]), 0.0, 1.0)
    sums = [
        oaconvolve(np.bincount(pixel, weights, n * n).reshape(n, n), disc, mode="same")
        for weights in (passing, *(passing * rgba[:, channel] for channel in range(3)))
    ]
    total = np.maximum(sums[0], 0.0)
    colors = np.stack(sums[1:], axis=-1) / np.maximum(total, 1e-6)[..., None]
    return np.concatenate([np.clip(colors, 0.0, 1.0), -np.expm1(-total)[..., None]], axis=-1)


def _image(rgba: NDArray[np.float64]) -> QImage:
    pixels = np.ascontiguousarray(np.round(255 * rgba).astype(np.uint8))
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
