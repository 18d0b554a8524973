"""A latent vector as text for the clipboard, and back.

Read is what spreadsheets, numpy and other programs write: numbers apart by commas, semicolons, tabs, spaces or lines,
perhaps in brackets; or a table with one line per dimension, its number first and its value last. Where semicolons or
tabs are between the numbers, a comma within one is its decimal sign, as half the world's spreadsheets write it.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import LatentExplorerError

HEADER: Final = "dimension,value"
MAX_CHARS: Final = 1_000_000
_APART = re.compile(r"[\s,;]+")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


def vector_to_text(vector: NDArray[np.float32]) -> str:
    """Write a vector ``(latent_dim,)`` in one line, numbers apart by commas, to the last bit."""
    return ", ".join(_number(value) for value in vector)


def vector_to_csv(vector: NDArray[np.float32]) -> str:
    """Write a vector as a table: a header, then number and value of one dimension per line."""
    return "\n".join([HEADER, *(f"{dim},{_number(value)}" for dim, value in enumerate(vector)), ""])


def _number(value: np.float32) -> str:
    return np.format_float_positional(value, unique=True, trim="-")


def vector_from_text(text: str, latent_dim: int) -> NDArray[np.float32]:
    """Read a vector ``(latent_dim,)``.

    Raises
    ------
    LatentExplorerError
        When the text is not so many finite numbers, nor a table of as many lines.
    """
    text = text[:MAX_CHARS].strip()
    if ";" in text or "\t" in text:
        text = _DECIMAL_COMMA.sub(".", text)
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and _parts(lines[0].lower())[:1] == ["dimension"]:
        return _from_table(lines[1:], latent_dim)
    values = [_value(part) for part in _parts(" ".join(lines))]
    if len(values) != latent_dim:
        raise LatentExplorerError(
            f"A latent vector of {latent_dim} numbers was to be pasted; the clipboard holds {len(values)}. Copy all "
            "numbers of one vector, or a table with the columns dimension and value."
        )
    return np.array(values, np.float32)


def _from_table(lines: list[str], latent_dim: int) -> NDArray[np.float32]:
    vector = np.full(latent_dim, np.nan, np.float32)
    for line in lines:
        dim, value = (_parts(line) or [""])[0], (_parts(line) or [""])[-1]
        if not dim.isdecimal() or int(dim) >= latent_dim:
            raise LatentExplorerError(
                f"The table on the clipboard has the dimension {dim[:20]!r}; expected 0 to {latent_dim - 1}."
            )
        vector[int(dim)] = _value(value)
    if missing := np.flatnonzero(np.isnan(vector)).tolist():
        raise LatentExplorerError(
            f"The table on the clipboard lacks {len(missing)} of {latent_dim} dimensions, the first is {missing[0]}."
        )
    return vector


def _parts(text: str) -> list[str]:
    return [part for part in _APART.split(text.strip().strip("[]()")) if part]


def _value(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or abs(value) > float(np.finfo(np.float32).max):
        raise LatentExplorerError(
            f"The clipboard holds {text[:20]!r} where a finite number of a latent vector was expected."
        )
    return value
