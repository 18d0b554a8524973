"""Which values of a signal can be worked with: finite ones that single precision holds, as all later steps use it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST = float(np.finfo(np.float32).max)


def count_unusable(planes: Iterable[NDArray[Any]]) -> int:
    """Count values that are NaN, infinite or too large, one part of a signal after the other to spare memory."""
    return sum(
        int(np.count_nonzero(~(np.abs(plane) <= _LARGEST))) if plane.dtype.kind == "f" else 0 for plane in planes
    )
