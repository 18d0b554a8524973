"""The path: from one group, participant or place to another, with the probe wherever the slider is.

The dock does not know the viewer, where the heart of now beats; it is told where in the heart cycle that is
(`set_cine_time`), so that the hearts of its strip are at the same moment.
"""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.path_curves import QtPathCurves
from napari_latent_explorer._qt.path_end_box import QtPathEndBox
from napari_latent_explorer._qt.path_movie import GIF, MP4, path_movie_request, titles_of, write_path_movie
from napari_latent_explorer._qt.path_player import QtPathPlayer
from napari_latent_explorer._qt.path_strip import QtPathStrip, strip_png
from napari_latent_explorer._qt.steady_label import QtSteadyLabel
from napari_latent_explorer._qt.theme import DARK, Theme, small_font, tool_button_style
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.path_choice import PathEnd
from napari_latent_explorer.session.path_survey import PathSurvey

LEAST_SLIDER_PX, LEAST_KIND_PX = 110, 70
TICKS = 1000
DEFAULT_CYCLE_MS = 1000.0
MOVIE_FILTER = "Movie (*.mp4);;Animated picture (*.gif);;Film strip (*.png)"
PNG = ".png"
SAVE = "Save …"
KINDS = {"linear": "straight", "spherical": "round the mean"}
KIND_TIPS = {
    "linear": "Straight: each step changes the vector by as much; the middle lies nearer to the mean than its ends do",
    "spherical": "Round: turns about the mean of all participants and keeps the distance from it",
}
NOTHING = "Choose two ends: groups, the participant who is looked at, or places of the probe."
READY = "Move the slider, or press play: the probe begins at the left end and goes to the right one."
AWAY = "The probe has left the path. Move the slider and it comes back."


