"""Arrays that lie on disk as one compressed file, read without Zarr, whose event loop and threads take 2 ms for each.

Only what this program writes (Zarr 3, one chunk, little-endian, Zstandard) is read here; of anything else nothing is
said, and Zarr reads it.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
_BYTE_ORDERS = ({"name": "bytes", "configuration": {"endian": "little"}}, {"name": "bytes"})
_KEYS = {"name": "default", "configuration": {"separator": "."}}


def read_whole_array(folder: Path, facts: Mapping[str, Any], max_bytes: int) -> NDArray[Any] | None:
    """Read the array in `folder`, of which its ``zarr.json`` says `facts`; None if it is not one file of our own kind.

    Raises
    ------
    ValueError, RuntimeError
        When the file cannot be decompressed, or holds more or less than the array.
    """
    shape = facts.get("shape")
    if not _is_ours(facts) or not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape):
        return None
    kind = np.dtype(facts["data_type"]).newbyteorder("<")
    n_bytes = math.prod(shape) * kind.itemsize
    path = folder / ".".join(["c", *["0"] * len(shape)])
    if n_bytes > max_bytes or not path.is_file():
        return None
    from numcodecs import Zstd

    content = Zstd().decode(path.read_bytes())
    if len(content) != n_bytes:
        raise ValueError(f"its data file holds {len(content)} bytes, expected {n_bytes}")
    return np.frombuffer(content, dtype=kind).reshape(shape)


def _is_ours(facts: Mapping[str, Any]) -> bool:
    """Whether an array is laid out as `recording_store` writes it."""
    codecs = facts.get("codecs")
    return (
        (facts.get("zarr_format"), facts.get("node_type")) == (3, "array")
        and facts.get("data_type") in _KINDS
        and facts.get("chunk_grid") == {"name": "regular", "configuration": {"chunk_shape": facts.get("shape")}}
        and facts.get("chunk_key_encoding") == _KEYS
        and not facts.get("storage_transformers")
        and isinstance(codecs, list)
        and len(codecs) == 2
        and codecs[0] in _BYTE_ORDERS
        and isinstance(codecs[1], dict)
        and codecs[1].get("name") == "zstd"
    )
