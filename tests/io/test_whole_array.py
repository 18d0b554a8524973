import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, ZstdCodec

from napari_latent_explorer.io import recording_store
from napari_latent_explorer.io.whole_array import read_whole_array

LIMIT = 1 << 20


def written(folder: Path, array: np.ndarray, **options: Any) -> Path:
    """Write as `recording_store` does, but for what `options` say."""
    recording_store.create_store(folder)
    layout: dict[str, Any] = {
        "chunks": array.shape,
        "compressors": ZstdCodec(level=1),
        "chunk_key_encoding": {"name": "default", "separator": "."},
        "config": {"write_empty_chunks": True},
    }
    zarr.create_array(folder / "one", data=array, **(layout | options))
    return folder / "one"


def facts_of(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "zarr.json").read_text())
    return facts


@pytest.mark.parametrize("kind", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"])
def test_it_is_what_zarr_reads(tmp_path: Path, kind: str) -> None:
    array = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 100, (3, 4, 5)).astype(kind)
    folder = written(tmp_path, array)
    found = read_whole_array(folder, facts_of(folder), LIMIT)
    assert found is not None
    theirs = np.asarray(zarr.open_array(folder, mode="r")[...])
    assert found.dtype == theirs.dtype
    np.testing.assert_array_equal(found, theirs)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "options",
    [
        {"compressors": BloscCodec()},
        {"compressors": None},
        {"chunks": (2, 4)},
        {"serializer": zarr.codecs.BytesCodec(endian="big")},
        {"filters": [zarr.codecs.TransposeCodec(order=(1, 0))]},
        {"chunk_key_encoding": {"name": "default", "separator": "/"}},
    ],
    ids=["blosc", "uncompressed", "chunks", "big-endian", "transposed", "folders"],
)
def test_another_layout_is_left_to_zarr(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = written(tmp_path, np.arange(16, dtype=np.int16).reshape(4, 4), **options)
    assert read_whole_array(folder, facts_of(folder), LIMIT) is None


def test_what_is_missing_or_too_large_is_left_to_zarr(tmp_path: Path) -> None:
    folder = written(tmp_path, np.arange(16.0).reshape(4, 4))
    facts = facts_of(folder)
    assert read_whole_array(folder, facts, 127) is None
    assert read_whole_array(folder, facts | {"shape": [-4, -4]}, LIMIT) is None
    (folder / "c.0.0").unlink()
    assert read_whole_array(folder, facts, LIMIT) is None


def test_a_damaged_file_is_no_array(tmp_path: Path) -> None:
    folder = written(tmp_path, np.arange(16.0).reshape(4, 4))
    facts = facts_of(folder)
    larger = facts | {"shape": [4, 5], "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 5]}}}
    with pytest.raises(ValueError, match="holds 128 bytes, expected 160"):
        read_whole_array(folder, larger, LIMIT)
    (folder / "c.0.0").write_bytes((folder / "c.0.0").read_bytes()[:-9])
    with pytest.raises(RuntimeError, match="Zstd"):
        read_whole_array(folder, facts, LIMIT)


def test_the_store_reads_its_own_without_zarr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

    signal_mv = np.random.default_rng(0).normal(size=(12, 600)).astype(np.float32)
    recording_store.create_store(tmp_path)
    recording_store.write_recordings(tmp_path, 0, ecg=ECG(signal_mv, LEAD_NAMES, 500.0, "median", 435.0))
    monkeypatch.delattr(zarr, "open_array")
    found = recording_store.read_ecg(tmp_path, 0)
    np.testing.assert_array_equal(found.signal_mv, signal_mv)
    assert (found.lead_names, found.sampling_rate_hz, found.qrs_onset_ms) == (LEAD_NAMES, 500.0, 435.0)
