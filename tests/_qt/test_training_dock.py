"""The dock that trains, by mouse and key, with a task that does what the test says."""

import queue
import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QFileDialog, QLineEdit

from napari_latent_explorer._qt.loss_chart import QtLossChart, log_ticks
from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch
from napari_latent_explorer._qt.reconstruction_strip import QtReconstructionStrip
from napari_latent_explorer._qt.theme import DARK, LIGHT
from napari_latent_explorer._qt.training_dock import QtTrainingDock, duration
from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.training_reports import Reconstructions
from napari_latent_explorer.session.model_training import ModelTraining
from napari_latent_explorer.session.training_curves import CURVE_FILE, LossCurve

LEFT = Qt.MouseButton.LeftButton
PLAN = {
    "event": "plan",
    "stages": [{"stage": name, "n_passes": 4, "budget_s": None} for name in ("mri", "joint")],
}


class ScriptedTask:
    """Tells what the test puts into `script`, and ends with a result or an exception from there."""

    def __init__(self, task):
        self.task, self.script, self.wishes = task, queue.Queue(), []

    def run(self, on_event):
        while True:
            yield Progress(1, 4, f"{self.task['name']} at work")
            try:
                item = self.script.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                raise item
            if "event" not in item:
                return item
            on_event(item)

    def pause(self):
        self.wishes.append("pause")
        self.script.put({"event": "paused"})

    def go_on(self):
        self.wishes.append("go on")


def step(n_passes, stage="mri", **losses):
    return {
        "event": "step", "stage": stage, "n_passes": n_passes, "progress": n_passes / 4, "n_samples": 16,
        "losses": losses or {"mri": 2.0 - n_passes / 4},
    }  # fmt: skip


def epoch(number, stage="mri"):
    row = {"epoch": float(number), f"train_{stage}": 1.5 / number, f"valid_{stage}": 1.6 / number}
    return {"event": "epoch", "stage": stage, "row": row}


