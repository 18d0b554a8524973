from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nifti_files import nifti_bytes, write_nifti, write_pair

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.nifti_header import is_nifti, read_nifti_header
from napari_latent_explorer.io.nifti_pixels import read_nifti_pixels

OBLIQUE = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.3, -0.7, 1.1) @ np.diag([1.4, 1.6, 8.0]), [-31.0, 12.5, 77.0]
)
"""To right, anterior, superior."""
MARKERS = {(0, 0, 0): 7, (4, 0, 0): 11, (0, 3, 1): 13, (2, 1, 2): 17, (4, 3, 2): 19}
"""Value at an index (column, row, slice) of 5 x 4 x 3 pixels, different in every direction."""


def marked(n_frames: int = 2) -> np.ndarray:
    pixels = np.zeros((5, 4, 3, n_frames), dtype=np.int16)
    for index, value in MARKERS.items():
        pixels[index] = value
    return pixels


def places_lps(header_path: Path) -> dict[int, np.ndarray]:
    """Where each marker lies, as the reader says."""
    header = read_nifti_header(header_path)
    first = read_nifti_pixels(header)[0]
    return {
        value: (header.affine @ [*np.argwhere(first == value)[0], 1.0])[:3] for value in np.unique(first) if value > 0
    }


def expected_lps(affine_ras: np.ndarray) -> dict[int, np.ndarray]:
    return {value: (affine_ras @ [*index, 1.0])[:3] * [-1, -1, 1] for index, value in MARKERS.items()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product([1, -1], repeat=3)))
def test_markers_lie_where_they_are_in_all_48_orders_of_axes(
    tmp_path: Path, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    image = nibabel.Nifti1Image(marked(), OBLIQUE)
    turned = image.as_reoriented(np.array(list(zip(order, flips, strict=True))))
    nibabel.save(turned, tmp_path / "turned.nii.gz")
    found, expected = places_lps(tmp_path / "turned.nii.gz"), expected_lps(OBLIQUE)
    assert found.keys() == expected.keys()
    for value, place in expected.items():
        np.testing.assert_allclose(found[value], place, atol=1e-4)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr", "a.hdr.gz", "A.with.dots.NII"])
def test_every_container_and_byte_order_gives_the_same(tmp_path: Path, version: int, order: str, name: str) -> None:
    write = write_pair if ".hdr" in name else write_nifti
    path = write(tmp_path / name, marked(), version=version, order=order, sform=OBLIQUE, pixdim=(1, 1.4, 1.6, 8, 0.04))
    header = read_nifti_header(path)
    assert is_nifti(path)
    np.testing.assert_array_equal(read_nifti_pixels(header), marked().transpose(3, 2, 1, 0))
    np.testing.assert_allclose(header.spacing_mm, (8.0, 1.6, 1.4), rtol=1e-6)
    assert (header.time_step_ms, header.time_start_ms, header.notes) == (40.0, 0.0, ())
    for value, place in expected_lps(OBLIQUE).items():
        np.testing.assert_allclose(places_lps(path)[value], place, atol=1e-4)


def test_either_file_of_a_pair_will_do(tmp_path: Path) -> None:
    path = write_pair(tmp_path / "a.hdr.gz", marked())
    image = tmp_path / "a.img.gz"
    assert is_nifti(image)
    assert read_nifti_header(image).path == path
    image.unlink()
    with pytest.raises(RecordingError, match=r"a\.img\.gz"):
        read_nifti_pixels(read_nifti_header(path))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_numbers_keep_their_kind_and_value(tmp_path: Path, dtype: str) -> None:
    pixels = (np.arange(24).reshape(2, 3, 2, 2) * 5).astype(dtype)
    found = read_nifti_pixels(read_nifti_header(write_nifti(tmp_path / "a.nii", pixels, order=">")))
    assert found.dtype == np.dtype(dtype)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, pixels.transpose(3, 2, 1, 0))


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [((1, 0), 6.0), ((0, 5), 6.0), ((np.nan, np.nan), 6.0), ((np.inf, 0), 6.0), ((2.5, -4), 11.0), ((-1, 0), -6.0)],
)
def test_a_slope_is_applied_where_there_is_one(tmp_path: Path, scaling: tuple[float, float], expected: float) -> None:
    path = write_nifti(tmp_path / "a.nii", np.full((2, 2, 1, 2), 6, "i2"), scaling=scaling)
    found = read_nifti_pixels(read_nifti_header(path))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == (np.int16 if expected == 6 else np.float32)


@pytest.mark.parametrize(
    ("units", "expected_mm", "note"), [(1, 1500.0, ()), (2, 1.5, ()), (3, 0.0015, ()), (0, 1.5, ("unit of length",))]
)
def test_lengths_come_in_millimetres(tmp_path: Path, units: int, expected_mm: float, note: tuple[str, ...]) -> None:
    header = read_nifti_header(write_nifti(tmp_path / "a.nii", units=units | 8, sform=np.diag([-1.5, -1.5, 10, 1])))
    assert header.spacing_mm[1] == pytest.approx(expected_mm)
    assert len(header.notes) == len(note)
    assert all(part in text for part, text in zip(note, header.notes, strict=True))