class QtPathDock(QWidget):
    """Both ends, the slider, hearts on the way and predictions along it.

    Parameters
    ----------
    explorer
        The session.
    survey
        What lies along its path; made here if None.
    parent
        Qt parent.
    """

    movie_saved = Signal(str)
    """Path of a movie that was written."""

    def __init__(self, explorer: Explorer, survey: PathSurvey | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._survey = survey or PathSurvey(explorer)
        self.start, self.end = QtPathEndBox(explorer, "From", self), QtPathEndBox(explorer, "To", self)
        self.swap = QToolButton(self)
        self.kind = QComboBox(self)
        self.play = QPushButton("▶", self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.place = QtSteadyLabel(self)
        self.note = QLabel(self)
        self.strip = QtPathStrip(self)
        self.legend = QLabel(self)
        self.curves = QtPathCurves()
        self.movie = QPushButton(SAVE, self)
        self.player = QtPathPlayer(self)
        self._played: float | None = None
        self._shown: tuple[object, ...] = ()
        self._cycle_ms = DEFAULT_CYCLE_MS
        self._saving: Job[Path] | None = None
        self._set_up_controls()
        self._build_layout()
        self._connect()
        self.set_theme(DARK)
        self._survey.synchronize()
        self.synchronize()

    def _set_up_controls(self) -> None:
        self.swap.setText("⇄")
        self.swap.setToolTip("Turn the path round; the heart stays")
        self.swap.setAccessibleName("Turn the path round")
        for kind, words in KINDS.items():
            self.kind.addItem(words, kind)
            self.kind.setItemData(self.kind.count() - 1, KIND_TIPS[kind], Qt.ItemDataRole.ToolTipRole)
        self.kind.setAccessibleName("Kind of path")
        self.kind.setToolTip("\n".join(KIND_TIPS.values()))
        self.kind.setMinimumWidth(LEAST_KIND_PX)  # in a narrow dock the slider has its room
        self.play.setCheckable(True)
        self.play.setFixedWidth(38)
        self.play.setAccessibleName("Play the path")
        self.play.setToolTip("Go along the path by itself")
        self.slider.setRange(0, TICKS)
        self.slider.setMinimumWidth(LEAST_SLIDER_PX)
        self.slider.setSingleStep(TICKS // 100)
        self.slider.setPageStep(TICKS // 10)
        self.slider.setAccessibleName("Place on the path")
        self.slider.setToolTip(
            "Left and Right move by one in a hundred, Page Up and Page Down by ten, Home and End to an end"
        )
        self.place.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.place.setFixedWidth(self.fontMetrics().horizontalAdvance("100 %") + 4)
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.movie.setToolTip(
            "Save the path as a movie with ECG and values (mp4, or gif), or its hearts as a film strip (png)"
        )
        for label in (self.note, self.legend):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.legend.setTextFormat(Qt.TextFormat.PlainText)
        self.legend.setFont(small_font(self, 0.85))

    def _build_layout(self) -> None:
        ends, way = QHBoxLayout(), QHBoxLayout()
        for widget in (self.start, self.swap, self.end):
            ends.addWidget(widget, 0 if widget is self.swap else 1)
        for control in (self.play, self.slider, self.place, self.kind):
            way.addWidget(control, 1 if control is self.slider else 0)
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(self.curves)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bottom = QHBoxLayout()
        bottom.addWidget(self.legend, 1)
        bottom.addWidget(self.movie)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(ends)
        layout.addLayout(way)
        layout.addWidget(self.note)
        layout.addWidget(self.strip)
        layout.addWidget(self._scroll, 1)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        explorer = self._explorer
        self.start.chosen.connect(lambda end: self._choose(end, self.end.end))
        self.end.chosen.connect(lambda end: self._choose(self.start.end, end))
        self.swap.clicked.connect(self._on_swap_clicked)
        self.kind.activated.connect(self._on_kind_activated)
        self.slider.sliderPressed.connect(self._on_slider_pressed)
        self.slider.sliderReleased.connect(explorer.end_gesture)
        self.slider.valueChanged.connect(lambda value: self.go_to(value / TICKS))
        for chart in (self.strip, self.curves):
            chart.share_requested.connect(self.go_to)
        self.play.clicked.connect(self._on_play_clicked)
        self.player.moved.connect(self._on_player_moved)
        self.player.playing_changed.connect(self._on_playing_changed)
        self.movie.clicked.connect(self._on_movie_clicked)
        self.destroyed.connect(lambda: explorer.end_gesture())  # it may have been playing
        listen(self, explorer.path_changed, self._on_path_changed)
        for signal in (
            explorer.groups_changed,
            explorer.study_changed,
            explorer.current_participant_changed,
            explorer.probe.origin_changed,
        ):
            listen(self, signal, self.synchronize)
        listen_while_seen(self, explorer.pace.due, self._show_place)
        listen(self, self._survey.changed, self._show_survey)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.strip.set_theme(theme)
        self.curves.set_theme(theme)
        self.swap.setStyleSheet(tool_button_style(theme))
        for label in (self.note, self.legend):
            label.setStyleSheet(f"color: {theme.muted};")

    def set_cine_time(self, time_ms: float, rr_interval_ms: float) -> None:
        """Show the hearts of the strip at a time after the R peak, of a cycle of this length."""
        self._cycle_ms = rr_interval_ms if rr_interval_ms > 0 else DEFAULT_CYCLE_MS
        self.strip.set_phase(min(0.999, max(0.0, time_ms / rr_interval_ms)) if rr_interval_ms > 0 else 0.0)

    # ---- what the user does

    def go_to(self, share: float) -> None:
        """Put the probe on the path, which is chosen if it was not."""
        start, end = self.start.end, self.end.end
        if self._explorer.path.ends is not None:
            self._try(lambda: self._explorer.move_on_path(share))
        elif start is not None and end is not None:
            self._try(lambda: self._explorer.set_path(start, end, self.kind.currentData(), share))

    def _choose(self, start: PathEnd | None, end: PathEnd | None) -> None:
        if start is not None and end is not None:
            if start == end:  # as one takes the other's place, they are turned round
                ends = self._explorer.path.ends
                start, end = (ends[1], ends[0]) if ends is not None else (start, end)
            self._try(lambda: self._explorer.set_path(start, end, self.kind.currentData()))
        self.synchronize()

    def _on_swap_clicked(self) -> None:
        chosen = self._explorer.path
        if chosen.start is not None and chosen.end is not None:
            start, end = chosen.end, chosen.start
            self._try(lambda: self._explorer.set_path(start, end, chosen.kind, 1.0 - chosen.share))
        else:
            start_end = self.start.end, self.end.end
            self.start.fill(start_end[1])
            self.end.fill(start_end[0])

    def _on_kind_activated(self) -> None:
        chosen = self._explorer.path
        if chosen.start is not None and chosen.end is not None:
            start, end = chosen.start, chosen.end
            self._try(lambda: self._explorer.set_path(start, end, self.kind.currentData(), chosen.share))

    def _on_slider_pressed(self) -> None:
        self.player.stop()
        self._explorer.begin_gesture()

    def _on_play_clicked(self) -> None:
        if self.player.is_playing:
            self.player.stop()
            return
        self._explorer.begin_gesture()
        self._played = None
        share = self._explorer.path_share
        self.player.start(share if share is not None else self.slider.value() / TICKS)

    def _on_player_moved(self, share: float) -> None:
        if self._played is not None and self._explorer.path_share != self._played:
            self.player.stop()  # somebody else has moved the probe
            return
        self.go_to(share)
        self._played = share
        if self._explorer.path_share != share:
            self.player.stop()

    def _on_playing_changed(self, is_playing: bool) -> None:
        self.play.setText("❚❚" if is_playing else "▶")
        self.play.setChecked(is_playing)
        if not is_playing:
            self._explorer.end_gesture()

    def _on_movie_clicked(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            return
        name, _ = QFileDialog.getSaveFileName(self, "Save the path as a movie", "path.mp4", MOVIE_FILTER)
        if Path(name).suffix.lower() == PNG:
            self._try(lambda: self.save_strip(Path(name)))
        elif name:
            self._try(lambda: self.save_movie(Path(name)))

    def save_strip(self, goal: Path) -> None:
        """Write all hearts as a picture; LatentExplorerError when there are none, or it cannot be written."""
        film, path, ends = self._survey.film, self._explorer.probe_path, self._explorer.path.ends
        if film is None or path is None or ends is None:
            raise LatentExplorerError("There is no film strip to save yet. Choose both ends with a model open.")
        write_file(goal, strip_png(film, path, titles_of(ends)))

    def save_movie(self, goal: Path) -> Job[Path]:
        """Start the job that writes the path as a movie; LatentExplorerError when there is nothing to write."""
        request = path_movie_request(self._explorer, self._survey.curves, self._cycle_ms)
        goal = goal if goal.suffix.lower() in (MP4, GIF) else goal.with_name(f"{goal.name}{MP4}")
        job = self._explorer.jobs.start(
            "Save movie", lambda: write_path_movie(goal, request), lambda path: self.movie_saved.emit(str(path))
        )
        self._saving = job
        listen(self, job.progressed, self._on_movie_progressed)
        listen(self, job.ended, self._on_movie_ended)
        if not job.is_running:
            self._on_movie_ended()
        return job

    def _on_movie_progressed(self, progress: Progress) -> None:
        self.movie.setText(f"Stop ({100 * progress.done // max(1, progress.total)} %)")

    def _on_movie_ended(self) -> None:
        self._saving = None
        self.movie.setText(SAVE)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)

    # ---- what is shown

    def _on_path_changed(self) -> None:
        """Show another place, or, where it is another path, all of it."""
        chosen = self._explorer.path
        if (chosen.start, chosen.end, chosen.kind) == self._shown:
            self._show_place()
        else:
            self.synchronize()

    def synchronize(self) -> None:
        """Show the path of now."""
        chosen = self._explorer.path
        self._shown = (chosen.start, chosen.end, chosen.kind)
        proposed = [PathEnd("group", group.name) for group in self._explorer.groups if group.representative is not None]
        start = chosen.start or self._kept(self.start.end, proposed[:1])
        end = chosen.end or self._kept(self.end.end, [one for one in proposed if one != start][:1])
        self.start.fill(start)
        self.end.fill(end)
        with QSignalBlocker(self.kind):
            self.kind.setCurrentIndex(list(KINDS).index(chosen.kind) if chosen.ends else self.kind.currentIndex())
        can_go = start is not None and end is not None
        for widget in (self.swap, self.slider, self.play, self.kind):
            widget.setEnabled(can_go)
        self._show_place()
        self._show_survey()

    def _kept(self, end: PathEnd | None, proposed: list[PathEnd]) -> PathEnd | None:
        """Return an end that was chosen while the other one was not, if it still is there; else what is proposed."""
        names = [group.name for group in self._explorer.groups]
        if end is not None and self._explorer.cohort is not None and (end.kind != "group" or end.name in names):
            return end
        return proposed[0] if proposed else None

    def _show_place(self, *_: object) -> None:
        explorer, share = self._explorer, self._explorer.path_share
        has_path = explorer.path.ends is not None
        with QSignalBlocker(self.slider):
            self.slider.setValue(round((share if share is not None else explorer.path.share) * TICKS))
        self.place.setText(f"{share:.0%}".replace("%", " %") if share is not None else "")
        self.strip.set_share(share)
        self.curves.set_share(share)
        can_go = self.slider.isEnabled()
        self.note.setText(AWAY if has_path and share is None else "" if has_path else READY if can_go else NOTHING)
        self.note.setVisible(bool(self.note.text()))

    def _show_survey(self) -> None:
        survey = self._survey
        self.strip.set_film(survey.film, self._explorer.probe_path)
        self.curves.set_curves(survey.curves, survey.film)
        self.legend.setText(self.curves.legend)
        self.movie.setEnabled(survey.film is not None or self._saving is not None)
