"""Numbers that people count in: the steps of an axis, of bars, and of what is dragged."""

import math


def readable_step(step: float) -> float:
    """Least of 1, 2 and 5 times a power of ten that is not below `step`, for the ticks of an axis."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def round_to_step(value: float, span: float) -> float:
    """Round to a power of ten near 1/200 of `span`, so that a dragged limit reads well."""
    if span <= 0 or not math.isfinite(span):
        return value
    return round(value, -math.floor(math.log10(span / 50.0)))
