"""Groups: made, renamed, chosen, represented and removed by hand."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.groups_dock import QtGroupsDock

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtGroupsDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(420, 400)
    dock.show()
    QTest.qWait(20)
    return dock


@pytest.fixture
def two_groups(dock, explorer):
    explorer.create_group("Young", explorer.cohort.participant_ids[:30].tolist())
    explorer.create_group("Old", explorer.cohort.participant_ids[30:70].tolist())
    QTest.qWait(20)


def test_the_button_says_whom_it_takes(dock, explorer):
    assert dock.new_group.text() == "New group from all visible (120)"
    explorer.select(explorer.cohort.participant_ids[:9].tolist())
    assert dock.new_group.text() == "New group from selection (9)"
    QTest.mouseClick(dock.new_group, LEFT)
    assert len(explorer.groups[0]) == 9


def test_each_group_has_a_card_and_the_active_one_can_be_chosen(dock, explorer, two_groups):
    assert list(dock.cards) == ["Young", "Old"]
    assert explorer.active_group.name == "Old"
    QTest.mouseClick(dock.cards["Young"], LEFT, pos=dock.cards["Young"].rect().center())
    assert explorer.active_group.name == "Young"
    np.testing.assert_array_equal(explorer.probe.origin, explorer.groups[0].representative.vector)


def rename(dock, name, new_name):
    edit = dock.cards[name].name
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, new_name)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    QTest.qWait(20)


def test_a_name_can_be_edited(dock, explorer, two_groups):
    long_name = "Hypertensive men over sixty with big LVs"
    rename(dock, "Young", long_name)
    assert [group.name for group in explorer.groups] == [long_name, "Old"]
    assert list(dock.cards) == [long_name, "Old"]


def test_a_name_that_is_taken_is_refused_in_words_and_the_old_one_comes_back(dock, explorer, two_groups):
    failures = []
    explorer.failed.connect(failures.append)
    rename(dock, "Young", "Old")
    assert [group.name for group in explorer.groups] == ["Young", "Old"]
    assert "Old" in str(failures[0])
    assert dock.cards["Young"].name.text() == "Young"


def test_a_group_can_be_removed(dock, explorer, two_groups):
    QTest.mouseClick(dock.cards["Young"].remove, LEFT)
    QTest.qWait(20)
    assert [group.name for group in explorer.groups] == ["Old"]
    assert list(dock.cards) == ["Old"]


def test_the_method_decides_who_stands_for_the_group(dock, explorer, two_groups):
    dock.method.setCurrentIndex(dock.method.findData("mean"))
    dock.method.activated.emit(dock.method.currentIndex())
    members = explorer.latents["mri"].of(explorer.groups[1].participant_ids.tolist())
    np.testing.assert_allclose(explorer.probe.origin, members.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_reconstruct_goes_back_to_the_representative_and_shows_the_original(dock, explorer, two_groups, qtbot):
    shown = []
    explorer.participant_shown.connect(shown.append)
    explorer.probe.move(0, 5.0)
    QTest.mouseClick(dock.reconstruct, LEFT)
    stands = explorer.groups[1].representative
    np.testing.assert_array_equal(explorer.probe.vector, stands.vector)
    qtbot.waitUntil(lambda: bool(shown))
    assert shown[0].participant_id == stands.participant_id


def test_nothing_can_be_reconstructed_without_a_group(dock):
    assert not dock.reconstruct.isEnabled()
