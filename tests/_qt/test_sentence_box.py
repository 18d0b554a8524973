"""The sentence box: what is typed, underlined, offered, applied and counted."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextCharFormat
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.cohort_dock import QtCohortDock
from napari_latent_explorer._qt.filter_chips import QtFilterChips
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter

WOMEN = CategoryFilter("sex", frozenset({"female"}))
HTN = CategoryFilter("hypertension", frozenset({"yes"}))
WAVE, DOTS = QTextCharFormat.UnderlineStyle.WaveUnderline, QTextCharFormat.UnderlineStyle.DotLine


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtCohortDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(320, 900)
    dock.show()
    dock.activateWindow()
    dock.sentence.line.setFocus()
    qtbot.waitUntil(lambda: not explorer.jobs.running, timeout=20_000)
    return dock


@pytest.fixture
def box(dock):
    return dock.sentence


def write(qtbot, box, text):
    """Type and wait until it is understood."""
    QTest.keyClicks(box.line, text)
    qtbot.waitUntil(lambda: box.understanding is not None and box.understanding.sentence == box.line.text, timeout=5000)


def underlined(line):
    return [
        (selection.cursor.selectedText(), selection.format.underlineStyle()) for selection in line.extraSelections()
    ]


def test_enter_applies_and_the_chips_say_it(qtbot, dock, box, explorer):
    write(qtbot, box, "women over 60 with hypertension")
    assert explorer.filters == ()
    assert "; Enter to show them." in box.status.text()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert set(explorer.filters) >= {WOMEN, HTN}
    n_visible = explorer.view_state.n_visible
    assert box.status.text() == f"{n_visible} participants, shown."
    words = [chip.text().split("  ")[0] for chip in dock.findChild(QtFilterChips).chips]
    assert words == ["Sex: female", "Age over 60 years", "Hypertension: yes", "Clear all"]


def test_enter_while_the_words_are_learnt_counts_only_for_what_was_written_then(qtbot, dock, box, explorer):
    explorer.study_changed.emit()
    box.line.clearFocus()
    box.line.setFocus()
    box.line.insertPlainText("women")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    box.line.insertPlainText(" with AF")
    qtbot.waitUntil(lambda: box.understanding is not None, timeout=20_000)
    assert explorer.filters in ((), (WOMEN,))  # the latter if the words were learnt before Enter


def test_the_count_is_there_before_enter_and_follows_the_session(qtbot, box, explorer):
    write(qtbot, box, "women")
    n_women = int(WOMEN.mask(explorer.cohort).sum())
    assert box.status.text() == f"{n_women} participants; Enter to show them."
    explorer.exclude([explorer.cohort.participant_ids[WOMEN.mask(explorer.cohort)][0]], "bad scan")
    qtbot.waitUntil(lambda: box.status.text().startswith(f"{n_women - 1} "), timeout=5000)


def test_unknown_words_have_waves_and_corrected_ones_dots(qtbot, box):
    write(qtbot, box, "women with hypertenson and foo")
    assert sorted(underlined(box.line)) == [("foo", WAVE), ("hypertenson", DOTS)]
    assert "“foo” is not understood." in box.status.text()
    assert "Took “hypertenson” for “hypertension”." in box.status.text()


def test_a_word_that_is_chosen_from_the_list_takes_the_place_of_the_unknown_one(qtbot, box, explorer):
    write(qtbot, box, "women with hyper")
    qtbot.waitUntil(lambda: box.line.offered != (), timeout=5000)
    assert box.line.offered == ("Hypertension", "Hypercholesterolemia", "Hypertrophic cardiomyopathy")
    popup = box.line.popup
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert box.line.text == "women with Hypertension"
    assert explorer.filters == ()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert set(explorer.filters) == {WOMEN, HTN}


def test_enter_with_the_list_open_and_nothing_chosen_applies(qtbot, box, explorer):
    write(qtbot, box, "women with hyper")
    qtbot.waitUntil(lambda: box.line.offered != (), timeout=5000)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Return)
    assert box.line.offered == ()
    assert explorer.filters == (WOMEN,)
    assert "with what is understood" in box.status.text()


def test_the_list_closes_when_more_is_written_and_opens_by_key(qtbot, box):
    write(qtbot, box, "hyper")
    qtbot.waitUntil(lambda: box.line.offered != (), timeout=5000)
    QTest.keyClicks(box.line, "t")
    assert box.line.offered == ()
    qtbot.waitUntil(lambda: box.line.offered != (), timeout=5000)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Escape)
    assert box.line.offered == ()
    QTest.keyClick(box.line, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert box.line.offered == ("Hypertension", "Hypertrophic cardiomyopathy")


def test_a_correction_can_be_taken_back(qtbot, box):
    write(qtbot, box, "women with hypertenson")
    QTest.keyClick(box.line, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert box.line.offered == ("hypertension", "leave “hypertenson”")
    QTest.keyClick(box.line.popup, Qt.Key.Key_Down)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Down)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Return)
    assert box.line.text == "women with hypertenson"
    assert underlined(box.line) == [("hypertenson", WAVE)]


def test_nothing_is_applied_when_the_parts_can_be_put_together_in_two_ways(qtbot, box, explorer):
    write(qtbot, box, "no diabetes and hypertension")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.filters == ()
    assert box.line.offered == ("and without", "and with")
    QTest.keyClick(box.line.popup, Qt.Key.Key_Down)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Return)
    assert box.line.text == "no diabetes and without hypertension"


def test_undo_clears_what_the_sentence_set(qtbot, box, explorer):
    write(qtbot, box, "women with AF or HTN")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert len(explorer.filters) == 2
    explorer.undo()
    assert explorer.filters == ()
    explorer.redo()
    assert len(explorer.filters) == 2


def test_enter_in_an_empty_box_takes_the_filters_away(qtbot, box, explorer):
    explorer.set_filter(RangeFilter("bmi", 20.0, 30.0))
    QTest.keyClick(box.line, Qt.Key.Key_Return)  # perhaps while the words are still being learnt
    qtbot.waitUntil(lambda: explorer.filters == (), timeout=20_000)


def test_a_representative_is_made_and_shown(qtbot, box, explorer):
    write(qtbot, box, "representative women with hypertension")
    assert "; Enter to make their representative." in box.status.text()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    group = explorer.active_group
    assert len(group) == int((WOMEN.mask(explorer.cohort) & HTN.mask(explorer.cohort)).sum())
    assert explorer.current_participant == group.representative.participant_id
    qtbot.waitUntil(lambda: f", represented by {explorer.current_participant}." in box.status.text(), timeout=5000)
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.groups == (group,)
    explorer.set_active_group(None)
    qtbot.waitUntil(lambda: "; Enter to make" in box.status.text(), timeout=5000)
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.active_group is group
    qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=20_000)


def test_where_there_is_nobody_to_represent_an_age_with_more_years_is_offered(qtbot, box, explorer):
    ages = explorer.cohort.values("age")[WOMEN.mask(explorer.cohort)]
    gap = next(age for age in range(int(ages.min()), 99) if not ((age <= ages) & (ages < age + 1)).any())
    write(qtbot, box, f"representative {gap}-year-old woman")
    assert box.status.text().startswith("Nobody; there is nobody to represent. Without “")
    (mark,) = [mark for mark in underlined(box.line) if mark[0] == f"{gap}-year-old"]
    assert mark[1] == DOTS
    before = explorer.filters
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.filters == before
    assert len(box.line.offered) == 1
    QTest.keyClick(box.line.popup, Qt.Key.Key_Down)
    QTest.keyClick(box.line.popup, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: box.understanding.sentence == box.line.text and "; Enter" in box.status.text())
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.active_group.representative.participant_id == explorer.current_participant
    assert explorer.active_group.name == box.line.text.removeprefix("representative ")
    qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=20_000)


def test_where_nobody_is_so_it_says_without_what_somebody_would_be(qtbot, box, explorer):
    write(qtbot, box, "women over 150")
    n_women = int(WOMEN.mask(explorer.cohort).sum())
    assert box.status.text() == f"Nobody; Enter to show that. Without “over 150” {n_women}."
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert explorer.view_state.n_visible == 0
    assert box.status.text().startswith("Nobody, shown. Without “over 150”")


def test_the_box_is_reached_and_left_by_tab_and_says_what_it_is(qtbot, dock, box):
    assert box.line.accessibleName() == "Sentence that says whom to show"
    assert "women over 60" in box.line.toolTip()
    QTest.keyClick(box.line, Qt.Key.Key_Tab)
    assert not box.line.hasFocus()
    assert box.line.text == ""


def test_a_long_sentence_gets_more_lines_and_what_is_pasted_stays_one_sentence(qtbot, box):
    height = box.line.height()
    box.line.insertPlainText("women over 60\nwith hypertension and without diabetes, LVM above 100 g")
    assert box.line.height() > height
    qtbot.waitUntil(lambda: box.understanding is not None, timeout=5000)
    assert box.understanding.is_complete


def test_another_theme_keeps_the_underlines(qtbot, dock, box):
    write(qtbot, box, "women with foo")
    dock.set_theme(LIGHT)
    assert underlined(box.line) == [("foo", WAVE)]
    assert box.line.extraSelections()[0].format.underlineColor().name() == LIGHT.error


def test_without_a_study_there_is_no_box(qtbot, empty_explorer):
    dock = QtCohortDock(empty_explorer)
    qtbot.addWidget(dock)
    assert dock.sentence.isHidden()
