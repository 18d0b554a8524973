"""Units that a sentence may write, and what is converted into what.

The hard idea: only units of one dimension convert, and a day of somebody's age is not of the dimension of a millisecond
of their ECG, so that nothing absurd is ever taken for meant. A unit that is not known here fits itself alone.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from napari_latent_explorer.io.column_units import UNIT_SPELLINGS

_YEAR_DAYS: Final = 365.25

_DIMENSIONS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "mass": (("mg", 1e-3), ("g", 1.0), ("kg", 1e3)),
    "volume": (("ml", 1.0), ("l", 1e3)),
    "duration": (("ms", 1.0), ("s", 1e3), ("min", 6e4), ("h", 3.6e6)),
    "calendar": (("days", 1.0), ("weeks", 7.0), ("months", _YEAR_DAYS / 12), ("years", _YEAR_DAYS)),
    "length": (("mm", 1.0), ("cm", 10.0), ("m", 1e3)),
    "area": (("mm²", 1.0), ("cm²", 1e2), ("m²", 1e6)),
    "rate": (("bpm", 1.0), ("Hz", 60.0)),
    "pressure": (("mmHg", 1.0), ("kPa", 7.500617)),
    "voltage": (("uV", 1.0), ("mV", 1e3)),
    "speed": (("mm/s", 1.0), ("cm/s", 10.0), ("m/s", 1e3)),
    "flow": (("ml/s", 0.06), ("l/min", 1.0)),
    "amount per volume": (("umol/l", 1e-3), ("mmol/l", 1.0)),
    "mass per volume": (
        ("pg/ml", 1e-6), ("ng/l", 1e-6), ("ng/ml", 1e-3), ("mg/l", 1.0), ("mg/dl", 10.0), ("g/l", 1e3), ("g/dl", 1e4),
    ),
}  # fmt: skip
"""Per dimension its units, each with its size in the dimension's own."""

_FACTORS: Final = {unit: (dimension, size) for dimension, units in _DIMENSIONS.items() for unit, size in units}

_WORDS: Final[Mapping[str, str]] = {
    "g": "gram gr", "kg": "kilogram kilogramme kilo", "mg": "milligram", "ml": "milliliter millilitre",
    "l": "liter litre", "ms": "millisecond", "s": "second secs", "h": "hr hour", "days": "day", "weeks": "week",
    "months": "month", "mm": "millimeter millimetre", "cm": "centimeter centimetre", "m": "meter metre",
    "%": "per_cent", "bpm": "beats_per_minute beats_a_minute beats_per_min per_minute beats/minute", "Hz": "hertz",
    "mmHg": "mm_hg",
}  # fmt: skip
"""Units as they are spoken; an underscore is a space."""

_AGE_WORDS: Final = "years_of_age years_old year_old yrs_old yr_old y/o y.o. yo"
"""What makes a number of years an age."""

_NOT_AFTER_NUMBERS: Final = {"a", "jahre"}


@cache
def unit_of(spelling: str) -> str:
    """Return the unit as the program writes it; what is not known is given back."""
    return UNIT_SPELLINGS.get(spelling.strip().lower(), spelling.strip())


def convert(value: float, unit: str, wanted: str) -> float | None:
    """`value` in the unit `wanted`; None when the one does not convert into the other."""
    if unit == wanted:
        return value
    dimension, size = _FACTORS.get(unit, (unit, 1.0))
    wanted_dimension, wanted_size = _FACTORS.get(wanted, (wanted, 1.0))
    return value * size / wanted_size if dimension == wanted_dimension else None


@cache
def _spoken() -> tuple[re.Pattern[str], Mapping[str, tuple[str, bool]]]:
    """Pattern of a unit that follows a number, and for each spelling its unit and whether it makes an age."""
    spellings = {spelling: (unit, False) for spelling, unit in UNIT_SPELLINGS.items()}
    for unit, words in _WORDS.items():
        for word in words.split():
            spoken = word.replace("_", " ")
            spellings |= {spoken: (unit, False), f"{spoken}s": (unit, False)}
    spellings |= {f"{word}{s}".replace("_", " "): ("years", True) for word in _AGE_WORDS.split() for s in ("", "s")}
    known = {spelling: unit for spelling, unit in spellings.items() if spelling not in _NOT_AFTER_NUMBERS}
    parts = (
        re.escape(spelling).replace(r"\ ", r"[\s-]+").replace("/", r"\s?/\s?")
        for spelling in sorted(known, key=len, reverse=True)
    )
    return re.compile(rf"[\s-]{{0,3}}({'|'.join(parts)})(?![\w²/^])", re.IGNORECASE), known


def unit_after(sentence: str, start: int) -> tuple[str, bool, int] | None:
    """Find the unit that is written at `start`: as it is known here, whether it makes an age, and where it ends."""
    pattern, known = _spoken()
    found = pattern.match(sentence, start)
    if found is None:
        return None
    spelling = re.sub(r"\s*/\s*", "/", re.sub(r"[\s-]+", " ", found[1])).lower()
    unit, is_age = known.get(spelling, ("", False))
    return (unit, is_age, found.end()) if unit else None
