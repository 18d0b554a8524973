"""A field for one sentence that underlines parts of it and offers words for them.

The hard idea: the field knows nothing of what a sentence means. It is given marks, each with a span and with words that
could stand there, and says which were chosen; so nothing here can be wrong about a study.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QModelIndex, QPoint, QRect, QStringListModel, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QTextCharFormat, QTextCursor
from qtpy.QtWidgets import QCompleter, QListView, QPlainTextEdit, QTextEdit, QToolTip, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme

MAX_LINES = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """An underlined part of a sentence.

    Attributes
    ----------
    start, end
        Where in the text.
    text
        Why, for a tooltip.
    is_problem
        Whether it is not understood, rather than taken for something else.
    offers
        What is offered for it, each with the text that would stand in its place; None to leave it as it is.
    """

    start: int
    end: int
    text: str
    is_problem: bool
    offers: Mapping[str, str | None]


class QtSentenceLine(QPlainTextEdit):
    """Grows from one line to a few; Enter and Tab leave it.

    Parameters
    ----------
    parent
        Qt parent.

    Attributes
    ----------
    popup
        The list of what is offered.
    popup_gap_px
        How far below the field it opens, so that it hides nothing that is said there.
    """

    entered = Signal()
    """Enter was pressed."""
    focused = Signal()
    left_as_typed = Signal(str)
    """The word that shall stay as it is written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: tuple[Mark, ...] = ()
        self._offered: Mark | None = None
        self._theme = DARK
        self.popup_gap_px = 0
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._completer = QCompleter(QStringListModel(self), self)
        self.popup = QListView()
        self._completer.setPopup(self.popup)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.activated.connect(self._on_offer_activated)
        self.textChanged.connect(self._fit_height)
        self.textChanged.connect(self.popup.hide)
        self._fit_height()

    @property
    def text(self) -> str:
        """What is written, in one line."""
        return self.toPlainText().replace("\n", " ")

    @property
    def offered(self) -> tuple[str, ...]:
        """What the open list offers; empty when it is closed."""
        model = self._completer.model()
        if not self.popup.isVisible() or not isinstance(model, QStringListModel):
            return ()
        return tuple(model.stringList())

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.setStyleSheet(
            f"QPlainTextEdit {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.line};"
            f" border-radius: 4px; padding: 2px; }} QPlainTextEdit:focus {{ border-color: {theme.accent}; }}"
        )
        self.popup.setStyleSheet(
            f"QListView {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.accent}; }}"
            f"QListView::item {{ padding: 2px 4px; }}"
            f"QListView::item:selected {{ background: {theme.accent}; color: {theme.background}; }}"
        )
        self.set_marks(self._marks)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Underline these parts instead of the former: waves for what is not understood, dots for the rest."""
        self._marks = tuple(marks)
        selections = []
        for mark in self._marks:
            selection = QTextEdit.ExtraSelection()
            cursor = self.textCursor()
            cursor.setPosition(min(mark.start, len(self.text)))
            cursor.setPosition(min(mark.end, len(self.text)), QTextCursor.MoveMode.KeepAnchor)
            style = QTextCharFormat()
            line = QTextCharFormat.UnderlineStyle
            style.setUnderlineStyle(line.WaveUnderline if mark.is_problem else line.DotLine)
            style.setUnderlineColor(QColor(self._theme.error if mark.is_problem else self._theme.accent))
            selection.format, selection.cursor = style, cursor
            selections.append(selection)
        self.setExtraSelections(selections)

    def mark_at(self, place: int) -> Mark | None:
        """Return the mark that holds a place in the text, or ends there."""
        return next((mark for mark in self._marks if mark.start <= place <= mark.end), None)

    def offer(self) -> None:
        """Open the list of what could stand at the cursor; close it where nothing is offered."""
        mark = self.mark_at(self.textCursor().position())
        self._offered = mark
        if mark is None or not mark.offers:
            self.popup.hide()
            return
        model = self._completer.model()
        if isinstance(model, QStringListModel) and model.stringList() != list(mark.offers):
            model.setStringList(list(mark.offers))
        place = self.cursorRect()
        width = max(self.fontMetrics().horizontalAdvance(words) for words in mark.offers) + 40
        self._completer.complete(QRect(place.left(), 0, width, self.height() + self.popup_gap_px))
        self.popup.setCurrentIndex(QModelIndex())  # or Enter would choose what nobody chose

    def go_to_mark(self, mark: Mark) -> None:
        """Put the cursor at the end of a mark."""
        cursor = self.textCursor()
        cursor.setPosition(min(mark.end, len(self.text)))
        self.setTextCursor(cursor)

    def _on_offer_activated(self, chosen: str) -> None:
        mark = self._offered
        if mark is None or chosen not in mark.offers:
            return
        written = self.text[mark.start : mark.end]
        text = mark.offers[chosen]
        if text is None:
            self.left_as_typed.emit(written)
            return
        cursor = self.textCursor()
        cursor.setPosition(mark.start)
        cursor.setPosition(min(mark.end, len(self.text)), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def _fit_height(self) -> None:
        n_lines = int(self.document().size().height())
        margins = 2 * (self.frameWidth() + int(self.document().documentMargin()) + 2)
        self.setFixedHeight(min(max(n_lines, 1), MAX_LINES) * self.fontMetrics().lineSpacing() + margins)

    # ---- Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter applies, unless it chooses from the open list; Alt+Down opens that."""
        popup = self.popup
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if popup.isVisible() and (event.key() == Qt.Key.Key_Escape or (is_enter and popup.currentIndex().isValid())):
            event.ignore()
        elif is_enter:
            popup.hide()
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.offer()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Offer words for the underlined one that was clicked."""
        super().mouseReleaseEvent(event)
        if not self.textCursor().hasSelection():
            self.offer()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that somebody is about to write."""
        super().focusInEvent(event)
        self.focused.emit()

    def event(self, event: object) -> bool:
        """Show why something is underlined under the pointer."""
        if isinstance(event, QHelpEvent):
            mark = self.mark_at(self.cursorForPosition(QPoint(event.pos())).position())
            if mark is not None:
                QToolTip.showText(event.globalPos(), mark.text, self)
                return True
        return bool(super().event(event))  # type: ignore[arg-type]

    def resizeEvent(self, event: object) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit_height()
