"""Calipers over an ECG: two points of one lead, and what lies between them in ms, beats a minute and mV.

The hard idea: the points ride on samples, not on pixels. A drag or a key sets a time only; the voltage is that of the
recording there, so that what is read does not depend on how large the paper is, and each curve has its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QShowEvent
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.ecg_layout import TOP_PX
from napari_latent_explorer._qt.ecg_panel import LeadPanel
from napari_latent_explorer._qt.theme import DARK, Theme, small_font

BEGIN_SHARES = (0.25, 0.6)
"""Where in a lead the points are at first."""
LONG_STEP = 10
_LINE_PX = 16


@dataclass(frozen=True, slots=True)
class Calipers:
    """Which lead, by its place on the page, and the times in ms of the two points; `held` is moved by the keys."""

    panel: int
    times_ms: tuple[float, float]
    held: int = 1

    def moved(self, time_ms: float) -> "Calipers":
        """Put the point that is held elsewhere."""
        times = (time_ms, self.times_ms[1]) if self.held == 0 else (self.times_ms[0], time_ms)
        return replace(self, times_ms=times)


@dataclass(frozen=True, slots=True)
class CaliperReading:
    """What lies between the points: `bpm` if that is a heart cycle, and mV of each curve, the second less the first."""

    lead: str
    span_ms: float
    bpm: float | None
    changes_mv: tuple[float, ...]

    @property
    def time_text(self) -> str:
        """Time and rate, for people."""
        rate = "" if self.bpm is None else f"   {self.bpm:.0f} bpm"
        return f"{self.span_ms:.0f} ms{rate}"


def read_calipers(panel: LeadPanel, times_ms: tuple[float, float]) -> CaliperReading:
    """Read what lies between two times in a lead."""
    first, second = times_ms
    span_ms = abs(second - first)
    changes = tuple(curve.at(second) - curve.at(first) for curve in panel.curves)
    return CaliperReading(panel.name, span_ms, 60_000.0 / span_ms if span_ms > 0 else None, changes)


class QtEcgCalipers(QWidget):
    """Lies over a page of leads while it is shown, and takes its mouse and keys.

    Parameters
    ----------
    page
        What it lies over.
    find_panels
        Tells the page's leads as they are now.
    """

    closed = Signal()
    """The user has put them away."""

    def __init__(self, page: QWidget, find_panels: Callable[[], tuple[LeadPanel, ...]]) -> None:
        super().__init__(page)
        self._page, self._find_panels = page, find_panels
        self._calipers: Calipers | None = None
        self._theme = DARK
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Calipers")
        self.setToolTip(
            "Drag either point, or press elsewhere to bring the nearer one there.\n"
            "Left and Right move a point by a sample, with Shift by ten; Space takes the other point;\n"
            "Up and Down go to another lead; Escape puts the calipers away."
        )
        page.installEventFilter(self)
        self.hide()

    @property
    def calipers(self) -> Calipers | None:
        """Where the points are; None before they were shown."""
        return self._calipers

    def reading(self) -> CaliperReading | None:
        """Read what lies between the points; None where there is no lead."""
        panels = self._find_panels()
        placed = self._placed(panels)
        return None if placed is None else read_calipers(panels[placed.panel], placed.times_ms)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the page, and follow what it draws."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._page.rect())
        return bool(super().eventFilter(watched, event))

    def showEvent(self, event: QShowEvent) -> None:
        """Take the keys."""
        super().showEvent(event)
        self.setGeometry(self._page.rect())
        self.raise_()
        self.setFocus()
        self._set(self._placed(self._find_panels()))

    def hideEvent(self, event: QHideEvent) -> None:
        """Give the keys back to the page."""
        super().hideEvent(event)
        if self.hasFocus():
            self._page.setFocus()

    def _placed(self, panels: tuple[LeadPanel, ...]) -> Calipers | None:
        """Put the points on samples that there are; the leads may have changed under them."""
        if not panels:
            return None
        if self._calipers is None or self._calipers.panel >= len(panels):
            lengths_ms = [(panel.name == "II", panel.end_ms - panel.begin_ms) for panel in panels]
            chosen = max(range(len(panels)), key=lengths_ms.__getitem__)
            begin, end = panels[chosen].begin_ms, panels[chosen].end_ms
            first, second = (panels[chosen].snapped(begin + share * (end - begin)) for share in BEGIN_SHARES)
            return Calipers(chosen, (first, second))
        first, second = (panels[self._calipers.panel].snapped(time_ms) for time_ms in self._calipers.times_ms)
        return replace(self._calipers, times_ms=(first, second))

    def _set(self, calipers: Calipers | None) -> None:
        self._calipers = calipers
        said = self.reading()
        if said is not None:
            curves = self._find_panels()[self._calipers.panel].curves if self._calipers is not None else ()
            changes = ", ".join(
                f"{curve.label} {change:+.2f} mV" for curve, change in zip(curves, said.changes_mv, strict=True)
            )
            self.setAccessibleDescription(f"{said.lead}: {said.time_text}; {changes}")
        self.update()

    # ---- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the nearer point, in the lead that was pressed."""
        panels, place = self._find_panels(), event.position()
        now = self._placed(panels)
        if now is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        middles = [panel.area.center() for panel in panels]
        inside = [index for index, panel in enumerate(panels) if panel.area.left() <= place.x() <= panel.area.right()]
        pressed = min(inside or range(len(panels)), key=lambda index: abs(middles[index].y() - place.y()))
        away = [abs(panels[pressed].place(time_ms).x() - place.x()) for time_ms in now.times_ms]
        now = replace(now, panel=pressed, held=0 if away[0] < away[1] else 1)
        self._set(now.moved(panels[pressed].time_at(float(place.x()))))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the point that is held."""
        panels = self._find_panels()
        if self._calipers is not None and self._calipers.panel < len(panels):
            self._set(self._calipers.moved(panels[self._calipers.panel].time_at(float(event.position().x()))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move a point by samples, take the other one, go to another lead, or put the calipers away."""
        panels = self._find_panels()
        now = self._placed(panels)
        steps: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        leads: dict[int, int] = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif now is None:
            super().keyPressEvent(event)
        elif event.key() in steps:
            far = LONG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            panel = panels[now.panel]
            wanted_ms = now.times_ms[now.held] + steps[event.key()] * far * panel.step_ms
            self._set(now.moved(panel.snapped(wanted_ms)))
        elif event.key() in leads:
            self._calipers = replace(now, panel=(now.panel + leads[event.key()]) % len(panels))
            self._set(self._placed(panels))
        elif event.key() == Qt.Key.Key_Space:
            self._set(replace(now, held=1 - now.held))
        else:
            super().keyPressEvent(event)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both points, the rectangle between them, and what they read."""
        panels = self._find_panels()
        now = self._placed(panels)
        if now is None:
            return
        panel = panels[now.panel]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first, second = (panel.place(time_ms) for time_ms in now.times_ms)
        painter.setPen(QPen(self._theme.color("text", 0.8), 1, Qt.PenStyle.DashLine))
        painter.drawRect(QRectF(first, second).normalized())
        top, bottom = max(float(TOP_PX), panel.area.top()), panel.area.bottom()
        for index, point in enumerate((first, second)):
            is_held = index == now.held
            painter.setPen(QPen(self._theme.color("warning"), 2.2 if is_held else 1.2))
            painter.drawLine(QPointF(point.x(), top), QPointF(point.x(), bottom))
            painter.setBrush(self._theme.color("warning" if is_held else "paper"))
            painter.drawEllipse(point, 4.0, 4.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_reading(painter, panel, QRectF(first, second).normalized())
        painter.end()

    def _paint_reading(self, painter: QPainter, panel: LeadPanel, between: QRectF) -> None:
        said = self.reading()
        if said is None:
            return
        painter.setFont(small_font(self, 0.95, is_bold=True))
        lines: list[tuple[str, QColor | None]] = [(f"{said.lead}   {said.time_text}", None)]
        changes = zip(panel.curves, said.changes_mv, strict=True)
        lines += [(f"{round(change, 2) + 0.0:+.2f} mV", curve.color) for curve, change in changes]
        words = painter.fontMetrics()
        width = max(words.horizontalAdvance(text) for text, _ in lines) + 34
        height = _LINE_PX * len(lines) + 6
        left = between.right() + 8 if between.right() + 8 + width <= self.width() else between.left() - 8 - width
        left = max(2.0, min(left, self.width() - width - 2.0))
        top = max(float(TOP_PX), min(between.top(), self.height() - height - 2.0))
        box = QRectF(left, top, width, height)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.setBrush(self._theme.color("panel", 0.94))
        painter.drawRoundedRect(box, 4.0, 4.0)
        for index, (text, color) in enumerate(lines):
            line = QRectF(left + 6, top + 3 + index * _LINE_PX, width - 12, _LINE_PX)
            if color is not None:
                painter.setPen(QPen(color, 2.4))
                painter.drawLine(QPointF(line.left(), line.center().y()), QPointF(line.left() + 14, line.center().y()))
                line.setLeft(line.left() + 20)
            painter.setPen(self._theme.color("text"))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
