"""Where a cohort is asked for in a sentence: what is written, what was understood of it, and how many that are.

The hard idea: the sentence is understood again with every pause in typing, and shown as it is understood, so that
Enter brings no surprise: the count is there before, and whatever will be left out is underlined.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.sentence_line import Mark, QtSentenceLine
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.query import Note, Problem, Understanding, understand
from napari_latent_explorer.session.query_apply import (
    apply_sentence,
    count_understood,
    is_applied,
    learn_words,
    represented_group,
)
from napari_latent_explorer.session.query_looser import Loosening, loosened

if TYPE_CHECKING:
    from napari_latent_explorer.session.jobs import Job

PAUSE_MS = 150
TOOL_TIP = (
    "Say who you want to see, in words of this study, then press Enter:\n"
    "  women over 60 with hypertension and without diabetes, LVM above 100 g\n"
    "  men in their sixties with AF or HTN\n"
    "  EF below 40 % or top 10 % of LV mass\n"
    "  60-year-old smokers with unknown BMI\n"
    "  representative 60-year-old male with atrial fibrillation\n"
    "“not” binds most tightly, then “and”, then “or”; a comma is a looser “and”; ( ) put together.\n"
    "A number alone is an age. The sentence replaces the filters on charts; a lasso stays.\n"
    "Underlined in waves: not understood; in dots: taken for something else. Alt+Down offers words."
)


class QtSentenceBox(QWidget):
    """The field and what is said about it.

    Parameters
    ----------
    explorer
        Whose participants are asked for.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._as_typed: set[str] = set()
        self._learning: Job[None] | None = None
        self._has_learnt = False
        self._entered: str | None = None
        self._understanding: Understanding | None = None
        self._looser: tuple[Loosening, ...] = ()
        self.line = QtSentenceLine(self)
        self.line.setPlaceholderText("Women over 60 with hypertension …")
        self.line.setToolTip(TOOL_TIP)
        self.line.setAccessibleName("Sentence that says whom to show")
        self.line.setAccessibleDescription(TOOL_TIP)
        self.status = QLabel(self)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setWordWrap(True)
        self.status.setFont(small_font(self, 0.92))
        self._pause = _timer(self, self._on_pause)
        self._recount = _timer(self, self._show_status)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.line)
        layout.addWidget(self.status)
        self.line.textChanged.connect(self._pause.start)
        self.line.focused.connect(self._learn)
        self.line.entered.connect(self._on_entered)
        self.line.left_as_typed.connect(self._on_left_as_typed)
        listen(self, explorer.study_changed, self._on_study_changed)
        listen(self, explorer.view_state_changed, self._on_view_state_changed)
        listen(self, explorer.active_group_changed, self._on_view_state_changed)
        self.set_theme(DARK)
        self.synchronize()

    @property
    def understanding(self) -> Understanding | None:
        """What is shown now; None when nothing is written."""
        return self._understanding

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.line.set_theme(theme)
        self.status.setStyleSheet(f"color: {theme.muted}; padding: 0px 4px;")

    def synchronize(self) -> None:
        """Understand what is written, and show it; where the words are still being learnt, when they are."""
        cohort, text = self._explorer.cohort, self.line.text
        self._understanding = None
        if cohort is not None and text.strip() and self._learning is None:
            self._understanding = understand(text, cohort, self._as_typed)
        self.line.set_marks(marks_of(self._understanding))
        self._looser = ()
        self._show_status()

    def _show_status(self) -> None:
        understanding = self._understanding
        self.status.setVisible(understanding is not None)
        if understanding is not None:
            n_participants = count_understood(self._explorer, understanding)
            done = self._done_text(understanding)
            self._looser = () if n_participants else loosened(self._explorer, understanding)
            self.line.set_marks(marks_of(understanding, self._looser))
            self.status.setText(status_text(understanding, n_participants, done, self._looser))
            self.line.popup_gap_px = self.status.heightForWidth(self.line.width())

    def _done_text(self, understanding: Understanding) -> str:
        """Say what was done of what the sentence asks for; empty when Enter is still to be pressed."""
        explorer = self._explorer
        if not is_applied(explorer, understanding):
            return ""
        if not understanding.wants_representative:
            return "shown"
        group = represented_group(explorer)
        if group is None or group is not explorer.active_group or group.representative is None:
            return ""
        return f"represented by {group.representative.participant_id or f'their {explorer.representative_method}'}"

    def _learn(self) -> None:
        """Start learning the words of the study, once."""
        cohort = self._explorer.cohort
        if cohort is None or self._has_learnt:
            return
        self._has_learnt = True
        self._learning = self._explorer.jobs.start("Words of the study", lambda: learn_words(cohort), lambda _: None)
        listen(self, self._learning.ended, self._on_learnt)

    def _on_learnt(self) -> None:
        self._learning = None
        self.synchronize()
        if self._entered == self.line.text:
            self._on_entered()

    def _on_pause(self) -> None:
        self.synchronize()
        mark = self.line.mark_at(self.line.textCursor().position())
        if self.line.hasFocus() and mark is not None and mark.is_problem:
            self.line.offer()

    def _on_entered(self) -> None:
        self._pause.stop()
        self.synchronize()
        understanding, cohort = self._understanding, self._explorer.cohort
        self._entered = self.line.text if self._learning is not None else None
        if cohort is None or self._learning is not None:
            return
        if understanding is None:
            understanding = understand("", cohort)
        if any(problem.is_structural for problem in understanding.problems):
            self._go_to([mark for mark in marks_of(understanding) if mark.is_problem])
            return
        if understanding.wants_representative and count_understood(self._explorer, understanding) == 0:
            self._go_to([mark for mark in marks_of(None, self._looser) if mark.offers])
            return
        apply_sentence(self._explorer, understanding)
        self._show_status()

    def _go_to(self, marks: list[Mark]) -> None:
        """Go to the first of these marks, if there is any, and offer words for it."""
        if marks:
            self.line.go_to_mark(marks[0])
            self.line.offer()

    def _on_left_as_typed(self, word: str) -> None:
        self._as_typed.add(word.lower())
        self.synchronize()

    def _on_study_changed(self) -> None:
        self._has_learnt = False
        self._as_typed.clear()
        self.synchronize()

    def _on_view_state_changed(self) -> None:
        if self._understanding is not None:
            self._recount.start()


