"""Whether the probe is among the people that the model has seen: a scale, a sentence, and who is nearest.

The state is in a sign and in words, not in a colour alone.
"""

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.steady_label import QtSteadyLabel
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.analysis.manifold import LIMIT_PERCENTILE, MIN_PARTICIPANTS, GaugeReading
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.gauge import CycleReading

N_NEAREST = 2
MEASURING = "Measuring how usual this vector is …"
TOO_FEW = f"How usual this vector is can be told among {MIN_PARTICIPANTS} encoded participants and more."
MEANS = (
    "Share of the cohort that lies at most as far from its middle (Mahalanobis distance). Beyond 95 % a vector is "
    "unlike the people whom the model has learnt from, and what is drawn may be no heart."
)
NEAREST_MEANS = "The nearest participants, with their distance in standard deviations. Click to see the recordings."
CYCLE_MEANS = (
    "What was decoded is encoded again: how far from this vector does it come back, in standard deviations of the "
    "cohort? A vector whose picture comes back elsewhere was not drawn as it is."
)


class QtGaugeScale(QWidget):
    """From 0 to 100 % of the cohort, hatched where a vector is unlike it, with a mark.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self.percentile: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(MEANS)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_percentile(self, percentile: float | None) -> None:
        """Put the mark at a percentile, or take it away."""
        self.percentile = percentile
        self.update()

    def sizeHint(self) -> QSize:
        """Thin."""
        return QSize(160, 16)

    def minimumSizeHint(self) -> QSize:
        """As thin in a narrow dock."""
        return QSize(80, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the scale and the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(5.0, 8.0, self.width() - 10.0, 6.0)
        painter.fillRect(bar, self._theme.color("quiet"))
        limit = bar.left() + bar.width() * LIMIT_PERCENTILE / 100.0
        beyond = QRectF(limit, bar.top(), bar.right() - limit, bar.height())
        painter.fillRect(beyond, self._theme.color("warning", 0.35))
        painter.setPen(QPen(self._theme.color("warning"), 1.5))
        painter.drawLine(QPointF(limit, bar.top() - 2.0), QPointF(limit, bar.bottom() + 1.0))
        if self.percentile is None:
            return
        at = bar.left() + bar.width() * self.percentile / 100.0
        is_outside = self.percentile > LIMIT_PERCENTILE
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("warning" if is_outside else "accent"))
        painter.drawPolygon(QPolygonF([QPointF(at - 5.0, 0.0), QPointF(at + 5.0, 0.0), QPointF(at, 9.0)]))


class QtGaugeStrip(QWidget):
    """The scale, its meaning in words, the nearest participants, and how well the picture comes back.

    Parameters
    ----------
    explorer
        The session; its gauge watches the probe from when this is first shown.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._reading: GaugeReading | None = None
        self.scale = QtGaugeScale(self)
        self.words, self.cycle = QtSteadyLabel(self, n_lines=2), QtSteadyLabel(self)
        self.words.setText(MEASURING)
        for label, tip in ((self.words, MEANS), (self.cycle, CYCLE_MEANS)):
            label.setFont(small_font(self))
            label.setToolTip(tip)
        self.nearest = [QToolButton(self) for _ in range(N_NEAREST)]
        self._build_layout()
        for button in self.nearest:
            button.setAutoRaise(True)
            button.clicked.connect(lambda _=False, button=button: explorer.show_participant(button.property("who")))
        listen(self, explorer.gauge.read, self._on_gauge_read)
        listen_while_seen(self, explorer.gauge.read, self._show_reading)
        listen(self, explorer.gauge.cycle_read, self._on_gauge_cycle_read)
        listen(self, explorer.pace.due, self._on_probe_vector_changed)
        listen(self, explorer.probe.origin_changed, self._on_probe_vector_changed)
        self._clear()

    def _build_layout(self) -> None:
        row = QWidget(self)  # narrows with the dock, whatever its buttons have been given
        row.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        people = QHBoxLayout(row)
        people.setContentsMargins(0, 0, 0, 0)
        people.setSpacing(2)
        self._nearest_title = QLabel("Nearest", self)
        self._nearest_title.setFont(small_font(self))
        people.addWidget(self._nearest_title)
        for button in self.nearest:
            button.setFont(small_font(self))
            people.addWidget(button)
        people.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.scale)
        layout.addWidget(self.words)
        layout.addWidget(row)
        layout.addWidget(self.cycle)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.scale.set_theme(theme)

    def showEvent(self, event: object) -> None:
        """Follow the probe from now on."""
        self._explorer.gauge.watch()

    def resizeEvent(self, event: object) -> None:
        """Give the nearest their share of the room."""
        self._show_reading()

    def _clear(self) -> None:
        self._reading = None
        self.scale.set_percentile(None)
        waiting = TOO_FEW if self._explorer.gauge.has_too_few else MEASURING
        self.words.setText(waiting if self._explorer.probe.is_set else "")
        self._nearest_title.hide()
        self.cycle.setText("")
        for button in self.nearest:
            button.hide()

    def _on_probe_vector_changed(self, *_: object) -> None:
        self.cycle.setText("")
        if not self._explorer.probe.is_set or self._explorer.gauge.has_too_few:
            self._clear()

    def _on_gauge_read(self, reading: GaugeReading) -> None:
        self._reading = reading

    def _show_reading(self) -> None:
        reading = self._reading
        if reading is None:
            return
        self.scale.set_percentile(reading.percentile)
        self.words.setText(_words_for(reading))
        self.scale.setAccessibleName(self.words.text())
        self._nearest_title.show()
        shown = zip(self.nearest, reading.nearest_ids.tolist(), reading.nearest_distances.tolist(), strict=False)
        for button in self.nearest[len(reading.nearest_ids) :]:
            button.hide()
        for button, participant_id, distance in shown:
            text = f"{participant_id} ({distance:.1f} SD)"
            self._make_room(button, len(f"{participant_id} (88.8 SD)"))
            button.setText(text.replace("&", "&&"))
            button.setProperty("who", participant_id)
            button.setToolTip(as_plain(f"{participant_id}, {distance:.1f} SD away. {NEAREST_MEANS}"))
            button.show()

    def _make_room(self, button: QToolButton, n_characters: int) -> None:
        """Give a button the room of so many figures, at most its share: the same one for most names and distances."""
        wanted = button.fontMetrics().horizontalAdvance("0" * n_characters) + 8
        most = (self.width() - self._nearest_title.sizeHint().width()) // N_NEAREST - 4
        size = QSize(max(40, min(wanted, most)), button.sizeHint().height())
        if button.minimumSize() != size:  # of a fixed size other words do not lay the window out anew
            button.setFixedSize(size)

    def _on_gauge_cycle_read(self, cycle: CycleReading) -> None:
        if np.array_equal(cycle.vector, self._explorer.probe.vector):
            self.cycle.setText(f"Decoded and encoded again it comes back {cycle.distance:.1f} SD off")


def _words_for(reading: GaugeReading) -> str:
    others = 100.0 - reading.percentile
    if reading.is_outside:
        share = "none" if others == 0 else "fewer than 1 %" if others < 1 else f"{others:.0f} %"
        return f"⚠ Unlike the cohort: {share} of the participants are as unusual, the picture may be no heart"
    return f"✓ Among the cohort: {others:.0f} % of the participants are more unusual"
