"""Building a study step by step: the form, what was found for it, and the build itself.

The hard idea: the steps depend on each other (another table means other columns, and another plan), each takes seconds
on somebody's disk, and the user does not wait. So each answer starts the job that it makes necessary, a newer answer
ends the job of the older one, and what no longer fits the form is dropped at once. A build has jobs of its own: opening
another study meanwhile must not stop it.
"""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_latent_explorer.building.build import BuildResult, build_study
from napari_latent_explorer.building.plan import BuildConfig, StudyPlan, plan_study
from napari_latent_explorer.data.phenotype import PhenotypeKind
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.io.column_proposal import ColumnProposal
from napari_latent_explorer.session.build_form import (
    PLAN_FIELDS,
    BuildForm,
    PlanSummary,
    TableReading,
    propose,
    read_table,
)
from napari_latent_explorer.session.dispatch import Dispatch, inline
from napari_latent_explorer.session.jobs import Job, Jobs

READ, LOOK, BUILD = "Read the table", "Look for recordings", "Build the study"
_CHECKED_FIELDS = frozenset({"categories", "codes", "missing_codes", "rule"})
"""Fields of a column that must fit the values of the table."""


class StudyBuilding:
    """A study that is being put together.

    Parameters
    ----------
    dispatch
        Brings results of workers to the thread that owns this object.

    Attributes
    ----------
    jobs
        What runs now; progress and failures are told there.
    """

    form_changed = Signal(description="Some answer is another one.")
    table_changed = Signal(description="Another table, or none; its columns are new.")
    column_changed = Signal(int, description="What one column becomes is corrected, or cannot be as wanted.")
    plan_changed = Signal(description="What was found is here, or no longer fits the form.")
    built = Signal(BuildResult, description="The study is there.")
    failed = Signal(Exception, description="A step could not be done.")

    def __init__(self, dispatch: Dispatch = inline) -> None:
        self.jobs = Jobs(dispatch)
        self._form = BuildForm()
        self._table: TableReading | None = None
        self._plan: StudyPlan | None = None
        self._summary: PlanSummary | None = None
        self._result: BuildResult | None = None
        self.jobs.failed.connect(self._on_failed)

    @property
    def form(self) -> BuildForm:
        """What is filled in."""
        return self._form

    @property
    def table(self) -> TableReading | None:
        """The table and its columns; None before it was read."""
        return self._table

    @property
    def plan(self) -> StudyPlan | None:
        """What was found; None while that is not known."""
        return self._plan

    @property
    def summary(self) -> PlanSummary | None:
        """The plan in numbers."""
        return self._summary

    @property
    def result(self) -> BuildResult | None:
        """What was built last; None when the form has changed since."""
        return self._result

    @property
    def is_building(self) -> bool:
        """Whether the study is being built now."""
        return any(job.name == BUILD and not job.is_cancelled for job in self.jobs.running)

    @property
    def is_looking(self) -> bool:
        """Whether the table is being read or recordings looked for."""
        return any(job.name in (READ, LOOK) and not job.is_cancelled for job in self.jobs.running)

    def problems(self) -> tuple[str, ...]:
        """Say what is to be done before the study can be built, all of it at once."""
        of_columns = self._table.column_problems() if self._table is not None else ()
        return (*self._form.problems(), *of_columns)

    # ---- answers

    def fill_in(self, **answers: Any) -> None:
        """Change fields of the form, named as in `BuildForm`; what depends on them is found anew."""
        before, self._form = self._form, replace(self._form, **answers)
        changed = {name for name in answers if getattr(before, name) != getattr(self._form, name)}
        if not changed:
            return
        if "table" in changed and "id_column" not in changed:
            self._form = replace(self._form, id_column=None)
        self._result = None
        self.form_changed.emit()
        if "table" in changed:
            self._set_table(None)
            self._read_table()
        elif changed & {"id_column", "instance"}:
            self._propose_columns(self._form.instance)
        if changed & PLAN_FIELDS:
            self._look()

    def correct_column(self, row: int, **changes: Any) -> None:
        """Correct what a column becomes; fields as in `ColumnProposal`, a change of kind by `take_for`."""
        reading = self._table
        if reading is None or not 0 <= row < len(reading.columns):
            return
        corrected = replace(reading.columns[row], **changes)
        if corrected == reading.columns[row]:
            return
        if changes.keys() & _CHECKED_FIELDS:
            self._check(reading, row, corrected)
        else:
            self._put_column(row, corrected)

    def take_for(self, row: int, kind: PhenotypeKind) -> None:
        """Take a column for another kind; its values are looked at, and `column_changed` tells what came of it."""
        reading = self._table
        if reading is None or not 0 <= row < len(reading.columns):
            return
        table, column = reading.table, reading.columns[row]

        def work() -> Generator[Progress, None, ColumnProposal | TableError]:
            from napari_latent_explorer.io.column_correction import as_kind

            yield Progress(0, 1, f"Looking at {column.name}")
            try:
                return as_kind(table, column, kind)
            except TableError as refusal:
                return refusal

        self._correct(reading, row, work)

    def _check(self, reading: TableReading, row: int, corrected: ColumnProposal) -> None:
        def work() -> Generator[Progress, None, ColumnProposal | TableError]:
            from napari_latent_explorer.io.column_conversion import with_counts

            yield Progress(0, 1, f"Looking at {corrected.name}")
            try:
                _ = corrected.spec if corrected.is_kept else None
                return with_counts(reading.table, corrected)
            except TableError as refusal:
                return refusal

        self._correct(reading, row, work)

    def _correct(self, reading: TableReading, row: int, work: Any) -> None:
        def take(outcome: ColumnProposal | TableError) -> None:
            if self._table is None or self._table.table is not reading.table:
                return  # another table has been chosen meanwhile
            if isinstance(outcome, TableError):
                self._table = self._table.with_problem(row, str(outcome))
                self.column_changed.emit(row)
            else:
                self._put_column(row, outcome)

        self.jobs.start(f"Look at column {row}", work, take)

    def _put_column(self, row: int, corrected: ColumnProposal) -> None:
        if self._table is not None:
            self._table = self._table.with_column(row, corrected)
            self._result = None
            self.column_changed.emit(row)

    # ---- finding out

    def _read_table(self) -> None:
        form = self._form
        path = form.table
        if path is None or not path.is_file():
            self._cancel(READ)
            return
        self.jobs.start(READ, lambda: read_table(path, form.id_column, form.instance), self._on_table_read)

    def _propose_columns(self, instance: int | None) -> None:
        reading, id_column = self._table, self._form.id_column
        if reading is not None and id_column is not None:
            self.jobs.start(READ, lambda: propose(reading, id_column, instance), self._on_table_read)

    def _look(self) -> None:
        self._set_plan(None)
        self._cancel(LOOK)
        if self._form.can_be_looked_at:
            config = self._form.config()
            self.jobs.start(LOOK, lambda: _plan_and_count(config), self._on_looked)

    def _on_table_read(self, reading: TableReading) -> None:
        self._set_table(reading)
        if reading.id_column != self._form.id_column:
            self._form = replace(self._form, id_column=reading.id_column)
            self.form_changed.emit()
            self._look()

    def _on_looked(self, found: tuple[StudyPlan, PlanSummary]) -> None:
        plan, summary = found
        self._set_plan(plan, summary)
        reading = self._table
        if reading is not None and reading.has_visits and not reading.is_edited and plan.instance != reading.instance:
            self._propose_columns(plan.instance)  # the phenotypes of the visit at which the recordings were made

    def _set_table(self, reading: TableReading | None) -> None:
        if reading is not self._table:
            self._table = reading
            self.table_changed.emit()

    def _set_plan(self, plan: StudyPlan | None, summary: PlanSummary | None = None) -> None:
        if plan is not self._plan:
            self._plan, self._summary = plan, summary
            self.plan_changed.emit()

    def _cancel(self, name: str) -> None:
        for job in self.jobs.running:
            if job.name == name:
                job.cancel()

    # ---- building

    def build(self) -> Job[BuildResult]:
        """Start the job that builds the study, or goes on with one that was stopped.

        Raises
        ------
        StudyError
            When something is missing in the form.
        """
        problems = self.problems()
        if problems:
            raise StudyError("The study cannot be built yet. " + " ".join(problems))
        columns = self._table.columns if self._table is not None else None
        config = self._form.config(columns)
        self._result = None
        return self.jobs.start(BUILD, lambda: _plan_and_build(config), self._on_built)

    def stop(self) -> None:
        """Stop building; what is there stays, and `build` goes on with it."""
        self._cancel(BUILD)

    def close(self) -> None:
        """Stop all work and its threads."""
        self.jobs.close()

    def _on_built(self, result: BuildResult) -> None:
        self._result = result
        self.built.emit(result)

    def _on_failed(self, error: Exception) -> None:
        self.failed.emit(error)


def suggested_output(form: BuildForm) -> Path | None:
    """Folder beside the user's files that a study may be made in; None before any were chosen."""
    for given in (form.cine, form.ecg, form.table):
        if given is not None:
            return Path(given).expanduser().absolute().parent / "study"
    return None


def _plan_and_count(config: BuildConfig) -> Generator[Progress, None, tuple[StudyPlan, PlanSummary]]:
    plan = yield from plan_study(config)
    return plan, PlanSummary.of(plan)


def _plan_and_build(config: BuildConfig) -> Generator[Progress, None, BuildResult]:
    """Plan with the columns as they were corrected, then build."""
    return (yield from build_study((yield from plan_study(config))))
