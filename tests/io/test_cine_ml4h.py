from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from ml4h_files import FOUR_CHAMBERS, PLACES, SHORT_AXIS, put, put_cine, put_ecg, put_labels

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_ml4h import is_cine_ml4h, read_cine_ml4h
from napari_latent_explorer.io.ecg_ml4h import is_ecg_ml4h, read_ecg_ml4h
from napari_latent_explorer.io.label_maps import read_label_map
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.mri import simulate_cine, simulate_short_axis
from napari_latent_explorer.simulation.population import simulate_population

PERSON = simulate_population(1, seed=4).factors[0]


@pytest.fixture(scope="module")
def long_axis() -> tuple[CineMRI, CineLabels]:
    return simulate_cine(PERSON, n_frames=10, size=48, spacing_mm=3.6)


@pytest.mark.parametrize("layout", PLACES)
def test_the_four_chamber_cine_comes_back_in_its_place(tmp_path: Path, long_axis, layout: str) -> None:
    cine, labels = long_axis
    path = tmp_path / "1000001.hd5"
    with h5py.File(path, "w") as root:
        put_cine(root, FOUR_CHAMBERS, cine, PLACES[layout])
        put_labels(root, labels, [0, 4, 9])
        put_ecg(root, simulate_ecg(PERSON))
        put(root, "ukb_ecg_rest/RRInterval/instance_0", [913.0])
    assert is_cine_ml4h(path)
    assert is_ecg_ml4h(path)
    reading = read_cine_ml4h(path)
    found = reading.recording
    np.testing.assert_array_equal(found.frames, cine.frames)
    np.testing.assert_allclose(found.affine, cine.affine, atol=1e-9)
    np.testing.assert_allclose(found.spacing_mm, (6.0, 3.6, 3.6))
    np.testing.assert_allclose(found.frame_times_ms, 91.3 * np.arange(10))
    assert (found.imaging_plane, found.rr_interval_ms) == ("la_4ch", 913.0)
    assert "RR interval of the resting ECG in the file, not of the MRI" in " ".join(reading.notes)
    assert reading.labels is not None
    assert reading.labels.labelled_frames == (0, 4, 9)
    assert reading.labels.names == LA_4CH_CLASSES
    np.testing.assert_array_equal(reading.labels.frames[[0, 4, 9]], labels.frames[[0, 4, 9]])


def test_rows_and_columns_keep_their_own_spacing(tmp_path: Path) -> None:
    """`mri_pixel_width` is the distance between rows."""
    affine = np.zeros((4, 4))
    affine[[2, 1, 0, 3], [0, 1, 2, 3]] = 6.0, 1.7, 1.3, 1.0
    frames = np.random.default_rng(0).integers(0, 900, (5, 1, 7, 9))
    cine = CineMRI(frames, (6.0, 1.7, 1.3), np.arange(5) * 100.0, affine, "la_4ch", 900.0)
    with h5py.File(tmp_path / "a.hd5", "w") as root:
        put_cine(root, FOUR_CHAMBERS, cine, PLACES["older"])
    found = read_cine_ml4h(tmp_path / "a.hd5").recording
    assert found.spacing_mm == pytest.approx((6.0, 1.7, 1.3))
    assert found.frames.shape == (5, 1, 7, 9)
    np.testing.assert_allclose(np.abs(found.affine), affine, atol=1e-9)


