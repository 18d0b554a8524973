"""Tables in Parquet: numbers keep their own type, so that a whole number is never pushed through a fraction.

Texts stay in the dictionary in which Parquet keeps them: a small file can repeat one long text a billion times, which
as a dictionary costs nothing. Nested columns (lists, structs) are left out and named.
"""

from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.delimited_text import column_names
from napari_latent_explorer.io.table_facts import MAX_CELLS, TableFacts, with_facts

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_METADATA_BYTES = 64 << 20


def read_parquet_table(stream: IO[bytes], name: str) -> pd.DataFrame:
    """Read a Parquet file.

    Parameters
    ----------
    stream
        The file, open for reading.
    name
        Its name, for messages.

    Raises
    ------
    TableError
        When it is damaged, or would take more cells than are read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        limits = {"thrift_string_size_limit": _MAX_METADATA_BYTES, "thrift_container_size_limit": 1_000_000}
        file = parquet.ParquetFile(stream, **limits)
        flat, nested = _columns(file, name)
        texts = [path for path in flat if _is_text(file.schema_arrow.field(path).type)]
        reader = parquet.ParquetFile(stream, read_dictionary=texts, **limits)
        table = reader.read(columns=flat, use_threads=False)
        frame = pd.DataFrame({path: _series(table.column(path)) for path in flat})
    except TableError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError, OverflowError) as damage:
        raise TableError(f"{name} is a damaged Parquet file: {reason_of(damage)}. Copy or export it again.") from damage
    notes = (f"Nested columns of {name} were left out: {', '.join(nested)}.",) if nested else ()
    return with_facts(frame, TableFacts("Parquet", notes=notes))


def _columns(file: Any, name: str) -> tuple[list[str], list[str]]:
    """Names of the flat columns and of the nested ones, once the size is known to be sane."""
    import pyarrow as pa

    schema = file.schema_arrow
    n_rows = file.metadata.num_rows
    if n_rows < 0 or n_rows * max(len(schema.names), 1) > MAX_CELLS:
        raise TableError(
            f"{name} announces {n_rows} rows of {len(schema.names)} columns; at most {MAX_CELLS} cells are read. "
            "Export only the columns that are needed."
        )
    column_names(schema.names, name)
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    return [field.name for field in schema if field.name not in nested], nested


def _is_text(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return any(
        check(kind) for check in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _series(column: "pa.ChunkedArray") -> "pd.Series[Any]":
    """Numbers as they are, dictionaries as categoricals, everything else as its text."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return column.to_pandas()
    if types.is_null(kind):
        return pd.Series([None] * len(column), dtype=object)
    is_plain = types.is_integer(kind) or types.is_boolean(kind) or types.is_float32(kind) or types.is_float64(kind)
    plain = column if is_plain else column.cast(pa.float32() if types.is_float16(kind) else pa.string())
    return plain.to_pandas(types_mapper=pd.ArrowDtype)
