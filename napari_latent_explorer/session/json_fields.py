"""Reading the fields of JSON objects that somebody else may have written, with all that is wrong named at once.

A field that is missing or of the wrong kind is noted and replaced by an empty value, so that reading goes on and finds
the other mistakes; whoever reads must look at `problems` before believing anything.
"""

import math
from collections.abc import Iterable
from typing import Any, Final

MOST_NAMED: Final = 8


class JsonFields:
    """One JSON object.

    Parameters
    ----------
    data
        What should be an object.
    place
        Where it stands, for messages, e.g. ``groups[2]``; empty for the whole file.
    problems
        Where mistakes are noted.
    """

    def __init__(self, data: object, place: str, problems: list[str]) -> None:
        self.problems = problems
        self._place = place
        self._data: dict[str, Any] = {}
        if isinstance(data, dict):
            self._data = data
        else:
            self.note("", "an object", data)

    def note(self, name: str, expected: str, found: object) -> None:
        """Remember that a field is not what it must be."""
        place = ".".join(part for part in (self._place, name) if part) or "the file"
        self.problems.append(f"{place} must be {expected}, found {_shown(found)}")

    def text(self, name: str) -> str:
        """Read a text."""
        value = self._data.get(name)
        if isinstance(value, str):
            return value
        self.note(name, "a text", value)
        return ""

    def text_or_none(self, name: str) -> str | None:
        """Read a text or null."""
        return None if self._data.get(name) is None else self.text(name)

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        """Read one of some words; the first of them when it is none."""
        words = tuple(choices)
        value = self._data.get(name)
        if isinstance(value, str) and value in words:
            return value
        self.note(name, f"one of {', '.join(words)}", value)
        return words[0]

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self._data.get(name)
        if isinstance(value, bool):
            return value
        self.note(name, "true or false", value)
        return False

    def count(self, name: str) -> int:
        """Read a whole number that is not negative."""
        value = self._data.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.note(name, "a count", value)
        return 0

    def number(self, name: str) -> float:
        """Read a finite number."""
        value = self._data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(number := _as_float(value)):
            return number
        self.note(name, "a finite number", value)
        return 0.0

    def numbers(self, name: str) -> list[float]:
        """Read a list of finite numbers."""
        values = self.items(name)
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            numbers = [_as_float(value) for value in values]
            if all(map(math.isfinite, numbers)):
                return numbers
        self.note(name, "a list of finite numbers", values)
        return []

    def texts(self, name: str) -> list[str]:
        """Read a list of texts."""
        values = self.items(name)
        if all(isinstance(value, str) for value in values):
            return values
        self.note(name, "a list of texts", next(value for value in values if not isinstance(value, str)))
        return []

    def text_map(self, name: str) -> dict[str, str]:
        """Read an object whose values are texts."""
        value = self._data.get(name)
        if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
            return dict(value)
        self.note(name, "an object of texts", value)
        return {}

    def items(self, name: str) -> list[Any]:
        """Read a list of anything."""
        value = self._data.get(name)
        if isinstance(value, list):
            return value
        self.note(name, "a list", value)
        return []

    def child(self, name: str) -> "JsonFields":
        """Read an object."""
        return JsonFields(self._data.get(name), ".".join(part for part in (self._place, name) if part), self.problems)

    def children(self, name: str) -> list["JsonFields"]:
        """Read a list of objects."""
        place = f"{self._place}.{name}" if self._place else name
        return [JsonFields(item, f"{place}[{number}]", self.problems) for number, item in enumerate(self.items(name))]

    def is_null(self, name: str) -> bool:
        """Whether a field is null or missing."""
        return self._data.get(name) is None

    def raw(self, name: str) -> object:
        """Return a field as it is."""
        return self._data.get(name)


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return repr(value)[:60]
