"""``report.parquet``: one row for each file that a study was built from, or that was left aside, and why.

Rows are written as they come, participant by participant, so that the report of ten million files takes little memory;
they are counted on the way for ``report.html`` (`report_page.py`).
"""

import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from napari_latent_explorer.building.found import UnusedFile
from napari_latent_explorer.building.outcomes import (
    OUTCOMES,
    Outcome,
    ReportRow,
    Shortener,
    kind_of_reason,
    size_on_disk,
)
from napari_latent_explorer.building.participant import read_rows
from napari_latent_explorer.building.study_plan import BuildConfig
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store, study_table
from napari_latent_explorer.io.atomic import partial_path, refusals_named

REPORT_TABLE = "report.parquet"
REPORT_PAGE = "report.html"

MAX_REASONS = 500
MAX_SHOWN_PARTICIPANTS = 200

_CHUNK_ROWS = 50_000
_STEP_PARTICIPANTS = 500


@dataclass(slots=True)
class ReasonCount:
    """How often a reason occurred, with an example."""

    modality: str
    outcome: Outcome
    reason: str
    example: str
    n_files: int = 0
    n_participants: int = 0


@dataclass(slots=True)
class ReportSummary:
    """Counts over all rows of a report.

    Attributes
    ----------
    files
        Files by kind of recording and outcome.
    recordings
        Participants by kind of recording that the study holds of them.
    heart_boxes
        Cines by where their heart box comes from.
    reasons
        Reasons, without the names and numbers that vary, and how often each occurred.
    troubled
        The first participants with a file that failed, with its row.
    """

    files: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    recordings: Counter[str] = field(default_factory=Counter)
    heart_boxes: Counter[str] = field(default_factory=Counter)
    reasons: dict[tuple[str, str, str], ReasonCount] = field(default_factory=dict)
    troubled: list[ReportRow] = field(default_factory=list)
    n_participants: int = 0
    n_without_recording: int = 0

    def outcomes(self) -> dict[str, int]:
        """Files by outcome, over all kinds of recordings."""
        return {outcome: sum(n for (_, other), n in self.files.items() if other == outcome) for outcome in OUTCOMES}

    def count(self, rows: Iterable[ReportRow]) -> None:
        """Count the rows of one participant."""
        seen: set[tuple[str, str, str]] = set()
        for row in rows:
            self.files[row.modality, row.outcome] += row.n_files
            if row.heart_box:
                self.heart_boxes[row.heart_box] += 1
            if row.outcome == "failed" and len(self.troubled) < MAX_SHOWN_PARTICIPANTS:
                self.troubled.append(row)
            self._count_reason(row, seen)

    def _count_reason(self, row: ReportRow, seen: set[tuple[str, str, str]]) -> None:
        key = (row.modality, row.outcome, kind_of_reason(row.reason))
        if key not in self.reasons:
            if len(self.reasons) >= MAX_REASONS:
                key = (row.modality, row.outcome, "other reasons")
            self.reasons.setdefault(key, ReasonCount(row.modality, row.outcome, row.reason, row.file))
        counted = self.reasons[key]
        counted.n_files += row.n_files
        if key not in seen:
            seen.add(key)
            counted.n_participants += bool(row.participant_id)


def rows_of_unused(config: BuildConfig, unused: Iterable[UnusedFile]) -> Iterator[ReportRow]:
    """Rows of the files that the plan left aside."""
    shorten = {modality: Shortener(str(folder)) for modality, folder in config.folders().items()}
    for one in unused:
        path = shorten[one.modality](str(one.path))
        reason = one.reason[:1].upper() + one.reason[1:] + "."
        yield ReportRow(one.participant_id, one.modality, path, "skipped", reason, n_bytes=size_on_disk(one.path))


def write_report_table(
    study: Path, n_participants: int, others: Iterable[ReportRow]
) -> Generator[Progress, None, ReportSummary]:
    """Write ``report.parquet`` of a study, and count what it holds.

    Parameters
    ----------
    study
        Folder of the study.
    n_participants
        Rows of its table; what became of their files is read from their recordings.
    others
        Rows of files that were not read for any participant.
    """
    summary = ReportSummary(n_participants=n_participants)
    with _Table(study / REPORT_TABLE) as table:
        for row in range(n_participants):
            if row % _STEP_PARTICIPANTS == 0:
                yield Progress(row, n_participants, "writing the report")
            rows = read_rows(study, row)
            _count_recordings(study, row, summary)
            summary.count(rows)
            table.add(rows)
        for number, one in enumerate(others):
            if number % _STEP_PARTICIPANTS == 0:
                yield Progress(n_participants, n_participants, "writing the report")
            summary.count([one])
            table.add([one])
    return summary


def _count_recordings(study: Path, row: int, summary: ReportSummary) -> None:
    held = [modality for modality in ("mri", "ecg", "labels") if recording_store.has_recording(study, row, modality)]
    summary.recordings.update(held)
    summary.recordings["both"] += "mri" in held and "ecg" in held
    summary.n_without_recording += not held


def read_planning_rows(study: Path) -> list[ReportRow]:
    """Rows of the report of a study that belong to files that were left aside by the plan.

    Raises
    ------
    StudyError
        When the report is damaged.
    """
    path = study / REPORT_TABLE
    if not path.is_file():
        return []
    table = read_report(study)
    rows = table[table["stage"] == "planning"].itertuples(index=False, name=None)
    return [ReportRow(*values) for values in rows]


def read_report(study: Path) -> pd.DataFrame:
    """Read ``report.parquet`` of a study; see `ReportRow` for its columns.

    Raises
    ------
    StudyError
        When there is none, or it is damaged.
    """
    table = study_table.read_table(study / REPORT_TABLE)
    missing = [one.name for one in fields(ReportRow) if one.name not in table.columns]
    if missing:
        raise StudyError(f"{study / REPORT_TABLE} lacks the columns {', '.join(missing)}; it is no report of a build.")
    return table[[one.name for one in fields(ReportRow)]]


class _Table:
    """A Parquet file that grows, and appears when it is complete."""

    def __init__(self, goal: Path) -> None:
        self._goal = goal
        self._partial = partial_path(goal)
        self._rows: list[ReportRow] = []
        self._writer: Any = None

    def __enter__(self) -> "_Table":
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = [(one.name, pa.int64() if one.type is int else pa.string()) for one in fields(ReportRow)]
        self._schema = pa.schema(kinds)
        with refusals_named(self._goal, 0):
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        return self

    def add(self, rows: Iterable[ReportRow]) -> None:
        """Add rows."""
        self._rows += rows
        if len(self._rows) >= _CHUNK_ROWS:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with refusals_named(self._goal, 0):
                if kind is None:
                    self._flush()
                self._writer.close()
                if kind is None:
                    os.replace(self._partial, self._goal)
        finally:
            self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow as pa

        columns = list(zip(*map(astuple, self._rows), strict=True)) or [()] * len(self._schema)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, self._schema.types, strict=True)]
        with refusals_named(self._goal, 0):
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []
