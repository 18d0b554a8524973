"""The cells of one column of a table, whatever program wrote them: as text, as numbers, as dates.

Every kind of cell is brought to one spelling (``1``, ``1.0`` and the number 1 are all ``1``), so that codes and labels
can be compared. Work is done on the different values of a column, of which there are usually few.
"""

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MISSING_TEXTS = frozenset(
    {
        "",
        "na",
        "n/a",
        "nan",
        "nat",
        "null",
        "<na>",
        "#n/a",
        "#na",
        ".",
        "#div/0!",
        "#ref!",
        "#value!",
        "#num!",
        "#name?",
    }
)
"""Spellings, in small letters, that never mean anything but "no value"."""

_MISSING_STARTS = frozenset(text[:1] for text in MISSING_TEXTS) | frozenset(text[:1].upper() for text in MISSING_TEXTS)
_MAX_TEXT = 200
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_GROUPED_BY_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_GROUPED_BY_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d*")
_LIMIT = re.compile(r"[<>≤≥]\s*=?\s*(?=[\d.,+-])")
_ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
_WRITTEN_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})( .*)?")


@dataclass(frozen=True, eq=False)
class ColumnValues:
    """The different values of a column and where they stand.

    Attributes
    ----------
    rows
        ``(n_rows,)`` position in `texts` of each row's value, -1 where there is none.
    texts
        ``(n_distinct,)`` the values in their one spelling, in order of appearance.
    prefers_decimal_comma
        Whether ``1,234`` is a number a little over one, where the column itself does not tell.
    """

    rows: NDArray[np.intp]
    texts: tuple[str, ...]
    prefers_decimal_comma: bool = False

    @classmethod
    def of(cls, column: "pd.Series[Any]", prefers_decimal_comma: bool = False) -> "ColumnValues":
        """Take the values of a column of any type."""
        codes, texts = _distinct_texts(column)
        return cls(codes, texts, prefers_decimal_comma).without({text for text in texts if _is_missing(text)})

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Rows ``(n_distinct,)`` that hold each value."""
        return np.bincount(self.rows[self.rows >= 0], minlength=len(self.texts)).astype(np.int64)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """Number ``(n_distinct,)`` that each value is; NaN where it is none."""
        return parse_numbers(self.texts, self.prefers_decimal_comma)

    @property
    def are_dates(self) -> bool:
        """Whether every value is a day."""
        return not np.isnat(parse_dates(self.texts[:1])).any() and not np.isnat(self.dates).any()

    @cached_property
    def dates(self) -> NDArray[np.datetime64]:
        """Day ``(n_distinct,)`` that each value is; NaT where it is none."""
        return parse_dates(self.texts)

    def without(self, texts: Collection[str]) -> "ColumnValues":
        """Take the values `texts` for missing."""
        if not texts:
            return self
        is_kept = np.array([text not in texts for text in self.texts], dtype=bool)
        place = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        kept = tuple(text for text in self.texts if text not in texts)
        return ColumnValues(self.spread(place, -1), kept, self.prefers_decimal_comma)

    def spread(self, of_values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """Bring something known of each value to the rows, ``(n_rows,)``."""
        return np.append(of_values, np.array([missing], dtype=of_values.dtype))[self.rows]


def _is_missing(text: str) -> bool:
    return text[:1] in _MISSING_STARTS and text.lower() in MISSING_TEXTS


def _distinct_texts(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Spellings of the different cells, and which of them stands in each row (-1 for none)."""
    import pyarrow as pa
    from pyarrow import compute

    if column.dtype == "string[pyarrow]" and not isinstance(column.dtype, pd.StringDtype):
        trimmed = compute.utf8_trim_whitespace(pa.chunked_array(pa.array(column.array)))
        if (compute.max(compute.utf8_length(trimmed)).as_py() or 0) <= _MAX_TEXT:
            encoded = trimmed.combine_chunks().dictionary_encode()
            codes = compute.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
            return codes.astype(np.intp), tuple(encoded.dictionary.to_pylist())
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    place_of: dict[str, int] = {}
    places = [place_of.setdefault(cell_text(value), len(place_of)) for value in uniques.tolist()]
    return np.array([*places, -1], dtype=np.intp)[codes], tuple(place_of)


