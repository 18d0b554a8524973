"""The rhythm strip: true to scale, every lead in its place, and no more points than pixels."""

import time

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_latent_explorer._qt.ecg_paper import CLINICAL_SCALE
from napari_latent_explorer._qt.rhythm_plot import QtRhythmStrip, envelope
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES


@pytest.fixture
def strip(qtbot):
    strip = QtRhythmStrip()
    qtbot.addWidget(strip)
    strip.resize(1000, 420)
    strip.show()
    QTest.qWait(20)
    return strip


def make_ecg(duration_s=10.0, rate_hz=500.0, leads=LEAD_NAMES, offset_mv=0.0):
    """Make a spike of 1 mV once a second in every lead."""
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    beats = np.exp(-0.5 * np.square((times % 1.0 - 0.5) / 0.01)) + offset_mv
    return ECG(np.tile(beats, (len(leads), 1)), tuple(leads), rate_hz, "rhythm")


def test_time_and_voltage_have_the_scale_of_ecg_paper(strip):
    strip.set_ecg(make_ecg(), "one")
    px_per_mm, zeros = strip.page.paper()
    line = strip.page._line(("II", 3, 0.0, 10_000.0), px_per_mm, zeros)
    points = np.array([(line.at(n).x(), line.at(n).y()) for n in range(line.count())])
    peaks = points[points[:, 1] < zeros[3] - 0.9 * CLINICAL_SCALE.mm_per_mv * px_per_mm]
    beats = np.split(peaks[:, 0], np.flatnonzero(np.diff(peaks[:, 0]) > 10) + 1)
    assert len(beats) == 10
    assert np.diff([beat.mean() for beat in beats]) == pytest.approx(
        1000.0 * CLINICAL_SCALE.mm_per_ms * px_per_mm, abs=1.5
    )
    assert zeros[3] - points[:, 1].min() == pytest.approx(CLINICAL_SCALE.mm_per_mv * px_per_mm, rel=0.02)


def test_an_offset_of_the_amplifier_moves_nothing(strip):
    strip.set_ecg(make_ecg(), "one")
    before = strip.grab().toImage()
    strip.set_ecg(make_ecg(offset_mv=1.5), "one")
    assert strip.grab().toImage() == before


def test_all_leads_are_shown_and_absent_ones_leave_their_place_empty(strip):
    strip.set_ecg(make_ecg(), "one")
    assert set(strip.page.shown_leads) == set(LEAD_NAMES)
    strip.set_ecg(make_ecg(leads=("V1", "I", "vx")), "two leads")
    assert set(strip.page.shown_leads) == {"I", "V1"}
    strip.set_ecg(make_ecg(leads=("vx", "vy")), "none of the twelve")
    assert strip.page.shown_leads == ()
    strip.grab()


def test_a_long_recording_scrolls_by_bar_key_and_wheel(strip):
    strip.set_ecg(make_ecg(duration_s=38.4), "long")
    assert strip.bar.isVisible()
    assert strip.bar.maximum() == pytest.approx(38_400 - strip.page.length_ms, abs=1)
    first = strip.page.grab().toImage()
    strip.page.setFocus()
    QTest.keyClick(strip.page, Qt.Key.Key_Right)
    assert strip.bar.value() == 1000
    assert strip.page.grab().toImage() != first
    turn = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strip.page, turn)
    assert strip.bar.value() == 2000
    strip.set_ecg(make_ecg(), "short")
    assert not strip.bar.isVisible()
    assert strip.bar.value() == 0


def test_a_wide_page_holds_more_of_a_long_recording(strip):
    strip.set_ecg(make_ecg(duration_s=60.0), "long")
    strip.resize(500, 420)
    QTest.qWait(20)
    assert strip.page.length_ms == 10_000.0
    strip.resize(1800, 220)
    QTest.qWait(20)
    assert strip.page.length_ms > 15_000.0
    assert strip.bar.maximum() == pytest.approx(60_000 - strip.page.length_ms, abs=1)


def test_a_day_of_recording_is_shown_at_once(strip):
    day = np.zeros((1, 86_400 * 250), np.float32)
    ecg = ECG(day, ("II",), 250.0, "rhythm")
    began = time.perf_counter()
    np.median(ecg.signal_mv)
    looked_at_all = time.perf_counter()
    strip.set_ecg(ecg, "a day")
    assert time.perf_counter() - looked_at_all < (looked_at_all - began) / 2
    strip.bar.setValue(strip.bar.maximum())
    strip.grab()


def test_samples_without_a_value_leave_the_rest_to_be_seen(strip):
    gappy = make_ecg(leads=("II", "V1")).signal_mv.copy()
    gappy[0, 100:300] = np.nan
    gappy[1] = np.nan
    strip.set_ecg(ECG(gappy, ("II", "V1"), 500.0, "rhythm"), "gaps")
    px_per_mm, zeros = strip.page.paper()
    line = strip.page._line(("II", 3, 0.0, 10_000.0), px_per_mm, zeros)
    assert np.isfinite([line.at(n).y() for n in range(line.count())]).all()
    strip.grab()


def test_where_room_is_small_one_lead_remains(strip):
    strip.set_ecg(make_ecg(), "one")
    strip.resize(500, 120)
    QTest.qWait(20)
    assert strip.page.shown_leads == ("II",)


def test_both_themes_draw_the_trace_in_the_colour_of_text(strip):
    strip.set_ecg(make_ecg(), "one")
    dark = strip.page.grab().toImage().pixelColor(2, 2).lightnessF()
    strip.set_theme(LIGHT)
    assert strip.page.grab().toImage().pixelColor(2, 2).lightnessF() > 0.9 > 0.3 > dark


def test_an_envelope_covers_each_pixel_and_keeps_the_extremes():
    rng = np.random.default_rng(0)
    x, y = np.linspace(0, 99.9, 20_000), rng.normal(size=20_000)
    short_x, short_y = envelope(x, y)
    assert len(short_x) == 200
    for column in range(100):
        here = np.floor(x) == column
        assert sorted(short_y[2 * column : 2 * column + 2]) == [y[here].min(), y[here].max()]
    few = np.arange(5.0)
    assert envelope(few, few)[0] is few
