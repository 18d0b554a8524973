"""The exceptions that a user can meet.

Each message says what was being done, to which file or participant, what was found, what was expected and what to do.
Libraries raise; only the command line and the GUI turn these into notifications.

Messages quote names and contents of files that anyone may have made, so what could act on a terminal, forge a line of
a log or hide the rest of the text is written as an escape, here and once for all of them.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_MAX_MESSAGE_CHARS = 1200
_SHAPELESS = ("Cc", "Cf", "Cs", "Zl", "Zp")
_ACCIDENTS = (ArithmeticError, AssertionError, AttributeError, BufferError, LookupError, NameError, TypeError)
_PYTHON_WORDS = re.compile(
    r"NoneType|object is not|has no attribute|unsupported operand|argument|expected str|invalid literal|to unpack|"
    r"could not convert|codec can't|<class '|object at 0x|broadcast|dtype|buffer"
)
_LONG_WORD = re.compile(r"[^\s/\\]{256,}")
"""Longer than the name of a file can be: a cell or a field that holds rubbish."""
_SHAPELESS_CHAR = r"(?:[\x00-\x09\x0b-\x1f\x7f-\x9f]|\\x[0-9a-f]{2})"
_SHAPELESS_RUN = re.compile(f"({_SHAPELESS_CHAR}{{4}}){_SHAPELESS_CHAR}{{5,}}")
_FORGED_LINE_END = re.compile(r"\n(?![\n ]|\Z)")
"""The program's own lists and commands go on with spaces after a line's end."""


def shown_text(text: str, max_chars: int = _MAX_MESSAGE_CHARS) -> str:
    r"""`text` made harmless to print, without the middle of endless words and of what is longer than `max_chars`.

    Control characters (terminal escapes), marks of direction and other characters without a shape, and bytes of a
    file name that are no text become escapes such as ``\x1b``.
    """
    text = _LONG_WORD.sub(lambda word: f"{word[0][:80]}[...]{word[0][-20:]}", text)
    if len(text) > max_chars:
        text = f"{text[: max_chars * 3 // 4]} [...] {text[-max_chars // 4 :]}"
    text = _SHAPELESS_RUN.sub(r"\1[...]", text)
    one_line = _FORGED_LINE_END.sub("\\\\n", text)
    return "".join(char if char == "\n" or _has_shape(char) else escaped(char) for char in one_line)


def _has_shape(char: str) -> bool:
    return (char.isascii() and char.isprintable()) or unicodedata.category(char) not in _SHAPELESS


def escaped(char: str) -> str:
    """Write a character as an escape; one by which Python carries a byte that was no UTF-8, as that byte."""
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else char.encode("unicode_escape").decode()


def reason_of(damage: BaseException, max_chars: int = 200) -> str:
    """Say what a library complains of, in words for a message; its slips on damaged input are not passed on.

    A library that meets nonsense often fails by accident, and then says what happened to its variables
    (``'NoneType' object is not subscriptable``), which tells nobody anything about the file.
    """
    if isinstance(damage, LatentExplorerError):
        return str(damage)
    if isinstance(damage, MemoryError):
        return "it does not fit into memory"
    if isinstance(damage, RecursionError):
        return "it is nested too deeply"
    text = " ".join(str((isinstance(damage, OSError) and damage.strerror) or damage).split())
    if not text or isinstance(damage, _ACCIDENTS) or _PYTHON_WORDS.search(text):
        return f"its contents do not follow the format ({type(damage).__name__})"
    return shown_text(text.rstrip("."), max_chars)


class LatentExplorerError(Exception):
    """Base of every error that is the input's fault, not the program's."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shown_text(message))


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
