"""The heart box by hand: whose it is, where it lies, and what is done with it; every number can be typed, too."""

from collections.abc import Callable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.heart_boxing import HeartBoxing

NOBODY = "No cine is shown. Click a participant on a map, type an id, or drop a cine on the window."
RULES = (("centred on its middle", "centred"), ("as published, from its upper left", "published"))
SOURCES = {"labels": "from the labels", "motion": "from what moves", "by hand": "drawn by hand"}
MAX_PX = 100_000


class QtHeartBoxDock(QWidget):
    """Whose heart, the four numbers of the box, and buttons.

    Parameters
    ----------
    explorer
        The session.
    boxing
        The box.
    parent
        Qt parent.
    """

    failed = Signal(Exception)
    """Something could not be done that the user must know of."""

    def __init__(self, explorer: Explorer, boxing: HeartBoxing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._boxing = boxing
        self.title = QLabel(self)
        self.words = QLabel(self)
        self.outcome = QLabel(self)
        self.participant = QLineEdit(self)
        self.next_without = QPushButton("Next without box", self)
        self.place = QPushButton("Place heart box", self)
        self.use = QPushButton("Use this box", self)
        self.reset = QPushButton("Reset", self)
        self.rule = QComboBox(self)
        self.numbers = {name: QSpinBox(self) for name in ("row_start", "column_start", "n_rows", "n_columns")}
        self._set_up()
        self._build_layout()
        self._connect()
        self.set_theme(DARK)
        self.synchronize()

    def _set_up(self) -> None:
        self.title.setFont(small_font(self, 1.0, is_bold=True))
        for words in (self.title, self.words, self.outcome):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label, value in RULES:
            self.rule.addItem(label, value)
        self.participant.setPlaceholderText("participant id")
        for spin in self.numbers.values():
            spin.setRange(0, MAX_PX)
            spin.setKeyboardTracking(False)
            spin.setSuffix(" px")
        for widget, name, tool_tip in (
            (self.participant, "Participant id", "Show this participant and place their box  [Return]"),
            (self.next_without, "", "Show the next participant whose box came from motion only, or who has none"),
            (self.place, "", "Draw the box where the heart was found; drag it, or its corners, in the picture"),
            (
                self.use,
                "",
                "Keep this box: a participant's with the study, a dropped recording's for encoding it again",
            ),
            (self.reset, "Reset the box", "Take the box back to where it was found"),
            (self.rule, "Crop", "How the model's input is cropped: the pale green rectangle is what it sees"),
            (self.numbers["row_start"], "First row", "First row of the box"),
            (self.numbers["column_start"], "First column", "First column of the box"),
            (self.numbers["n_rows"], "Height", "Rows of the box"),
            (self.numbers["n_columns"], "Width", "Columns of the box"),
        ):
            widget.setToolTip(tool_tip)
            if name:
                widget.setAccessibleName(name)

    def _build_layout(self) -> None:
        who = QHBoxLayout()
        who.addWidget(self.participant, 1)
        who.addWidget(self.next_without)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        for place, spin in enumerate(self.numbers.values()):
            words = QLabel(spin.accessibleName(), self)
            words.setBuddy(spin)
            grid.addWidget(words, place // 2, 2 * (place % 2))
            grid.addWidget(spin, place // 2, 2 * (place % 2) + 1)
            grid.setColumnStretch(2 * (place % 2) + 1, 1)
        crop = QFormLayout()
        crop.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        crop.addRow("Crop", self.rule)
        buttons = QHBoxLayout()
        buttons.addWidget(self.use, 1)
        buttons.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.title)
        layout.addLayout(who)
        layout.addWidget(self.place)
        layout.addWidget(self.words)
        layout.addLayout(grid)
        layout.addLayout(crop)
        layout.addLayout(buttons)
        layout.addWidget(self.outcome)
        layout.addStretch(1)
        layout.addWidget(QtJobStrip(self._explorer.jobs, self))
        self.setMinimumWidth(240)

    def _connect(self) -> None:
        boxing = self._boxing
        self.place.clicked.connect(lambda: self._try(boxing.place))
        self.use.clicked.connect(lambda: self._try(boxing.use))
        self.reset.clicked.connect(boxing.reset)
        self.next_without.clicked.connect(lambda: self._try(boxing.show_next_without))
        self.participant.returnPressed.connect(self._on_id_typed)
        self.rule.activated.connect(lambda: boxing.set_rule(self.rule.currentData()))
        for spin in self.numbers.values():
            spin.valueChanged.connect(self._on_number_changed)
        listen(self, boxing.subject_changed, self._on_subject_changed)
        listen(self, boxing.box_changed, self.synchronize)
        listen(self, boxing.used, self._on_used)
        listen(self, self._explorer.study_changed, self.synchronize)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.words.setStyleSheet(f"color: {theme.muted};")

    def synchronize(self) -> None:
        """Show the session's box."""
        subject, box = self._boxing.subject, self._boxing.box
        self.title.setText(subject.label if subject is not None else "No cine")
        self.words.setText(self._sentence())
        self.place.setEnabled(subject is not None)
        for widget in (self.use, self.rule, *self.numbers.values()):
            widget.setEnabled(box is not None)
        self.reset.setEnabled(box is not None and box != self._boxing.found)
        has_study = self._explorer.study is not None
        for control in (self.participant, self.next_without):
            control.setEnabled(has_study)
        if box is not None:
            self.rule.setCurrentIndex(self.rule.findData(box.rule))
            for name, spin in self.numbers.items():
                was_blocked = spin.blockSignals(True)
                spin.setValue(getattr(box, name))
                spin.blockSignals(was_blocked)

    def _sentence(self) -> str:
        subject, box = self._boxing.subject, self._boxing.box
        if subject is None:
            return NOBODY
        if box is None:
            return f"{subject.shape[0]} x {subject.shape[1]} pixels. Place the box to see where the heart was found."
        rows_mm, columns_mm = subject.cine.spacing_mm[1:]
        size = (
            f"{box.n_rows} x {box.n_columns} pixels, {box.n_rows * rows_mm:.0f} x {box.n_columns * columns_mm:.0f} mm"
        )
        return f"{size}, {SOURCES[box.source]}."

    def _on_subject_changed(self) -> None:
        self.outcome.clear()
        self.synchronize()

    def _on_used(self, words: str) -> None:
        self.outcome.setText(words)

    def _on_number_changed(self) -> None:
        box = self._boxing.box
        if box is not None:
            row, column, n_rows, n_columns = (spin.value() for spin in self.numbers.values())
            self._boxing.move(HeartBox(row, column, max(1, n_rows), max(1, n_columns), box.rule, "by hand"))
            self.synchronize()  # a number that is not possible shows what came of it

    def _on_id_typed(self) -> None:
        self._try(lambda: self._boxing.show(self.participant.text().strip()))

    def _try(self, do: Callable[[], None]) -> None:
        self.outcome.clear()
        try:
            do()
        except LatentExplorerError as error:
            self.failed.emit(error)