@pytest.mark.parametrize(
    ("units", "expected"), [(8, 40.0), (16, 0.04), (24, 0.00004), (0, None), (32, None), (40, None)]
)
def test_the_time_step_counts_only_in_a_unit_of_time(tmp_path: Path, units: int, expected: float | None) -> None:
    found = read_nifti_header(write_nifti(tmp_path / "a.nii", units=2 | units)).time_step_ms
    assert found == pytest.approx(expected, abs=1e-4)


SPACED = np.diag([-1.5, -1.5, 10.0, 1.0])
UNSCALED = np.diag([-1.0, -1.0, 1.0, 1.0])
OTHER = np.diag([-2.5, -2.5, 4.0, 1.0])
FLAT = np.array([[1.5, 1.5, 0, 0], [0, 0, 0, 0], [0, 0, 10, 0], [0, 0, 0, 1.0]])
TURNED = (0.0, 0.0, 1.0, 20.0, 30.0, 40.0)
"""Quaternion of half a turn about the third axis, and an offset."""


@pytest.mark.parametrize(
    ("forms", "spacing_mm", "corner_lps", "is_placed", "note"),
    [
        ({"sform": SPACED, "qform": TURNED}, (10, 1.5, 1.5), (0, 0, 0), True, None),
        ({"sform": SPACED}, (10, 1.5, 1.5), (0, 0, 0), True, None),
        ({"qform": TURNED}, (10, 1.5, 1.5), (-20, -30, 40), True, None),
        ({"sform": SPACED, "qform": TURNED, "codes": (1, 0)}, (10, 1.5, 1.5), (-20, -30, 40), True, None),
        (
            {"sform": SPACED, "qform": TURNED, "codes": (0, 0)},
            (10, 1.5, 1.5),
            (0, 0, 0),
            False,
            "does not say how it lies",
        ),
        ({}, (10, 1.5, 1.5), (0, 0, 0), False, "does not say how it lies"),
        # ACDC: the sform lost its scale
        ({"sform": UNSCALED, "qform": TURNED}, (10, 1.5, 1.5), (-20, -30, 40), True, "its qform is used"),
        ({"sform": UNSCALED}, (10, 1.5, 1.5), (0, 0, 0), True, "lost its scale"),
        ({"sform": OTHER}, (4, 2.5, 2.5), (0, 0, 0), True, "the sform is followed"),
        ({"sform": FLAT, "qform": TURNED}, (10, 1.5, 1.5), (-20, -30, 40), True, None),
        ({"sform": SPACED * np.nan}, (10, 1.5, 1.5), (0, 0, 0), False, "does not say how it lies"),
        ({"qform": (1.0, 1.0, 1.0, 0, 0, 0)}, (10, 1.5, 1.5), (0, 0, 0), False, "does not say how it lies"),
    ],
)
def test_the_form_that_agrees_with_the_spacing_wins(tmp_path, forms, spacing_mm, corner_lps, is_placed, note) -> None:
    header = read_nifti_header(write_nifti(tmp_path / "a.nii", **forms))
    np.testing.assert_allclose(header.spacing_mm, spacing_mm, rtol=1e-6)
    np.testing.assert_allclose(header.affine[:3, 3], corner_lps, atol=1e-6)
    assert header.is_placed == is_placed
    assert bool(header.notes) == (note is not None)
    assert note is None or note in header.notes[0]


