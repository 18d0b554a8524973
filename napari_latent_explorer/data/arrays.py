"""Read-only arrays: how frozen values keep their promise."""

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def read_only(array: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a view of `array` (converted to `dtype` if given) that refuses to be written."""
    view = np.asarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def has_real_characters(array: NDArray[Any]) -> bool:
    """Whether an array of texts holds characters that exist; others break whatever handles them (True for numbers)."""
    if array.dtype.kind != "U" or not array.nbytes:
        return True
    codes = np.ascontiguousarray(array).reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return int(codes.max()) <= sys.maxunicode
