"""Film strip of a path: hearts at a few places on the way, with a lead of their ECG and their measured mass.

All are at the same moment of the heart cycle and on one grey scale. A dot on the line below says where the probe is; a
click on a heart takes it there.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QImageWriter, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, LIGHT, Theme, line_color, small_font
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.path import ProbePath
from napari_latent_explorer.session.path_survey import PathFilm

STRIDES = (1, 2, 4, 8)
LEAST_HEART_PX, GAP_PX, LEAD_PX, TRACK_PX = 66.0, 3.0, 26.0, 14.0
SAVED_HEART_PX, SAVED_SCALE = 150.0, 2
LEAD = "II"
CONTRAST_PERCENTILES = (0.5, 99.7)
_EVERY = (slice(None, None, 5), slice(None, None, 2), slice(None, None, 2))


class QtPathStrip(QWidget):
    """The strip.

    Parameters
    ----------
    parent
        Qt parent.
    """

    share_requested = Signal(float)
    """Share of the way to which the user wants to go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._film: PathFilm | None = None
        self._masses_g: NDArray[np.float64] = np.zeros(0)
        self._path: ProbePath | None = None
        self._share: float | None = None
        self._phase = 0.0
        self._limits = (0.0, 1.0)
        self._images: dict[tuple[int, int], QImage] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Hearts along the path")
        self.setToolTip(
            f"Hearts on the way, lead {LEAD}, and the measured mass of the left ventricle. Click to go there."
        )

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_film(self, film: PathFilm | None, path: ProbePath | None) -> None:
        """Show these hearts of a path, or none."""
        self._path = path
        if film is not self._film:
            self._film, self._images = film, {}
            self._masses_g = film.measured("lvm") if film is not None else np.zeros(0)
            cines = [one.result.cine[_EVERY] for one in film.outcomes if one.result.cine is not None] if film else []
            low, high = np.percentile(np.stack(cines), CONTRAST_PERCENTILES).tolist() if cines else (0.0, 1.0)
            self._limits = (low, max(high, low + 1e-6))
            self.updateGeometry()
        self.update()

    def set_share(self, share: float | None) -> None:
        """Show where the probe is; None when it is not on the path."""
        self._share = share
        self.update()

    def set_phase(self, phase: float) -> None:
        """Show all hearts at this part of the heart cycle, 0..1."""
        self._phase = phase
        self.update()

    @property
    def stills(self) -> tuple[int, ...]:
        """Which hearts of the film there is room for, both ends among them."""
        if self._film is None:
            return ()
        n = len(self._film.shares)
        fitting = [stride for stride in STRIDES if (n - 1) % stride == 0]
        for stride in fitting:
            shown = tuple(range(0, n, stride))
            if self._heart_px(len(shown)) >= LEAST_HEART_PX:
                return shown
        return (0, n - 1)

    def sizeHint(self) -> QSize:
        """As high as its parts are in the present width."""
        return QSize(300, self._height())

    def minimumSizeHint(self) -> QSize:
        """Never cut a part."""
        return QSize(160, self._height())

    def resizeEvent(self, event: object) -> None:
        """Take another height with another width."""
        self.updateGeometry()

    def _heart_px(self, n_shown: int) -> float:
        return float(min(150.0, (self.width() - GAP_PX * (n_shown - 1)) / n_shown))

    def _height(self) -> int:
        line = self.fontMetrics().height()
        if self._film is None:
            return 0
        heart_px = self._heart_px(len(self.stills)) if self._has_hearts() else 0.0
        return int(2 * line + heart_px + LEAD_PX + TRACK_PX + 2 * GAP_PX)

    def _has_hearts(self) -> bool:
        return self._film is not None and self._film.outcomes[0].result.cine is not None

    def place_of(self, still: int) -> QRectF:
        """Rectangle of a heart's picture."""
        shown = self.stills
        side = self._heart_px(len(shown))
        room = (self.width() - side * len(shown)) / max(1, len(shown) - 1)
        height = side if self._has_hearts() else 0.0
        return QRectF(shown.index(still) * (side + room), self.fontMetrics().height(), side, height)

    def x_of(self, share: float) -> float:
        """Pixel of a share of the way on the line below."""
        first, last = (self.place_of(still).center().x() for still in (self.stills[0], self.stills[-1]))
        return float(first + share * (last - first))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the heart under the pointer."""
        for still in self.stills:
            place = self.place_of(still)
            if self._film is not None and place.left() <= event.position().x() <= place.right():
                self.share_requested.emit(float(self._film.shares[still]))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw names, hearts, leads, masses and the dot."""
        painter = QPainter(self)
        self.render_to(painter)
        painter.end()

    def render_to(self, painter: QPainter) -> None:
        """Draw everything with any painter, for the screen or a file."""
        film = self._film
        if film is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(small_font(self, 0.88))
        self._paint_names(painter)
        for still in self.stills:
            self._paint_still(painter, film, still)
        self._paint_track(painter)

    def _paint_names(self, painter: QPainter) -> None:
        if self._path is None:
            return
        line, half = self.fontMetrics().height(), int(self.width() / 2) - 4
        for end, flag, left in (
            (self._path.start, Qt.AlignmentFlag.AlignLeft, 0),
            (self._path.end, Qt.AlignmentFlag.AlignRight, self.width() - half),
        ):
            painter.setPen(self._ink(end.color))
            words = painter.fontMetrics().elidedText(end.title, Qt.TextElideMode.ElideMiddle, half)
            painter.drawText(QRectF(left, 0, half, line), flag, words)

    def _ink(self, color: tuple[float, ...] | None) -> QColor:
        if color is None:
            return self._theme.color("text")
        shown = line_color(color, self._theme)
        return shown if self._theme.is_dark else shown.darker(150)

    def _paint_still(self, painter: QPainter, film: PathFilm, still: int) -> None:
        place, result = self.place_of(still), film.outcomes[still].result
        painter.fillRect(place, QColor("black"))
        if result.cine is not None:
            painter.drawImage(place, self._image(still, result.cine))
        lead = QRectF(place.left(), place.bottom() + GAP_PX, place.width(), LEAD_PX)
        ecg_mv = getattr(result, "ecg_mv", None)
        if ecg_mv is not None:
            self._paint_lead(painter, np.asarray(ecg_mv)[LEAD_NAMES.index(LEAD)], lead)
        mass_g = float(self._masses_g[still])
        if np.isfinite(mass_g):
            painter.setPen(self._theme.color("text"))
            words = QRectF(place.left() - 10, lead.bottom() + 1, place.width() + 20, self.fontMetrics().height())
            painter.drawText(words, Qt.AlignmentFlag.AlignHCenter, f"{format_value(mass_g)} g")

    def _image(self, still: int, cine: NDArray[np.float32]) -> QImage:
        frame = min(int(self._phase * len(cine)), len(cine) - 1)
        if (still, frame) not in self._images:
            self._images[still, frame] = gray_image(cine[frame], *self._limits)
        return self._images[still, frame]

    def _paint_lead(self, painter: QPainter, lead_mv: NDArray[np.float32], place: QRectF) -> None:
        painter.fillRect(place, self._theme.color("paper"))
        assert self._film is not None
        row = LEAD_NAMES.index(LEAD)
        every = [np.asarray(one.result.ecg_mv)[row] for one in self._film.outcomes if one.result.ecg_mv is not None]
        low, high = min(float(one.min()) for one in every), max(float(one.max()) for one in every)
        part = (np.nan_to_num(lead_mv) - low) / max(high - low, 1e-6)
        x = place.left() + np.arange(len(lead_mv)) / max(1, len(lead_mv) - 1) * place.width()
        painter.setPen(QPen(self._theme.color("text"), 1.0))
        painter.drawPolyline(make_polyline(x, place.bottom() - 2 - part * (place.height() - 4)))

    def _paint_track(self, painter: QPainter) -> None:
        y = self.height() - TRACK_PX / 2
        painter.setPen(QPen(self._theme.color("line"), 2))
        painter.drawLine(QPointF(self.x_of(0.0), y), QPointF(self.x_of(1.0), y))
        for still in self.stills:
            x = self.place_of(still).center().x()
            painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
        if self._share is not None:
            painter.setPen(QPen(self._theme.color("panel"), 1))
            painter.setBrush(self._theme.color("accent"))
            painter.drawEllipse(QPointF(self.x_of(self._share), y), 5, 5)