def _timer(parent: QWidget, slot: Callable[[], None]) -> QTimer:
    """Make a timer that calls once, after a pause."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(PAUSE_MS)
    timer.timeout.connect(slot)
    return timer


def marks_of(understanding: Understanding | None, looser: Sequence[Loosening] = ()) -> list[Mark]:
    """Say what of a sentence is underlined, and what is offered for it."""
    marks = [_looser_mark(one) for one in looser if one.replacement]
    if understanding is not None:
        marks += [_problem_mark(problem) for problem in understanding.problems if problem.end > problem.start]
        marks += [_note_mark(note, understanding.sentence) for note in understanding.notes]
    return marks


def _looser_mark(one: Loosening) -> Mark:
    text = f"Nobody; {one.replacement}: {_participants(one.n_participants)}"
    return Mark(one.start, one.end, text, False, {one.replacement: one.replacement})


def _problem_mark(problem: Problem) -> Mark:
    return Mark(
        problem.start, problem.end, problem.text, True, {words or "(leave out)": words for words in problem.suggestions}
    )


def _note_mark(note: Note, sentence: str) -> Mark:
    offers: dict[str, str | None] = {}
    if note.kind == "spelling":
        offers = {note.replacement: note.replacement, f"leave “{sentence[note.start : note.end]}”": None}
    return Mark(note.start, note.end, note.text, False, offers)


def status_text(
    understanding: Understanding, n_participants: int, done: str = "", looser: Sequence[Loosening] = ()
) -> str:
    """Say what was understood: how many that are, what is not understood, and what was taken for what.

    `done` says what was done with them, if it was.
    """
    lines = [problem.text for problem in understanding.problems]
    lines += [f"{note.text[:1].upper()}{note.text[1:]}." for note in understanding.notes]
    if any(problem.is_structural for problem in understanding.problems):
        return "\n".join(lines)
    if not n_participants and understanding.is_complete:
        lines.insert(0, _nobody_text(understanding, done, looser))
        return "\n".join(lines)
    count = _participants(n_participants)
    left_out = " with what is understood" if understanding.problems else ""
    if understanding.wants_representative and understanding.problems:
        lines.append("The representative is made when all is understood.")
    does = "make their representative" if understanding.wants_representative else "show them"
    lines.insert(0, f"{count}{left_out}" + (f", {done}." if done else f"; Enter to {does}."))
    return "\n".join(lines)


def _nobody_text(understanding: Understanding, done: str, looser: Sequence[Loosening]) -> str:
    """Say that nobody is so, and who would be nearly so."""
    does = "there is nobody to represent" if understanding.wants_representative else "Enter to show that"
    parts = [f"Nobody, {done}." if done else f"Nobody; {does}."]
    without = [
        f"without “{understanding.sentence[one.start : one.end]}” {format_count(one.n_participants)}"
        for one in looser
        if not one.replacement
    ]
    instead = [f"“{one.replacement}” instead: {format_count(one.n_participants)}" for one in looser if one.replacement]
    said = "; ".join([*without, *instead])
    return " ".join([*parts, f"{said[:1].upper()}{said[1:]}." if said else ""]).rstrip()


def _participants(n: int) -> str:
    return f"{format_count(n)} participant{'s' * (n != 1)}"
