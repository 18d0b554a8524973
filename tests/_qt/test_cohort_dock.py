"""The cohort's charts: what a click or a drag asks of the session, and what they show of it."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.cohort_dock import QtCohortDock
from napari_latent_explorer._qt.filter_chips import QtFilterChips
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtCohortDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(300, 900)
    dock.show()
    QTest.qWait(20)
    return dock


def click(chart, label, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(chart, LEFT, modifier, QPoint(*chart.row_center(chart.row_labels.index(label))))
    QTest.qWait(60)  # longer than filters are throttled


def drag(chart, low, high):
    start, end = (QPoint(round(chart.x_of(value)), 20) for value in (low, high))
    QTest.mousePress(chart, LEFT, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(chart, start + (end - start) * step / 5)
        QTest.qWait(10)
    QTest.mouseRelease(chart, LEFT, pos=end)
    QTest.qWait(60)


def test_there_is_a_card_for_every_phenotype(dock, explorer):
    assert list(dock.cards) == list(explorer.cohort.specs)


def test_a_click_on_a_bar_filters_and_a_second_one_ends_it(dock, explorer):
    chart = dock.cards["sex"].chart
    click(chart, "female")
    assert explorer.filters == (CategoryFilter("sex", frozenset({"female"})),)
    assert dock.findChild(type(dock._count)).text() == f"{explorer.view_state.n_visible} of 120 participants"
    click(chart, "female")
    assert explorer.filters == ()


def test_ctrl_adds_and_shift_takes_all_between(dock, explorer):
    chart = dock.cards["smoking"].chart
    click(chart, "never")
    click(chart, "current", CTRL)
    assert explorer.filters[0].categories == {"never", "current"}
    click(chart, "never")
    click(chart, "current", SHIFT)
    assert explorer.filters[0].categories == {"never", "previous", "current"}


def test_the_missing_are_a_bar_of_their_own(dock, explorer):
    chart = dock.cards["smoking"].chart
    assert chart.row_labels[-1] == "missing"
    click(chart, "missing")
    assert explorer.filters == (CategoryFilter("smoking", frozenset(), include_missing=True),)
    n_missing = int((explorer.cohort.codes("smoking") < 0).sum())
    assert explorer.view_state.n_visible == n_missing


def test_a_drag_on_a_histogram_filters_by_its_range(dock, explorer):
    drag(dock.cards["age"].chart, 55.0, 65.0)
    (chosen,) = explorer.filters
    assert isinstance(chosen, RangeFilter)
    assert (chosen.low, chosen.high) == (pytest.approx(55, abs=0.5), pytest.approx(65, abs=0.5))


def test_an_end_of_the_range_can_be_dragged_on(dock, explorer):
    chart = dock.cards["age"].chart
    explorer.set_filter(RangeFilter("age", 55.0, 65.0))
    drag(chart, 65.0, 70.0)
    (chosen,) = explorer.filters
    assert (chosen.low, chosen.high) == (55.0, pytest.approx(70, abs=0.5))


def test_a_click_inside_the_range_ends_it_and_one_elsewhere_takes_a_bar(dock, explorer):
    chart = dock.cards["age"].chart
    explorer.set_filter(RangeFilter("age", 55.0, 65.0))
    QTest.mouseClick(chart, LEFT, pos=QPoint(round(chart.x_of(60.0)), 20))
    QTest.qWait(60)
    assert explorer.filters == ()
    edges = explorer.view_state.bars["age"].edges
    QTest.mouseClick(chart, LEFT, pos=QPoint(round(chart.x_of(float(edges[8] + edges[9]) / 2)), 20))
    QTest.qWait(60)
    (chosen,) = explorer.filters
    assert (chosen.low, chosen.high) == (edges[8], edges[9])


def test_keys_choose_and_clear(dock, explorer):
    chart = dock.cards["sex"].chart
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_Down)
    QTest.keyClick(chart, Qt.Key.Key_Space)
    QTest.qWait(60)
    assert explorer.filters[0].categories == {"male"}
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    QTest.qWait(60)
    assert explorer.filters == ()


def test_search_hides_the_other_cards(dock):
    search = dock.findChildren(type(dock._search))[0]
    QTest.keyClicks(search, "ejection")
    shown = [name for name, card in dock.cards.items() if not card.isHidden()]
    assert shown == ["lvef", "rvef"]


def test_chips_say_the_filters_with_their_counts_and_remove_them(dock, explorer):
    chips = dock.findChild(QtFilterChips)
    explorer.set_filter(CategoryFilter("sex", frozenset({"female"})))
    explorer.set_filter(RangeFilter("age", 55.0, 65.0))
    n_women = explorer.view_state.bars["sex"].total[0]
    assert chips.chips[0].text().startswith(f"Sex: female  ({n_women})")
    assert len(chips.chips) == 3
    QTest.mouseClick(chips.chips[1], LEFT)
    assert [chosen.phenotype for chosen in explorer.filters] == ["sex"]
    QTest.mouseClick(chips.chips[-1], LEFT)
    assert explorer.filters == ()
    assert chips.isHidden()


def test_bars_take_the_colours_of_the_map_in_any_theme(dock, explorer):
    explorer.set_color_by("sex")
    dock.set_theme(LIGHT)
    chart = dock.cards["sex"].chart
    image = chart.grab().toImage()
    x = chart.width() // 2
    row_y = chart.row_center(0)[1]
    found = image.pixelColor(x, row_y).getRgbF()[:3]
    assert found == pytest.approx(explorer.view_state.legend[0].color[:3], abs=0.02)


def test_without_a_study_it_says_what_to_do(qtbot, empty_explorer):
    dock = QtCohortDock(empty_explorer)
    qtbot.addWidget(dock)
    assert "Open" in dock._empty.text()
    assert not dock._empty.isHidden()
    asked = []
    dock.build_requested.connect(lambda: asked.append(True))
    QTest.mouseClick(dock.build, LEFT)
    assert asked == [True]


def test_with_a_study_there_is_nothing_to_build(dock):
    assert dock.build.isHidden()
    assert not dock._search.isHidden()
