"""The page of what changed: numbers while it is seen, and switches that are the session's."""

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_latent_explorer._qt.change_model import CHANGE, NAME, QtChangeModel, shown_change
from napari_latent_explorer._qt.change_panel import QtChangePanel
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.analysis.region_change import RegionChange
from napari_latent_explorer.session.change_choice import ChangeChoice


@pytest.fixture
def moved(explorer, qtbot):
    """Make the heart larger than where the probe began."""
    explorer.probe.set_origin(np.zeros(16, np.float32), "the middle")
    qtbot.waitUntil(lambda: explorer.decode.is_idle)
    explorer.probe.move(0, 3.0)
    return explorer


@pytest.fixture
def panel(qtbot, moved):
    panel = QtChangePanel(moved)
    qtbot.addWidget(panel)
    panel.resize(400, 500)
    panel.show()
    qtbot.waitUntil(lambda: panel.table.isVisible())
    return panel


def texts(panel) -> list[list[str]]:
    model = panel.changes
    return [
        [model.data(model.index(row, column)) or "" for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_structures_stand_below_their_quantity_with_both_numbers(panel, qtbot):
    rows = texts(panel)
    at = rows.index(["Area at end-diastole, cm²", "", "", ""])
    below = {name: numbers for name, *numbers in rows[at + 1 : at + 3]}
    before, now = (np.pi * (radius_px * 0.18) ** 2 for radius_px in (16.0, 22.0))  # drawn, in pixels of 1.8 mm
    shown_before, shown_now, change = below["LV cavity"]
    assert float(shown_before) == pytest.approx(before, rel=0.03)
    assert float(shown_now) == pytest.approx(now, rel=0.03)
    assert change.startswith("+")
    assert float(change.split("(+")[1].split()[0]) == pytest.approx(100.0 * (now / before - 1.0), abs=6.0)
    assert panel.table.columnSpan(at, NAME) == CHANGE + 1
    panel.grab()


def test_numbers_follow_the_probe_in_the_same_rows(panel, moved, qtbot):
    names = [row[NAME] for row in texts(panel)]
    panel.resize(400, 200)
    panel.table.verticalScrollBar().setValue(30)
    moved.probe.move(0, -2.0)
    qtbot.waitUntil(lambda: any(row[NAME] == "LV cavity" and row[CHANGE].startswith("-") for row in texts(panel)))
    assert [row[NAME] for row in texts(panel)] == names
    assert panel.table.verticalScrollBar().value() == 30


def test_a_page_that_is_not_seen_measures_nothing(panel, moved, qtbot):
    panel.hide()
    moved.probe.move(0, 1.0)
    qtbot.waitUntil(lambda: moved.decode.is_idle)
    qtbot.wait(50)
    assert moved.change_survey.reading.now.vector[0] == 3.0
    panel.show()
    qtbot.waitUntil(lambda: moved.change_survey.reading.now.vector[0] == 1.0)


def test_switches_and_session_are_one(panel, moved, qtbot):
    assert moved.change == ChangeChoice()
    panel.difference.click()
    assert moved.change == ChangeChoice(has_difference=True)
    moved.show_change(ChangeChoice(has_start=True))
    assert (panel.difference.isChecked(), panel.before.isChecked()) == (False, True)


def test_the_table_is_copied_and_saved(panel, moved, qtbot, monkeypatch, tmp_path):
    panel.activateWindow()
    panel.table.setFocus()
    qtbot.waitUntil(panel.table.hasFocus)
    QTest.keySequence(panel.table, QKeySequence(QKeySequence.StandardKey.Copy))
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["quantity", "structure", "unit", "before", "now", "change"]
    assert len(lines) == 1 + len(moved.change_survey.reading.changes)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    panel.more.menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: not moved.jobs.running)
    table = pd.read_csv(tmp_path / "mine.csv", comment="#")
    assert len(table) == len(lines) - 1
    assert "# Before: the middle\n" in (tmp_path / "mine.csv").read_text("utf-8")


def test_without_a_study_the_page_says_what_to_wait_for(qtbot, empty_explorer):
    panel = QtChangePanel(empty_explorer)
    qtbot.addWidget(panel)
    panel.set_theme(LIGHT)
    panel.show()
    assert not panel.table.isVisible()
    assert panel._empty.isVisible()
    panel.copy()  # of nothing


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (RegionChange("area_ed", "x", "cm²", 40.0, 44.4), "+4.4 (+11 %)"),
        (RegionChange("area_ed", "x", "cm²", 40.0, 39.96), "0.0"),
        (RegionChange("ventricle", "EF", "%", 60.0, 55.0), "-5"),
        (RegionChange("signal", "x", "SD", 0.5, 0.75), "+0.25"),
        (RegionChange("thickness", "x", "mm", float("nan"), 7.0), "?"),
    ],
    ids=["area", "too small", "per cent", "signal", "gap"],
)
def test_a_change_has_its_sign_and_its_share(change, text):
    assert shown_change(change) == text


def test_titles_are_bold_and_say_the_unit_that_all_below_share(qtbot, panel):
    model = QtChangeModel(panel)
    model.set_changes(
        [RegionChange("ventricle", "LVM", "g", 1.0, 2.0), RegionChange("ventricle", "EF", "%", 50.0, 60.0)]
    )
    assert model.data(model.index(0, NAME)) == "Left ventricle"
    assert model.data(model.index(0, NAME), Qt.ItemDataRole.FontRole).bold()
    assert model.data(model.index(1, NAME)) == "LV mass, g"
