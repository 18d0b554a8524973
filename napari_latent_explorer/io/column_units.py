"""Units that people write into the names of columns: ``LVM (g)``, ``lvedv_ml``, ``QRS [ms]``."""

import re
from typing import Final

UNIT_SPELLINGS: Final = {
    "g": "g", "kg": "kg", "mg": "mg",
    "ml": "ml", "cc": "ml", "litres": "l", "l": "l",
    "mm": "mm", "cm": "cm", "m": "m", "m2": "m²", "m²": "m²", "cm2": "cm²", "cm²": "cm²", "mm2": "mm²", "mm²": "mm²",
    "kg/m2": "kg/m²", "kg/m²": "kg/m²", "kg/m^2": "kg/m²", "g/m2": "g/m²", "g/m²": "g/m²", "g/m^2": "g/m²",
    "ml/m2": "ml/m²", "ml/m²": "ml/m²", "ml/m^2": "ml/m²",
    "ms": "ms", "msec": "ms", "s": "s", "sec": "s", "min": "min", "minutes": "min", "h": "h", "hours": "h",
    "days": "days", "weeks": "weeks", "months": "months", "years": "years", "year": "years", "yrs": "years",
    "y": "years", "yr": "years", "a": "years", "jahre": "years",
    "bpm": "bpm", "1/min": "bpm", "/min": "bpm", "beats/min": "bpm", "hz": "Hz",
    "mv": "mV", "uv": "uV", "µv": "uV", "μv": "uV",
    "mmhg": "mmHg", "kpa": "kPa", "%": "%", "percent": "%", "pct": "%",
    "mmol/l": "mmol/l", "umol/l": "umol/l", "µmol/l": "umol/l", "mmol/mol": "mmol/mol", "mg/dl": "mg/dl",
    "g/dl": "g/dl", "g/l": "g/l", "mg/l": "mg/l", "ng/l": "ng/l", "ng/ml": "ng/ml", "pg/ml": "pg/ml", "u/l": "U/l",
    "l/min": "l/min", "l/min/m2": "l/min/m²", "l/min/m²": "l/min/m²",
    "cm/s": "cm/s", "m/s": "m/s", "mm/s": "mm/s", "ml/s": "ml/s",
    "deg": "degrees", "degrees": "degrees", "°": "degrees",
}  # fmt: skip
"""Spelling in small letters -> the unit as the program writes it."""

_BARE_ENDINGS: Final = {
    **{unit: unit for unit in ("g", "kg", "ml", "cm", "mm", "ms", "bpm", "years", "months", "days", "min")},
    "mv": "mV", "mmhg": "mmHg", "hz": "Hz", "yrs": "years", "pct": "%", "percent": "%",
    "kgm2": "kg/m²", "gm2": "g/m²", "mlm2": "ml/m²", "mmoll": "mmol/l", "mgdl": "mg/dl",
}  # fmt: skip
"""Units that are recognised without brackets: ``lvedv_ml``."""

_IN_BRACKETS: Final = re.compile(r"^(.*\S)\s*(?:\(([^()]{1,12})\)|\[([^\[\]]{1,12})\])\s*$", re.DOTALL)
_AT_THE_END: Final = re.compile(r"^(.+?)[\s_.]([A-Za-z0-9]{1,8})$", re.DOTALL)


def split_unit(name: str) -> tuple[str, str]:
    """Label without the unit, and the unit (empty where the name tells none).

    Brackets must hold a known unit, so that ``EF (MRI)`` stays whole; without brackets, only units that are no words of
    their own count. An age is in years where the name tells nothing else.
    """
    if found := _IN_BRACKETS.match(name):
        unit = UNIT_SPELLINGS.get((found[2] or found[3]).strip().lower(), "")
        if unit:
            return _readable(found[1]), unit
    if found := _AT_THE_END.match(name):
        unit = _BARE_ENDINGS.get(found[2].lower(), "")
        if unit:
            return _readable(found[1]), unit
    label = _readable(name)
    return label, "years" if re.fullmatch(r"age\b.*", label, re.IGNORECASE) else ""


def _readable(name: str) -> str:
    return re.sub(r"[_\s]+", " ", name).strip()
