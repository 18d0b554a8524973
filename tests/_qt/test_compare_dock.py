"""Comparing groups by hand: chosen, read, sorted, exported, and told what it is worth."""

import csv
import io
import math
from xml.etree import ElementTree

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication, QImage
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.compare_dock import QtCompareDock
from napari_latent_explorer._qt.comparison_model import EFFECT, NAME, P, Q
from napari_latent_explorer._qt.figure_menu import save_figure
from napari_latent_explorer._qt.forest_painter import HEADER_PX, ROW_PX
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.comparing import Comparing
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def comparing(explorer):
    return Comparing(explorer)


@pytest.fixture
def dock(qtbot, explorer, comparing):
    dock = QtCompareDock(explorer, comparing)
    qtbot.addWidget(dock)
    dock.resize(380, 700)
    dock.show()
    return dock


@pytest.fixture
def settled(qtbot, explorer, comparing, dock):
    """Wait until the present choice was compared."""

    def wait():
        qtbot.waitUntil(lambda: comparing.result is not None and not explorer.jobs.running, timeout=20_000)
        return comparing.result

    return wait


@pytest.fixture
def sexes(explorer, settled):
    for sex in ("female", "male"):
        explorer.set_filter(CategoryFilter("sex", frozenset({sex})))
        explorer.create_group(sex.title())
    explorer.clear_filters()
    return settled()


def names(dock):
    return [row.spec.name for row in dock.view.model.rows]


def test_it_says_what_is_needed_and_has_the_button_that_does_it(dock, explorer, settled):
    assert not dock.view.isVisible()
    explorer.select(explorer.cohort.participant_ids[:30].tolist())
    assert dock.new_group.text() == "New group from selection (30)"
    QTest.mouseClick(dock.new_group, LEFT)
    assert not dock.new_group.isVisible()
    assert settled().table.n_b == 90
    assert f"Picked by hand or on a map: {explorer.groups[0].name}." in dock.warning
    assert dock.view.isVisible()
    assert dock.status == f"30 and 90 participants, {settled().table.n_tested} phenotypes tested"


def test_the_choices_show_the_groups_and_set_them(dock, explorer, comparing, sexes, settled):
    assert [dock.bar.group_a.itemText(one) for one in range(dock.bar.group_a.count())] == ["Female", "Male"]
    assert (dock.bar.group_a.currentText(), dock.bar.group_b.currentText()) == ("Female", "Male")
    dock.bar.group_a.activated.emit(1)  # takes the other one's place
    assert (comparing.group_a.name, comparing.group_b.name) == ("Male", "Female")
    QTest.mouseClick(dock.bar.swap, LEFT)
    assert comparing.group_a.name == "Female"
    dock.bar.group_b.activated.emit(dock.bar.group_b.count() - 1)
    assert comparing.group_b is None
    assert not dock.bar.swap.isEnabled()
    assert settled().table.name_b == "the rest"
    dock.bar.test.activated.emit(dock.bar.test.findData("mann-whitney"))
    assert settled().table.number_test == "mann-whitney"


def test_men_have_the_heavier_hearts_in_plot_and_table(dock, sexes):
    model, row = dock.view.model, names(dock).index("lvm")
    forest_row = dock.view.plot.forest.rows[row]
    assert forest_row.effect.high < 0  # women are group A
    assert forest_row.is_filled
    assert model.data(model.index(row, NAME)) == "LV mass (g)"
    assert model.data(model.index(row, P)) == "< 0.001"
    assert model.data(model.index(row, EFFECT)).startswith("g -")
    tooltip = model.data(model.index(row, EFFECT), Qt.ItemDataRole.ToolTipRole)
    for words in ("Mean difference: -", " g, 95 % interval", "(Welch)", "median", "Cohen&#x27;s d", "q = "):
        assert words in tooltip


def test_what_chose_the_groups_is_marked_and_said(dock, sexes):
    model, row = dock.view.model, names(dock).index("sex")
    assert model.data(model.index(row, NAME)) == "Sex: male ◆"
    assert model.data(model.index(row, Q)) == "n/a"
    assert not dock.view.plot.forest.rows[row].is_filled
    assert "optimistic" in dock.warning
    assert "◆ A group was chosen by: Sex." in dock.warning
    assert "by hand" not in dock.warning


def test_plot_and_table_are_sorted_together(dock, sexes):
    sizes = [abs(row.standardised.value) for row in dock.view.model.rows if row.standardised is not None]
    assert sizes == sorted(sizes, reverse=True)
    dock.view.table.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
    labels = [row.spec.label for row in dock.view.model.rows]
    assert labels == sorted(labels, key=str.casefold)
    assert all(row.title.startswith(label) for row, label in zip(dock.view.plot.forest.rows, labels, strict=True))
    dock.view.table.sortByColumn(Q, Qt.SortOrder.DescendingOrder)
    q = [row.q for row in dock.view.model.rows]
    known = [one for one in q if math.isfinite(one)]
    assert known == sorted(known, reverse=True) == q[: len(known)]