def make_reconstructions(number=1):
    random = np.random.default_rng(number)
    cine = {source: random.normal(size=(3, 24, 24)) for source in ("original", "mri", "ecg")}
    ecg = {source: random.normal(size=(3, 2, 60)) for source in ("original", "mri", "ecg")}
    return Reconstructions("joint", number, ("P1", "<b>P2", "P3"), cine, ecg, ("II", "V1"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return finish(create_simulated_study(tmp_path_factory.mktemp("train") / "study", 12, 5, stored=False, n_workers=1))


@pytest.fixture
def tasks():
    return []


@pytest.fixture
def training(empty_explorer, tasks):
    dispatch = QtMainThreadDispatch()

    def make_task(task):
        tasks.append(ScriptedTask(task))
        return tasks[-1]

    training = ModelTraining(empty_explorer, dispatch, make_task)
    yield training
    dispatch.close()
    training.close()
    dispatch.deleteLater()


@pytest.fixture
def dock(qtbot, training):
    dock = QtTrainingDock(training)
    qtbot.addWidget(dock)
    dock.resize(320, 720)
    dock.show()
    QTest.qWait(20)
    return dock


@pytest.fixture
def ready(qtbot, dock, training, empty_explorer, simulated, tmp_path):
    """Show the dock of an open study, with a folder of the test's own."""
    empty_explorer.open(simulated)
    training.set_output(tmp_path / "model")
    qtbot.waitUntil(lambda: not training.jobs.running, timeout=20_000)
    return dock


def shown(dock):
    return [
        name for name in ("open_study", "form", "start", "pause", "cancel", "encode", "problem", "chart", "progress")
        if getattr(dock, name).isVisibleTo(dock)
    ]  # fmt: skip


def test_without_a_study_it_says_what_to_do_and_does_it(dock, monkeypatch, tmp_path):
    assert shown(dock) == ["open_study"]
    assert "Open one" in dock.empty.text()
    asked = []
    dock.open_requested.connect(asked.append)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    QTest.mouseClick(dock.open_study, LEFT)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    QTest.mouseClick(dock.open_study, LEFT)
    assert asked == [tmp_path]


def test_settings_are_chosen_and_go_to_the_task(ready, training, tasks, qtbot):
    assert ready.title.text() == "study: 12 with MRI and ECG"
    assert "20 min" in ready.pace.text()
    form = ready.form
    form.amount.setFocus()
    form.amount.selectAll()
    QTest.keyClicks(form.amount, "35")
    QTest.keyClick(form.amount, Qt.Key.Key_Return)
    assert training.request.max_minutes == 35.0
    QTest.keyClick(form.bound, Qt.Key.Key_Down)
    form.bound.activated.emit(form.bound.currentIndex())
    assert (training.request.max_minutes, training.request.n_passes) == (None, 10)
    QTest.mouseClick(form.vae, LEFT, pos=QPoint(8, form.vae.height() // 2))
    form.seed.selectAll()
    QTest.keyClicks(form.seed, "7")
    QTest.keyClick(form.seed, Qt.Key.Key_Return)
    form.model.setCurrentIndex(form.model.findData("paper"))
    form.model.activated.emit(form.model.currentIndex())
    assert not form.amount.isVisibleTo(form)
    QTest.mouseClick(ready.start, LEFT)
    qtbot.waitUntil(lambda: bool(tasks), timeout=5_000)
    assert tasks[0].task["request"] == {
        "model": "paper", "max_minutes": None, "n_passes": None, "baselines": "pretraining",
        "has_vae_baselines": True, "seed": 7,
    }  # fmt: skip


def test_losses_reconstructions_and_the_time_left_come_live(ready, training, tasks, qtbot):
    QTest.mouseClick(ready.start, LEFT)
    qtbot.waitUntil(lambda: "at work" in ready.status.text(), timeout=5_000)
    assert shown(ready) == ["pause", "cancel", "chart", "progress"]
    assert "measured" in ready.pace.text()
    make_reconstructions().save(training.output)
    for event in (PLAN, step(0.5), step(1.0), epoch(1), {"event": "reconstructions"}):
        tasks[0].script.put(event)
    qtbot.waitUntil(lambda: ready.strip.shown is not None, timeout=5_000)
    qtbot.waitUntil(lambda: len(ready.chart._curves) == 3, timeout=5_000)
    assert ready.chart.parts == ("mri",)
    assert "participants per second; about" in ready.pace.text()
    assert ready.strip.caption == "After epoch 1, cross-modal autoencoder"
    tasks[0].script.put(step(0.5, "joint", mri=1.0, ecg=0.5, contrastive=3.0))
    qtbot.waitUntil(lambda: ready.chart.parts == ("mri", "ecg", "contrastive"), timeout=5_000)
    assert ready.stage.currentData() == "joint"
    ready.stage.setCurrentIndex(0)
    ready.stage.activated.emit(0)
    assert ready.chart.parts == ("mri",)
    tasks[0].script.put(step(1.0, "joint", mri=1.0, ecg=0.5, contrastive=3.0))
    qtbot.waitUntil(lambda: len(training.record.curves("joint")[0].losses) == 2, timeout=5_000)
    QTest.qWait(300)
    assert ready.stage.currentData() == "mri"


def test_pause_resume_and_cancel_by_mouse(ready, training, tasks, qtbot):
    QTest.mouseClick(ready.start, LEFT)
    qtbot.waitUntil(lambda: bool(tasks), timeout=5_000)
    tasks[0].script.put(epoch(1))
    QTest.mouseClick(ready.pause, LEFT)
    qtbot.waitUntil(lambda: training.status == "paused", timeout=5_000)
    assert ready.pause.text() == "Resume"
    assert "processor is free" in ready.status.text()
    QTest.mouseClick(ready.pause, LEFT)
    assert (training.status, tasks[0].wishes, ready.pause.text()) == ("running", ["pause", "go on"], "Pause")
    QTest.mouseClick(ready.cancel, LEFT)
    qtbot.waitUntil(lambda: not training.is_busy, timeout=5_000)
    assert shown(ready) == ["form", "start", "chart"]
    assert ready.start.text() == "Go on with training"
    assert "goes on after the last finished epoch" in ready.status.text()
    assert not ready.form.seed.isEnabled()
    assert ready.form.output.isEnabled()


def test_errors_stand_in_the_dock_as_they_are(ready, training, tasks, qtbot):
    QTest.mouseClick(ready.start, LEFT)
    qtbot.waitUntil(lambda: bool(tasks), timeout=5_000)
    tasks[0].script.put(TrainingError("The loss is <b>not</b> finite."))
    qtbot.waitUntil(lambda: not training.is_busy, timeout=5_000)
    assert "problem" in shown(ready)
    assert ready.problem.text() == "The loss is <b>not</b> finite."
    assert ready.problem.textFormat() == Qt.TextFormat.PlainText
    QTest.mouseClick(ready.start, LEFT)
    assert "problem" not in shown(ready)


def test_the_finished_model_encodes_the_study(ready, training, tasks, qtbot):
    QTest.mouseClick(ready.start, LEFT)
    qtbot.waitUntil(lambda: bool(tasks), timeout=5_000)
    tasks[0].script.put({"fingerprint": "abc"})
    qtbot.waitUntil(lambda: training.status == "finished", timeout=5_000)
    assert shown(ready) == ["form", "encode", "chart"]
    heard = []
    training.encoded.connect(lambda: heard.append("encoded"))
    QTest.mouseClick(ready.encode, LEFT)
    qtbot.waitUntil(lambda: "encode at work" in ready.status.text(), timeout=5_000)
    assert shown(ready) == ["cancel", "chart", "progress"]
    assert tasks[1].task["bundle"] == str(training.output)
    tasks[1].script.put({"n_skipped": 2, "first_skipped": ["P7", "it has one frame"]})
    qtbot.waitUntil(lambda: heard == ["encoded"], timeout=5_000)
    assert "2 recordings could not be encoded, the first of P7: it has one frame" in ready.problem.text()


def test_another_folder_shows_the_run_in_it(ready, training, tmp_path, qtbot):
    old = tmp_path / "old"
    old.mkdir()
    (old / CURVE_FILE).write_text("stage,epoch,train_mri,valid_mri\nmri,1,0.9,0.8\nmri,2,0.7,0.6\n")
    make_reconstructions(2).save(old)
    line = ready.form.output.line
    line.selectAll()
    QTest.keyClicks(line, str(old))
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not training.jobs.running and ready.chart.parts == ("mri",), timeout=5_000)
    assert ready.strip.shown.epoch == 2
    assert ready.start.text() == "Go on with training"


def test_nothing_is_left_behind_when_dock_and_session_are_closed(training, tasks, qtbot, empty_explorer, simulated):
    empty_explorer.open(simulated)
    dock = QtTrainingDock(training)
    qtbot.waitUntil(lambda: not training.jobs.running, timeout=20_000)
    QTest.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: bool(tasks), timeout=5_000)
    tasks[0].script.put(epoch(1))
    ended: list[bool] = []
    dock.destroyed.connect(lambda: ended.append(True))
    dock.deleteLater()
    qtbot.waitUntil(lambda: bool(ended), timeout=5_000)
    tasks[0].script.put(epoch(2))
    qtbot.waitUntil(lambda: len(training.record.histories.get("mri", ())) == 2, timeout=5_000)  # trains on, unseen
    training.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "Train the model"]


def curve(part, kind, *losses):
    return LossCurve(part, kind, np.arange(1.0, len(losses) + 1), np.array(losses))


def test_the_chart_is_logarithmic_and_tells_values_under_the_mouse(qtbot):
    chart = QtLossChart()
    qtbot.addWidget(chart)
    chart.resize(320, 200)
    chart.set_curves([curve("mri", "train", 1.0, 0.1, 0.01), curve("mri", "valid", 2.0, 0.2, 0.02)])
    chart.show()
    y = chart.y_of(np.array([1.0, 0.1, 0.01]))
    assert y[1] - y[0] == pytest.approx(y[2] - y[1])
    assert y[0] < y[1]
    x = float(chart.x_of(np.array([2.0]))[0])
    assert QTest.qWaitForWindowExposed(chart)
    QTest.mouseMove(chart, QPoint(int(x) + 3, 60))
    qtbot.waitUntil(lambda: chart._hover_x is not None, timeout=5_000)
    assert chart.values_at(x + 3) == (2.0, (("mri", "training", 0.1), ("mri", "validation", 0.2)))
    with_values = chart.grab().toImage()
    chart.leaveEvent(QEvent(QEvent.Type.Leave))
    image = chart.grab().toImage()
    assert image != with_values
    ratio = image.width() / chart.width()
    for part_y in chart.y_of(np.array([2.0, 0.02])):  # a dot of the validation curve at its first and last epoch
        at = 1.0 if part_y == chart.y_of(np.array([2.0]))[0] else 3.0
        place = QPointF(float(chart.x_of(np.array([at]))[0]), float(part_y)) * ratio
        assert image.pixelColor(place.toPoint()).name() == chart.color_of("mri").name()
    chart.set_curves([])
    chart.set_theme(LIGHT)
    chart.grab()
    assert chart.values_at(10.0) == (0.0, ())


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.095, 1.1, 20, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (0.09, 1.1, 5, [0.1, 0.2, 0.5, 1.0]),
        (0.0009, 11.0, 5, [0.001, 0.01, 0.1, 1.0, 10.0]),
        (1.11, 1.19, 4, [1.12, 1.14, 1.16, 1.18]),
    ],
)
def test_ticks_read_well_over_any_range(low, high, most, expected):
    assert log_ticks(low, high, most) == pytest.approx(expected)


