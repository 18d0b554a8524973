"""Scroll areas, forms and tables that look alike wherever they stand."""

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QFormLayout, QFrame, QLabel, QLayout, QScrollArea, QTableView, QWidget


def scrolled(inside: QWidget, parent: QWidget) -> QScrollArea:
    """Put a widget into an area of its own width that scrolls up and down only."""
    area = QScrollArea(parent)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def question_rows(rows: Iterable[tuple[str, QWidget | None, QWidget | QLayout]], parent: QWidget) -> QFormLayout:
    """Lay out words with what they ask for.

    Parameters
    ----------
    rows
        Words, the field that they are read out with, if any, and what stands beside them.
    parent
        Parent of the words.
    """
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(4)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    for text, buddy, field in rows:
        words = QLabel(text, parent)
        if buddy is not None:
            words.setBuddy(buddy)
        if isinstance(field, QWidget):
            layout.addRow(words, field)
        else:
            layout.addRow(words, field)
    return layout


def set_up_rows(view: QTableView, name: str, row_px: int) -> None:
    """Make a table one of whole rows, without grid and row numbers."""
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(row_px)
    view.horizontalHeader().setHighlightSections(False)
