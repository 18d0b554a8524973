"""Layouts of public collections, written with nibabel as those who made them did."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_latent_explorer.data.cine import ACDC_CLASSES, MNMS_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io import case_layout
from napari_latent_explorer.io.case_layout import parse_case_file, read_case_info, whole_number
from napari_latent_explorer.io.cine_cases import is_nifti_case, read_nifti_case
from napari_latent_explorer.io.formats import read_place
from napari_latent_explorer.io.nifti_header import is_nifti
from napari_latent_explorer.io.reading import Reading, ReadOptions
from napari_latent_explorer.simulation.mri import simulate_cine, simulate_short_axis
from napari_latent_explorer.simulation.population import simulate_population

PERSON = simulate_population(1, seed=4).factors[0]
AS_ACDC = {5: 1, 2: 2, 3: 2, 4: 3}
AS_MNMS = {4: 1, 2: 2, 3: 2, 5: 3}
"""The simulation's short-axis classes in the numbers of a collection."""
ED, ES = 0, 4


@pytest.fixture(scope="module")
def stack() -> tuple[CineMRI, CineLabels]:
    return simulate_short_axis(PERSON, n_slices=6, n_frames=10, size=40, spacing_mm=(10.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def long_axis() -> tuple[CineMRI, CineLabels]:
    return simulate_cine(PERSON, n_frames=10, size=40, spacing_mm=4.0)


def renumbered(labels: CineLabels, numbers: dict[int, int]) -> np.ndarray:
    table = np.zeros(256, dtype=np.uint8)
    for old, new in numbers.items():
        table[old] = new
    return table[labels.frames]


def save(path: Path, frames: np.ndarray, cine: CineMRI, step: float = 1.0, turn: str = "LPS") -> None:
    """Save ``(frame, slice, row, column)``; one frame becomes one volume."""
    affine_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ cine.affine[:, [2, 1, 0, 3]]
    pixels = frames.transpose(3, 2, 1, 0)
    image = nibabel.Nifti1Image(pixels if pixels.shape[3] > 1 else pixels[..., 0], affine_ras)
    image.header.set_xyzt_units("mm", "sec")
    if pixels.shape[3] > 1:
        image.header["pixdim"][4] = step
    if turn != "LPS":
        ornt = nibabel.orientations.io_orientation(image.affine)
        image = image.as_reoriented(nibabel.orientations.ornt_transform(ornt, nibabel.orientations.axcodes2ornt(turn)))
    path.parent.mkdir(exist_ok=True)
    nibabel.save(image, path)


def write_acdc(root: Path, cine: CineMRI, labels: CineLabels, with_4d: bool = True, name: str = "patient001") -> Path:
    folder = root / name
    if with_4d:
        folder.mkdir()
        save(folder / f"{name}_4d.nii.gz", cine.frames, cine)
    for frame in (ED, ES):
        save(folder / f"{name}_frame{frame + 1:02d}.nii.gz", cine.frames[[frame]], cine)
        save(folder / f"{name}_frame{frame + 1:02d}_gt.nii.gz", renumbered(labels, AS_ACDC)[[frame]], cine, turn="RAS")
    info = f"ED: {ED + 1}\nES: {ES + 1}\nGroup: DCM\nHeight: 184.0\nNbFrame: {len(cine.frames)}\nWeight: 95.0\n"
    (folder / "Info.cfg").write_text(info)
    return folder


def write_mnms(root: Path, cine: CineMRI, labels: CineLabels | None) -> Path:
    folder = root / "A0S9V9"
    save(folder / "A0S9V9_sa.nii.gz", cine.frames, cine, 0.03)
    sparse = np.zeros_like(cine.frames)
    if labels is not None:
        sparse[[ED, ES]] = renumbered(labels, AS_MNMS)[[ED, ES]]
    save(folder / "A0S9V9_sa_gt.nii.gz", sparse, cine)
    return folder


def write_mnms2(root: Path, both: dict[str, tuple[CineMRI, CineLabels]], with_cine: bool = True) -> Path:
    folder = root / "001"
    for axis, (cine, labels) in both.items():
        if with_cine:
            save(folder / f"001_{axis}_CINE.nii.gz", cine.frames, cine)
        for phase, frame in (("ED", ED), ("ES", ES)):
            numbers = AS_MNMS if axis == "SA" else {11: 1, 4: 2, 5: 2, 9: 3}
            save(folder / f"001_{axis}_{phase}.nii.gz", cine.frames[[frame]], cine)
            save(folder / f"001_{axis}_{phase}_gt.nii.gz", renumbered(labels, numbers)[[frame]], cine)
    return folder


def volumes_ml(labels: CineLabels, spacing_mm: tuple[float, float, float], name: str) -> list[float]:
    number = next(number for number, known in labels.names.items() if known == name)
    assert labels.labelled_frames is not None
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    return [float((labels.frames[frame] == number).sum() * voxel_ml) for frame in labels.labelled_frames]


def test_a_simulated_heart_comes_back_from_acdc_to_the_voxel(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    cine, labels = stack
    folder = write_acdc(tmp_path, cine, labels)
    assert is_nifti_case(folder)
    reading = read_nifti_case(folder)
    found, known = reading.recording, reading.labels
    np.testing.assert_array_equal(found.frames, cine.frames)
    np.testing.assert_allclose(found.affine, cine.affine, atol=1e-3)
    assert found.imaging_plane == "sa"
    assert known is not None
    assert known.labelled_frames == (ED, ES)
    assert known.names == ACDC_CLASSES
    np.testing.assert_array_equal(known.frames[[ED, ES]], renumbered(labels, AS_ACDC)[[ED, ES]])
    true_ml = [float((labels.frames[frame] == 4).sum()) * 0.16 for frame in (ED, ES)]
    assert true_ml[0] > 1.3 * true_ml[1] > 20
    np.testing.assert_allclose(volumes_ml(known, found.spacing_mm, "LV_cavity"), true_ml, rtol=1e-5)
    used = {Path(outcome.file).name: outcome.is_used for outcome in reading.outcomes}
    assert used == {
        "patient001_4d.nii.gz": True, "patient001_frame01.nii.gz": False, "patient001_frame05.nii.gz": False,
        "patient001_frame01_gt.nii.gz": True, "patient001_frame05_gt.nii.gz": True, "Info.cfg": False,
    }  # fmt: skip
    assert len(reading.notes) == 1
    assert "time step of 1000 ms would make a heart cycle of 10000 ms and is not believed" in reading.notes[0]


def test_any_file_of_a_case_brings_the_others(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    folder = write_acdc(tmp_path, *stack)
    for name in ("patient001_4d.nii.gz", "patient001_frame05.nii.gz", "patient001_frame01_gt.nii.gz"):
        assert is_nifti_case(folder / name)
        reading = read_nifti_case(folder / name)
        assert reading.labels is not None
        assert reading.recording.frames.shape == stack[0].frames.shape


def test_end_diastole_and_end_systole_alone_are_a_cine_of_two_frames(
    tmp_path: Path, stack: tuple[CineMRI, CineLabels]
) -> None:
    cine, labels = stack
    folder = write_acdc(tmp_path, cine, labels, with_4d=False)
    reading = read_nifti_case(folder)
    np.testing.assert_array_equal(reading.recording.frames, cine.frames[[ED, ES]])
    np.testing.assert_allclose(reading.recording.frame_times_ms, [0, 400])
    assert "only the frames 1, 5 of 10" in " ".join(reading.notes)
    assert reading.labels is not None
    assert reading.labels.labelled_frames is None
    np.testing.assert_array_equal(reading.labels.frames, renumbered(labels, AS_ACDC)[[ED, ES]])
    (folder / "Info.cfg").unlink()
    reading = read_nifti_case(folder)
    np.testing.assert_allclose(reading.recording.frame_times_ms, [0, 350])
    assert "two frames of unknown times" in " ".join(reading.notes)


def test_systole_may_come_before_diastole(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    """As in ACDC's patient090, whose cine starts within the cycle."""
    cine, labels = stack
    folder = write_acdc(tmp_path, cine, labels, with_4d=False)
    for kind in ("", "_gt"):
        (folder / f"patient001_frame01{kind}.nii.gz").rename(folder / f"patient001_frame09{kind}.nii.gz")
    reading = read_nifti_case(folder)
    np.testing.assert_allclose(reading.recording.frame_times_ms, [400, 800])
    np.testing.assert_array_equal(reading.recording.frames, cine.frames[[ES, ED]])
    assert reading.labels is not None
    np.testing.assert_array_equal(reading.labels.frames, renumbered(labels, AS_ACDC)[[ES, ED]])


def test_mnms_labels_are_of_the_frames_that_are_not_blank(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    cine, labels = stack
    reading = read_nifti_case(write_mnms(tmp_path, cine, labels))
    assert reading.labels is not None
    assert reading.labels.labelled_frames == (ED, ES)
    assert reading.labels.names == MNMS_CLASSES
    np.testing.assert_array_equal(reading.labels.frames[ES] == 1, labels.frames[ES] == 4)
    assert reading.recording.rr_interval_ms == pytest.approx(300)
    assert reading.recording.imaging_plane == "sa"


def test_a_case_of_mnms_that_nobody_labelled_has_no_labels(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    reading = read_nifti_case(write_mnms(tmp_path, stack[0], None))
    assert reading.labels is None
    assert "Nothing is labelled" in " ".join(reading.notes)
    assert [outcome.is_used for outcome in reading.outcomes] == [True, False]


def test_mnms2_has_two_planes_whose_frames_are_found_by_their_pixels(
    tmp_path: Path, stack: tuple[CineMRI, CineLabels], long_axis: tuple[CineMRI, CineLabels]
) -> None:
    folder = write_mnms2(tmp_path, {"SA": stack, "LA": long_axis})
    by_choice = {plane: read_nifti_case(folder, ReadOptions(imaging_plane=plane)) for plane in ("sa", "la_4ch")}
    for plane, (cine, labels) in (("sa", stack), ("la_4ch", long_axis)):
        reading = by_choice[plane]
        assert reading.recording.imaging_plane == plane
        np.testing.assert_array_equal(reading.recording.frames, cine.frames)
        assert reading.labels is not None
        assert reading.labels.labelled_frames == (ED, ES)
        cavity = 4 if plane == "sa" else 11
        np.testing.assert_array_equal(reading.labels.frames[ES] == 1, labels.frames[ES] == cavity)
        assert sum(not outcome.is_used for outcome in reading.outcomes) == 2 + 5
    unasked = read_nifti_case(folder)
    assert unasked.recording.imaging_plane == "la_4ch"
    assert unasked.notes[0].startswith("001 holds 001 (la_4ch), 001 (sa); the la_4ch is read")
    named = read_nifti_case(folder, ReadOptions(series="001_SA_CINE"))
    assert named.recording.imaging_plane == "sa"
    with pytest.raises(RecordingError, match=r"does not hold the wanted cine; it holds 001 \(la_4ch\), 001 \(sa\)"):
        read_nifti_case(folder, ReadOptions(imaging_plane="la_2ch"))


def test_mnms2_without_its_cine_is_two_frames(tmp_path: Path, long_axis: tuple[CineMRI, CineLabels]) -> None:
    reading = read_nifti_case(write_mnms2(tmp_path, {"LA": long_axis}, with_cine=False))
    np.testing.assert_array_equal(reading.recording.frames, long_axis[0].frames[[ED, ES]])
    assert reading.labels is not None
    assert reading.labels.labelled_frames is None


def test_labels_that_cannot_be_placed_are_left_out_and_the_cine_is_read(
    tmp_path: Path, stack: tuple[CineMRI, CineLabels]
) -> None:
    cine, labels = stack
    folder = write_mnms2(tmp_path, {"SA": stack})
    save(folder / "001_SA_ED.nii.gz", cine.frames[[ED]] + np.uint8(1), cine)  # equal to no frame of the cine
    shifted = CineMRI(cine.frames, cine.spacing_mm, cine.frame_times_ms, np.diag([10, 4, 4, 1.0]), "sa", 900)
    save(folder / "001_SA_ES_gt.nii.gz", renumbered(labels, AS_MNMS)[[ES]], shifted)
    reading = read_nifti_case(folder)
    assert reading.labels is None
    notes = " ".join(reading.notes)
    assert "not known which frame is the ED" in notes
    assert "001_SA_ES_gt.nii.gz does not lie on the grid of" in notes
    np.testing.assert_array_equal(reading.recording.frames, cine.frames)


def test_a_folder_of_no_layout_holds_one_cine(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    cine, _ = stack
    save(tmp_path / "heart.nii.gz", cine.frames, cine)
    save(tmp_path / "localizer.nii.gz", cine.frames[[0]], cine)
    assert is_nifti_case(tmp_path)
    reading = read_nifti_case(tmp_path)
    np.testing.assert_array_equal(reading.recording.frames, cine.frames)
    save(tmp_path / "other.nii.gz", cine.frames, cine)
    with pytest.raises(RecordingError, match=r"3 NIfTI files, 2 of them with several frames \(heart.*other"):
        read_nifti_case(tmp_path)
    assert isinstance(read_nifti_case(tmp_path, ReadOptions(series="heart")), Reading)


def test_files_of_several_people_are_told_apart(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    for name in ("patient001", "patient002"):
        save(tmp_path / f"{name}_4d.nii.gz", stack[0].frames, stack[0])
    with pytest.raises(RecordingError, match=r"several people: patient001 \(sa\), patient002 \(sa\)"):
        read_nifti_case(tmp_path)
    assert isinstance(read_nifti_case(tmp_path / "patient002_4d.nii.gz"), Reading)


def test_a_flat_folder_of_many_people_costs_no_more_than_one_of_them(
    tmp_path: Path, stack: tuple[CineMRI, CineLabels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of others are told by their names and not opened; a folder of hundreds is not listed to its end."""
    for name in ("patient001", "patient002"):
        save(tmp_path / f"{name}_4d.nii.gz", stack[0].frames, stack[0])
    opened: list[str] = []
    monkeypatch.setattr(case_layout, "is_nifti", lambda path: bool(opened.append(path.name)) or is_nifti(path))
    read_nifti_case(tmp_path / "patient002_4d.nii.gz")
    assert set(opened) == {"patient002_4d.nii.gz"}
    for number in range(400):
        (tmp_path / f"other{number}.nii").touch()
    assert not is_nifti_case(tmp_path / "patient002_4d.nii.gz")
    assert isinstance(read_place(tmp_path / "patient002_4d.nii.gz").recording, CineMRI)
    with pytest.raises(RecordingError, match="more than 400 NIfTI files"):
        read_nifti_case(tmp_path)


def test_a_single_frame_is_no_cine(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    save(tmp_path / "patient001_frame01.nii.gz", stack[0].frames[[0]], stack[0])
    with pytest.raises(RecordingError, match="at least two are needed"):
        read_nifti_case(tmp_path)
    save(tmp_path / "patient001_frame02.nii.gz", stack[0].frames[:3], stack[0])
    with pytest.raises(RecordingError, match=r"frame02\.nii\.gz is named as one frame and holds several"):
        read_nifti_case(tmp_path)


def test_a_damaged_label_file_does_not_cost_the_cine(tmp_path: Path, stack: tuple[CineMRI, CineLabels]) -> None:
    folder = write_acdc(tmp_path, *stack)
    damaged = folder / "patient001_frame05_gt.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:-40])
    reading = read_nifti_case(folder)
    assert reading.labels is not None
    assert reading.labels.labelled_frames == (ED,)
    assert "frame05_gt.nii.gz is truncated or damaged" in " ".join(reading.notes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient001_4d.nii.gz", ("patient001", "sa", None, False)),
        ("patient001_frame01.nii.gz", ("patient001", "sa", 0, False)),
        ("patient101_frame14_gt.nii", ("patient101", "sa", 13, True)),
        ("A0S9V9_sa.nii.gz", ("A0S9V9", "sa", None, False)),
        ("A0S9V9_sa_gt.nii.gz", ("A0S9V9", "sa", None, True)),
        ("A0S9V9_SA_ED.nii.gz", ("A0S9V9", "sa", "ED", False)),
        ("001_LA_ES_gt.nii.gz", ("001", "la_4ch", "ES", True)),
        ("001_LA_CINE.nii.gz", ("001", "la_4ch", None, False)),
        ("patient001_frame00.nii.gz", None),
        ("heart.nii.gz", None),
        ("patient001_4d.nii.gz.txt", None),
        ("_sa.nii.gz", None),
    ],
)
def test_names_tell_what_a_file_is(name: str, expected: tuple[object, ...] | None) -> None:
    found = parse_case_file(Path(name))
    assert (found and (found.case, found.imaging_plane, found.frame, found.is_label)) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"NbFrame 30", b"NbFrame: many", b"NbFrame: -3", b"NbFrame: 0"]
)
def test_a_strange_info_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Info.cfg").write_bytes(content)
    assert whole_number(read_case_info(tmp_path), "NbFrame") is None
    (tmp_path / "Info.cfg").write_bytes(b"ED: 1\r\nNbFrame: 30\r\n")
    assert whole_number(read_case_info(tmp_path), "NbFrame") == 30
