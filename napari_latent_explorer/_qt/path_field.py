"""A line for a file or a folder: typed, chosen in a dialog, or dropped."""

from pathlib import Path
from typing import Literal

from qtpy.QtCore import QMimeData, Signal
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget

Wanted = Literal["file", "folder", "new folder"]


class QtPathField(QWidget):
    """Line with a button that opens a dialog.

    Parameters
    ----------
    name
        What the path is, for dialog and screen reader.
    wanted
        A file or folder that is there, or a folder that is to be made.
    tool_tip
        One sentence.
    file_filter
        Of the dialog for files.
    parent
        Qt parent.
    """

    path_changed = Signal(object)
    """The path that was given, or None."""

    def __init__(
        self, name: str, wanted: Wanted, tool_tip: str, file_filter: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._wanted, self._tool_tip, self._filter = name, wanted, tool_tip, file_filter
        self._path: Path | None = None
        self._suggestion: Path | None = None
        self.line = _PathLine(wanted, self)
        self.line.setAccessibleName(name)
        self.line.setPlaceholderText("drop or choose a file" if wanted == "file" else "drop or choose a folder")
        self.line.setClearButtonEnabled(True)
        self.button = QToolButton(self)
        self.button.setText("…")
        self.button.setAccessibleName(f"Choose: {name}")
        self.button.setToolTip(f"Choose: {name}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self.setFocusProxy(self.line)
        self.line.editingFinished.connect(self._take)
        self.line.textChanged.connect(self._on_text_changed)
        self.line.dropped.connect(self.choose)
        self.button.clicked.connect(self._on_button_clicked)
        self._show_problem()

    @property
    def path(self) -> Path | None:
        """What was given; None for nothing."""
        return self._path

    def suggest(self, path: Path | None) -> None:
        """Say what could be given, in the empty line and as the dialog's first choice."""
        self._suggestion = path
        if path is not None:
            self.line.setPlaceholderText(f"e.g. {path}")

    @property
    def problem(self) -> str:
        """Why the path cannot be used; empty if it can."""
        if self._path is None:
            return ""
        if self._wanted == "file" and not self._path.is_file():
            return f"There is no file {self._path}."
        if self._wanted == "folder" and not self._path.is_dir():
            return f"There is no folder {self._path}."
        if self._wanted == "new folder" and self._path.is_file():
            return f"{self._path} is a file; choose a folder."
        return ""

    def set_path(self, path: Path | None) -> None:
        """Show a path; says nothing to anybody."""
        self._path = path
        was_blocked = self.line.blockSignals(True)
        self.line.setText("" if path is None else str(path))
        self.line.setCursorPosition(0)
        self.line.blockSignals(was_blocked)
        self._show_problem()

    def choose(self, path: Path | None) -> None:
        """Take a path as if it had been typed."""
        before = self._path
        self.set_path(path)
        if path != before:
            self.path_changed.emit(path)

    def _take(self) -> None:
        text = self.line.text().strip()
        self.choose(Path(text).expanduser() if text else None)

    def _on_text_changed(self, text: str) -> None:
        if not text:
            self._take()  # cleared by the button in the line, which ends no editing

    def _on_button_clicked(self) -> None:
        start = str(self._path.parent if self._path is not None else "")
        if self._wanted == "file":
            chosen, _ = QFileDialog.getOpenFileName(self, self._name, start, self._filter)
        elif self._wanted == "folder":
            chosen = QFileDialog.getExistingDirectory(self, self._name, start)
        else:
            chosen, _ = QFileDialog.getSaveFileName(self, self._name, str(self._path or self._suggestion or ""))
        if chosen:
            self.choose(Path(chosen))

    def _show_problem(self) -> None:
        self.line.setToolTip(self.problem or (f"{self._tool_tip}\n{self._path}" if self._path else self._tool_tip))
        self.line.setProperty("hasProblem", bool(self.problem))
        self.line.setStyleSheet("QLineEdit { border: 1px solid #e06c6c; }" if self.problem else "")


class _PathLine(QLineEdit):
    """Takes one dropped file or folder instead of the text that Qt would make of it."""

    dropped = Signal(object)

    def __init__(self, wanted: Wanted, parent: QWidget) -> None:
        super().__init__(parent)
        self._wanted = wanted

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one path of the right kind."""
        if self._path_of(event.mimeData()) is not None:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Take it anywhere on the line."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the path."""
        path = self._path_of(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.dropped.emit(path)

    def _path_of(self, mime: QMimeData) -> Path | None:
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if len(paths) != 1 or (self._wanted == "file") != paths[0].is_file():
            return None
        return paths[0]
