"""Where on the paper each lead of a beat lies: in rows and columns, at one scale for all.

The hard idea: millimetres of time and of voltage keep their ratio whatever the room, so the narrower side decides how
large a millimetre is. `AUTOMATIC` takes the layout in which it becomes largest, and none that cannot be read.
"""

from dataclasses import dataclass

from qtpy.QtCore import QRectF

from napari_latent_explorer._qt.ecg_paper import PaperScale

SHOWN_MS = 1200.0
COLUMN_GAP_MM = 2.0
TOP_PX, BOTTOM_PX, SIDE_PX = 20, 6, 8
ROW_SHARE = 0.75
"""Neighbouring rows may overlap a little, as on paper; a full gap would waste half of it."""
LEAST_LEAD_PX = (60.0, 50.0)
"""Width and height of a lead below which twelve are hard to read, and three are shown instead."""

AUTOMATIC = "Automatic"
TALLER, LOW = ("3 x 4", "6 x 2", "12 x 1"), "2 x 6"
"""What `AUTOMATIC` chooses from: the clinic's three rows of four, what goes into narrower places, and into low ones."""
LOW_GAIN = 1.2
"""So much larger has a millimetre to become before leads are taken out of the order of the clinic."""
THREE_LEADS = (("I", "II", "V5"),)
LAYOUTS = {
    "3 x 4": (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")),
    "2 x 6": (("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")),
    "6 x 2": (("I", "V1"), ("II", "V2"), ("III", "V3"), ("aVR", "V4"), ("aVL", "V5"), ("aVF", "V6")),
    "12 x 1": tuple((name,) for name in ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")),
}

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """Leads laid out.

    Attributes
    ----------
    rows
        Names of the leads, row by row.
    px_per_mm
        Pixels of a millimetre.
    scale
        Millimetres of time and voltage.
    places
        Left edge and zero line of each lead, in pixels.
    extent_mv
        Room above and below the zero line.
    """

    rows: Rows
    px_per_mm: float
    scale: PaperScale
    places: dict[str, tuple[float, float]]
    extent_mv: tuple[float, float]

    @property
    def px_per_ms(self) -> float:
        """Pixels of a millisecond."""
        return self.scale.mm_per_ms * self.px_per_mm

    @property
    def px_per_mv(self) -> float:
        """Pixels of a millivolt."""
        return self.scale.mm_per_mv * self.px_per_mm

    @property
    def lefts(self) -> list[float]:
        """Left edges of the columns."""
        return [self.places[name][0] for name in self.rows[0]]

    def area(self, name: str) -> QRectF:
        """Rectangle of a lead, to half way into its neighbours above and below."""
        left, zero = self.places[name]
        up, down = (ROW_SHARE * one * self.px_per_mv for one in self.extent_mv)
        return QRectF(left, zero - up, SHOWN_MS * self.px_per_ms, up + down)


def needed_mm(rows: Rows, extent_mv: tuple[float, float], scale: PaperScale) -> tuple[float, float]:
    """Width and height in millimetres of paper that holds these rows."""
    lead_mm = sum(extent_mv) * scale.mm_per_mv
    width_mm = len(rows[0]) * (SHOWN_MS * scale.mm_per_ms + COLUMN_GAP_MM)
    return width_mm, (ROW_SHARE * (len(rows) - 1) + 1.0) * lead_mm


def lay_out(
    layout: str, size_px: tuple[float, float], extent_mv: tuple[float, float], scale: PaperScale, bottom_px: float = 0.0
) -> Paper:
    """Lay leads out, as large as there is room.

    Parameters
    ----------
    layout
        A name of `LAYOUTS`, or `AUTOMATIC`.
    size_px
        Width and height, the legend's line included.
    extent_mv
        The most that a lead reaches above and below its zero line.
    scale
        Millimetres of time and voltage.
    bottom_px
        To be left free below.
    """
    width = max(1.0, size_px[0] - SIDE_PX - 4)
    height = max(1.0, size_px[1] - TOP_PX - BOTTOM_PX - bottom_px)

    def fitting(rows: Rows) -> float:
        width_mm, height_mm = needed_mm(rows, extent_mv, scale)
        return min(width / width_mm, height / height_mm)

    def is_readable(rows: Rows) -> bool:
        lead_mm = (SHOWN_MS * scale.mm_per_ms, sum(extent_mv) * scale.mm_per_mv)
        return all(mm * fitting(rows) >= least for mm, least in zip(lead_mm, LEAST_LEAD_PX, strict=True))

    largest = max((LAYOUTS[name] for name in TALLER), key=fitting)
    low = LAYOUTS[LOW]
    preferred = (low, largest) if fitting(low) > LOW_GAIN * fitting(largest) else (largest, low)
    automatic = next((rows for rows in preferred if is_readable(rows)), THREE_LEADS)
    rows = automatic if layout == AUTOMATIC else LAYOUTS[layout]
    px_per_mm = fitting(rows)
    lead_px = sum(extent_mv) * scale.mm_per_mv * px_per_mm
    row_px = ROW_SHARE * lead_px
    if len(rows) > 1:  # what room is left goes between the rows
        row_px = min(lead_px, max(row_px, (height - lead_px) / (len(rows) - 1)))
    top = TOP_PX + max(0.0, height - row_px * (len(rows) - 1) - lead_px) / 2
    zero = top + extent_mv[0] * scale.mm_per_mv * px_per_mm
    column_px = width / len(rows[0])
    places = {
        name: (SIDE_PX + column * column_px, zero + row * row_px)
        for row, names in enumerate(rows)
        for column, name in enumerate(names)
    }
    return Paper(rows, px_per_mm, scale, places, extent_mv)
