"""What is drawn about the traces of an ECG: where its waves begin and end, and when it changed by how much.

The hard idea: between two steep lines there is no room to shade, and a QRS complex is all steep lines. So the time of a
change is shaded instead, and its sign is told by more than colour.
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.ecg_layout import TOP_PX, Paper
from napari_latent_explorer._qt.polyline import bent, make_polyline
from napari_latent_explorer._qt.theme import Theme, small_font
from napari_latent_explorer.analysis.ecg_difference import EcgDifference
from napari_latent_explorer.analysis.ecg_intervals import WaveBoundaries
from napari_latent_explorer.data.ecg import LEAD_NAMES

WAVES_PX = 16
"""Height that the names of the waves take below the leads."""
NAME_GAP_PX = 3.0
"""A name that would come closer to another is left out; QRS goes first, for what lies between P and T needs no name."""
LEAST_FULL_MV = 0.1
"""The shade of a smaller change is never at full strength."""
FULL_ALPHA = 0.75


def wave_spans(waves: WaveBoundaries) -> tuple[tuple[str, float, float], ...]:
    """Name, begin and end in ms of each wave that was found."""
    spans = (
        ("P", waves.p_onset_ms, waves.p_end_ms),
        ("QRS", waves.qrs_onset_ms, waves.qrs_end_ms),
        ("ST-T", waves.qrs_end_ms, waves.t_end_ms),
    )
    return tuple((name, begin, end) for name, begin, end in spans if begin is not None and end is not None)


def waves_top(paper: Paper) -> float:
    """Pixel below the leads at which the bars of the waves lie, above their names."""
    return max(float(paper.area(name).bottom()) for name in paper.rows[-1]) + 2


def paint_waves(painter: QPainter, widget: QWidget, theme: Theme, paper: Paper, waves: WaveBoundaries) -> None:
    """Draw a line through each column at each boundary, and the waves' names below."""
    bottom = waves_top(paper)
    painter.setFont(small_font(widget, 0.8))
    words = painter.fontMetrics()
    bar = QPen(theme.color("text"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
    dotted = QPen(theme.color("muted", 0.75), 1, Qt.PenStyle.DotLine)
    spans = wave_spans(waves)
    for left in paper.lefts:
        taken: list[QRectF] = []
        for name, begin_ms, end_ms in sorted(spans, key=lambda span: span[0] == "QRS"):
            begin, end = (left + time_ms * paper.px_per_ms for time_ms in (begin_ms, end_ms))
            painter.setPen(dotted)
            for x in (begin, end):
                painter.drawLine(QPointF(x, TOP_PX), QPointF(x, bottom))
            painter.setPen(bar)
            painter.drawLine(QPointF(begin + 1, bottom), QPointF(end - 1, bottom))
            width = words.horizontalAdvance(name)
            place = QRectF((begin + end - width) / 2, bottom + 1, width, WAVES_PX - 2)
            if not any(place.adjusted(-NAME_GAP_PX, 0, NAME_GAP_PX, 0).intersects(one) for one in taken):
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, name)
                taken.append(place)


def paint_difference(painter: QPainter, theme: Theme, paper: Paper, difference: EcgDifference) -> None:
    """Shade when each lead changed, the stronger the more, above its zero line where it rose and below where it fell.

    A dashed line tells what it was. All leads share one scale, whose full strength is the largest change of any lead.
    """
    times_ms = np.arange(difference.before_mv.shape[1]) * 1000.0 / difference.sampling_rate_hz
    most_mv = max(LEAST_FULL_MV, float(np.abs(difference.largest_mv).max()))
    for name, (left, zero) in paper.places.items():
        row = LEAD_NAMES.index(name)
        before, after = difference.before_mv[row], difference.after_mv[row]
        if np.isnan(before).any() or np.isnan(after).any():
            continue
        area, share = paper.area(name), (after - before) / most_mv
        area.setWidth(times_ms[-1] * paper.px_per_ms)
        above, below = QRectF(area), QRectF(area)
        above.setBottom(zero)
        below.setTop(zero)
        painter.drawImage(above, _strip(theme.color("warning"), share))
        painter.drawImage(below, _strip(theme.color("accent"), -share))
        painter.setPen(QPen(theme.color("muted"), 1, Qt.PenStyle.DashLine))
        x, y = bent(left + times_ms * paper.px_per_ms, zero - before * paper.px_per_mv)
        painter.drawPolyline(make_polyline(x, y))


def _strip(color: QColor, share: NDArray[np.floating]) -> QImage:
    """One row of pixels, as opaque as the root of `share` ``(n_samples,)``, so that small changes are seen too."""
    alpha = (FULL_ALPHA * np.sqrt(np.clip(share, 0.0, 1.0)))[:, None]
    # Qt's ARGB32 lies in memory as blue, green, red, alpha.
    parts = np.full((len(share), 4), [color.blue(), color.green(), color.red(), 255], np.float64) * alpha
    pixels = np.round(parts).astype(np.uint8)
    image = QImage(pixels.tobytes(), len(share), 1, 4 * len(share), QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()  # Qt does not own the bytes
