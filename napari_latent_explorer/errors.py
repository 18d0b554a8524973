"""The exceptions that a user can meet.

Each message says what was being done, to which file or participant, what was found, what was expected and what to do.
Libraries raise; only the command line and the GUI turn these into notifications.
"""

from collections.abc import Sequence
from typing import Any


class LatentExplorerError(Exception):
    """Base of every error that is the input's fault, not the program's."""


class StudyError(LatentExplorerError):
    """A study folder is missing, half-written, of another version, or lacks what was asked of it."""


class TableError(LatentExplorerError):
    """A table of phenotypes cannot be read or does not fit the study."""


class RecordingError(LatentExplorerError):
    """A cine or an ECG cannot be read, or is not what it was taken for.

    Attributes
    ----------
    outcomes
        What became of each file that was looked at (`io.reading.FileOutcome`), where there were several.
    """

    def __init__(self, message: str, outcomes: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.outcomes = tuple(outcomes)


class BundleError(LatentExplorerError):
    """A model bundle is missing, damaged, or does not fit the data."""


class TrainingError(LatentExplorerError):
    """Training cannot start or go on."""
