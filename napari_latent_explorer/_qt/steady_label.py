"""Words that change all the time, without the window being laid out anew for each of them.

A `QLabel` with other words asks its layout for other room, that one the next, up to the window, which is then painted
once more: 20 ms where the processor draws. This one has room for some lines, whatever they say.
"""

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget


class QtSteadyLabel(QWidget):
    """Plain text in the room of `n_lines`; one line is cut at its end, several are wrapped.

    Parameters
    ----------
    parent
        Qt parent.
    n_lines
        For which there is room.
    """

    def __init__(self, parent: QWidget | None = None, n_lines: int = 1) -> None:
        super().__init__(parent)
        self._text = ""
        self._n_lines = n_lines
        self._alignment = Qt.AlignmentFlag.AlignLeft
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return what it says."""
        return self._text

    def setText(self, text: str) -> None:
        """Say something else."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def setAlignment(self, alignment: Qt.AlignmentFlag) -> None:
        """Align the lines to the left, the right or the middle."""
        self._alignment = alignment
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the lines."""
        return QSize(160, self._n_lines * self.fontMetrics().lineSpacing() + 2)

    def minimumSizeHint(self) -> QSize:
        """As high in a narrow dock."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write the words in the style's colour."""
        words, flags = self._text, self._alignment | Qt.AlignmentFlag.AlignVCenter
        if self._n_lines == 1:
            words = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, self.width())
        painter = QPainter(self)
        wrap = Qt.TextFlag.TextWordWrap if self._n_lines > 1 else Qt.TextFlag.TextSingleLine
        self.style().drawItemText(
            painter,
            self.rect(),
            int(flags) | int(wrap),
            self.palette(),
            self.isEnabled(),
            words,
            QPalette.ColorRole.WindowText,
        )
