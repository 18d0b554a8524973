"""Intervals between wave boundaries, and QT at another heart rate."""

import pytest

from napari_latent_explorer.analysis.ecg_intervals import EcgIntervals, WaveBoundaries, corrected_qt_ms

FOUND = WaveBoundaries(275.0, 380.0, 435.0, 525.0, 835.0, "V5")


def test_intervals_lie_between_the_boundaries():
    intervals = EcgIntervals.of(FOUND, 640.0)
    assert (intervals.pr_ms, intervals.qrs_ms, intervals.qt_ms, intervals.t_lead) == (160.0, 90.0, 400.0, "V5")
    assert intervals.qtc_bazett_ms == pytest.approx(500.0)  # the root of 0.64 is 0.8
    assert intervals.qtc_fridericia_ms == pytest.approx(400.0 / 0.64 ** (1 / 3))


def test_what_is_not_there_stays_unknown():
    without_p_and_t = EcgIntervals.of(WaveBoundaries(None, None, 435.0, 525.0, None, None), 800.0)
    assert without_p_and_t.pr_ms is without_p_and_t.qt_ms is without_p_and_t.qtc_bazett_ms is None
    assert without_p_and_t.qrs_ms == 90.0
    without_rate = EcgIntervals.of(FOUND, None)
    assert without_rate.qt_ms == 400.0
    assert without_rate.qtc_bazett_ms is without_rate.qtc_fridericia_ms is None


@pytest.mark.parametrize("formula", ["Bazett", "Fridericia"])
def test_nothing_is_corrected_at_sixty_beats_a_minute(formula):
    assert corrected_qt_ms(400.0, 1000.0, formula) == pytest.approx(400.0)
    assert corrected_qt_ms(400.0, 600.0, formula) > 400.0 > corrected_qt_ms(400.0, 1400.0, formula)
