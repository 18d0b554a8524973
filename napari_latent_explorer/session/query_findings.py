"""What is found while a sentence is read: what is not understood, and what was understood not quite as written."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not understood.

    Attributes
    ----------
    start, end
        Where in the sentence.
    text
        What is wrong with it, in words.
    suggestions
        What could stand there instead.
    is_structural
        Whether it leaves in doubt how the other parts belong together, so that none of them may be used.
    """

    start: int
    end: int
    text: str
    suggestions: tuple[str, ...] = ()
    is_structural: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was taken for something else, which the user must see.

    Attributes
    ----------
    start, end
        Where in the sentence.
    text
        What was taken for what, in words.
    kind
        `spelling`, another word than the one that is written, or `reading`, one meaning of what is written.
    replacement
        What it was taken for; empty when there is no shorter way to say it.
    """

    start: int
    end: int
    text: str
    kind: Literal["spelling", "reading"] = "reading"
    replacement: str = ""
