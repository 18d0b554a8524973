"""Thumbnails of recordings as widgets: a heart that beats at its own pace, and one lead of a beat."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.session.thumbnails import BeatThumbnail, CineThumbnail

PICTURE_PX = 116
"""Side of the heart's picture; that of the beat is wider and lower."""


class _QtPicture(QWidget):
    """A picture of fixed size, or the words that stand in its place."""

    def __init__(self, size: QSize, absent: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(size)
        self.setFont(small_font(self))
        self._theme = DARK
        self._absent = absent
        self._words = ""

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.update()

    def _say(self, is_there: bool, is_known: bool) -> None:
        self._words = "" if is_there else self._absent if is_known else "Reading…"
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture or the words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), self._theme.color("paper"))
        if self._words:
            painter.setPen(self._theme.color("muted"))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._words)
        else:
            self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        raise NotImplementedError


class QtBeatingHeart(_QtPicture):
    """One slice of a cine, at the pace at which it was recorded."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(QSize(PICTURE_PX, PICTURE_PX), "no cine", parent)
        self._images: list[QImage] = []
        self._aspect = 1.0
        self._number = 0
        self._beat = QTimer(self)
        self._beat.timeout.connect(self._on_beat)

    @property
    def is_beating(self) -> bool:
        """Whether frames follow each other."""
        return bool(self._beat.isActive())

    def show_thumbnail(self, thumbnail: CineThumbnail | None, is_known: bool = False) -> None:
        """Show a heart, or that there is none, or that it is not known yet."""
        self._number = 0
        self._images = [] if thumbnail is None else [_image_of(frame) for frame in thumbnail.frames]
        self._say(bool(self._images), is_known)
        self._beat.stop()
        if thumbnail is not None:
            self._aspect = thumbnail.aspect
            if len(self._images) > 1:
                self._beat.start(round(thumbnail.rr_interval_ms / len(self._images)))

    def hideEvent(self, event: QHideEvent) -> None:
        """Stand still while nobody sees it."""
        super().hideEvent(event)
        self._beat.stop()

    def _on_beat(self) -> None:
        self._number = (self._number + 1) % len(self._images)
        self.update()

    def _paint(self, painter: QPainter) -> None:
        image = self._images[self._number]
        width, height = image.width(), image.height() * self._aspect
        scale = min(self.width() / width, self.height() / height)
        place = QRectF(0.0, 0.0, width * scale, height * scale)
        place.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(place, image)


class QtBeatLine(_QtPicture):
    """One lead of a beat, with its name and a bar of one millivolt."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(QSize(PICTURE_PX * 3 // 2, PICTURE_PX * 3 // 4), "no ECG", parent)
        self._thumbnail: BeatThumbnail | None = None

    def show_thumbnail(self, thumbnail: BeatThumbnail | None, is_known: bool = False) -> None:
        """Show a beat, or that there is none, or that it is not known yet."""
        self._thumbnail = thumbnail
        self._say(thumbnail is not None, is_known)

    def _paint(self, painter: QPainter) -> None:
        if self._thumbnail is None:
            return
        signal_mv = self._thumbnail.signal_mv
        low, high = float(min(signal_mv.min(), -0.2)), float(max(signal_mv.max(), 0.8))
        px_per_mv = (self.height() - 12) / (high - low)
        x = np.linspace(4, self.width() - 4, len(signal_mv))
        painter.setPen(QPen(self._theme.color("text"), 1.3))
        painter.drawPolyline(make_polyline(x, 6 + (high - signal_mv) * px_per_mv))
        painter.setPen(self._theme.color("muted"))
        painter.drawText(self.rect().adjusted(4, 1, -4, -1), int(Qt.AlignmentFlag.AlignLeft), self._thumbnail.lead_name)
        bottom = QPointF(self.width() - 5, 6 + high * px_per_mv)
        painter.drawLine(bottom, bottom - QPointF(0.0, px_per_mv))


def _image_of(frame: NDArray[np.uint8]) -> QImage:
    """Copy shades ``(n_rows, n_columns)`` into an image."""
    rows, columns = frame.shape
    return QImage(np.ascontiguousarray(frame).tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
