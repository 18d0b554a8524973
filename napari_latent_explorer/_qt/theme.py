"""The colours that painted panels take from the window around them.

Panels that Qt's style sheet reaches need nothing of this. What paints itself (charts, traces, maps, heat map) gets a
frozen `Theme` and repaints when another one comes; where it comes from is not its business.
"""

from dataclasses import dataclass

from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QWidget

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue."""
LEAST_ON_DARK, MOST_ON_BRIGHT = 0.3, 0.6
"""Luminance of lines that are seen on a dark and on a bright background."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as ``#rrggbb``.

    Attributes
    ----------
    background, panel, line, text, muted
        Of the window, of a surface on it, of thin lines, of words, and of words that matter less.
    accent
        What the eye should find: bars that pass the filters, the probe, the focus.
    quiet
        Bars of all participants, behind those that pass.
    warning, error
        For notices.
    paper, grid, grid_strong
        The ECG's millimetre paper.
    is_dark
        Whether light is written on dark.
    """

    background: str
    panel: str
    line: str
    text: str
    muted: str
    accent: str
    quiet: str
    warning: str
    error: str
    paper: str
    grid: str
    grid_strong: str
    is_dark: bool

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """One of the colours, with an opacity in 0..1."""
        color = QColor(getattr(self, name))
        color.setAlphaF(alpha)
        return color


DARK = Theme(
    background="#23242b",
    panel="#2b2d36",
    line="#454b57",
    text="#f0f1f2",
    muted="#a3a9b3",
    accent="#6ea8fe",
    quiet="#4b5260",
    warning="#e3b617",
    error="#f2777a",
    paper="#1b1c21",
    grid="#33282d",
    grid_strong="#4d363e",
    is_dark=True,
)

LIGHT = Theme(
    background="#ebe7e6",
    panel="#f8f6f5",
    line="#c5c3c1",
    text="#1e1e21",
    muted="#5d5f63",
    accent="#2563c9",
    quiet="#cfccc9",
    warning="#8a6a00",
    error="#b3141f",
    paper="#fffdfc",
    grid="#f7e3e1",
    grid_strong="#ecc3bf",
    is_dark=False,
)


def small_font(widget: QWidget, factor: float = 0.88, is_bold: bool = False) -> QFont:
    """Scale the widget's font, for what is written into a picture."""
    font = QFont(widget.font())
    if font.pointSizeF() > 0:
        font.setPointSizeF(max(6.5, font.pointSizeF() * factor))
    font.setBold(is_bold)
    return font


def to_qcolor(rgba: tuple[float, ...]) -> QColor:
    """Make Qt's colour of one given as floats in 0..1."""
    return QColor.fromRgbF(*(min(1.0, max(0.0, float(part))) for part in rgba))


def luminance(rgb: tuple[float, ...]) -> float:
    """Return how bright a colour is, 0..1."""
    return sum(share * part for share, part in zip(LUMINANCE, rgb[:3], strict=True))


def line_color(rgba: tuple[float, ...], theme: Theme) -> QColor:
    """Make Qt's colour for thin lines of a group: as it is, unless it would be lost on the background."""
    bright = luminance(rgba)
    lack = max(0.0, LEAST_ON_DARK - bright) / (1.0 - LEAST_ON_DARK) if theme.is_dark else 0.0
    excess = 1.0 if theme.is_dark else min(1.0, MOST_ON_BRIGHT / max(bright, 1e-6))
    return to_qcolor(tuple(excess * (part + lack * (1.0 - part)) for part in rgba[:3]))


def to_rgba(color: QColor) -> tuple[float, float, float, float]:
    """Make floats in 0..1 of Qt's colour."""
    return color.redF(), color.greenF(), color.blueF(), color.alphaF()


def tool_button_style(theme: Theme) -> str:
    """Style sheet of small buttons; the one that is down has the accent's colour and bold words."""
    return (
        f"QToolButton {{ padding: 3px 6px; border: 1px solid {theme.line}; border-radius: 4px;"
        f" background: {theme.panel}; color: {theme.text}; }}"
        f"QToolButton:hover {{ border-color: {theme.accent}; }}"
        f"QToolButton:checked {{ background: {theme.accent}; color: {theme.background}; font-weight: bold; }}"
    )
