"""Groups: made, renamed, chosen, represented and removed by hand."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor, QGuiApplication
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QColorDialog

from napari_latent_explorer._qt.groups_dock import QtGroupsDock
from napari_latent_explorer.session.coloring import CATEGORY_COLORS
from napari_latent_explorer.session.filters import RangeFilter
from napari_latent_explorer.session.side_by_side_choice import SideBySideChoice

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


def tick(dock, *names):
    dock.grab()  # lays new cards out
    for name in names:
        QTest.mouseClick(dock.cards[name].tick, LEFT, pos=dock.cards[name].tick.rect().center())


def test_ticked_groups_are_reconstructed_side_by_side_in_the_order_of_their_cards(dock, explorer, two_groups):
    tick(dock, "Old", "Young")
    assert dock.reconstruct.text() == "Reconstruct 2"
    QTest.mouseClick(dock.reconstruct, LEFT)
    assert explorer.side_by_side.names == ("Young", "Old")
    QTest.mouseClick(dock.cards["Old"], LEFT, pos=dock.cards["Old"].recipe.geometry().center())
    assert explorer.side_by_side.names == ()


def test_ticks_and_the_choice_of_originals_follow_what_is_shown(dock, explorer, two_groups):
    explorer.show_side_by_side(["Old", "Young"], has_originals=True)
    QTest.qWait(20)
    assert dock.ticked == ("Young", "Old")
    assert dock.originals.isChecked()
    QTest.mouseClick(dock.originals, LEFT, pos=QPoint(8, dock.originals.height() // 2))
    assert explorer.side_by_side == SideBySideChoice(("Old", "Young"), has_originals=False)
    explorer.undo()
    QTest.qWait(20)
    assert dock.originals.isChecked()
    explorer.probe_mean()
    QTest.qWait(20)
    assert dock.ticked == ("Young", "Old")


def test_a_single_tick_says_which_group_is_reconstructed(dock, explorer, two_groups):
    tick(dock, "Young")
    QTest.mouseClick(dock.reconstruct, LEFT)
    assert explorer.active_group.name == "Young"
    assert explorer.current_participant == explorer.groups[0].representative.participant_id


@pytest.mark.parametrize(
    ("kind", "n"), [("union", 70), ("intersection", 10), ("difference", 20), ("complement", 50)], ids=str
)
def test_ticked_groups_are_put_together(dock, explorer, kind, n):
    ids = explorer.cohort.participant_ids
    explorer.create_group("A", ids[:30].tolist())
    explorer.create_group("B", ids[20:70].tolist())
    QTest.qWait(20)
    assert not any(button.isEnabled() for button in dock.operations.buttons.values())
    tick(dock, "A")
    assert [name for name, button in dock.operations.buttons.items() if button.isEnabled()] == ["complement"]
    tick(dock, "B")
    QTest.mouseClick(dock.operations.buttons[kind], LEFT)
    assert len(explorer.groups[2]) == n
    QTest.qWait(20)
    assert dock.ticked == ("A", "B")


def test_what_would_be_empty_is_refused_in_words(dock, explorer, two_groups):
    failures = []
    explorer.failed.connect(failures.append)
    tick(dock, "Young", "Old")
    QTest.mouseClick(dock.operations.buttons["intersection"], LEFT)
    assert "Young, Old has nobody in it" in str(failures[0])
    assert len(explorer.groups) == 2


def test_cards_say_whom_groups_share(dock, explorer, two_groups):
    assert "also in" not in dock.cards["Young"].stands.text()
    explorer.create_group("Mixed", explorer.cohort.participant_ids[25:32].tolist())
    QTest.qWait(20)
    assert "5 also in Mixed" in dock.cards["Young"].stands.text()
    assert "5 also in Young, 2 also in Old" in dock.cards["Mixed"].stands.text()
    explorer.remove_group("Young")
    QTest.qWait(20)
    assert "Young" not in dock.cards["Mixed"].stands.text()


def test_a_colour_of_the_palette_or_any_other_can_be_chosen(dock, explorer, two_groups):
    menu = dock.cards["Young"].color_menu()
    assert menu.swatches[2].accessibleName() == "bluish green"
    QTest.mouseClick(menu.swatches[2], LEFT)
    assert explorer.groups[0].color == CATEGORY_COLORS[2]
    explorer.undo()
    menu = dock.cards["Young"].color_menu()
    menu.actions()[1].trigger()
    dialog = dock.findChild(QColorDialog)
    dialog.setCurrentColor(QColor(255, 0, 51))
    dialog.accept()
    assert explorer.groups[0].color == pytest.approx((1.0, 0.0, 0.2, 1.0), abs=1e-4)


def choose(card, words):
    menu = card.menu()
    next(action for action in menu.actions() if action.text().startswith(words)).trigger()
    menu.close()


def test_a_recipe_is_copied_as_text_and_pasted_as_a_group(dock, explorer, qtbot):
    explorer.set_filter(RangeFilter("age", 60.0, 70.0))
    explorer.create_group("Sixties")
    explorer.clear_filters()
    QTest.qWait(20)
    choose(dock.cards["Sixties"], "Copy recipe")
    explorer.remove_group("Sixties")
    QTest.mouseClick(dock.paste, LEFT)
    ages = explorer.cohort.values("age")
    group = explorer.groups[0]
    assert group.name == "Sixties"
    assert len(group) == np.count_nonzero((ages >= 60) & (ages <= 70))
    QTest.mouseClick(dock.paste, LEFT)
    assert [group.name for group in explorer.groups] == ["Sixties", "Group A"]
    failures = []
    explorer.failed.connect(failures.append)
    QGuiApplication.clipboard().setText("a shopping list")
    QTest.mouseClick(dock.paste, LEFT)
    assert "no recipe" in str(failures[0])


def test_a_menu_selects_the_members_and_makes_the_group_again(dock, explorer, two_groups):
    explorer.set_filter(RangeFilter("age", 60.0, 70.0))
    explorer.create_group("Sixties")
    QTest.qWait(20)
    choose(dock.cards["Sixties"], "Select")
    np.testing.assert_array_equal(explorer.selection, explorer.groups[2].participant_ids)
    explorer.exclude(explorer.groups[2].participant_ids[:2].tolist(), "motion")
    choose(dock.cards["Sixties"], "Make it again")
    assert len(explorer.groups[3]) == len(explorer.groups[2]) - 2
    assert dock.excluded.text() == "2 excluded"


def test_cards_are_kept_while_groups_change(dock, explorer, two_groups):
    before = list(dock.cards.values())
    tick(dock, "Old")
    explorer.rename_group("Old", "Elderly")
    explorer.set_group_color("Young", (0.0, 0.0, 1.0, 1.0))
    explorer.set_active_group("Young")
    QTest.qWait(20)
    assert list(dock.cards.values()) == before
    assert list(dock.cards) == ["Young", "Elderly"]