def cell_text(value: Any) -> str:
    """Spelling of one cell."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return _number_text(float(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = str(value).strip()
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def code_text(text: str) -> str:
    """Spelling of a code: ``1.0`` is ``1``."""
    whole, point, rest = text.strip().partition(".")
    return whole if point and not rest.strip("0") and whole.lstrip("+-").isdigit() else text.strip()


def coded(texts: tuple[str, ...], codes: Collection[str]) -> NDArray[np.bool_]:
    """Which of the texts are among the codes, however these are spelt."""
    known = {code_text(code) for code in codes}
    if not known:
        return np.zeros(len(texts), dtype=bool)
    return np.array([text in known or (text[-1:] in ".0" and code_text(text) in known) for text in texts], dtype=bool)


def parse_numbers(texts: tuple[str, ...], prefers_decimal_comma: bool = False) -> NDArray[np.float64]:
    """Numbers ``(n_texts,)`` that the texts are, NaN where they are none.

    A decimal comma is taken as such where the column shows it (``12,5``); where every comma could as well group
    thousands (``1,234``), `prefers_decimal_comma` decides. A limit (``<5``) is the limiting number.
    """
    numbers = _plain_numbers(texts)
    places = np.flatnonzero(np.isnan(numbers)).tolist()
    bare = [_LIMIT.sub("", texts[place]) for place in places]
    with_comma = [text for text in bare if "," in text]
    grouped = sum(bool(_GROUPED_BY_COMMAS.fullmatch(text)) for text in with_comma)
    groups_thousands = grouped == len(with_comma) and (
        not prefers_decimal_comma or any("." in text or text.count(",") > 1 for text in with_comma)
    )
    numbers[places] = [_number(text, groups_thousands) for text in bare]
    return numbers


def limits(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the texts that are limits, such as ``<5``."""
    return tuple(text for text in texts if text[:1] in "<>≤≥" and _LIMIT.match(text))


def parse_dates(texts: tuple[str, ...]) -> NDArray[np.datetime64]:
    """Days ``(n_texts,)`` that the texts are, NaT where they are none.

    ``2019-03-01`` and ``01.03.2019`` are the first of March. With slashes or hyphens the column decides what is the day
    (a number over 12); where it does not, the day comes first.
    """
    written = [_WRITTEN_DATE.fullmatch(text) for text in texts]
    month_first = any(found and found[2] != "." and int(found[3]) > 12 for found in written)
    days = np.full(len(texts), "NaT", dtype="datetime64[D]")
    for place, (text, found) in enumerate(zip(texts, written, strict=True)):
        if found:
            first, second = (int(found[1]), int(found[3]))
            day, month = (second, first) if month_first and found[2] != "." else (first, second)
            days[place] = _day(int(found[4]), month, day)
        elif _ISO_DATE.fullmatch(text):
            year, month, day = (int(part) for part in re.split(r"[T ]", text, maxsplit=1)[0].split("-"))
            days[place] = _day(year, month, day)
    return days


def _plain_numbers(texts: tuple[str, ...]) -> NDArray[np.float64]:
    """Numbers of those texts that are written plainly, by a parser that is fast and exact."""
    import pyarrow as pa
    from pyarrow import compute

    numbers = np.full(len(texts), np.nan)
    written = pa.array(texts, pa.string())
    is_plain = compute.match_substring_regex(written, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    parsed = compute.cast(written.filter(is_plain), pa.float64()).to_numpy(zero_copy_only=False)
    numbers[is_plain.to_numpy(zero_copy_only=False)] = np.where(np.isfinite(parsed), parsed, np.nan)
    return numbers


def _number_text(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if abs(value) < 2**53 and value == int(value) else repr(value)


def _number(text: str, groups_thousands: bool) -> float:
    if _PLAIN_NUMBER.fullmatch(text):
        return _finite(text)
    if groups_thousands and _GROUPED_BY_COMMAS.fullmatch(text):
        return _finite(text.replace(",", ""))
    if _DECIMAL_COMMA.fullmatch(text):
        return _finite(text.replace(",", "."))
    if _GROUPED_BY_DOTS.fullmatch(text):
        return _finite(text.replace(".", "").replace(",", "."))
    if text.endswith("%"):
        return _number(text[:-1].rstrip(), groups_thousands)
    return np.nan


def _finite(text: str) -> float:
    number = float(text)
    return number if np.isfinite(number) else np.nan


def _day(year: int, month: int, day: int) -> np.datetime64:
    try:
        return np.datetime64(datetime.date(year, month, day), "D")
    except ValueError:
        return np.datetime64("NaT", "D")
