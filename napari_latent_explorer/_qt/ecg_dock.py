"""The ECG: recorded and reconstructed leads over each other, with a cursor that goes with the beating heart.

There are two pages: the median beat, in which recording and reconstruction, or the reconstructions of groups, are
compared, and the rhythm strip as it was recorded. The dock does not know the viewer. It is told where in the heart
cycle the cine is (`set_cine_time`), and says where the user wants it (`cine_time_requested`), whether it should run
(`play_toggled`), and which files are to be opened (`open_requested`).
"""

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_latent_explorer._qt.cardiac_time import r_peak_ms, to_cine_time_ms, to_ecg_time_ms
from napari_latent_explorer._qt.ecg_figure import ecg_figure
from napari_latent_explorer._qt.ecg_paper import twelve_leads
from napari_latent_explorer._qt.ecg_plot import SHOWN_MS, EcgTrace, QtEcgPlot
from napari_latent_explorer._qt.figure import Figure
from napari_latent_explorer._qt.figure_menu import QtFigureMenu, offer_figure
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.page_switch import QtPageSwitch
from napari_latent_explorer._qt.rhythm_plot import QtRhythmStrip
from napari_latent_explorer._qt.theme import DARK, Theme, to_rgba
from napari_latent_explorer._qt.warning_banner import QtWarningBanner
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.originals import Original, Originals
from napari_latent_explorer.session.side_by_side import GroupHeart, SideBySide

DEFAULT_R_PEAK_MS = 475.0
NOTHING = "No ECG yet. Click a participant on a map, or drop a file here."
BEAT, STRIP = "Beat", "Strip"


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
        self.play = QPushButton("▶  Play", self)
        self.play.setCheckable(True)
        self.play.setToolTip("Let the hearts beat at their heart rate")
        self.play.toggled.connect(self._on_play_toggled)
        self.open_file = QPushButton("Open …", self)
        self.open_file.setToolTip("Open ECG files of any known format; they may also be dropped here")
        self.open_file.setAccessibleName("Open ECG files")
        self.open_file.clicked.connect(self._on_open_clicked)
        self.save = QPushButton("Save ▾", self)
        self.save.setToolTip("Save the leads as a figure; also on the right mouse button")
        self.save.setMenu(QtFigureMenu(explorer, self.figure, self, can_name=True))
        self.save.setStyleSheet("QPushButton::menu-indicator { image: none; }")
        offer_figure(self.plot, explorer, self.figure, can_name=True)
        self.setAcceptDrops(True)
        self._place = QLabel(self)
        self._empty = QLabel(NOTHING, self)
        for label in (self._place, self._empty):  # a small window may cut them off
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._build_layout()
        self.plot.time_requested.connect(self._on_plot_time_requested)
        self.pages.page_changed.connect(self._show_page)
        listen(self, explorer.decode.decoded, self._on_decoded)
        listen(self, explorer.study_changed, self._forget)
        listen(self, self._originals.changed, self._on_originals_changed)
        listen(self, self._side_by_side.changed, self._on_side_by_side_changed)
        self._draw(keeps_scale=False)
        explorer.decode_probe()  # what was decoded before it opened

    def _build_layout(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.play)
        top.addWidget(self._place, 1)
        top.addWidget(self._empty, 1)
        top.addWidget(self.pages)
        top.addWidget(self.save)
        top.addWidget(self.open_file)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.banner)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.strip, 1)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.plot.set_theme(theme)
        self.strip.set_theme(theme)
        self.pages.set_theme(theme)
        self.banner.set_theme(theme)
        self._draw()

    def figure(self, has_ids: bool = False) -> Figure:
        """Make a figure of the leads that are compared; nobody is named in it unless `has_ids`."""
        original = self._originals.current
        return ecg_figure(self._explorer, self.plot, has_ids, () if original is None else (original.label,))

    def set_cine_time(self, time_ms: float, rr_interval_ms: float) -> None:
        """Put the cursor where the cine is: ms after the R peak, of a cycle of `rr_interval_ms`."""
        self._cine_time_ms, self._rr_interval_ms = time_ms, rr_interval_ms
        if self._shows_no_heart():
            self._place.setText(_describe(self._originals.current))
            self.plot.set_time_ms(None)
            return
        share = time_ms / rr_interval_ms
        self._place.setText(f"{time_ms:.0f} ms of {rr_interval_ms:.0f} ms   ({share:.0%} of the cycle)")
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
        self._draw()

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
        traces = self._group_traces() or (*self._decoded_traces(), *self._original_traces())
        original = self._originals.current
        strip = original.strip if original is not None else None
        if strip is not self._strip:
            self._strip = strip
            self.strip.set_ecg(strip, f"Original: {original.label}" if original is not None else "")
        self.plot.set_traces(traces, keeps_scale)
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
        self.save.setVisible(not shows_strip and bool(self.plot.traces))

    def _decoded_traces(self) -> tuple[EcgTrace, ...]:
        """Return the reconstruction, unless what is shown is a recording that it was not made from."""
        if self._outcome is None or self._outcome.result.ecg_mv is None or self._shows_no_heart():
            return ()
        signal = np.asarray(self._outcome.result.ecg_mv, np.float32)
        label = f"Reconstruction: {self._explorer.probe.label}"
        return (EcgTrace(label, self._color(), signal, self._decoded_rate_hz(), width_px=2.2),)

    def _group_traces(self) -> tuple[EcgTrace, ...]:
        """Return the reconstructions of the groups that are side by side, the first on top."""
        decoded = [(heart.group, heart.outcome.result.ecg_mv) for heart in reversed(self._side_by_side.hearts)]
        rate_hz = self._decoded_rate_hz()
        return tuple(
            EcgTrace(group.name, group.color, np.asarray(ecg_mv, np.float32), rate_hz, width_px=1.8)
            for group, ecg_mv in decoded
            if ecg_mv is not None
        )

    def _decoded_rate_hz(self) -> float:
        spec = STANDARD if self._explorer.bundle is None else self._explorer.bundle.input_spec
        return spec.ecg.sampling_rate_hz

    def _original_traces(self) -> tuple[EcgTrace, ...]:
        original = self._originals.current
        if original is None or original.ecg is None:
            return ()
        label = f"Original: {original.label}"
        return (EcgTrace(label, None, twelve_leads(original.ecg), original.ecg.sampling_rate_hz),)

    def _color(self) -> tuple[float, ...]:
        """Colour of the group that the probe began from, or the accent."""
        group, origin = self._explorer.active_group, self._explorer.probe.origin
        stands = group.representative if group is not None else None
        if group is not None and stands is not None and np.array_equal(stands.vector, origin):
            return group.color
        return to_rgba(self._theme.color("accent"))

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