def test_a_row_that_is_clicked_in_the_plot_is_chosen_in_the_table_and_both_scroll(dock, sexes):
    plot, table = dock.view.plot, dock.view.table
    QTest.mouseClick(plot.viewport(), LEFT, pos=QPoint(30, HEADER_PX + 2 * ROW_PX + 5))
    assert table.currentIndex().row() == 2
    before = plot.viewport().grab().toImage()
    table.selectRow(0)
    assert plot.viewport().grab().toImage() != before
    table.verticalScrollBar().setValue(2 * ROW_PX)
    assert plot.verticalScrollBar().value() == 2 * ROW_PX
    assert plot.row_at(HEADER_PX + 5) == 2
    assert plot.row_at(HEADER_PX - 5) == -1


def test_each_can_be_scrolled_to_its_end_though_the_other_ends_sooner(dock, sexes):
    dock.view._splitter.setSizes([150, 400])
    QTest.qWait(30)
    plot, table = dock.view.plot.verticalScrollBar(), dock.view.table.verticalScrollBar()
    assert table.maximum() < plot.maximum()
    plot.setValue(plot.maximum())
    assert plot.value() == plot.maximum()
    assert table.value() == table.maximum()


def test_plot_and_table_lie_beside_each_other_where_there_is_room(dock, sexes):
    plot, table = dock.view.plot, dock.view.table
    assert plot.mapTo(dock, QPoint()).x() == table.mapTo(dock, QPoint()).x()
    dock.resize(900, 420)
    QTest.qWait(30)
    assert plot.mapTo(dock, QPoint()).y() == table.mapTo(dock, QPoint()).y()
    assert table.mapTo(dock, QPoint()).x() > plot.mapTo(dock, QPoint()).x() + 300


def test_a_dock_that_nobody_sees_compares_nothing(dock, explorer, comparing, qtbot, settled):
    dock.hide()
    explorer.create_group("Some", explorer.cohort.participant_ids[:9].tolist())
    qtbot.wait(400)
    assert comparing.result is None
    dock.show()
    assert settled().table.n_a == 9


def test_old_numbers_are_grey_until_the_new_are_there(dock, explorer, comparing, sexes, settled):
    explorer.exclude(explorer.cohort.participant_ids[:3].tolist(), "bad scan")
    assert dock.status == "Comparing…"
    assert not dock.view.isEnabled()
    assert not dock.export.isEnabled()
    settled()
    assert "left out: 3 excluded from the study" in dock.status
    assert dock.view.isEnabled()


def test_where_there_is_no_rest_the_button_helps(dock, explorer, settled):
    explorer.set_filter(RangeFilter("age", 0.0, 60.0))
    explorer.create_group("Young")
    settled()
    assert "there is no rest" in dock.status
    assert not dock.view.isVisible()
    assert not dock.export.isEnabled()
    QTest.mouseClick(dock.help, LEFT)
    assert settled().table is not None
    assert not dock.help.isVisible()
    assert dock.view.isVisible()


def test_the_table_is_copied_and_saved_as_it_is_sorted(dock, sexes, tmp_path):
    dock.view.table.sortByColumn(P, Qt.SortOrder.AscendingOrder)
    dock.save_table(tmp_path / "comparison.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "comparison.csv").read_text())))
    assert [line["phenotype"] for line in lines] == names(dock)
    assert float(lines[0]["p"]) == pytest.approx(dock.view.model.rows[0].p, rel=1e-4)
    dock.copy()
    copied = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text()), delimiter="\t"))
    assert copied == lines


def test_the_figure_has_all_rows_and_says_what_is_compared(dock, explorer, sexes, qtbot, tmp_path):
    figure, n_rows = dock.figure(), len(dock.view.model.rows)
    assert figure.title == "Female against Male"
    assert "phenotypes tested" in figure.facts["Shows"]
    for path in (tmp_path / "comparison.svg", tmp_path / "comparison.png"):
        job = save_figure(explorer, figure, path)
        qtbot.waitUntil(lambda job=job: not job.is_running, timeout=20_000)
    root = ElementTree.parse(tmp_path / "comparison.svg").getroot()
    words = [path.get("aria-label") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    titles = [row.title for row in dock.view.forest.rows]
    assert [word for word in words if word in titles] == [title for title in titles if title in words]
    assert len([title for title in titles if title in words]) > 0.8 * n_rows  # the longest are shortened
    image = QImage(str(tmp_path / "comparison.png"))
    assert image.height() > 3 * (HEADER_PX + n_rows * ROW_PX)
    assert image.pixelColor(2, 2).name() == "#ffffff"


def test_there_is_no_figure_of_nothing(dock):
    with pytest.raises(LatentExplorerError, match="Choose two groups first"):
        dock.figure()


def test_it_can_be_seen_in_the_light_with_long_names_and_twelve_groups(dock, explorer, sexes, settled):
    for number in range(10):
        ids = explorer.cohort.participant_ids[number * 10 : number * 10 + 9]
        explorer.create_group(f"<b>A group with a very long name</b>, no {number}", ids.tolist())
    dock.set_theme(LIGHT)
    dock.bar.group_a.activated.emit(5)
    settled()
    assert dock.bar.group_b.count() == 12
    assert dock.width() == 380
    assert dock.minimumSizeHint().width() <= 380
    assert "&lt;b&gt;" in dock.bar.group_a.toolTip()
    assert dock.view.plot.grab().toImage().pixelColor(5, 5).lightnessF() > 0.8
