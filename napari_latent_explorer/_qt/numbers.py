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


def format_limit(value: float) -> str:
    """Write an end of a range or an axis, without zeros that say nothing: ``4.9``, ``1,200``, ``4e-07``."""
    if value and abs(value) < 1e-3:
        return f"{value:.3g}"
    text = format_value(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_range(low: float, high: float) -> str:
    """Write a range, e.g. ``55 to 65`` or ``55 to <65``, with an open end ``from 55`` or ``to 65``."""
    ends = [format_limit(end) if math.isfinite(end) else "" for end in (low, high)]
    if math.isfinite(high) and high == math.nextafter(end := float(f"{high:.12g}"), -math.inf):
        ends[1] = f"<{format_limit(end)}"
    if all(ends):
        return f"{ends[0]} to {ends[1]}"
    return f"from {ends[0]}" if ends[0] else f"to {ends[1]}" if ends[1] else "any value"