def test_the_directions_are_those_of_nibabel(tmp_path: Path) -> None:
    """An independent reader agrees on quaternions, mirrored ones too."""
    for sign in (1.0, -1.0):
        path = write_nifti(tmp_path / "a.nii", qform=(0.3, -0.2, 0.5, 9, 8, 7), pixdim=(sign, 1.5, 1.6, 10, 0.04))
        ras = nibabel.load(path).affine
        lps = read_nifti_header(path).affine
        np.testing.assert_allclose(lps[:, [2, 1, 0, 3]], np.diag([-1, -1, 1, 1]) @ ras, atol=1e-5)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"dim": [4, 30000, 30000, 30000, 30000]}, r"1620000000\.0 GB; at most 2\.1"),
        ({"dim": [4, 2**40, 2**40, 2**40, 1], "version": 2}, "at most 2.1 GB"),
        ({"dim": [4, 1000, 1000, 50, 2]}, "is truncated: its header announces 200000000 bytes"),
        ({"dim": [4, -5, 3, 2, 5]}, "claims 4 axes of sizes"),
        ({"dim": [4, 0, 3, 2, 5]}, "claims 4 axes"),
        ({"dim": [0, 5, 3, 2, 5]}, "claims 0 axes"),
        ({"dim": [9, 5, 3, 2, 5]}, "claims 9 axes"),
        ({"dim": [-1, 5, 3, 2, 5]}, "claims -1 axes"),
        ({"dim": [5, 4, 3, 2, 1, 3]}, "axes beyond time .*Extract one channel"),
        ({"datatype": 128}, "holds colours"),
        ({"datatype": 2304}, "holds colours"),
        ({"datatype": 32}, "holds complex numbers"),
        ({"datatype": 1536}, "of up to 64 bit"),
        ({"datatype": 999}, "makes no sense"),
        ({"datatype": 0}, "makes no sense|of up to 64 bit"),
        ({"pixdim": (1, 0, 0, 0, 0.04)}, "no usable spacing"),
        ({"pixdim": (1, 1.5, 1.5, 0, 0.04)}, "no usable spacing"),
        ({"pixdim": (1, np.nan, 1.5, 10, 0.04)}, "no usable spacing"),
        ({"pixdim": (1, np.inf, 1.5, 10, 0.04)}, "no usable spacing"),
        ({"scaling": (2.0, np.nan)}, "scl_inter"),
        ({"offset": 1e30}, "pixels begin at byte 1e"),
        ({"offset": 8}, "pixels begin at byte 8"),
        ({"offset": np.nan}, "pixels begin at byte nan"),
        ({"offset": -400}, "pixels begin at byte -400"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_hostile_header_gives_one_error_that_names_the_file(tmp_path: Path, name: str, facts, message: str) -> None:
    path = write_nifti(tmp_path / name, **facts)
    with pytest.raises(
        RecordingError, match=message.replace("announces 200000000", ".*announces 200000000")
    ) as failure:
        read_nifti_pixels(read_nifti_header(path))
    assert name in str(failure.value)


@pytest.mark.parametrize("size", [0, 1, 3, 100, 347, 348, 351, 400])
@pytest.mark.parametrize("is_packed", [True, False])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, size: int, is_packed: bool) -> None:
    path = write_nifti(
        tmp_path / ("a.nii.gz" if is_packed else "a.nii"), np.random.default_rng(0).integers(0, 9, (9, 9, 2, 5))
    )
    path.write_bytes(path.read_bytes()[:size])
    is_nifti(path)
    with pytest.raises(RecordingError, match=r"a\.nii"):
        read_nifti_pixels(read_nifti_header(path))


def test_a_flipped_bit_in_a_packed_file_is_noticed(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 999, (40, 40, 2, 5)).astype("i2"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.nii\.gz is truncated or damaged"):
        read_nifti_pixels(read_nifti_header(path))


def test_pixels_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    pixels = np.ones((4, 3, 2, 5), "f4")
    pixels[0, 0, 0, :3] = [np.nan, np.inf, -np.inf]
    path = write_nifti(tmp_path / "a.nii", pixels)
    with pytest.raises(RecordingError, match=r"3 of 120 pixels of .*a\.nii are no finite numbers"):
        read_nifti_pixels(read_nifti_header(path))
    path = write_nifti(tmp_path / "c.nii", np.full((4, 3, 2, 5), 1e300))  # more than single precision holds
    with pytest.raises(RecordingError, match="120 of 120 pixels"):
        read_nifti_pixels(read_nifti_header(path))
    path = write_nifti(tmp_path / "b.nii", np.full((4, 3, 2, 5), 30000, "i2"), scaling=(3e38, 0.0))
    with pytest.raises(RecordingError, match="120 of 120 pixels"):
        read_nifti_pixels(read_nifti_header(path))


def test_what_is_not_nifti_is_not_taken_for_it(tmp_path: Path) -> None:
    analyze = tmp_path / "analyze.hdr"
    analyze.write_bytes(nifti_bytes()[0][:344] + bytes(4))
    for path, content in (
        (tmp_path / "a.nii", b""),
        (tmp_path / "b.nii.gz", b"\x1f\x8b"),
        (tmp_path / "c", b"x" * 999),
    ):
        path.write_bytes(content)
        assert not is_nifti(path)
    assert not is_nifti(analyze)
    assert not is_nifti(tmp_path)
    assert not is_nifti(tmp_path / "absent.nii")
    with pytest.raises(RecordingError, match="is not a NIfTI file"):
        read_nifti_header(analyze)
    with pytest.raises(RecordingError, match=r"absent\.nii"):
        read_nifti_header(tmp_path / "absent.nii")


@pytest.mark.parametrize(
    "name", ["functional.nii", "anatomical.nii", "example4d.nii.gz", "example_nifti2.nii.gz", "standard.nii.gz"]
)
def test_files_of_other_programs_are_read_as_nibabel_reads_them(name: str) -> None:
    path = Path(nibabel.__file__).parent / "tests" / "data" / name
    image, header = nibabel.load(path), read_nifti_header(path)
    np.testing.assert_allclose(header.affine[:, [2, 1, 0, 3]], np.diag([-1, -1, 1, 1]) @ image.affine, atol=1e-4)
    expected = np.asarray(image.dataobj)
    expected = expected if expected.ndim == 4 else expected[..., None]
    np.testing.assert_allclose(read_nifti_pixels(header), expected.transpose(3, 2, 1, 0), rtol=1e-6)
