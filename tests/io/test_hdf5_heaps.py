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


@pytest.mark.parametrize("gap", range(-9, 3))
def test_a_heap_anywhere_in_a_large_file_is_found(tmp_path: Path, gap: int) -> None:
    path = write_texts(tmp_path / "a.h5", "earliest", 3)
    heap = b"GCOL\x01\x00\x00\x00" + struct.pack("<QHHIQ", 4096, 0, 0, 0, 0)
    path.write_bytes(path.read_bytes().ljust((1 << 20) + gap, b"\0") + heap)
    assert not has_sound_heaps(path)


def test_heaps_within_heaps_are_not_walked_for_ever(tmp_path: Path) -> None:
    """Each heap goes on through all that follow, as data of its objects: without a limit 1.8 billion steps."""
    path = write_texts(tmp_path / "a.h5", "earliest", 3)
    heap = b"GCOL\x01\x00\x00\x00" + struct.pack("<Q", 1 << 40)
    period = struct.pack("<HHIQ", 1, 1, 0, 32) + heap + struct.pack("<HHIQ", 1, 1, 0, 0)
    path.write_bytes(path.read_bytes() + period * 60_000)
    assert not has_sound_heaps(path)
