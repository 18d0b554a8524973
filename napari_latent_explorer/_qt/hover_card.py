"""A small card beside the pointer: who the point is, and what their heart looks like.

The hard idea: the pointer is on its way most of the time. So the card waits until it has rested for a moment, shows the
words at once and the picture when a worker has read it, and never lies under the pointer, where it would take the
place of the point that it speaks of.
"""

from qtpy.QtCore import QPoint, QRect, QSize, Qt, QTimer
from qtpy.QtGui import QCursor, QGuiApplication
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.participant_text import describe_participant
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer._qt.thumbnail_view import QtBeatingHeart, QtBeatLine
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.thumbnails import Thumbnail

REST_MS = 150
BESIDE_PX = 18
MODALITIES_OF_MAP = {"mri": ("mri",), "ecg": ("ecg",), "joint": ("mri", "ecg")}


def place_beside(pointer: QPoint, size: QSize, screen: QRect) -> QPoint:
    """Top left corner of a card of this size beside the pointer and on the screen.

    Below and to the right of it; where there is no room, to the left, or above.
    """
    x, y = pointer.x() + BESIDE_PX, pointer.y() + BESIDE_PX
    if x + size.width() > screen.right():
        x = max(screen.left(), pointer.x() - BESIDE_PX - size.width())
    if y + size.height() > screen.bottom():
        y = max(screen.top(), pointer.y() - BESIDE_PX - size.height())
    return QPoint(x, y)


class QtHoverCard(QFrame):
    """Tells of the participant on whose point the pointer rests.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip | Qt.WindowType.WindowTransparentForInput)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._explorer = explorer
        self._participant_id = ""
        self._modalities: tuple[str, ...] = ()
        self._cine, self._beat = QtBeatingHeart(self), QtBeatLine(self)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.RichText)  # by `describe_participant`, which escapes all of it
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)
        self._build_layout()
        self.set_theme(DARK)
        listen(self, explorer.thumbnails.made, self._on_thumbnail_made)

    def _build_layout(self) -> None:
        pictures = QVBoxLayout()
        pictures.setSpacing(6)
        pictures.addWidget(self._cine)
        pictures.addWidget(self._beat)
        pictures.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(10)
        layout.addLayout(pictures)
        layout.addWidget(self._text, 0, Qt.AlignmentFlag.AlignTop)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(
            f"QtHoverCard {{ background: {theme.panel}; border: 1px solid {theme.line}; border-radius: 5px; }}"
            f"QtHoverCard QLabel {{ color: {theme.text}; background: transparent; }}"
        )
        self._cine.set_theme(theme)
        self._beat.set_theme(theme)

    def point_at(self, participant_id: str, map_name: str) -> None:
        """Tell of a participant on a map as soon as the pointer has rested."""
        if (participant_id, MODALITIES_OF_MAP[map_name]) == (self._participant_id, self._modalities):
            return
        self.leave()
        self._participant_id, self._modalities = participant_id, MODALITIES_OF_MAP[map_name]
        self._rest.start()

    def leave(self) -> None:
        """Tell of nobody."""
        self._participant_id, self._modalities = "", ()
        self._rest.stop()
        self.hide()

    def _on_rest(self) -> None:
        cohort, study = self._explorer.cohort, self._explorer.study
        if cohort is None or study is None or self._participant_id not in cohort:
            return
        self._text.setText(describe_participant(self._explorer.state, self._participant_id))
        self._cine.show_thumbnail(None)
        self._beat.show_thumbnail(None)
        self._cine.setVisible("mri" in self._modalities)
        self._beat.setVisible("ecg" in self._modalities)
        self.adjustSize()
        pointer = QCursor.pos()
        screen = QGuiApplication.screenAt(pointer) or self.screen()
        self.move(place_beside(pointer, self.size(), screen.availableGeometry()))
        self.show()
        self._explorer.thumbnails.request(study, self._participant_id, self._modalities)

    def _on_thumbnail_made(self, thumbnail: Thumbnail) -> None:
        if (thumbnail.participant_id, thumbnail.modalities) == (self._participant_id, self._modalities):
            self._cine.show_thumbnail(thumbnail.cine, is_known=True)
            self._beat.show_thumbnail(thumbnail.beat, is_known=True)
