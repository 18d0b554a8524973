"""Numbers as people read them: sensible digits, thousands apart."""

import math


def format_count(count: int) -> str:
    """Write a count, e.g. ``1,234``."""
    return f"{count:,}"


def format_value(value: float, significant: int = 3) -> str:
    """Write a measured value with at least `significant` digits and no spurious ones: ``152``, ``5.43``, ``55``."""
    if not math.isfinite(value):
        return "?"
    if value == 0:
        return "0"
    decimals = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.split(".")[0] if set(text.partition(".")[2]) == {"0"} else text


def format_range(low: float, high: float) -> str:
    """Write a range, e.g. ``55 to 65``, with an open end ``from 55`` or ``to 65``."""
    ends = [format_value(end) if math.isfinite(end) else "" for end in (low, high)]
    if all(ends):
        return f"{ends[0]} to {ends[1]}"
    return f"from {ends[0]}" if ends[0] else f"to {ends[1]}" if ends[1] else "any value"


def round_to_step(value: float, span: float) -> float:
    """Round to a power of ten near 1/200 of `span`, so that a dragged limit reads well."""
    if span <= 0 or not math.isfinite(span):
        return value
    step = 10.0 ** math.floor(math.log10(span / 50.0))
    return round(value / step) * step


def readable_step(step: float) -> float:
    """Least of 1, 2 and 5 times a power of ten that is not below `step`, for the ticks of an axis."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))
