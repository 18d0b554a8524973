"""The ECG: which traces are shown, on what paper, and how the cursor goes with the cine."""

import io

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_latent_explorer._qt.ecg_dock import QtEcgDock
from napari_latent_explorer._qt.ecg_layout import LAYOUTS
from napari_latent_explorer._qt.ecg_paper import CLINICAL_SCALE, PaperScale
from napari_latent_explorer._qt.ecg_plot import EcgTrace, QtEcgPlot
from napari_latent_explorer.analysis.ecg_difference import EcgDifference
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.session.originals import Original
from napari_latent_explorer.session.recordings import LoadedRecording
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.population import simulate_population

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtEcgDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(800, 320)
    dock.show()
    QTest.qWait(20)
    return dock


def show_participant(explorer, qtbot, row=0):
    participant_id = str(explorer.cohort.participant_ids[row])
    explorer.probe_participant(participant_id)
    explorer.show_participant(participant_id)
    qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle)
    QTest.qWait(50)
    return participant_id


def test_original_and_reconstruction_lie_over_each_other(dock, explorer, qtbot):
    participant_id = show_participant(explorer, qtbot)
    reconstruction, original = dock.plot.traces
    assert original.label == f"Original: {participant_id}"
    np.testing.assert_array_equal(original.signal_mv, explorer.study.ecg(participant_id).signal_mv)
    assert participant_id in reconstruction.label
    assert reconstruction.signal_mv.shape == (12, 600)


