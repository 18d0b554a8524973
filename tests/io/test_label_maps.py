from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nifti_files import write_nifti

from napari_latent_explorer.data.cine import ACDC_CLASSES, MNMS_CLASSES, CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.label_grid import Grid, on_grid
from napari_latent_explorer.io.label_maps import LABEL_SCHEMES, read_label_map

AFFINE_RAS = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.2, 0.5, -1.0) @ np.diag([1.5, 1.5, 8.0]), [10.0, -20.0, 30.0]
)
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0]) @ AFFINE_RAS[:, [2, 1, 0, 3]]
SHAPE = (6, 3, 7, 5)
"""Frame, slice, row, column."""


def make_cine(shape: tuple[int, int, int, int] = SHAPE, affine: np.ndarray = AFFINE) -> CineMRI:
    frames = np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)
    spacing_mm = tuple(float(step) for step in np.linalg.norm(affine[:3, :3], axis=0))
    return CineMRI(frames, spacing_mm, np.arange(shape[0]) * 100.0, affine, "sa", 900.0, "the cine")


def make_labels(shape: tuple[int, int, int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, shape).astype(np.uint8)


def save(path: Path, labels: np.ndarray, affine_ras: np.ndarray = AFFINE_RAS, dtype: str = "u1") -> Path:
    pixels = labels.transpose(3, 2, 1, 0).astype(dtype)
    return write_nifti(
        path,
        pixels if pixels.shape[3] > 1 else pixels[..., 0],
        sform=affine_ras,
        pixdim=(1, *np.linalg.norm(affine_ras[:3, :3], axis=0), 0.1),
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product([1, -1], repeat=3)))
def test_labels_come_to_the_cine_from_all_48_orders_of_axes(
    tmp_path: Path, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    labels = make_labels()
    image = nibabel.Nifti1Image(labels.transpose(3, 2, 1, 0), AFFINE_RAS)
    nibabel.save(image.as_reoriented(np.array(list(zip(order, flips, strict=True)))), tmp_path / "a.nii")
    found = read_label_map(tmp_path / "a.nii", make_cine(), ACDC_CLASSES)
    np.testing.assert_array_equal(found.frames, labels)
    assert found.labelled_frames is None


@pytest.mark.parametrize(
    "change",
    [
        lambda affine: affine + np.array([[0, 0, 0, 0.75], *[[0] * 4] * 3]),  # half a pixel
        lambda affine: affine @ np.diag([1, 1.05, 1, 1]),
        lambda affine: affine @ np.diag([2.0, 2.0, 1, 1]),
        lambda affine: nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.05)) @ affine,
        lambda affine: nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(np.pi / 4)) @ affine,
    ],
)
def test_another_place_is_refused_not_interpolated(tmp_path: Path, change) -> None:
    path = save(tmp_path / "a.nii", make_labels(), change(AFFINE_RAS))
    with pytest.raises(
        RecordingError, match=r"a\.nii does not lie on the grid of the cine: .* Nothing is interpolated"
    ):
        read_label_map(path, make_cine(), ACDC_CLASSES)


def test_rounding_of_the_place_is_no_other_place(tmp_path: Path) -> None:
    shifted = AFFINE_RAS + np.array([[0, 0, 0, 0.05], *[[0] * 4] * 3])
    found = read_label_map(save(tmp_path / "a.nii", make_labels(), shifted), make_cine(), ACDC_CLASSES)
    np.testing.assert_array_equal(found.frames, make_labels())


def test_a_crop_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", make_labels((6, 3, 7, 4)))
    with pytest.raises(RecordingError, match=r"it has 3 x 7 x 4 pixels .* the other 3 x 7 x 5 pixels"):
        read_label_map(path, make_cine(), ACDC_CLASSES)


@pytest.mark.parametrize("thickness", [8.0, -8.0, 3.0])
def test_the_step_of_a_single_slice_does_not_matter(thickness: float) -> None:
    """One converter writes the thickness, another the distance, a third turns the normal over."""
    other = AFFINE.copy()
    other[:3, 0] *= thickness / 8.0
    values = make_labels((6, 1, 7, 5))
    found = on_grid(Grid(AFFINE, (1, 7, 5), "the cine"), values, other, "a file")
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(("name", "frame"), [("p_frame03_gt.nii.gz", 2), ("p_frame06.nii.gz", 5)])
def test_the_name_of_a_single_volume_says_its_frame(tmp_path: Path, name: str, frame: int) -> None:
    labels = make_labels()
    found = read_label_map(save(tmp_path / name, labels[[frame]]), make_cine())
    assert found.labelled_frames == (frame,)
    assert found.names == ACDC_CLASSES
    np.testing.assert_array_equal(found.frames[frame], labels[frame])
    assert not np.delete(found.frames, frame, axis=0).any()


