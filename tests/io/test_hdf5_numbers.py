import os
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.hdf5_numbers import child_of, has_hdf5_mark, names_in, opened_hdf5, read_numbers

PIXELS = np.random.default_rng(0).integers(0, 500, (30, 41, 12)).astype("f4")


def read(path: Path, name: str = "a", max_bytes: int = 1 << 20) -> np.ndarray:
    with opened_hdf5(path) as root:
        return read_numbers(child_of(root, name), max_bytes)


def written(folder: Path, write: Callable[[h5py.File], object]) -> Path:
    with h5py.File(folder / "file.hd5", "w") as root:
        write(root)
    return folder / "file.hd5"


@pytest.mark.parametrize(
    "packing",
    [{}, {"chunks": (7, 9, 5)}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"shuffle": True}],
)
@pytest.mark.parametrize("dtype", ["f4", "f8", ">i2", "u1", "i8"])
def test_numbers_come_back_however_they_are_packed(tmp_path: Path, packing: dict[str, object], dtype: str) -> None:
    pixels = (PIXELS % 200).astype(dtype)
    path = written(tmp_path, lambda root: root.create_dataset("a", data=pixels, **packing))
    found = read(path)
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")


def test_a_scalar_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path, lambda root: root.create_dataset("a", data=1.5))) == 1.5


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda root: root.create_dataset("a", shape=(10**6, 10**6), dtype="f4", chunks=(9, 9)), "claims 1000000 x"),
        (lambda root: root.create_dataset("a", shape=(2**40,) * 3, dtype="f8", chunks=(1, 1, 1)), "claims 1099511"),
        (lambda root: root.create_dataset("a", shape=(9, 9), dtype="f4"), "was never written"),
        (lambda root: root.create_dataset("a", shape=(9, 9), dtype="f4", chunks=(3, 3)), "written in part only"),
        (lambda root: root.create_dataset("a", data=PIXELS, compression="lzf"), r"packed with lzf \(32000\)"),
        (lambda root: root.create_dataset("a", data=PIXELS, fletcher32=True), "packed with fletcher32"),
        (lambda root: root.create_dataset("a", data="text"), "not plain numbers"),
        (lambda root: root.create_dataset("a", data=[True, False]), "not plain numbers"),
        (lambda root: root.create_dataset("a", data=[1j]), "not plain numbers"),
        (lambda root: root.create_dataset("a", data=np.zeros(3, [("x", "f4")])), "not plain numbers"),
        (lambda root: root.create_dataset("a", (3,), h5py.vlen_dtype("f4")), "not plain numbers"),
        (lambda root: root.create_dataset("a", data=h5py.Empty("f4")), "not plain numbers"),
        (lambda root: root.create_dataset("a", data=PIXELS, chunks=(30, 41, 12), maxshape=(None,) * 3), None),
        (lambda root: root.create_dataset("a", shape=(3, 3), dtype="f4", chunks=(3000, 3000), maxshape=(None,) * 2),
         "comes in 1 pieces of 36000000 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_plain_array_is_refused_by_name(tmp_path: Path, write, message: str | None) -> None:
    path = written(tmp_path, write)
    if message is None:
        np.testing.assert_array_equal(read(path), PIXELS)
        return
    with pytest.raises(RecordingError, match=message) as failure:
        read(path)
    assert "file.hd5" in str(failure.value)


def test_no_other_file_is_read(tmp_path: Path) -> None:
    """External and soft links, virtual data sets, external storage: all point at a file that is there."""
    secret = tmp_path / "secret.hd5"
    with h5py.File(secret, "w") as root:
        root["a"] = PIXELS
    (tmp_path / "raw.bin").write_bytes(bytes(400))

    def write(root: h5py.File) -> None:
        root["inside"] = PIXELS
        root["external"] = h5py.ExternalLink("secret.hd5", "/a")
        root["group"] = h5py.ExternalLink("secret.hd5", "/")
        root["soft"] = h5py.SoftLink("/inside")
        layout = h5py.VirtualLayout(PIXELS.shape, "f4")
        layout[...] = h5py.VirtualSource("secret.hd5", "a", PIXELS.shape)
        root.create_virtual_dataset("virtual", layout)
        root.create_dataset("stored", (100,), "f4", external=[(str(tmp_path / "raw.bin"), 0, 400)])

    path = written(tmp_path, write)
    os.utime(secret, ns=(0, secret.stat().st_mtime_ns))
    with opened_hdf5(path) as root:
        for names in (("external",), ("soft",), ("group", "a"), ("external", "a"), ("group/a",), ("/inside",), ("..",)):
            assert child_of(root, *names) is None, names
        for name in ("virtual", "stored"):
            with pytest.raises(RecordingError, match="takes its numbers from other files"):
                read_numbers(child_of(root, name), 1 << 20)
        np.testing.assert_array_equal(read_numbers(child_of(root, "inside"), 1 << 20), PIXELS)
    assert secret.stat().st_atime_ns == 0


def test_links_in_a_circle_do_no_harm(tmp_path: Path) -> None:
    def write(root: h5py.File) -> None:
        group = root.create_group("g")
        group["again"] = root["g"]

    with opened_hdf5(written(tmp_path, write)) as root:
        assert names_in(child_of(root, "g", "again", "again", "again")) == ("again",)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_piece_that_unpacks_to_more_than_it_says_is_refused_without_unpacking_it(
    tmp_path: Path, shuffle: bool
) -> None:
    bomb = zlib.compress(bytes(400 << 20), 9)

    def write(root: h5py.File) -> None:
        data = root.create_dataset("a", (512, 1024), "f4", chunks=(512, 1024), compression="gzip", shuffle=shuffle)
        data.id.write_direct_chunk((0, 0), bomb)

    path = written(tmp_path, write)
    tracemalloc.start()
    with pytest.raises(RecordingError, match="does not unpack to the 2097152 bytes of a piece"):
        read(path, max_bytes=4 << 20)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("content", [b"abc", zlib.compress(bytes(100)), zlib.compress(bytes(4 * 24))[:-3]])
def test_a_damaged_piece_is_refused(tmp_path: Path, content: bytes) -> None:
    def write(root: h5py.File) -> None:
        data = root.create_dataset("a", (4, 6), "f4", chunks=(4, 6), compression="gzip")
        data.id.write_direct_chunk((0, 0), content)

    with pytest.raises(RecordingError, match=r"file\.hd5"):
        read(written(tmp_path, write))


def test_a_piece_for_which_packing_was_skipped_is_read(tmp_path: Path) -> None:
    def write(root: h5py.File) -> None:
        data = root.create_dataset("a", (4, 6), "f4", chunks=(4, 6), compression="gzip", shuffle=True)
        data.id.write_direct_chunk((0, 0), np.arange(24, dtype="f4").tobytes(), filter_mask=0b11)

    np.testing.assert_array_equal(read(written(tmp_path, write)).ravel(), np.arange(24))


def test_truncated_and_other_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, lambda root: root.create_dataset("a", data=PIXELS))
    content = path.read_bytes()
    for size in (0, 7, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert has_hdf5_mark(path) == (size >= 8)
        with pytest.raises(RecordingError, match=r"file\.hd5 is (not an HDF5 file|truncated or damaged)"):
            read(path)
    assert not has_hdf5_mark(tmp_path)
    assert not has_hdf5_mark(tmp_path / "absent")


def test_absurdly_many_names_are_refused(tmp_path: Path) -> None:
    def write(root: h5py.File) -> None:
        group = root.create_group("g")
        for number in range(20_001):
            group.id.links.create_soft(str(number).encode(), b"x")

    with (
        opened_hdf5(written(tmp_path, write)) as root,
        pytest.raises(RecordingError, match="holds 20001 entries in /g"),
    ):
        names_in(child_of(root, "g"))
