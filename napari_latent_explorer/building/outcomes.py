"""What became of each file, as rows of the report: kept with the participant whose recordings were written.

A folder's files have a row each. Of an archive, members with the same fate share a row that counts them, because a
biobank's archives hold ten million members.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal

from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.reading import FileOutcome

Outcome = Literal["used", "skipped", "failed"]

Stage = Literal["planning", "reading"]

OUTCOMES: tuple[Outcome, ...] = ("used", "skipped", "failed")
FACTS_KEY = "outcomes"

_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[/\\!]\S*|\S*\.(?:dcm|ima|zip|xml|nii|gz|hd5|csv|hea|dat)\b\S*|\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row of the report.

    Attributes
    ----------
    participant_id
        Whose file it is; empty when nobody's.
    modality
        For which kind of recording it was looked at.
    file
        Its path below the folder that was given; a member of an archive is ``archive.zip!member``.
    outcome
        Whether something of it is in the study.
    reason
        What it was used for, or why it was not.
    notes
        What else its user should know.
    n_files
        Members of an archive that this row stands for; else 1.
    n_bytes
        Size on disk; 0 for members.
    heart_box
        For a cine, where its heart box comes from; empty if it has none.
    stage
        Whether that was settled by ``reading`` it, or by the ``planning`` before.
    """

    participant_id: str
    modality: str
    file: str
    outcome: Outcome
    reason: str
    notes: str = ""
    n_files: int = 1
    n_bytes: int = 0
    heart_box: str = ""
    stage: Stage = "reading"

    def to_json(self) -> list[Any]:
        """Give it as plain JSON, without the participant."""
        return list(astuple(self))[1:]

    @classmethod
    def from_json(cls, participant_id: str, content: Sequence[Any]) -> "ReportRow":
        """Build the row that `to_json` gave."""
        return cls(participant_id, *content)


@dataclass(frozen=True, slots=True)
class Shortener:
    """Writes paths as they lie below the folder that was given.

    Attributes
    ----------
    root
        That folder.
    """

    root: str

    def __call__(self, text: str) -> str:
        """Shorten every path in a text, and make the text fit to be shown."""
        shown_root = printable(self.root)
        short = text.replace(f"{self.root}/", "").replace(f"{shown_root}/", "")
        return printable(short.replace(f"{self.root}\\", "").replace(f"{shown_root}\\", "").replace("\n", " "))


def rows_of_files(
    participant_id: str, modality: str, outcomes: Iterable[FileOutcome], place: Path, shorten: Shortener
) -> list[ReportRow]:
    """Rows of what a reader says of the files at one place, in its order; members of archives in one row per fate."""
    mark = f"{printable(str(place))}!"
    rows: list[ReportRow] = []
    members: dict[tuple[bool, str], list[FileOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.file.startswith(mark):
            members[outcome.is_used, kind_of_reason(outcome.reason)].append(outcome)
            continue
        fate: Outcome = "used" if outcome.is_used else "skipped"
        name, reason, n_bytes = shorten(outcome.file), shorten(outcome.reason), size_on_disk(Path(outcome.file))
        rows.append(ReportRow(participant_id, modality, name, fate, reason, n_bytes=n_bytes))
    for (is_used, _), alike in members.items():
        notes = "" if len(alike) == 1 else f"And {len(alike) - 1} more like it; the last is {shorten(alike[-1].file)}."
        rows.append(
            ReportRow(
                participant_id,
                modality,
                shorten(alike[0].file),
                "used" if is_used else "skipped",
                shorten(alike[0].reason),
                notes,
                len(alike),
            )
        )
    return rows


def kind_of_reason(reason: str) -> str:
    """Take names, paths and numbers out of a reason, so that those that say the same are equal."""
    return _VARYING.sub("\N{HORIZONTAL ELLIPSIS}", reason)


def size_on_disk(place: Path) -> int:
    """Bytes of a file; 0 for a folder, or when it cannot be told."""
    try:
        return 0 if place.is_dir() else place.stat().st_size
    except (OSError, ValueError):
        return 0