def test_what_the_layout_does_not_hold_is_assumed_and_said(tmp_path: Path, long_axis) -> None:
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        frames = long_axis[0].frames[:, 0].transpose(1, 2, 0)
        put(root, f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", frames.astype("f4"))
    reading = read_cine_ml4h(path)
    notes = " ".join(reading.notes)
    assert "does not hold the pixel spacing; 1.8 mm" in notes
    assert "does not say how the cine lies in the patient; it is taken to lie as usual" in notes
    assert "assumed cycle of 1000 ms" in notes
    np.testing.assert_allclose(reading.recording.spacing_mm, (6.0, 1.8, 1.8))
    directions = reading.recording.affine[:3, :3] / np.linalg.norm(reading.recording.affine[:3, :3], axis=0)
    np.testing.assert_allclose(directions[:, 2], [1, 0, 0])
    assert directions[:, 1] @ [0, -0.57, -0.82] > 0.99
    np.testing.assert_array_equal(reading.recording.frames, long_axis[0].frames)


def test_short_axis_series_become_a_stack_by_their_places(tmp_path: Path) -> None:
    cine, _ = simulate_short_axis(PERSON, n_slices=4, n_frames=6, size=32, spacing_mm=(10.0, 5.0, 5.0))
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        for number, slice_index in enumerate((2, 0, 3, 1), start=1):  # names in no order of space
            put_cine(root, f"{SHORT_AXIS}{number}", cine, PLACES["newer"], slice_index)
    found = read_cine_ml4h(path).recording
    assert found.imaging_plane == "sa"
    assert found.frames.shape == cine.frames.shape
    for slice_index in range(4):  # which end comes first is free
        corner = cine.affine @ [slice_index, 0, 0, 1]
        index = np.round(np.linalg.solve(found.affine, corner)).astype(int)
        np.testing.assert_array_equal(index[1:3], 0)
        np.testing.assert_array_equal(found.frames[:, index[0]], cine.frames[:, slice_index])
    np.testing.assert_allclose(found.spacing_mm, (10.0, 5.0, 5.0))
    with h5py.File(path, "a") as root:
        del root[f"ukb_cardiac_mri/{SHORT_AXIS}4"]
    with pytest.raises(RecordingError, match="do not lie side by side at even steps"):
        read_cine_ml4h(path)


def test_visits_planes_and_series_are_chosen_and_the_others_named(tmp_path: Path, long_axis) -> None:
    cine, _ = long_axis
    other = CineMRI(255 - cine.frames, cine.spacing_mm, cine.frame_times_ms, cine.affine, "la_4ch", 800.0)
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        put_cine(root, FOUR_CHAMBERS, other, "{}/10/instance_0")
        put_cine(root, FOUR_CHAMBERS, cine, "{}/2/instance_0")
        put_cine(root, "cine_segmented_lax_2ch", other, "{}/2/instance_0")
        put_cine(root, "cine_segmented_lvot", cine, "{}/2/instance_0")
        put(root, "ukb_cardiac_mri/cine_segmented_sax_inlinevf/7/instance_0", np.zeros((9, 9), "f4"))
    reading = read_cine_ml4h(path)
    np.testing.assert_array_equal(reading.recording.frames, cine.frames)
    assert "the file also holds cine_segmented_lax_4ch/10/instance_0" in reading.notes[0]
    assert "cine_segmented_lax_2ch/2/instance_0 (la_2ch" in reading.notes[0]
    second = read_cine_ml4h(path, ReadOptions(series=f"{FOUR_CHAMBERS}/10/instance_0"))
    np.testing.assert_array_equal(second.recording.frames, other.frames)
    assert read_cine_ml4h(path, ReadOptions(imaging_plane="la_2ch")).recording.imaging_plane == "la_2ch"
    outflow = read_cine_ml4h(path, ReadOptions(series="cine_segmented_lvot", assumed_plane="la_3ch"))
    assert outflow.recording.imaging_plane == "la_3ch"
    with pytest.raises(RecordingError, match=r"does not hold the wanted cine\. It holds: .*lvot"):
        read_cine_ml4h(path, ReadOptions(imaging_plane="sa"))


def test_labels_that_do_not_fit_are_left_out_with_a_note(tmp_path: Path, long_axis) -> None:
    cine, _ = long_axis
    path = tmp_path / "a.hd5"
    for number, (name, value) in enumerate(
        {
            "annotated_1": np.full((256, 256), 8.0),  # not blank beyond the cine
            "annotated_2": np.zeros((40, 256)),
            "annotated_3": np.pad(np.full((48, 48), 16.0), (0, 208)),
            "annotated_11": np.pad(np.full((48, 48), 8.0), (0, 208)),
            "annotated_4": np.zeros((256, 256)),
            "annotated_5": np.zeros((256, 256, 1)),
            "annotated_6": np.full((256, 256), np.nan),
        }.items()
    ):
        with h5py.File(path, "w") as root:
            put_cine(root, FOUR_CHAMBERS, cine, PLACES["older"])
            put(root, f"ukb_cardiac_mri/{FOUR_CHAMBERS}_{name}/instance_0", value)
        reading = read_cine_ml4h(path)
        assert reading.labels is None, number
        assert any(note.startswith("Labels left out: ") for note in reading.notes), number
        np.testing.assert_array_equal(reading.recording.frames, cine.frames)


def test_labels_go_with_a_cine_from_elsewhere(tmp_path: Path, long_axis) -> None:
    cine, labels = long_axis
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        put_labels(root, labels, [3], f"{FOUR_CHAMBERS}_jamesp")
        put(root, "ukb_cardiac_mri/cine_segmented_lvot_annotated_1/instance_0", np.zeros((256, 256)))
    found = read_label_map(path, cine)
    assert found.labelled_frames == (3,)
    np.testing.assert_array_equal(found.frames[3], labels.frames[3])
    with h5py.File(path, "a") as root:
        del root[f"ukb_cardiac_mri/{FOUR_CHAMBERS}_jamesp_annotated_4"]
    with pytest.raises(RecordingError, match="no labels of a 4-chamber cine; labelled are: cine_segmented_lvot"):
        read_label_map(path, cine)


@pytest.mark.parametrize(
    "write",
    [
        lambda root: root.create_group("ukb_cardiac_mri"),
        lambda root: root.create_dataset("ukb_cardiac_mri", data=1.0),
        lambda root: root.create_dataset(f"ukb_cardiac_mri/{FOUR_CHAMBERS}", data=np.zeros((9, 9, 9))),
        lambda root: root.create_dataset(f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", data=np.zeros((9, 9))),
        lambda root: root.create_dataset(f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", data=np.zeros((9, 9, 1))),
        lambda root: root.create_dataset(f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", data="text"),
        lambda root: root.create_dataset(f"ukb_cardiac_mri/{FOUR_CHAMBERS}/x/instance_0", data=np.zeros((9, 9, 9))),
        lambda root: root.create_dataset(
            f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", (10**6, 10**6, 50), "f4", chunks=(99, 99, 50)
        ),
        lambda root: root.create_dataset(
            f"ukb_cardiac_mri/{FOUR_CHAMBERS}/2/instance_0", data=np.full((9, 9, 9), np.nan)
        ),
        lambda root: root.create_dataset("ukb_ecg_rest/median_I", data=np.zeros(600)),
        lambda root: root.create_dataset("ukb_ecg_rest/median_I/instance_0", data=np.zeros((600, 2))),
        lambda root: root.create_dataset("ukb_ecg_rest/median_I/instance_0", data=np.zeros(0)),
        lambda root: root.create_dataset("ukb_ecg_rest/median_I/instance_0", (10**9,), "f8", chunks=(1000,)),
        lambda root: [root.create_dataset(f"ukb_ecg_rest/median_{n}/instance_0", data=np.zeros(s)) for n, s in
                      (("I", 600), ("II", 599))],
        lambda root: [root.create_dataset(f"ukb_ecg_rest/median_{n}/instance_0", data=np.ones(60)) for n in ("I", "i")],
        lambda root: root.create_dataset("something", data=np.zeros((9, 9, 9))),
    ],
)  # fmt: skip
def test_files_that_are_not_laid_out_so_end_in_one_error(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "odd.hd5"
    with h5py.File(path, "w") as root:
        write(root)
    for is_known, read in ((is_cine_ml4h, read_cine_ml4h), (is_ecg_ml4h, read_ecg_ml4h)):
        assert isinstance(is_known(path), bool)
        with pytest.raises(RecordingError, match=r"odd\.hd5"):
            read(path)


def test_facts_that_cannot_be_are_as_if_absent(tmp_path: Path, long_axis) -> None:
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        put_cine(root, FOUR_CHAMBERS, long_axis[0], PLACES["older"])
        put(root, f"mri_pixel_width_{FOUR_CHAMBERS}", 0.0)
        put(root, f"mri_slice_thickness_{FOUR_CHAMBERS}", np.inf)
        put(root, f"mri_patient_orientation_{FOUR_CHAMBERS}", np.ones(6))
        put(root, "ukb_ecg_rest/RRInterval/instance_0", [-1.0])
        put(root, "ukb_ecg_rest/VentricularRate/instance_0", [75.0])
    reading = read_cine_ml4h(path)
    np.testing.assert_allclose(reading.recording.spacing_mm, (6.0, 1.8, 1.8))
    assert reading.recording.rr_interval_ms == 800
    assert "taken to lie as usual" in " ".join(reading.notes)
