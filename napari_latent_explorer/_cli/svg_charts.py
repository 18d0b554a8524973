"""Charts as SVG for a page that needs nothing else: points with intervals, lines with bands, scatter plots.

Colours are the page's CSS variables ``--c0`` to ``--c4``, so that a chart follows the page into the dark. All text is
escaped; a series without a number is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite, log10

_ROW = 22
_LABEL = 210
_WIDTH = 900
_PLOT = _WIDTH - _LABEL - 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One number with its interval.

    Attributes
    ----------
    series
        Which series, as an index of the colours.
    value, low, high
        Position and interval.
    """

    series: int
    value: float
    low: float
    high: float


def legend(names: Sequence[str]) -> str:
    """Coloured dots and the names of the series; a colour whose name is empty is passed over."""
    dots = (
        f'<span class="key" style="background:var(--c{i})"></span>{escape(name)} '
        for i, name in enumerate(names)
        if name
    )
    return f'<p class="note">{"".join(dots)}</p>'


def interval_chart(title: str, rows: Sequence[tuple[str, Sequence[Mark]]], low: float, high: float) -> str:
    """One line per row, its marks below each other, on a common axis."""
    heights = [max(_ROW, 9 * len(marks) + 8) for _, marks in rows]
    bottom = sum(heights) + 10
    parts = [_vertical_axis_lines(low, high, bottom)]
    top = 10
    for (label, marks), height in zip(rows, heights, strict=True):
        middle = top + height / 2
        parts.append(f'<text class="label" x="{_LABEL - 10}" y="{middle + 4:.1f}">{escape(label)}</text>')
        for number, mark in enumerate(marks):
            if not isfinite(mark.value):
                continue
            y = middle + 9 * (number - (len(marks) - 1) / 2)
            x = [_across(v, low, high) for v in (mark.value, mark.low, mark.high)]
            color = f"var(--c{mark.series})"
            parts.append(
                f'<line x1="{x[1]:.1f}" x2="{x[2]:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" stroke-width="2"/>'
                f'<circle cx="{x[0]:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"><title>{escape(label)}: {mark.value:.3f} '
                f"({mark.low:.3f} to {mark.high:.3f})</title></circle>"
            )
        top += height
    return _svg(title, _WIDTH, bottom + 24, "".join(parts))


def line_chart(
    title: str,
    series: Sequence[tuple[int, Sequence[tuple[float, float, float, float]]]],
    x_title: str,
    y_title: str,
    *,
    is_log_x: bool = False,
    y_range: tuple[float, float] | None = None,
) -> str:
    """Lines through points ``(x, y, low, high)`` with a band from low to high; `series` begin with their colour."""
    points = [point for _, line in series for point in line if all(map(isfinite, point))]
    if not points:
        return ""
    place = log10 if is_log_x else float
    x_low, x_high = min(place(p[0]) for p in points), max(place(p[0]) for p in points)
    y_low, y_high = y_range or _widened(min(p[2] for p in points), max(p[3] for p in points))
    width, height, left, top = 520, 300, 60, 12

    def at(x: float, y: float) -> str:
        across = (place(x) - x_low) / ((x_high - x_low) or 1.0)
        up = (min(max(y, y_low), y_high) - y_low) / ((y_high - y_low) or 1.0)
        return f"{left + across * (width - left - 20):.1f},{top + (1 - up) * (height - top - 46):.1f}"

    parts = [_grid(y_low, y_high, width, height, left, top)]
    for x in sorted({p[0] for p in points})[:: max(1, len({p[0] for p in points}) // 8)]:
        position = at(x, y_low).split(",")[0]
        parts.append(f'<text class="tick" x="{position}" y="{height - 28}" text-anchor="middle">{x:g}</text>')
    for color, line in series:
        known = [p for p in line if all(map(isfinite, p))]
        if not known:
            continue
        band = [at(x, high) for x, _, _, high in known] + [at(x, low) for x, _, low, _ in reversed(known)]
        path = " ".join(at(x, y) for x, y, _, _ in known)
        parts.append(f'<polygon points="{" ".join(band)}" fill="var(--c{color})" opacity="0.18"/>')
        parts.append(f'<polyline points="{path}" fill="none" stroke="var(--c{color})" stroke-width="2"/>')
    parts.append(f'<text class="axis" x="{(width + left) / 2}" y="{height - 8}">{escape(x_title)}</text>')
    parts.append(f'<text class="axis" transform="translate(14 {height / 2 - 16}) rotate(-90)">{escape(y_title)}</text>')
    return _svg(title, width, height, "".join(parts))


def scatter_chart(
    title: str, points: Sequence[tuple[float, float, int]], x_title: str, y_title: str, *, has_scale: bool = True
) -> str:
    """Points ``(x, y, series)``; without a scale, as on a map, there are no numbers on the axes."""
    known = [point for point in points if isfinite(point[0]) and isfinite(point[1])]
    if not known:
        return ""
    x_low, x_high = _widened(min(p[0] for p in known), max(p[0] for p in known))
    y_low, y_high = _widened(min(p[1] for p in known), max(p[1] for p in known))
    width, height, left, top = 380, 330, 54 if has_scale else 20, 12
    across, up = (width - left - 14) / (x_high - x_low), (height - top - 46) / (y_high - y_low)
    parts = [_grid(y_low, y_high, width, height, left, top) if has_scale else ""]
    for x, y, series in known:
        cx, cy = left + (x - x_low) * across, top + (y_high - y) * up
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="2.2" fill="var(--c{series})" opacity="0.65"/>')
    if has_scale:
        for share in (0.0, 0.5, 1.0):
            x = x_low + share * (x_high - x_low)
            position = left + share * (width - left - 14)
            parts.append(f'<text class="tick" x="{position:.1f}" y="{height - 28}" text-anchor="middle">{x:.3g}</text>')
    parts.append(f'<text class="axis" x="{(width + left) / 2}" y="{height - 8}">{escape(x_title)}</text>')
    parts.append(f'<text class="axis" transform="translate(12 {height / 2 - 16}) rotate(-90)">{escape(y_title)}</text>')
    return _svg(title, width, height, "".join(parts))


def _svg(title: str, width: float, height: float, content: str) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {width} {height}" role="img" '
        f'style="max-width:{width}px" aria-label="{escape(title)}">{content}</svg></figure>'
    )


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def _across(value: float, low: float, high: float) -> float:
    return _LABEL + (min(max(value, low), high) - low) / (high - low) * _PLOT


def _vertical_axis_lines(low: float, high: float, bottom: float) -> str:
    lines = []
    for step in range(5):
        value = low + (high - low) * step / 4
        x = _across(value, low, high)
        lines.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:.2g}</text>'
        )
    return "".join(lines)


def _grid(y_low: float, y_high: float, width: float, height: float, left: float, top: float) -> str:
    lines = []
    for step in range(5):
        y = top + (height - top - 46) * step / 4
        value = y_high - (y_high - y_low) * step / 4
        lines.append(
            f'<line class="grid" x1="{left}" x2="{width - 14}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        )
    return "".join(lines)
