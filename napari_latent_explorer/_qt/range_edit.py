"""The range of a number, typed: ``55 to 65``, ``55-65``, ``> 60``, ``at most 45``.

What is typed and cannot be read stays, in the colour of errors, with the reason as tool tip; Escape brings back what
holds.
"""

import math
import re

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_latent_explorer._qt.numbers import format_range
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.filters import Filter, RangeFilter

EXAMPLES = "Type a range, e.g. 55 to 65, > 60 or at most 45; nothing takes it away."
_NUMBER = r"([-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)"
_BETWEEN = re.compile(rf"{_NUMBER}\s*(?:to|\.\.|-)\s*(<|under|below|)\s*{_NUMBER}")
_ONE_SIDED = re.compile(rf"(>=|>|<=|<|at least|at most|over|above|under|below|from|to|=|)\s*{_NUMBER}")
_AS_TYPED = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "…": "..", "≥": ">=", "≤": "<="})
MOST_CHARACTERS = 18
MARGIN_PX = 18


def parse_range(text: str) -> tuple[float, float] | None:
    """Lowest and highest value that are meant, infinite where open; None for an empty text.

    Raises
    ------
    ValueError
        When the text is no range, or upside down.
    """
    words = " ".join(text.translate(_AS_TYPED).replace("..", " .. ").lower().split())
    if not words:
        return None
    if between := _BETWEEN.fullmatch(words):
        low, high = (float(number.replace(",", "")) for number in between.group(1, 3))
        high = math.nextafter(high, -math.inf) if between[2] else high
    elif one_sided := _ONE_SIDED.fullmatch(words):
        low, high = _one_sided(one_sided[1], float(one_sided[2].replace(",", "")))
    else:
        raise ValueError(f"{text!r} is no range. {EXAMPLES}")
    if math.inf in (low, -high) or not low <= high:
        raise ValueError(f"{text!r} is upside down: write the smaller number first.")
    return low, high


def _one_sided(relation: str, number: float) -> tuple[float, float]:
    if relation in (">", "over", "above"):
        return math.nextafter(number, math.inf), math.inf
    if relation in ("<", "under", "below"):
        return -math.inf, math.nextafter(number, -math.inf)
    if relation in (">=", "at least", "from"):
        return number, math.inf
    return (-math.inf, number) if relation in ("<=", "at most", "to") else (number, number)


class QtRangeEdit(QLineEdit):
    """A field for the range of one phenotype.

    Parameters
    ----------
    spec
        The phenotype.
    parent
        Qt parent.
    """

    range_entered = Signal(object)
    """Lowest and highest value, or None to take the range away."""

    def __init__(self, spec: PhenotypeSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = spec
        self._theme = DARK
        self._filter: Filter | None = None
        self._problem: str | None = None
        self.setPlaceholderText("range")
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAccessibleName(f"Range of {spec.title}")
        self.returnPressed.connect(self._on_return_pressed)
        self.textEdited.connect(lambda: self._show_problem(""))
        self.textChanged.connect(self._fit_width)
        self._restore()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self._problem = None
        self._show_problem("")

    def set_filter(self, chosen: Filter | None) -> None:
        """Show the filter of the phenotype, unless somebody is typing."""
        if chosen != self._filter:
            self._filter = chosen
            if not (self.hasFocus() and self.isModified()):
                self._restore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape brings back what holds."""
        if event.key() == Qt.Key.Key_Escape:
            self._restore()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take what was typed."""
        super().focusOutEvent(event)
        if self.isModified():
            self._on_return_pressed()

    def _on_return_pressed(self) -> None:
        try:
            entered = parse_range(self.text())
        except ValueError as error:
            self._show_problem(str(error))
            return
        self.setModified(False)
        self.range_entered.emit(entered)

    def _restore(self) -> None:
        chosen = self._filter
        self.setText(format_range(chosen.low, chosen.high) if isinstance(chosen, RangeFilter) else "")
        self.setPlaceholderText("range" if chosen is None or isinstance(chosen, RangeFilter) else "as in the chips")
        self.setModified(False)
        self.setCursorPosition(0)
        self._fit_width()
        self._show_problem("")

    def _fit_width(self) -> None:
        shown = self.text() or self.placeholderText()
        self.setFixedWidth(self.fontMetrics().horizontalAdvance(shown[:MOST_CHARACTERS]) + MARGIN_PX)

    def _show_problem(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        self.setToolTip(problem or f"{self._spec.title}. {EXAMPLES}")
        color = self._theme.error if problem else self._theme.accent
        rule = f"border: 1px solid {self._theme.error if problem else self._theme.line}; border-radius: 3px;"
        self.setStyleSheet(f"QLineEdit {{ color: {color}; background: transparent; padding: 0px 3px; {rule} }}")
