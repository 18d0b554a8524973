"""Leaving participants out, with a reason, and bringing them back."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.excluded_list import QtExcludedList
from napari_latent_explorer._qt.exclusion_reason import QtExclusionReason
from napari_latent_explorer._qt.selection_bar import QtSelectionBar

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(500, 400)
    window.show()
    return window


@pytest.fixture
def bar(window, explorer):
    bar = QtSelectionBar(explorer, window)
    bar.resize(500, 40)
    bar.show()
    return bar


def opened(bar, kind):
    QTest.qWait(20)
    return bar.findChild(kind)


def test_exclusion_waits_for_a_reason_and_takes_who_was_selected_when_it_was_asked_for(bar, explorer):
    ids = explorer.cohort.participant_ids[:7].tolist()
    explorer.select(ids)
    QTest.mouseClick(bar.exclude, LEFT)
    dialog = opened(bar, QtExclusionReason)
    assert not dialog.confirm.isEnabled()
    QTest.keyClick(dialog.reason.lineEdit(), Qt.Key.Key_Return)
    assert explorer.excluded == {}
    explorer.select(explorer.cohort.participant_ids[50:60].tolist())
    QTest.keyClicks(dialog.reason.lineEdit(), "  ghosts in the phase direction ")
    QTest.mouseClick(dialog.confirm, LEFT)
    assert explorer.excluded == dict.fromkeys(ids, "ghosts in the phase direction")
    assert bar.excluded.text() == "7 excluded"


def test_a_reason_that_was_given_is_offered_again_and_cancel_does_nothing(bar, explorer):
    explorer.exclude(explorer.cohort.participant_ids[:2].tolist(), "<b>odd</b>")
    explorer.select(explorer.cohort.participant_ids[5:8].tolist())
    QTest.mouseClick(bar.exclude, LEFT)
    dialog = opened(bar, QtExclusionReason)
    assert dialog.reason.itemText(0) == "<b>odd</b>"
    assert dialog.reason.currentText() == ""
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert len(explorer.excluded) == 2


def test_the_list_says_who_and_why_and_brings_back_one_or_all(bar, explorer, qtbot):
    ids = explorer.cohort.participant_ids.tolist()
    explorer.exclude(ids[:3], "spikes")
    explorer.exclude(ids[3:5], "motion")
    QTest.mouseClick(bar.excluded, LEFT)
    dialog = opened(bar, QtExcludedList)
    assert dialog.model.rows == [(ids[3], "motion"), (ids[4], "motion"), *((who, "spikes") for who in ids[:3])]
    assert not dialog.restore.isEnabled()
    dialog.table.selectRow(1)
    assert dialog.restore.text() == "Restore 1 chosen"
    QTest.mouseClick(dialog.restore, LEFT)
    assert ids[4] not in explorer.excluded
    assert len(dialog.model.rows) == 4
    explorer.undo()
    assert len(dialog.model.rows) == 5
    QTest.mouseClick(dialog.restore_all, LEFT)
    assert explorer.excluded == {}
    assert dialog.model.rows == []


def test_the_recordings_of_an_excluded_participant_can_be_looked_at(bar, explorer, qtbot):
    who = str(explorer.cohort.participant_ids[9])
    explorer.exclude([who], "spikes")
    QTest.mouseClick(bar.excluded, LEFT)
    dialog = opened(bar, QtExcludedList)
    dialog.table.selectRow(0)
    with qtbot.waitCallback() as shown:
        explorer.participant_shown.connect(shown)
        QTest.mouseClick(dialog.show_one, LEFT)
    assert shown.args[0].participant_id == who
    assert explorer.probe.label.startswith(who)
