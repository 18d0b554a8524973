"""One picture of a path's movie: start, here and end beside each other, their ECG below, and what is predicted here.

All three hearts are at one scale, for they are there to be compared. It is painted on an image, not on a widget, so
that it may be done on any thread, and names nobody: a movie may leave the house where ids have to stay.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.path_curves import value_text
from napari_latent_explorer._qt.path_strip import CONTRAST_PERCENTILES, LEAD, gray_image
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.session.decode_service import DecodeOutcome

WIDTH_PX, HEIGHT_PX = 960, 544
HEART_PX, TOP_PX, GAP_PX, LEAD_PX = 300.0, 72.0, 15.0, 70.0
ABOUT_PX = 38.0
"""Room of the last words, which are two or three lines."""
N_VALUES = 6


@dataclass(frozen=True, eq=False)
class PathPicture:
    """What all pictures of a movie have in common.

    Attributes
    ----------
    titles
        What the ends are called.
    start, end
        Decoded at the ends.
    shown
        Names of the phenotypes whose predictions are written.
    about
        Where it comes from, for the last line.
    """

    titles: tuple[str, str]
    start: DecodeOutcome
    end: DecodeOutcome
    shown: tuple[str, ...]
    about: str

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Darkest and brightest signal, the same throughout."""
        cines = [one.result.cine[::5, ::2, ::2] for one in (self.start, self.end) if one.result.cine is not None]
        low, high = np.percentile(np.stack(cines), CONTRAST_PERCENTILES).tolist() if cines else (0.0, 1.0)
        return low, max(high, low + 1e-6)

    @cached_property
    def limits_mv(self) -> tuple[float, float]:
        """Lowest and highest voltage of the lead at the ends, with some room."""
        leads = [lead for lead in (_lead_of(self.start), _lead_of(self.end)) if lead is not None]
        low, high = (
            (min(float(one.min()) for one in leads), max(float(one.max()) for one in leads)) if leads else (0, 1)
        )
        room = 0.1 * max(high - low, 0.1)
        return low - room, high + room

    def paint(self, outcome: DecodeOutcome, share: float, phase: float) -> QImage:
        """Paint what is seen at a share of the way and a part of the heart cycle, both 0..1."""
        image = QImage(WIDTH_PX, HEIGHT_PX, QImage.Format.Format_RGB888)
        image.fill(DARK.color("background"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        titles = (self.titles[0], f"{100 * share:.0f} % of the way", self.titles[1])
        for number, one in enumerate((self.start, outcome, self.end)):
            place = QRectF(GAP_PX + number * (HEART_PX + GAP_PX), TOP_PX, HEART_PX, HEART_PX)
            self._paint_heart(painter, one, place, phase)
            self._paint_words(painter, one, titles[number], place)
            self._paint_lead(painter, one, QRectF(place.left(), place.bottom() + 6, HEART_PX, LEAD_PX))
        self._paint_track(painter, share)
        self._paint_values(painter, outcome)
        painter.end()
        return image

    def _paint_heart(self, painter: QPainter, outcome: DecodeOutcome, place: QRectF, phase: float) -> None:
        painter.fillRect(place, QColor("black"))
        cine = outcome.result.cine
        if cine is not None:
            frame = min(int(phase * len(cine)), len(cine) - 1)
            painter.drawImage(place, gray_image(cine[frame], *self.limits))

    def _paint_words(self, painter: QPainter, outcome: DecodeOutcome, title: str, place: QRectF) -> None:
        painter.setFont(_font(13, is_bold=True))
        painter.setPen(DARK.color("text"))
        short = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(place.width()))
        line = QRectF(place.left(), place.top() - 44, place.width(), 22)
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, short)
        mass_g = np.nan if outcome.measures is None else outcome.measures.mass_g
        if np.isfinite(mass_g):
            painter.setFont(_font(11))
            words = f"LV mass {format_value(mass_g)} g measured"
            painter.drawText(line.translated(0, 22), Qt.AlignmentFlag.AlignHCenter, words)

    def _paint_lead(self, painter: QPainter, outcome: DecodeOutcome, place: QRectF) -> None:
        painter.fillRect(place, DARK.color("paper"))
        lead_mv = _lead_of(outcome)
        if lead_mv is None:
            return
        low, high = self.limits_mv
        x = place.left() + np.arange(len(lead_mv)) / max(1, len(lead_mv) - 1) * place.width()
        part = np.clip((lead_mv - low) / (high - low), 0.0, 1.0)
        painter.setPen(QPen(DARK.color("text"), 1.3))
        painter.drawPolyline(make_polyline(x, place.bottom() - part * place.height()))
        painter.setFont(_font(10))
        painter.setPen(DARK.color("muted"))
        painter.drawText(QPointF(place.left() + 4, place.top() + 14), LEAD)

    def _paint_track(self, painter: QPainter, share: float) -> None:
        left, right, y = GAP_PX + HEART_PX / 2, WIDTH_PX - GAP_PX - HEART_PX / 2, 14.0
        painter.setPen(QPen(DARK.color("line"), 3))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(DARK.color("accent"))
        painter.drawEllipse(QPointF(left + share * (right - left), y), 6, 6)

    def _paint_values(self, painter: QPainter, outcome: DecodeOutcome) -> None:
        table = outcome.predictions
        top = TOP_PX + HEART_PX + LEAD_PX + 14
        if table is not None and self.shown:
            columns = {spec.name: number for number, spec in enumerate(table.targets)}
            width = (WIDTH_PX - 2 * GAP_PX) / len(self.shown)
            for number, name in enumerate(self.shown):
                spec = table.targets[columns[name]]
                place = QRectF(GAP_PX + number * width, top, width - 6, 20)
                painter.setPen(DARK.color("muted"))
                painter.setFont(_font(10))
                title = painter.fontMetrics().elidedText(
                    _name_of(spec.label or spec.name, spec.categories), Qt.TextElideMode.ElideRight, int(width) - 6
                )
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft, title)
                painter.setPen(DARK.color("text"))
                painter.setFont(_font(12, is_bold=True))
                value = value_text(spec, float(table.values[-1, columns[name]]))
                painter.drawText(place.translated(0, 17), Qt.AlignmentFlag.AlignLeft, value)
        painter.setPen(DARK.color("muted"))
        painter.setFont(_font(9))
        last = QRectF(GAP_PX, HEIGHT_PX - ABOUT_PX, WIDTH_PX - 2 * GAP_PX, ABOUT_PX - 4)
        wrapped = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignBottom) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(last, wrapped, self.about)


def _name_of(label: str, categories: tuple[str, ...]) -> str:
    return f"{label}: {categories[1]}" if len(categories) > 1 else label


def _lead_of(outcome: DecodeOutcome) -> NDArray[np.float32] | None:
    ecg_mv = getattr(outcome.result, "ecg_mv", None)
    return None if ecg_mv is None else np.nan_to_num(np.asarray(ecg_mv)[LEAD_NAMES.index(LEAD)])


def _font(size_px: int, is_bold: bool = False) -> QFont:
    font = QFont()
    font.setPixelSize(size_px + 2)
    font.setBold(is_bold)
    return font
