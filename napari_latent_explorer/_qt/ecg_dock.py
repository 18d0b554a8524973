"""The ECG: recorded and reconstructed leads over each other, with a cursor that goes with the beating heart.

There are two pages: the median beat, in which recording and reconstruction, or the reconstructions of groups, are
compared, and the rhythm strip as it was recorded. The dock does not know the viewer. It is told where in the heart
cycle the cine is (`set_cine_time`), and says where the user wants it (`cine_time_requested`), whether it should run
(`play_toggled`), and which files are to be opened (`open_requested`).
"""

from dataclasses import replace

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from qtpy.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.cardiac_time import r_peak_ms, to_cine_time_ms, to_ecg_time_ms
from napari_latent_explorer._qt.ecg_calipers import QtEcgCalipers
from napari_latent_explorer._qt.ecg_figure import ecg_figure, ecgs_of, interval_facts, named, named_text, strip_figure
from napari_latent_explorer._qt.ecg_interval_table import QtEcgIntervalTable
from napari_latent_explorer._qt.ecg_layout import SHOWN_MS
from napari_latent_explorer._qt.ecg_plot import QtEcgPlot
from napari_latent_explorer._qt.ecg_save_menu import QtEcgSaveMenu
from napari_latent_explorer._qt.ecg_traces import (
    decoded_rate_hz,
    decoded_traces,
    difference_between,
    group_traces,
    interval_rows,
    original_traces,
    waves_of,
)
from napari_latent_explorer._qt.ecg_view_menu import EcgView, QtEcgViewMenu
from napari_latent_explorer._qt.figure import Figure
from napari_latent_explorer._qt.figure_menu import offer_figure
from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.page_switch import QtPageSwitch
from napari_latent_explorer._qt.rhythm_plot import QtRhythmStrip
from napari_latent_explorer._qt.steady_label import QtSteadyLabel
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer._qt.warning_banner import QtWarningBanner
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.originals import Original, Originals
from napari_latent_explorer.session.side_by_side import GroupHeart, SideBySide

DEFAULT_R_PEAK_MS = 475.0
NOTHING = "No ECG yet. Click a participant on a map, or drop a file here."
BEAT, STRIP = "Beat", "Strip"
LEAST_ROW_PX = 480
"""A narrower dock has its buttons in two rows."""
LEAST_BUTTON_PX, LEAST_DOCK_PX = 60, 280
LEAST_TABLE_PX = 250
"""In a lower dock the leads have the room of the intervals."""
TABLE_SHARE = 0.35
"""Of the dock's height, at most, for the intervals; of many groups some have no line."""
NO_ARROW = "QPushButton::menu-indicator { image: none; }"


