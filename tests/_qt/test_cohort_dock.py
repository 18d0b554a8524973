"""The cohort's charts: what a click or a drag asks of the session, and what they show of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QToolButton

from napari_latent_explorer._qt.chart_order import ORDERS, change_under_filters
from napari_latent_explorer._qt.cohort_dock import QtCohortDock
from napari_latent_explorer._qt.filter_chips import QtFilterChips
from napari_latent_explorer._qt.histogram_chart import QtHistogramChart
from napari_latent_explorer._qt.range_edit import parse_range
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts, limits_of
from napari_latent_explorer.session.filters import AnyOf, CategoryFilter, Not, RangeFilter

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
    assert (chosen.low, chosen.high) == limits_of(edges, 8, 8)


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
    assert chips.verticalScrollBar().maximum() == 0
    QTest.mouseClick(chips.chips[1], LEFT)
    assert [chosen.phenotype for chosen in explorer.filters] == ["sex"]
    QTest.mouseClick(chips.chips[-1], LEFT)
    assert explorer.filters == ()
    assert chips.isHidden()


def test_chips_keep_their_counts_and_crosses_in_a_narrow_dock_and_scroll_when_there_are_many(dock, explorer):
    chips = dock.findChild(QtFilterChips)
    for name in ("hypertension", "diabetes", "atrial_fibrillation", "hypertrophic_cardiomyopathy"):
        explorer.set_filter(CategoryFilter(name, frozenset({"no", "yes"})))
    dock.resize(240, 700)
    QTest.qWait(20)
    clear, *others = chips.chips
    assert clear.text() == "Clear all"
    n = len(explorer.cohort)
    for chip in others:
        assert chip.text().endswith(f"  ({n})  ✕")
        assert chip.geometry().right() < chips.viewport().width()
    assert "…" in others[3].text()
    assert "Hypertrophic cardiomyopathy: no or yes" in others[3].toolTip()
    assert chips.height() < chips.widget().height()
    dock.resize(420, 700)
    QTest.qWait(20)
    assert "…" not in others[0].text()


def test_a_row_that_is_cut_is_said_in_full_by_its_tool_tip(dock, explorer):
    chart = dock.cards["smoking"].chart
    n_never = int(explorer.view_state.bars["smoking"].total[0])
    assert f"never {n_never}\nClick: only this one." in chart.tool_tip_of(0)


def test_what_is_dragged_among_whole_numbers_is_whole(dock, qtbot):
    spec = PhenotypeSpec("operations", "continuous", "Operations")
    chart = QtHistogramChart(spec)
    qtbot.addWidget(chart)
    chart.resize(240, 70)
    edges = np.array([-0.5, 0.5, 1.5, 2.5, 3.5])
    ones = np.ones(4, np.int64)
    chart.set_counts(BarCounts(("0", "1", "2", "3"), edges, ones, ones, 0, 0), None)
    heard = []
    chart.filter_requested.connect(heard.append)
    drag(chart, 0.8, 2.3)
    assert heard[-1] == RangeFilter("operations", 1.0, 2.0)
    QTest.mouseClick(chart, LEFT, pos=QPoint(round(chart.x_of(3.2)), 20))
    assert heard[-1] == RangeFilter("operations", 3, 3)


def test_a_value_far_off_has_a_wide_bar_in_which_limits_are_rounded_more(dock, qtbot):
    chart = QtHistogramChart(PhenotypeSpec("bnp", "continuous", "NT-proBNP", "pg/ml"))
    qtbot.addWidget(chart)
    chart.resize(240, 70)
    edges = np.array([0.0, 100.0, 200.0, 300.0, 180_000.0])
    ones = np.ones(4, np.int64)
    chart.set_counts(BarCounts(("a", "b", "c", "d"), edges, ones, ones, 0, 0), None)
    assert [chart.x_of(edge) for edge in edges] == pytest.approx(np.linspace(0, 239, 5))
    heard = []
    chart.filter_requested.connect(heard.append)
    drag(chart, 120.0, 250.0)
    assert heard[-1].low == pytest.approx(120, abs=3)
    assert heard[-1].high == pytest.approx(250, abs=3)
    drag(chart, 250.0, 90_000.0)
    assert heard[-1].high % 10_000 == 0


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


# ---- typed ranges, keys, order, logarithm ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("55 to 65", (55, 65)),
        ("55-65", (55, 65)),
        ("55 to <65", (55, math.nextafter(65, 0))),
        ("55 to under 65", (55, math.nextafter(65, 0))),
        ("-5.5 \N{EN DASH} -.5", (-5.5, -0.5)),
        ("1,234..2e3", (1234, 2000)),
        (">= 60", (60, math.inf)),
        ("≤60", (-math.inf, 60)),
        ("AT  MOST 45", (-math.inf, 45)),
        ("from 55", (55, math.inf)),
        ("60", (60, 60)),
    ],
)
def test_a_range_is_read_as_it_is_meant(text, expected):
    assert parse_range(text) == expected


def test_over_and_under_leave_the_number_itself_out():
    assert not RangeFilter("age", *parse_range("over 60")).low <= 60.0
    assert parse_range("< 45")[1] < 45.0


@pytest.mark.parametrize("text", ["old", "65 to 55", "5 to", "1,2 to 3", ".", "1 2", "nan", "1e999"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"range|upside"):
        parse_range(text)


def test_what_holds_is_written_as_it_is_read(dock, explorer):
    for low, high in ((55.0, 65.0), (-math.inf, 65.0), (55.0, math.inf)):
        explorer.set_filter(RangeFilter("age", low, high))
        assert parse_range(dock.cards["age"].range.text()) == (low, high)


def test_a_range_is_typed(dock, explorer):
    field = dock.cards["age"].range
    QTest.keyClicks(field, "55 to 65")
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.qWait(60)
    assert explorer.filters == (RangeFilter("age", 55.0, 65.0),)
    field.selectAll()
    QTest.keyClicks(field, "old")
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.qWait(60)
    assert explorer.filters == (RangeFilter("age", 55.0, 65.0),)
    assert "no range" in field.toolTip()
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "55 to 65"
    assert "no range" not in field.toolTip()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.qWait(60)
    assert explorer.filters == ()


def press(chart, key, modifier=Qt.KeyboardModifier.NoModifier, times=1):
    for _ in range(times):
        QTest.keyClick(chart, key, modifier)
        QTest.qWait(60)


def test_a_histogram_is_worked_by_keys(dock, explorer):
    chart, edges = dock.cards["age"].chart, explorer.view_state.bars["age"].edges
    chart.setFocus()
    press(chart, Qt.Key.Key_Right, times=3)
    assert explorer.filters == ()
    press(chart, Qt.Key.Key_Space)
    assert (explorer.filters[0].low, explorer.filters[0].high) == limits_of(edges, 3, 3)
    press(chart, Qt.Key.Key_Right, SHIFT, times=2)
    assert (explorer.filters[0].low, explorer.filters[0].high) == limits_of(edges, 3, 5)
    press(chart, Qt.Key.Key_Right, CTRL)
    assert explorer.filters[0].low == pytest.approx(edges[4], abs=0.5)
    assert explorer.filters[0].high == pytest.approx(edges[7], abs=0.5)
    press(chart, Qt.Key.Key_Escape)
    assert explorer.filters == ()


def test_the_bar_of_the_missing_is_reached_by_keys(dock, explorer):
    bars = explorer.view_state.bars
    name = next(name for name in bars if bars[name].edges is not None and bars[name].missing_total)
    chart, n_missing = dock.cards[name].chart, bars[name].missing_total
    for _ in bars[name].labels:
        QTest.keyClick(chart, Qt.Key.Key_Right)
    press(chart, Qt.Key.Key_Space)
    assert explorer.filters == (CategoryFilter(name, include_missing=True),)
    assert explorer.view_state.n_visible == n_missing


def test_shift_click_takes_all_bars_up_to_it(dock, explorer):
    chart, edges = dock.cards["age"].chart, explorer.view_state.bars["age"].edges
    for bar, modifier in ((4, Qt.KeyboardModifier.NoModifier), (8, SHIFT), (2, SHIFT)):
        middle = float(edges[bar] + edges[bar + 1]) / 2
        QTest.mouseClick(chart, LEFT, modifier, QPoint(round(chart.x_of(middle)), 20))
        QTest.qWait(60)
    assert (explorer.filters[0].low, explorer.filters[0].high) == limits_of(edges, 2, 8)


def test_a_drag_is_one_step_to_undo(dock, explorer):
    drag(dock.cards["age"].chart, 55.0, 65.0)
    drag(dock.cards["age"].chart, 65.0, 70.0)
    explorer.undo()
    assert explorer.filters[0].high == pytest.approx(65, abs=0.5)
    explorer.undo()
    assert explorer.filters == ()


def test_charts_show_filters_that_are_put_together(dock, explorer):
    chart = dock.cards["smoking"].chart
    explorer.set_filter(Not(CategoryFilter("smoking", frozenset({"never"})), include_missing=True))
    assert [chart._is_chosen(label) for label in chart.row_labels] == [False, True, True, True]
    young_or_old = AnyOf((RangeFilter("age", -math.inf, 50.0), RangeFilter("age", 65.0, math.inf)))
    explorer.set_filter(young_or_old)
    edges = explorer.view_state.bars["age"].edges
    middles = (edges[:-1] + edges[1:]) / 2
    assert list(dock.cards["age"].chart._passing[:-1]) == [m <= 50 or m >= 65 for m in middles]
    assert dock.cards["age"].range.text() == ""
    QTest.mouseClick(dock.cards["age"]._clear, LEFT)
    QTest.qWait(60)
    assert [chosen.key for chosen in explorer.filters] == ["smoking"]


def shown_order(dock):
    return sorted(dock.cards, key=lambda name: dock.cards[name].y())


def choose_order(qtbot, dock, order):
    orders = dock.order.findChild(QComboBox)
    orders.setFocus()
    orders.setCurrentText(order)
    orders.textActivated.emit(order)
    QTest.qWait(30)


def test_charts_are_ordered_by_name_values_and_change(dock, explorer, qtbot):
    as_in_study = shown_order(dock)
    choose_order(qtbot, dock, "Name")
    assert shown_order(dock) == sorted(dock.cards, key=lambda name: (dock.cards[name].spec.label or name).casefold())
    choose_order(qtbot, dock, "Known values")
    known = [int(explorer.view_state.bars[name].total.sum()) for name in shown_order(dock)]
    assert known == sorted(known, reverse=True)
    explorer.set_filter(CategoryFilter("sex", frozenset({"female"})))
    choose_order(qtbot, dock, "Change under the filters")
    changes = [change_under_filters(explorer.view_state.bars[name]) for name in shown_order(dock)]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0
    choose_order(qtbot, dock, ORDERS[0])
    assert shown_order(dock) == as_in_study


def test_the_change_is_the_share_who_would_have_to_move():
    counts = BarCounts(("a", "b"), None, np.array([50, 50]), np.array([30, 10]), 0, 0)
    assert change_under_filters(counts) == pytest.approx(0.25)
    assert change_under_filters(replace(counts, filtered=np.array([0, 0]))) == 0.0


def test_logarithmic_bars_let_rare_ones_be_seen(dock, explorer):
    """The rarest category's bar is longer than by counts, the commonest's is as long."""
    chart, counts = dock.cards["smoking"].chart, explorer.view_state.bars["smoking"]
    totals = [*counts.total.tolist(), counts.missing_total]
    rare, common = int(np.argmin(totals)), int(np.argmax(totals))

    def pixels(row):
        image, y = chart.grab().toImage(), chart.row_center(row)[1]
        accent = {chart._theme.color(name).name() for name in ("accent", "muted")}
        return sum(image.pixelColor(x, y).name() in accent for x in range(image.width() // 3, image.width() * 2 // 3))

    before = pixels(rare), pixels(common)
    QTest.mouseClick(dock.order.findChild(QToolButton), LEFT)
    assert pixels(rare) > before[0]
    assert pixels(common) == before[1]


def test_charts_say_aloud_what_they_show(dock, explorer):
    explorer.set_filter(CategoryFilter("sex", frozenset({"female"})))
    n_women = explorer.view_state.n_visible
    assert dock.cards["age"].chart.accessibleDescription().startswith(f"{n_women} of 120 participants pass")
    assert dock.cards["sex"].chart.accessibleDescription().startswith("female ")
    assert dock.cards["age"].chart.accessibleName() == "Age (years): choose a range"