def test_several_files_are_put_together_and_none_twice(tmp_path: Path) -> None:
    labels = make_labels()
    files = [save(tmp_path / f"p_frame{number + 1:02d}_gt.nii", labels[[number]]) for number in (0, 3)]
    assert read_label_map(files, make_cine()).labelled_frames == (0, 3)
    assert read_label_map(tmp_path, make_cine()).labelled_frames == (0, 3)
    image = save(tmp_path / "p_frame01.nii", make_cine().frames[[0]], dtype="i2")
    assert read_label_map([image, *files], make_cine()).labelled_frames == (0, 3)
    twice = save(tmp_path / "p_frame004_gt.nii", labels[[3]])
    with pytest.raises(RecordingError, match=r"both label frame 4"):
        read_label_map([*files, twice], make_cine())


def test_a_phase_is_found_by_the_image_beside_the_labels(tmp_path: Path) -> None:
    cine, labels = make_cine(), make_labels()
    path = save(tmp_path / "x_SA_ES_gt.nii", labels[[4]])
    with pytest.raises(RecordingError, match=r"not known which frame is the ES .* no frame of the cine is equal"):
        read_label_map(path, cine)
    save(tmp_path / "x_SA_ES.nii", cine.frames[[4]], dtype="i2")
    found = read_label_map(path, cine)
    assert (found.labelled_frames, found.names) == ((4,), MNMS_CLASSES)


def test_blank_frames_of_a_whole_map_are_not_labelled(tmp_path: Path) -> None:
    labels = make_labels()
    labels[[1, 2, 5]] = 0
    found = read_label_map(save(tmp_path / "a.nii", labels, dtype="f4"), make_cine(), ACDC_CLASSES)
    assert found.labelled_frames == (0, 3, 4)


@pytest.mark.parametrize(
    ("labels", "dtype", "message"),
    [
        (np.full(SHAPE, 0.5), "f4", "is no label map: its pixels lie between 0.5 and 0.5"),
        (np.full(SHAPE, -1), "i2", "is no label map: its pixels lie between -1 and -1"),
        (np.full(SHAPE, 300), "i2", "is no label map"),
        (np.full(SHAPE, 7), "u1", r"holds the class numbers \[7\], which have no name"),
        (np.zeros(SHAPE), "u1", "Nothing is labelled in .*a.nii"),
        (np.ones((2, *SHAPE[1:])), "u1", "holds labels of 2 frames; the cine the cine has 6"),
        (np.ones((1, *SHAPE[1:])), "u1", "its name does not say which"),
    ],
)
def test_what_is_no_label_map_of_this_cine_is_refused(
    tmp_path: Path, labels: np.ndarray, dtype: str, message: str
) -> None:
    with pytest.raises(RecordingError, match=message):
        read_label_map(save(tmp_path / "a.nii", labels, dtype=dtype), make_cine(), ACDC_CLASSES)


def test_numbers_without_a_meaning_are_refused_and_given_meanings_rule(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", make_labels())
    with pytest.raises(
        RecordingError, match=r"not known what the class numbers in .* ml4h_la_4ch, ml4h_sa, acdc, mnms"
    ):
        read_label_map(path, make_cine())
    assert read_label_map(path, make_cine(), LABEL_SCHEMES["mnms"]).names == MNMS_CLASSES
    layout = save(tmp_path / "p_4d_gt.nii", make_labels())
    assert read_label_map(layout, make_cine()).names == ACDC_CLASSES
    own = {1: "A", 2: "B", 3: "C"}
    assert read_label_map(layout, make_cine(), own).names == own


def test_a_frame_that_the_cine_does_not_have_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "p_frame07_gt.nii", make_labels()[[0]])
    with pytest.raises(RecordingError, match="labels frame 7; the cine has 6 frames"):
        read_label_map(path, make_cine())


def test_a_folder_without_label_files_of_the_plane_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "x_LA_ED_gt.nii", make_labels()[[0]])
    save(tmp_path / "x_SA_ED.nii", make_labels()[[0]])
    with pytest.raises(RecordingError, match="holds no label files of a known layout for a cine of the plane sa"):
        read_label_map(tmp_path, make_cine())


def test_a_cine_of_unknown_plane_takes_the_only_labels_there_are(tmp_path: Path) -> None:
    save(tmp_path / "x_4d_gt.nii", make_labels())
    cine = replace(make_cine(), imaging_plane="unknown")
    np.testing.assert_array_equal(read_label_map(tmp_path, cine).frames, make_labels())


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08", b"\x89HDF\r\n\x1a\n", b"PNG" * 200])
def test_damaged_files_end_in_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p_frame01_gt.nii.gz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"p_frame01_gt\.nii\.gz"):
        read_label_map(path, make_cine())