def test_the_original_goes_when_the_probe_begins_elsewhere(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    explorer.probe_mean()
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    assert [trace.label.split(":")[0] for trace in dock.plot.traces] == ["Reconstruction"]


def test_the_original_stays_while_the_probe_moves(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    explorer.probe.move(1, 3.0)
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    QTest.qWait(50)
    assert len(dock.plot.traces) == 2
    assert dock.plot.traces[0].signal_mv.max() == pytest.approx(1.6, abs=0.01)


def test_a_groups_reconstruction_has_its_colour(dock, explorer, qtbot):
    group = explorer.create_group("Some", explorer.cohort.participant_ids[:20].tolist())
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    QTest.qWait(50)
    assert dock.plot.traces[0].color == group.color


def test_time_and_voltage_have_the_scale_of_ecg_paper(qtbot):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    plot.set_traces((EcgTrace("one", None, np.ones((12, 600), np.float32), 500.0),))
    paper = plot.paper()
    lefts = sorted({left for left, _ in paper.places.values()})
    assert len(lefts) == 4
    assert lefts[1] - lefts[0] >= 1200 * CLINICAL_SCALE.mm_per_ms * paper.px_per_mm  # columns do not overlap
    assert CLINICAL_SCALE.mm_per_ms * 1000 == 25


def test_the_paper_does_not_breathe_while_the_probe_moves(qtbot):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    large, small = (EcgTrace("x", None, np.full((12, 600), mv, np.float32), 500.0) for mv in (2.0, 0.5))
    plot.set_traces((large,))
    before = plot.paper().px_per_mm
    plot.set_traces((small,))
    assert plot.paper().px_per_mm == before
    plot.set_traces((small,), keeps_scale=False)
    assert plot.paper().px_per_mm > before


def test_three_leads_where_room_is_small(qtbot):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    assert sum(map(len, plot.lead_rows)) == 12
    plot.resize(380, 140)
    assert plot.lead_rows == (("I", "II", "V5"),)
    plot.grab()


def test_a_click_on_the_r_peak_asks_for_the_first_frame(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    dock.set_cine_time(100.0, 800.0)
    paper = dock.plot.paper()
    left, _ = paper.places["V4"]
    asked = []
    dock.cine_time_requested.connect(asked.append)
    x = round(left + 474.0 * CLINICAL_SCALE.mm_per_ms * paper.px_per_mm)
    QTest.mouseClick(dock.plot, LEFT, pos=QPoint(x, 100))
    off_ms = min(asked[0], 800.0 - asked[0])
    assert off_ms < 1.5 / (CLINICAL_SCALE.mm_per_ms * paper.px_per_mm)  # a pixel and a half


def test_the_button_plays_and_follows_without_echo(dock):
    heard = []
    dock.play_toggled.connect(heard.append)
    QTest.mouseClick(dock.play, LEFT)
    assert heard == [True]
    assert "Pause" in dock.play.text()
    dock.set_playing(False)
    assert heard == [True]
    assert "Play" in dock.play.text()


def test_a_recording_from_outside_brings_the_warning_until_another_is_shown(dock, explorer, qtbot, tmp_path):
    ecg = explorer.study.ecg("x")
    vector = np.ones(16, np.float32)
    warning = "Only shapes. Not for clinical use."
    loaded = LoadedRecording("ecg", tmp_path / "real.hea", ecg, ecg, vector, "as it was", warning)
    explorer.recording_loaded.emit(loaded)
    explorer.probe.set_origin(vector, "real.hea, ECG")
    assert warning in dock.banner.text
    show_participant(explorer, qtbot)
    assert dock.banner.text == ""


def make_rhythm(lead_names=LEAD_NAMES):
    spikes = np.tile(np.eye(1, 500, 200), 10)
    return ECG(np.repeat(spikes, len(lead_names), axis=0), tuple(lead_names), 500.0, "rhythm")


def test_strip_and_beat_are_two_pages(dock, explorer, qtbot):
    participant_id = str(explorer.cohort.participant_ids[0])
    beat, strip = explorer.study.ecg(participant_id), make_rhythm()
    dock._originals.show(Original("both", None, None, beat, (), strip))
    assert not dock.pages.isHidden()
    assert (dock.plot.isHidden(), dock.strip.isHidden()) == (False, True)
    QTest.mouseClick(dock.pages.buttons["Strip"], LEFT)
    assert (dock.plot.isHidden(), dock.strip.isHidden()) == (True, False)
    dock._originals.show(Original("beat only", None, None, beat, ()))
    assert dock.pages.isHidden()
    assert (dock.plot.isHidden(), dock.strip.isHidden()) == (False, True)
    dock._originals.show(Original("both again", None, None, beat, (), strip))
    assert not dock.strip.isHidden()  # what was chosen last


def test_a_recording_without_reconstruction_stands_alone(dock, explorer, qtbot):
    qtbot.waitUntil(lambda: len(dock.plot.traces) == 1)  # the mean's reconstruction
    dock._originals.show(Original("alone.xml", None, None, None, (), make_rhythm()))
    assert dock.plot.traces == ()
    assert "rhythm strip: 12 of 12 leads, 500 Hz, 10.0 s" in dock._place.text()
    explorer.probe_mean("ecg")
    qtbot.waitUntil(lambda: len(dock.plot.traces) == 1)
    assert dock._place.text() == "0 of 1000 ms (0%)"


def test_a_beat_with_few_leads_is_drawn_as_far_as_it_goes(dock):
    beat = ECG(np.ones((2, 600)), ("II", "V5"), 500.0, "median")
    dock._originals.show(Original("two leads", None, None, beat, ()))
    (trace,) = dock.plot.traces
    assert np.isfinite(trace.signal_mv).all(axis=1).nonzero()[0].tolist() == [1, 10]
    dock.grab()


def test_dropped_files_are_asked_to_be_opened(dock, tmp_path):
    asked = []
    dock.open_requested.connect(asked.append)
    paths = [tmp_path / "one.csv", tmp_path / "two.xml"]
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, place = Qt.DropAction.CopyAction, QPoint(50, 50)
    none = Qt.KeyboardModifier.NoModifier
    enters = QDragEnterEvent(place, copy, mime, LEFT, none)
    QApplication.sendEvent(dock, enters)
    assert enters.isAccepted()
    QApplication.sendEvent(dock, QDropEvent(QPointF(place), copy, mime, LEFT, none))
    assert asked == [[str(path) for path in paths]]


def test_the_button_opens_any_ecg_format(dock, monkeypatch):
    asked, filters = [], []
    dock.open_requested.connect(asked.append)

    def choose(parent, title, folder, file_filter):
        filters.append(file_filter)
        return ["/data/ecg.csv"], ""

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", choose)
    QTest.mouseClick(dock.open_file, LEFT)
    assert asked == [["/data/ecg.csv"]]
    assert "*.hea" in filters[0]
    assert "folder" not in filters[0]


def test_groups_side_by_side_lie_over_each_other_in_their_colours_until_the_probe_moves(
    dock, explorer, qtbot, shapes_decoder, shapes_bundle
):
    show_participant(explorer, qtbot)
    ids = explorer.cohort.participant_ids
    for name, rows in (("One", slice(0, 20)), ("Other", slice(20, 50))):
        explorer.create_group(name, ids[rows].tolist())
    explorer.show_side_by_side(["One", "Other"])
    qtbot.waitUntil(lambda: len(dock.plot.traces) == 2 and explorer.decode.is_idle)
    other, one = dock.plot.traces
    assert (one.label, other.label) == ("One", "Other")
    for trace, group in ((one, explorer.groups[0]), (other, explorer.groups[1])):
        assert trace.color == group.color
        expected = shapes_decoder(shapes_bundle, group.representative.vector)
        np.testing.assert_array_equal(trace.signal_mv, expected.ecg_mv)
    explorer.probe.move(0, 1.0)
    qtbot.waitUntil(lambda: len(dock.plot.traces) == 1)
    assert dock.plot.traces[0].label.startswith("Reconstruction")


def test_what_changed_since_the_origin_is_marked_in_mv_until_it_is_reset(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    assert dock.plot.difference is None
    explorer.probe.move(1, float(explorer.probe.vector[1]) + 2.0)  # the second latent is the ECG's height, 0.2 mV each
    qtbot.waitUntil(lambda: dock.plot.difference is not None)
    assert dock.plot.difference.largest_mv[[0, -1]] == pytest.approx([-0.4, 0.4], abs=0.01)
    dock.grab()
    explorer.probe.reset()
    qtbot.waitUntil(lambda: dock.plot.difference is None)


def test_a_dock_that_opens_after_the_probe_has_moved_marks_what_changed_too(explorer, qtbot):
    explorer.probe.move(1, float(explorer.probe.vector[1]) + 2.0)
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    late = QtEcgDock(explorer)
    qtbot.addWidget(late)
    qtbot.waitUntil(lambda: late.plot.difference is not None)
    assert late.plot.difference.largest_mv[[0, -1]] == pytest.approx([-0.4, 0.4], abs=0.01)


def test_the_shade_of_what_changed_lies_above_the_line_where_it_rose(qtbot):
    before = np.zeros((12, 600), np.float32)
    after = before.copy()
    after[:, 100:200], after[:, 300:400] = 0.4, -0.4
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    plot.set_traces((EcgTrace("now", None, after, 500.0),))
    plot.set_marks(None, EcgDifference.between(before, after, 500.0))
    picture, paper = plot.grab().toImage(), plot.paper()
    left, zero = paper.places["V1"]

    def shade(time_ms, mv):
        color = picture.pixelColor(round(left + time_ms * paper.px_per_ms), round(zero - mv * paper.px_per_mv))
        return color.red() - color.blue()

    yellow, blue = shade(300.0, 0.25), shade(700.0, -0.25)
    assert yellow > 60
    assert blue < -20
    assert abs(shade(300.0, -0.25)) < 30
    assert abs(shade(700.0, 0.25)) < 30


def test_intervals_are_told_of_the_original_and_of_the_reconstruction(dock, explorer, qtbot):
    person = simulate_population(5, seed=2).factors[1]
    participant_id = str(explorer.cohort.participant_ids[0])
    explorer.probe_participant(participant_id)
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    vector = explorer.probe.origin
    dock._originals.show(Original(participant_id, None, None, simulate_ecg(person), (vector,)))
    original = dock.intervals.rows[0]
    assert original.label == f"Original: {participant_id}"
    assert original.intervals.pr_ms == pytest.approx(person.pr_interval_ms, abs=10)
    assert original.intervals.qt_ms == pytest.approx(person.qt_interval_ms, abs=15)
    rate_bpm = explorer.cohort.values("heart_rate")[0]
    expected_ms = original.intervals.qt_ms / np.sqrt(60.0 / rate_bpm)
    assert original.intervals.qtc_bazett_ms == pytest.approx(expected_ms)
    assert "table" in dock.intervals.toolTip()
    dock.resize(800, 400)
    assert dock.intervals.isVisible()
    dock.resize(800, 200)
    assert not dock.intervals.isVisible()


def test_the_menu_changes_the_paper_and_takes_the_marks_away(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    actions = {action.text(): action for action in dock.view_menu.actions()}
    for text in ("12 x 1", "50 mm/s", "5 mm/mV", "Waves and intervals"):
        actions[text].trigger()
    paper = dock.plot.paper()
    assert len(paper.rows) == 12
    assert (paper.scale.mm_per_s, paper.scale.mm_per_mv) == (50.0, 5.0)
    assert dock.intervals.rows == ()
    assert not actions["3 x 4"].isChecked()


@pytest.mark.parametrize("width", [300, 1500])
def test_the_dock_is_as_narrow_or_wide_as_it_is_made(dock, explorer, qtbot, width):
    show_participant(explorer, qtbot)
    dock.resize(width, 420)
    QTest.qWait(20)
    assert dock.width() == width
    for button in (dock.play, dock.measure, dock.view, dock.save, dock.open_file):
        assert dock.rect().contains(button.geometry())
    dock.measure.click()
    assert dock.calipers.isVisible()
    QTest.keyClick(dock.calipers, Qt.Key.Key_Escape)
    assert not dock.calipers.isVisible()
    assert not dock.measure.isChecked()


def test_calipers_and_paper_go_with_the_strip_too(dock, explorer, qtbot):
    beat = explorer.study.ecg(str(explorer.cohort.participant_ids[0]))
    dock._originals.show(Original("both", None, None, beat, (), make_rhythm()))
    QTest.mouseClick(dock.pages.buttons["Strip"], LEFT)
    dock.measure.click()
    assert dock.strip_calipers.isVisible()
    strip = dock.strip_calipers.reading()
    assert strip.lead == "II"
    assert strip.span_ms > 2500.0  # in the long strip, not in the quarter of a row
    dock.view_menu._choose_scale(PaperScale(50.0, 10.0))
    assert dock.strip.page.length_ms == pytest.approx(5000.0)
    dock.view_menu._choose_layout("12 x 1")
    assert [panel.name for panel in dock.strip.page.panels()] == [row[0] for row in LAYOUTS["12 x 1"]]
    assert {panel.begin_ms for panel in dock.strip.page.panels()} == {0.0}


@pytest.mark.parametrize("page", ["Beat", "Strip"])
def test_what_is_saved_is_the_page_and_names_nobody(dock, explorer, qtbot, tmp_path, monkeypatch, page):
    participant_id = show_participant(explorer, qtbot)
    original = dock._originals.current
    strip = make_rhythm(("II", "V1"))
    dock._originals.show(Original(participant_id, original.cine, None, original.ecg, original.vectors, strip))
    QTest.mouseClick(dock.pages.buttons[page], LEFT)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *asked: (str(tmp_path / "chosen"), ""))
    save = next(action for action in dock.save.menu().actions() if action.text().startswith("CSV"))
    save.trigger()
    path = tmp_path / "chosen.csv"
    qtbot.waitUntil(lambda: path.exists() and not explorer.jobs.running)
    text = path.read_text("utf-8")
    assert participant_id not in text
    assert "# Study: 'Shapes'" in text
    table = pd.read_csv(io.StringIO(text), comment="#")
    if page == "Beat":
        assert table["ecg"].unique().tolist() == ["Original: a participant", "Reconstruction: a participant, MRI"]
        np.testing.assert_allclose(table["V6_mv"][:600], original.ecg.leads(("V6",))[0], atol=1e-4)
        assert "# Intervals (bpm; ms): Original: a participant: HR " in text
    else:
        np.testing.assert_allclose(table["II_mv"], strip.signal_mv[0], atol=1e-4)
        assert table["I_mv"].isna().all()
    assert participant_id in str(dock.table(has_ids=True)[0])


def test_a_printed_figure_has_true_millimetres(dock, explorer, qtbot):
    show_participant(explorer, qtbot)
    beat = explorer.study.ecg("x")
    dock._originals.show(Original("x", None, None, beat, (explorer.probe.origin,), make_rhythm()))
    px_per_mm = 96 / 25.4
    figure = dock.figure()
    assert "25 mm/s   10 mm/mV" in figure.title
    copy = QtEcgPlot()
    qtbot.addWidget(copy)
    copy.set_view("3 x 4", dock.plot.scale)
    copy.set_marks(dock.plot.waves, None)
    copy.set_traces(dock.plot.traces)
    copy.resize(*figure.size_px)
    assert copy.paper().px_per_mm == pytest.approx(px_per_mm, rel=0.01)
    QTest.mouseClick(dock.pages.buttons["Strip"], LEFT)
    strip = dock.figure()
    assert strip.size_px[0] == pytest.approx(250 * px_per_mm, abs=20)
    dock.strip.page.resize(*strip.size_px)
    assert dock.strip.page.paper()[0] == pytest.approx(px_per_mm, rel=0.01)