def strip_png(film: PathFilm, path: ProbePath, titles: tuple[str, str]) -> bytes:
    """All hearts of a film on white, as a PNG file, with other titles for the ends.

    Raises
    ------
    LatentExplorerError
        When Qt cannot write the format.
    """
    strip = QtPathStrip()
    strip.set_theme(LIGHT)
    strip.resize(int(len(film.shares) * (SAVED_HEART_PX + GAP_PX)), 1)
    named = replace(path, start=replace(path.start, title=titles[0]), end=replace(path.end, title=titles[1]))
    strip.set_film(film, named)
    strip.resize(strip.width(), strip.sizeHint().height())
    image = QImage(strip.size() * SAVED_SCALE, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    image.setDevicePixelRatio(SAVED_SCALE)
    painter = QPainter(image)
    strip.render_to(painter)
    painter.end()
    strip.deleteLater()
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"PNG")).write(image):
        raise LatentExplorerError("Qt could not write the film strip as PNG; reinstall Qt with its image formats.")
    return bytes(content.data())


def gray_image(frame: NDArray[np.float32], low: float, high: float) -> QImage:
    """Make Qt's picture of a frame ``(n_rows, n_columns)`` on a grey scale from `low` to `high`."""
    scaled = np.clip((np.nan_to_num(frame) - low) / (high - low), 0.0, 1.0)
    gray = np.ascontiguousarray(scaled * 255, dtype=np.uint8)
    rows, columns = gray.shape
    return QImage(gray.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
