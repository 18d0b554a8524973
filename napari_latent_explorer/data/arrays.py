"""Read-only arrays: how frozen values keep their promise."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def read_only(array: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a view of `array` (converted to `dtype` if given) that refuses to be written."""
    view = np.asarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
