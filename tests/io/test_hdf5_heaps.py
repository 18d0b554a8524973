import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.hdf5_heaps import has_sound_heaps
from napari_latent_explorer.io.hdf5_numbers import opened_hdf5


def write_texts(path: Path, libver: str, n_texts: int = 400) -> Path:
    with h5py.File(path, "w", libver=libver) as file:
        file["texts"] = np.array([f"participant {k} " * (k % 40) for k in range(n_texts)], dtype=object)
        file["texts"].attrs["name"] = "µV"
        file["numbers"] = np.arange(100)
    return path


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_what_the_library_writes_is_sound(tmp_path: Path, libver: str) -> None:
    assert has_sound_heaps(write_texts(tmp_path / "a.h5", libver))
    assert b"GCOL" in (tmp_path / "a.h5").read_bytes()


@pytest.mark.parametrize("size", [0, 2**64 - 16, 1 << 40])
def test_a_heap_that_leads_nowhere_is_noticed_before_it_is_walked(tmp_path: Path, size: int) -> None:
    path = write_texts(tmp_path / "a.h5", "earliest", 3)
    content = bytearray(path.read_bytes())
    start = content.index(b"GCOL") + 16
    struct.pack_into("<HHIQ", content, start, 0 if size == 0 else 1, 1, 0, size)
    path.write_bytes(content)
    assert not has_sound_heaps(path)
    with pytest.raises(RecordingError, match=r"a\.h5"), opened_hdf5(path) as root:  # a walk would not come back
        root["texts"].asstr()[()]


@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF", b"\x89HDF\r\n\x1a\n", b"GCOL" * 100, b"\x89HDF\r\n\x1a\n\x07" * 5]
)
def test_what_is_no_hdf5_or_cut_off_raises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    assert has_sound_heaps(tmp_path / "a.h5") in (True, False)


def test_a_heap_that_the_file_cuts_off_is_left_to_the_library(tmp_path: Path) -> None:
    path = write_texts(tmp_path / "a.h5", "earliest", 3)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"GCOL") + 10])
    assert has_sound_heaps(path)