def test_the_strip_shows_each_source_of_each_participant(qtbot):
    strip = QtReconstructionStrip()
    qtbot.addWidget(strip)
    strip.resize(320, 300)
    strip.set_reconstructions(make_reconstructions())
    assert strip.sizeHint().height() > 3 * 60
    assert strip.words_at(QPointF(strip._left_of(1) + 5, 50)) == "&lt;b&gt;P2"
    assert strip.words_at(QPointF(5, 50)) == ""
    strip.set_theme(LIGHT)
    strip.resize(320, strip.sizeHint().height())
    image = strip.grab().toImage()
    ratio = image.width() / strip.width()
    cell = strip._cell_px(320.0)
    top = 2 * strip.fontMetrics().height() + 4
    rows = [
        {image.pixel(int((strip._left_of(0) + dx) * ratio), int(y * ratio)) for dx in range(40)}
        for y in (top + row * (cell + 4) + 20 for row in range(3))
    ]
    assert all(len(grays) > 5 for grays in rows)
    assert rows[0] != rows[1] != rows[2]
    strip.set_reconstructions(None)
    assert strip.caption == ""
    assert strip.sizeHint().height() == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (61, "1 min"), (3599, "1 h"), (12_000, "3 h 20 min"), (187_200, "2 days 4 h")],
)
def test_times_are_written_as_people_say_them(seconds, words):
    assert duration(seconds) == words


def test_every_control_says_what_it_is_and_it_fits_a_narrow_dock(ready):
    for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit):
        for control in ready.findChildren(kind):
            if type(control.parent()).__name__ in ("QSpinBox", "_PathLine", "QComboBox", "QScrollBar"):
                continue  # parts of Qt's own controls
            assert control.accessibleName() or getattr(control, "text", str)(), control
            assert control.toolTip() or control is ready.use_open, control.accessibleName()
    for theme in (DARK, LIGHT):
        ready.set_theme(theme)
        assert ready.grab().width() <= 321 * ready.devicePixelRatio()
    inside = ready.form.parentWidget()
    assert inside.width() <= 320
    assert Path(ready.form.output.line.text()).name == "model"
