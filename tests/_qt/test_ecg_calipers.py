"""Calipers read what is recorded: ms between samples, beats a minute, and mV of each curve; by mouse and by keys."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.ecg_calipers import QtEcgCalipers
from napari_latent_explorer._qt.ecg_plot import EcgTrace, QtEcgPlot
from napari_latent_explorer.data.ecg import LEAD_NAMES

LEFT = Qt.MouseButton.LeftButton
KEY = Qt.Key


@pytest.fixture
def plot(qtbot):
    """Two ECGs: the one on top rises by 1 mV a second in each lead, the other falls by 0.5."""
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    seconds = np.arange(600) / 500.0
    rising, falling = (np.tile(slope * seconds, (12, 1)).astype(np.float32) for slope in (1.0, -0.5))
    plot.set_traces((EcgTrace("below", None, falling, 500.0), EcgTrace("top", None, rising, 500.0)))
    plot.show()
    return plot


@pytest.fixture
def calipers(plot):
    calipers = QtEcgCalipers(plot, plot.panels)
    calipers.show()
    QTest.qWait(20)
    return calipers


def drag(calipers, panel, from_ms, to_ms):
    """Press where a point is, and let it go elsewhere, half a pixel off each time."""
    y = round(panel.zero)
    begin, end = (QPoint(round(panel.place(time_ms).x()), y) for time_ms in (from_ms, to_ms))
    QTest.mousePress(calipers, LEFT, pos=begin)
    QTest.mouseMove(calipers, end)
    QTest.mouseRelease(calipers, LEFT, pos=end)


def test_a_drag_reads_ms_bpm_and_the_mv_of_each_curve(plot, calipers):
    panel = next(one for one in plot.panels() if one.name == "V2")
    first, second = calipers.calipers.times_ms
    drag(calipers, panel, first, 100.0)
    drag(calipers, panel, second, 900.0)
    reading = calipers.reading()
    pixel_ms = 1.0 / panel.px_per_ms
    assert reading.lead == "V2"
    assert reading.span_ms == pytest.approx(800.0, abs=2 * pixel_ms)
    assert reading.span_ms % 2.0 == pytest.approx(0.0)  # 500 samples a second
    assert reading.bpm == pytest.approx(60_000.0 / reading.span_ms)
    assert reading.changes_mv == pytest.approx([reading.span_ms / 1000.0, -reading.span_ms / 2000.0], abs=1e-5)


def test_keys_move_by_samples_and_reach_both_points_and_every_lead(calipers):
    first, second = calipers.calipers.times_ms
    QTest.keyClick(calipers, KEY.Key_Right)
    QTest.keyClick(calipers, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert calipers.calipers.times_ms == pytest.approx((first, second + 22.0))
    QTest.keyClick(calipers, KEY.Key_Space)
    QTest.keyClick(calipers, KEY.Key_Left)
    assert calipers.calipers.times_ms == pytest.approx((first - 2.0, second + 22.0))
    seen = set()
    for _ in LEAD_NAMES:
        seen.add(calipers.reading().lead)
        QTest.keyClick(calipers, KEY.Key_Down)
    assert seen == set(LEAD_NAMES)


def test_points_stop_at_the_ends_of_the_recording(plot, calipers):
    panel = plot.panels()[calipers.calipers.panel]
    for _ in range(80):
        QTest.keyClick(calipers, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert calipers.calipers.times_ms[1] == pytest.approx(1198.0)
    assert panel.snapped(-50.0) == 0.0
    assert calipers.reading().bpm is not None
    QTest.keyClick(calipers, KEY.Key_Space)
    for _ in range(80):
        QTest.keyClick(calipers, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert calipers.reading().bpm is None  # both on one sample
    calipers.grab()


def test_they_say_what_they_read_and_close_by_escape(qtbot, calipers):
    with qtbot.waitSignal(calipers.closed):
        QTest.keyClick(calipers, KEY.Key_Right)
        QTest.keyClick(calipers, KEY.Key_Escape)
    assert " ms" in calipers.accessibleDescription()
    assert "bpm; top " in calipers.accessibleDescription()


def test_the_paper_may_grow_and_the_leads_may_go_under_them(plot, calipers):
    before = calipers.reading()
    plot.resize(1400, 700)
    QTest.qWait(20)
    assert calipers.reading() == before
    assert calipers.size() == plot.size()
    lone = np.full((12, 100), np.nan, np.float32)
    lone[10] = 0.5
    plot.set_traces((EcgTrace("V5 only", None, lone, 250.0),))
    assert calipers.reading().lead == "V5"
    assert calipers.reading().changes_mv == (0.0,)
    plot.set_traces(())
    assert calipers.reading() is None
    calipers.grab()
    QTest.keyClick(calipers, KEY.Key_Right)
