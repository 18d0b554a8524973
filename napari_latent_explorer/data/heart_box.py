"""The box around the heart in a cine: where it lies, by which rule it is cropped, and who drew it.

``centred``
    The model's grid is laid around the middle of the box; the picture is resampled, and nothing of it is cut off.
``published``
    The box itself, in the pixels of the recording, is laid into the upper left of 96 x 96 pixels: what is larger is cut
    off below and at the right, what is smaller is filled up with 0.

References
----------
``published`` is the rule of ml4h's ``lax_4ch_heart_center`` (tight box of the heart's classes in the first frame, then
``pad_or_crop_array_to_shape``): https://github.com/broadinstitute/ml4h.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from napari_latent_explorer.errors import RecordingError

BoxRule = Literal["centred", "published"]
BoxSource = Literal["labels", "motion", "by hand"]


@dataclass(frozen=True, slots=True)
class HeartBox:
    """A box around the heart, in the pixels of a cine as it was recorded.

    Attributes
    ----------
    row_start, column_start
        First row and column inside it.
    n_rows, n_columns
        Its size, at least 1.
    rule
        How the model's input is cropped by it.
    source
        Where it comes from: the label map, the motion of the picture, or somebody's hand.
    """

    row_start: int
    column_start: int
    n_rows: int
    n_columns: int
    rule: BoxRule = "centred"
    source: BoxSource = "by hand"

    def __post_init__(self) -> None:
        problems = []
        numbers = (self.row_start, self.column_start, self.n_rows, self.n_columns)
        if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
            problems.append(f"{numbers} are not whole numbers")
        elif min(numbers) < 0 or self.n_rows < 1 or self.n_columns < 1:
            problems.append(f"rows and columns {numbers} must not be negative, and the size at least 1 x 1")
        if self.rule not in get_args(BoxRule):
            problems.append(f"rule {self.rule!r}, expected one of {get_args(BoxRule)}")
        if self.source not in get_args(BoxSource):
            problems.append(f"source {self.source!r}, expected one of {get_args(BoxSource)}")
        if problems:
            raise RecordingError(f"This is no box around a heart: {'; '.join(problems)}.")

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of its middle."""
        return self.row_start + (self.n_rows - 1) / 2.0, self.column_start + (self.n_columns - 1) / 2.0

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any) -> "HeartBox":
        """Build the box that `to_json` gave; `RecordingError` when it is none."""
        if not isinstance(content, Mapping) or content.keys() != cls.__dataclass_fields__.keys():
            raise RecordingError(f"This is no box around a heart: {str(content)[:200]!r}.")
        return cls(**content)