class QtEcgDock(QWidget):
    """Play button, place in the heart cycle, and the leads; files may be dropped on it.

    Parameters
    ----------
    explorer
        The session.
    originals, side_by_side
        Know the recording that is reconstructed, and the hearts of groups; made here if None. A dock that opens late is
        given the session's own.
    parent
        Qt parent.
    """

    play_toggled = Signal(bool)
    cine_time_requested = Signal(float)
    """Time in ms after the R peak."""
    open_requested = Signal(list)
    """Paths of recordings, as strings."""

    def __init__(
        self,
        explorer: Explorer,
        originals: Originals | None = None,
        side_by_side: SideBySide | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._originals = originals or Originals(explorer)
        self._side_by_side = side_by_side or SideBySide(explorer)
        self._theme = DARK
        self._outcome: DecodeOutcome | None = None
        self._peak_ms = DEFAULT_R_PEAK_MS
        self._cine_time_ms, self._rr_interval_ms = 0.0, 1000.0
        self._strip: ECG | None = None
        self.plot = QtEcgPlot(self)
        self.strip = QtRhythmStrip(self)
        self.pages = QtPageSwitch(
            {
                BEAT: "One beat: the recording's median beat, and what the model makes of it",
                STRIP: "The rhythm strip as it was recorded",
            },
            self,
        )
        self.banner = QtWarningBanner(explorer, self._originals, self)
        self._make_buttons()
        self.calipers = QtEcgCalipers(self.plot, self.plot.panels)
        self.strip_calipers = QtEcgCalipers(self.strip.page, self.strip.page.panels)
        for calipers in (self.calipers, self.strip_calipers):
            calipers.closed.connect(lambda: self.measure.setChecked(False))
        self.intervals = QtEcgIntervalTable(self)
        self.setAcceptDrops(True)
        self._place = QtSteadyLabel(self)
        self._empty = QLabel(NOTHING, self)
        self._empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # a small window may cut it
        self._empty.setWordWrap(True)
        self._build_layout()
        self.plot.time_requested.connect(self._on_plot_time_requested)
        self.pages.page_changed.connect(self._show_page)
        listen(self, explorer.decode.decoded, self._on_decoded)
        listen_while_seen(self, explorer.pace.due, self._draw)
        listen(self, explorer.study_changed, self._forget)
        listen(self, explorer.decoded_origin.changed, self._on_origin_decoded)
        listen(self, self._originals.changed, self._on_originals_changed)
        listen(self, self._side_by_side.changed, self._on_side_by_side_changed)
        self._draw(keeps_scale=False)
        explorer.decode_probe()  # what was decoded before it opened

    def _make_buttons(self) -> None:
        self.play = QPushButton("▶  Play", self)
        self.play.setCheckable(True)
        self.play.setToolTip("Let the hearts beat at their heart rate")
        self.play.toggled.connect(self._on_play_toggled)
        self.open_file = QPushButton("Open …", self)
        self.open_file.setToolTip("Open ECG files of any known format; they may also be dropped here")
        self.open_file.setAccessibleName("Open ECG files")
        self.open_file.clicked.connect(self._on_open_clicked)
        self.save = QPushButton("Save ▾", self)
        self.save.setToolTip("Save the leads as a figure, also on the right mouse button, or as a table")
        self.save.setMenu(QtEcgSaveMenu(self._explorer, self.figure, self.table, self))
        self.view_menu = QtEcgViewMenu(self)
        self.view_menu.view_changed.connect(self._on_view_changed)
        self.view = QPushButton("View ▾", self)
        self.view.setToolTip("Layout of the leads, speed and gain of the paper, waves, and what changed")
        self.view.setMenu(self.view_menu)
        for button in (self.save, self.view):
            button.setStyleSheet(NO_ARROW)
        self.measure = QPushButton("Calipers", self)
        self.measure.setCheckable(True)
        self.measure.setToolTip("Measure ms, beats a minute and mV between two points of a lead")
        self.measure.toggled.connect(self._on_measure_toggled)
        for page in (self.plot, self.strip.page):
            offer_figure(page, self._explorer, self.figure, can_name=True)

    def _build_layout(self) -> None:
        top, tools = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.play)
        top.addWidget(self._place, 1)
        top.addStretch()  # while the place is hidden
        top.addWidget(self.pages)
        for button in (self.measure, self.view, self.save, self.open_file):
            button.setMinimumWidth(LEAST_BUTTON_PX)
            tools.addWidget(button)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._rows.addLayout(top, 1)
        self._rows.addLayout(tools)
        for row in (top, tools, self._rows):
            row.setSpacing(6)
        self.setMinimumWidth(LEAST_DOCK_PX)
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # else one row of buttons stays one row
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.banner)
        layout.addLayout(self._rows)
        layout.addWidget(self._empty)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.intervals)
        layout.addWidget(self.strip, 1)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.plot.set_theme(theme)
        self.strip.set_theme(theme)
        self.calipers.set_theme(theme)
        self.strip_calipers.set_theme(theme)
        self.intervals.set_theme(theme)
        self.pages.set_theme(theme)
        self.banner.set_theme(theme)
        self._draw()

    def figure(self, has_ids: bool = False) -> Figure:
        """Make a figure of the page that is shown; nobody is named in it unless `has_ids`."""
        if self.pages.page == STRIP:
            return strip_figure(self._explorer, self.strip.page, has_ids, self._private_names())
        return ecg_figure(self._explorer, self.plot, has_ids, self._private_names(), self.intervals.rows)

    def table(self, has_ids: bool = False) -> tuple[tuple[ECG, ...], dict[str, str]]:
        """Return the ECGs of the page that is shown, and their intervals; nobody is named unless `has_ids`."""
        explorer, private = self._explorer, self._private_names()
        if self.pages.page == STRIP and self._strip is not None:
            label = named_text(explorer, self.strip.page.label, has_ids, private)
            return (replace(self._strip, source=label),), {}
        facts = interval_facts(explorer, self.intervals.rows, has_ids, private)
        return ecgs_of(named(explorer, self.plot.traces, has_ids, private)), facts

    def _private_names(self) -> tuple[str, ...]:
        original = self._originals.current
        return () if original is None else (original.label,)

    def set_cine_time(self, time_ms: float, rr_interval_ms: float) -> None:
        """Put the cursor where the cine is: ms after the R peak, of a cycle of `rr_interval_ms`."""
        self._cine_time_ms, self._rr_interval_ms = time_ms, rr_interval_ms
        if self._shows_no_heart():
            self._place.setText(_describe(self._originals.current))
            self.plot.set_time_ms(None)
            return
        share = time_ms / rr_interval_ms
        self._place.setText(f"{time_ms:.0f} of {rr_interval_ms:.0f} ms ({share:.0%})")
        self._place.setToolTip("Time after the R peak, length of the heart cycle, and share of it")
        shown = bool(self.plot.traces)
        cursor = to_ecg_time_ms(time_ms, rr_interval_ms, self._peak_ms, SHOWN_MS)
        self.plot.set_time_ms(cursor if shown else None)

    def set_playing(self, is_playing: bool) -> None:
        """Show whether the hearts beat; says nothing to anybody."""
        was_blocked = self.play.blockSignals(True)
        self.play.setChecked(is_playing)
        self.play.blockSignals(was_blocked)
        self.play.setText("❚❚  Pause" if is_playing else "▶  Play")

    def _forget(self) -> None:
        self._outcome = None
        self._draw(keeps_scale=False)

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        self._outcome = outcome

    def _on_origin_decoded(self, outcome: DecodeOutcome | None) -> None:
        if outcome is not None:
            self._mark()

    def _on_originals_changed(self, original: Original | None) -> None:
        self._draw(keeps_scale=False)

    def _on_side_by_side_changed(self, hearts: tuple[GroupHeart, ...]) -> None:
        self._draw(keeps_scale=False)

    def _shows_no_heart(self) -> bool:
        """Whether what is shown is a recording that no heart beside it belongs to."""
        original = self._originals.current
        is_alone = original is not None and original.cine is None and not original.vectors
        return is_alone and not self._side_by_side.hearts

    def _draw(self, keeps_scale: bool = True) -> None:
        explorer, original = self._explorer, self._originals.current
        decoded = () if self._shows_no_heart() else decoded_traces(explorer, self._outcome, self._theme)
        groups = group_traces(explorer, self._side_by_side.hearts)
        traces = groups or (*decoded, *original_traces(explorer, original))
        strip = original.strip if original is not None else None
        if strip is not self._strip:
            self._strip = strip
            self.strip.set_ecg(strip, f"Original: {original.label}" if original is not None else "")
        self.plot.set_traces(traces, keeps_scale)
        self._mark()
        self.pages.set_available([name for name, is_there in ((BEAT, traces), (STRIP, strip)) if is_there])
        self._empty.setVisible(not traces and strip is None)
        self._place.setVisible(bool(traces) or strip is not None)
        self._show_page()
        if traces:
            self._peak_ms = r_peak_ms(np.nan_to_num(traces[-1].signal_mv), traces[-1].sampling_rate_hz)
        self.set_cine_time(self._cine_time_ms, self._rr_interval_ms)

    def _show_page(self) -> None:
        shows_strip = self.pages.page == STRIP
        self.plot.setVisible(not shows_strip)
        self.strip.setVisible(shows_strip)
        self.play.setVisible(not self._shows_no_heart())
        self.save.setVisible(shows_strip or bool(self.plot.traces))
        self._make_room()

    def _mark(self) -> None:
        """Mark waves and what changed, and tell the intervals, as far as they are wanted."""
        view, traces = self.view_menu.view, self.plot.traces
        waves = waves_of(traces[-1]) if traces and view.has_waves else None
        is_moved = view.has_difference and bool(traces) and not self._side_by_side.hearts
        difference = None
        if is_moved and not self._shows_no_heart():
            origin = self._explorer.decoded_origin
            origin.find()
            difference = difference_between(origin.outcome, self._outcome, decoded_rate_hz(self._explorer))
        self.plot.set_marks(waves, difference)
        self.intervals.set_rows(interval_rows(traces, self._theme) if waves is not None else ())
        self._make_room()

    def _make_room(self) -> None:
        """Give the leads the room of what matters less, where there is little."""
        is_wide = self.width() >= LEAST_ROW_PX
        directions = QBoxLayout.Direction
        self._rows.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)
        self.intervals.fit(TABLE_SHARE * self.height())
        self.intervals.setVisible(
            bool(self.intervals.rows) and self.plot.isVisibleTo(self) and self.height() >= LEAST_TABLE_PX
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew."""
        super().resizeEvent(event)
        self._make_room()

    def _on_view_changed(self, view: EcgView) -> None:
        self.plot.set_view(view.layout, view.scale)
        self.strip.page.set_view(view.layout, view.scale)
        self._mark()

    def _on_measure_toggled(self, is_on: bool) -> None:
        self.calipers.setVisible(is_on)
        self.strip_calipers.setVisible(is_on)

    def _on_plot_time_requested(self, ecg_time_ms: float) -> None:
        self.cine_time_requested.emit(to_cine_time_ms(ecg_time_ms, self._rr_interval_ms, self._peak_ms))

    def _on_play_toggled(self, is_playing: bool) -> None:
        self.set_playing(is_playing)
        self.play_toggled.emit(is_playing)

    # ---- files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for dropped files to be opened."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_requested.emit(paths)

    def _on_open_clicked(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Open ECG files", "", ecg_file_filter())
        if paths:
            self.open_requested.emit(paths)


def ecg_file_filter() -> str:
    """Filter of a file dialog for all files that may hold an ECG."""
    from napari_latent_explorer.io.formats import FORMATS

    patterns = [name for known in FORMATS if known.modality == "ecg" for name in known.patterns if "*" in name]
    return f"ECG ({' '.join(dict.fromkeys(patterns))});;All files (*)"


def _describe(original: Original | None) -> str:
    """Say what kind of ECG a recording is, in a line."""
    shown = [ecg for ecg in (original.ecg, original.strip) if ecg is not None] if original is not None else []
    words = {"median": "median beat", "rhythm": "rhythm strip"}
    return ";  ".join(
        f"{words[ecg.kind]}: {sum(name in LEAD_NAMES for name in ecg.lead_names)} of 12 leads, "
        f"{ecg.sampling_rate_hz:g} Hz, {ecg.duration_ms / 1000.0:.1f} s"
        for ecg in shown
    )
