"""What a direction moves, as a table with a drawn column: each effect about a zero line, filled where it is sure."""

from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QPainter, QPen, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_latent_explorer._qt.effects_model import BAR, CHANGE, CORRELATION, NAME, QtEffectsModel
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.analysis.readers import DirectionEffect

ROW_PX = 24
LIMIT_SD = 1.05
"""The drawn column reaches from its negative to it; a walk of one SD seldom moves anything by more."""
DOT_PX = 4.2
BAR_PX, CHANGE_PX, INTERVAL_PX, CORRELATION_PX = 74, 84, 150, 44
NARROW_PX, WIDE_PX = 320, 470


class QtEffectDelegate(QStyledItemDelegate):
    """Draws one effect.

    Parameters
    ----------
    model
        Whose effects.
    parent
        The table.
    """

    def __init__(self, model: QtEffectsModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.theme = DARK

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Any) -> None:
        """Draw the zero line, the interval and the dot."""
        super().paint(painter, option, index)
        place = QRectF(option.rect).adjusted(4, 0, -4, 0)
        effect = self._model.effect(index.row())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(QRectF(option.rect))
        middle = place.center()
        painter.setPen(QPen(self.theme.color("line"), 1))
        painter.drawLine(QPointF(middle.x(), place.top()), QPointF(middle.x(), place.bottom()))
        if effect is not None:
            self._draw(painter, effect, place)
        painter.restore()

    def _draw(self, painter: QPainter, effect: DirectionEffect, place: QRectF) -> None:
        def x_of(value: float) -> float:
            return place.center().x() + min(max(value / LIMIT_SD, -1.0), 1.0) * (place.width() / 2 - DOT_PX)

        factor = effect.per_spread / effect.per_unit if effect.per_unit else 0.0
        y = place.center().y()
        alpha = 1.0 if self._model.is_current else 0.4
        color = self.theme.color("accent" if effect.is_sure else "muted", alpha)
        painter.setPen(QPen(color, 1.6))
        painter.drawLine(QPointF(x_of(factor * effect.low), y), QPointF(x_of(factor * effect.high), y))
        painter.setBrush(color if effect.is_sure else self.theme.color("panel"))
        painter.drawEllipse(QPointF(x_of(effect.per_spread), y), DOT_PX, DOT_PX)


class QtEffectsTable(QTableView):
    """The table.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.effects = QtEffectsModel(self)
        self._delegate = QtEffectDelegate(self.effects, self)
        self.setModel(self.effects)
        self.setItemDelegateForColumn(BAR, self._delegate)
        self.setAccessibleName("What else moves")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(5 * ROW_PX)
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        vertical.hide()
        vertical.setMinimumSectionSize(ROW_PX)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(ROW_PX)
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        horizontal.setHighlightSections(False)
        horizontal.setTextElideMode(Qt.TextElideMode.ElideRight)
        horizontal.setStretchLastSection(False)
        horizontal.setMinimumSectionSize(36)
        horizontal.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((BAR, BAR_PX), (CHANGE, CHANGE_PX), (CORRELATION, CORRELATION_PX)):
            self.setColumnWidth(column, width)
        self.setSortingEnabled(True)
        self.sortByColumn(BAR, Qt.SortOrder.DescendingOrder)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out intervals, then changes, where there is no room beside the names; the tooltip says them."""
        super().resizeEvent(event)
        self.effects.has_intervals = self.width() >= WIDE_PX
        self.setColumnHidden(CHANGE, self.width() < NARROW_PX)
        self.setColumnWidth(CHANGE, INTERVAL_PX if self.effects.has_intervals else CHANGE_PX)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._delegate.theme = theme
        self.effects.stale_color = theme.color("muted", 0.7)
        self.viewport().update()
