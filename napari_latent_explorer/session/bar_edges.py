"""Where the bars of a histogram begin and end: at numbers that people count in, whatever single values lie far off.

The hard idea: one value of 180,000 pg/ml among thousands around 150 would put everybody into the first of equal bars.
So the bars are laid over the middle 99 % of the values, and what lies far beyond falls into one wider bar at the end.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.readable_numbers import readable_step

MOST_BARS: Final = 24
TAIL: Final = 0.005
"""Share of the values at each end that may lie in one wider bar."""
N_TAIL_STEPS: Final = 3
"""How many bars beyond the middle are still made one by one."""
MOST_LOOKED_AT: Final = 100_000
MOST_DECIMALS: Final = 15
LARGEST_COUNTED: Final = 1e12
"""Whole numbers beyond are not counted one by one."""


def bar_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the edges of the bars of these values.

    Parameters
    ----------
    values
        ``(n_values,)``, finite.

    Returns
    -------
    ndarray
        ``(n_bars + 1,)``, rising, around all values; in the middle between whole numbers where all values are whole.
    """
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        return np.array([low, 0.0, high])
    some = values[:: max(1, len(values) // MOST_LOOKED_AT)]
    inner_low, inner_high = map(float, np.quantile(some, [TAIL, 1.0 - TAIL]))
    if inner_low == inner_high:
        inner_low, inner_high = low, high
    is_whole = _is_whole(some) and _is_whole(values)
    step = _step(inner_high - inner_low, max(abs(low), abs(high)), is_whole)
    offset = 0.5 if is_whole else 0.0
    first, last = (
        _end(inner, end, step, offset, upward) for inner, end, upward in ((inner_low, low, -1), (inner_high, high, 1))
    )
    edges = step * np.arange(first, max(last, first + 1) + 1) - offset
    decimals = max(0, 1 - math.floor(math.log10(step)))
    edges = np.round(edges, decimals) if decimals < MOST_DECIMALS else edges
    below = [low - offset] if low < edges[0] else []
    above = [high + offset] if high > edges[-1] else []
    return np.array([*below, *edges, *above])


def are_between_whole_numbers(edges: NDArray[np.float64]) -> bool:
    """Whether these are edges of bars of whole numbers."""
    return bool((edges % 1.0 == 0.5).all())


def _is_whole(values: NDArray[np.float64]) -> bool:
    return bool((values == np.rint(values)).all()) and bool(np.abs(values).max() < LARGEST_COUNTED)


def _step(span: float, largest: float, is_whole: bool) -> float:
    """Width of a bar, wide enough that edges differ."""
    if is_whole:
        return max(1.0, readable_step(max(span, 1.0) / MOST_BARS))
    return readable_step(max(span / MOST_BARS or 0.05 * largest, 4.0 * float(np.spacing(largest))))


def _end(inner: float, end: float, step: float, offset: float, direction: int) -> int:
    """Find the number of the edge at which equal bars end: beyond the `inner` values, or all where the rest is near."""
    near, far = (direction * math.ceil(direction * (value + offset) / step) for value in (inner, end))
    return far if abs(far - near) <= N_TAIL_STEPS else near
