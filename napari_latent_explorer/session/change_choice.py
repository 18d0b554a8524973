"""How what changed since the probe began is looked at: the part of that picture that is the user's own wish."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChangeChoice:
    """What is shown of the change from where the probe began.

    Attributes
    ----------
    has_difference
        Whether the signed difference of the decoded hearts lies over the reconstruction.
    has_start
        Whether the heart decoded where the probe began is shown beside the reconstruction.
    """

    has_difference: bool = False
    has_start: bool = False


NO_CHANGE_SHOWN: Final = ChangeChoice()
