"""Simulated participants in UK Biobank's archives: long-axis and short-axis cines, read back to the pixel."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from dicom_writer import cine_images, image, pixels_of, zipped
from pydicom.dataset import Dataset

from napari_latent_explorer.data.cine import CineMRI, ImagingPlane
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import is_cine_dicom, read_cine_dicom
from napari_latent_explorer.io.reading import Reading, ReadOptions
from napari_latent_explorer.simulation.heart import Heart
from napari_latent_explorer.simulation.mri import ImagingGrid, short_axis_grid, simulate_plane
from napari_latent_explorer.simulation.population import simulate_population

MANIFEST = {"manifest.csv": b"filename,patientid,studyid\n"}
_SIZE = 24
_N_FRAMES = 6


class Participant(NamedTuple):
    """Archives of one person, and what was written into them."""

    long_axis: Path
    short_axis: Path
    cines: dict[ImagingPlane, CineMRI]


def long_axis_planes(heart: Heart) -> dict[ImagingPlane, ImagingGrid]:
    """Lay three planes through the long axis: as the simulation has the 4-chamber one, and turned from there."""
    h, _, n = heart.axes
    middle = heart.to_patient(0.4 * heart.apex_h, 0.0)
    planes: dict[ImagingPlane, ImagingGrid] = {}
    for plane, turn_deg in (("la_4ch", 0.0), ("la_3ch", -55.0), ("la_2ch", -115.0)):
        turn = np.deg2rad(turn_deg)
        across = np.cos(turn) * n + np.sin(turn) * np.cross(h, n)
        rows = np.cross(across, h)
        planes[plane] = ImagingGrid.centred(middle, (6.0 * across, 7.0 * h, 7.0 * rows), (1, _SIZE, _SIZE))  # type: ignore[index]
    return planes


@pytest.fixture(scope="module")
def participant(tmp_path_factory: pytest.TempPathFactory) -> Participant:
    """Write both archives, the long axis with a cine of the outflow tract as well."""
    folder = tmp_path_factory.mktemp("biobank")
    heart = Heart(simulate_population(1, seed=3).factors[0])
    cines: dict[ImagingPlane, CineMRI] = {
        plane: simulate_plane(heart, grid, _N_FRAMES, plane)[0] for plane, grid in long_axis_planes(heart).items()
    }
    cines["sa"] = simulate_plane(heart, short_axis_grid(heart, 6, _SIZE, (10.0, 7.0, 7.0)), _N_FRAMES, "sa")[0]
    long_axis = [
        one for plane, cine in cines.items() if plane != "sa"
        for one in cine_images(cine, f"CINE_segmented_LAX_{plane[3:]}")
    ]  # fmt: skip
    outflow = [image(pixels_of(0, k), TriggerTime=100 * k, NominalInterval=700, SeriesDescription="CINE_segmented_LVOT",
                     SeriesInstanceUID="1.2.5", ImageOrientationPatient=[1, 0, 0, 0, 0.2588190, -0.9659258])
               for k in range(_N_FRAMES)]  # fmt: skip
    return Participant(
        zipped(folder / "1000001_20208_2_0.zip", [*long_axis, *outflow], MANIFEST),
        zipped(
            folder / "1000001_20209_2_0.zip",
            cine_images(cines["sa"], "CINE_segmented_SAX", is_series_per_slice=True),
            MANIFEST,
        ),
        cines,
    )


def cine_of(reading: Reading) -> CineMRI:
    assert isinstance(reading.recording, CineMRI)
    return reading.recording


@pytest.mark.parametrize("plane", ["la_2ch", "la_3ch", "la_4ch"])
@pytest.mark.parametrize("is_beside_short_axis", [True, False])
def test_each_long_axis_plane_is_found_by_its_geometry(
    participant: Participant, plane: ImagingPlane, is_beside_short_axis: bool
) -> None:
    related = (participant.short_axis,) if is_beside_short_axis else ()
    reading = read_cine_dicom(participant.long_axis, ReadOptions(imaging_plane=plane, related=related))
    cine, written = cine_of(reading), participant.cines[plane]
    np.testing.assert_array_equal(cine.frames, written.frames)
    np.testing.assert_allclose(cine.affine[:, 1:], written.affine[:, 1:], atol=1e-3)
    np.testing.assert_allclose(cine.frame_times_ms, written.frame_times_ms, atol=1e-3)
    assert cine.imaging_plane == plane
    assert sum(outcome.is_used for outcome in reading.outcomes) == _N_FRAMES
    assert len(reading.outcomes) == 4 * _N_FRAMES + 1
    assert all("!" in outcome.file for outcome in reading.outcomes)


def test_series_of_single_slices_are_read_as_the_stack_that_was_written(participant: Participant) -> None:
    reading = read_cine_dicom(participant.short_axis)
    cine, written = cine_of(reading), participant.cines["sa"]
    assert cine.imaging_plane == "sa"
    order = slice(None) if cine.affine[:3, 0] @ written.affine[:3, 0] > 0 else slice(None, None, -1)
    np.testing.assert_array_equal(cine.frames[:, order], written.frames)
    assert cine.spacing_mm[0] == pytest.approx(10.0, abs=1e-4)
    corners = np.array([[0, 0, 0, 1], [5, _SIZE - 1, _SIZE - 1, 1]], dtype=float)
    there = corners.copy()
    if order.step == -1:
        there[:, 0] = 5 - there[:, 0]
    np.testing.assert_allclose(there @ cine.affine.T, corners @ written.affine.T, atol=1e-3)


def test_without_a_wish_the_long_axis_cines_are_listed(participant: Participant) -> None:
    with pytest.raises(RecordingError, match=r"There are 4 cines") as caught:
        read_cine_dicom(participant.long_axis)
    for plane in ("2ch", "3ch", "4ch"):
        assert f"(CINE_segmented_LAX_{plane}: 6 images of 24 x 24 in 1 slices, plane la_{plane}, cine)" in str(
            caught.value
        )
    assert len(caught.value.outcomes) == 4 * _N_FRAMES + 1


def test_a_series_is_chosen_by_its_description_in_any_case(participant: Participant) -> None:
    cine = cine_of(read_cine_dicom(participant.long_axis, ReadOptions(series="cine_segmented_lax_3ch")))
    np.testing.assert_array_equal(cine.frames, participant.cines["la_3ch"].frames)


def test_both_archives_in_one_folder_are_one_place(participant: Participant) -> None:
    folder = participant.long_axis.parent
    assert is_cine_dicom(folder)
    assert is_cine_dicom(participant.long_axis)
    for plane in ("sa", "la_4ch"):
        assert cine_of(read_cine_dicom(folder, ReadOptions(imaging_plane=plane))).imaging_plane == plane  # type: ignore[arg-type]


def with_damage(participant: Participant, folder: Path, description: str, damage: Any) -> Path:
    """Copy the long axis with one image of one series damaged."""
    import zipfile

    path = folder / "damaged.zip"
    done = False
    with zipfile.ZipFile(participant.long_axis) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if not done and description.encode() in content:
                content, done = damage(content), True
            new.writestr(name, content)
    assert done
    return path


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-9], lambda content: content[:400], lambda content: b"", lambda content: b"text" * 99],
    ids=["pixels cut off", "header cut off", "empty", "text"],
)
def test_damage_stops_the_series_that_it_is_in_and_no_other(
    participant: Participant, tmp_path: Path, damage: Any
) -> None:
    place = with_damage(participant, tmp_path, "LAX_2ch", damage)
    reading = read_cine_dicom(place, ReadOptions(imaging_plane="la_4ch"))
    np.testing.assert_array_equal(cine_of(reading).frames, participant.cines["la_4ch"].frames)
    (bad,) = [
        outcome for outcome in reading.outcomes
        if not outcome.is_used and "not asked for" not in outcome.reason and "manifest" not in outcome.file
    ]  # fmt: skip
    assert bad.file.startswith(f"{place}!")
    with pytest.raises(RecordingError) as caught:
        read_cine_dicom(place, ReadOptions(series="CINE_segmented_LAX_2ch"))
    assert bad.file in str(caught.value)


def test_a_repeated_cine_of_the_same_plane_at_another_place_is_chosen_by_the_rule(
    participant: Participant, tmp_path: Path
) -> None:
    first = cine_images(participant.cines["la_4ch"], "4CH", AcquisitionDate="20200101", AcquisitionTime="100000")
    again = cine_images(participant.cines["la_4ch"], "4CH rpt", AcquisitionDate="20200101", AcquisitionTime="100500")
    for one in again:
        moved = np.array(one.ImagePositionPatient, dtype=float) + 3.0
        one.ImagePositionPatient = [f"{value:.4f}" for value in moved]
    place = zipped(tmp_path / "a.zip", first + again)
    reading = read_cine_dicom(place, ReadOptions(imaging_plane="la_4ch"))
    assert any("There are 2 cines of plane la_4ch" in note and "4CH rpt" in note for note in reading.notes)
    used = {outcome.reason.partition(" of series ")[2] for outcome in reading.outcomes if outcome.is_used}
    assert len(used) == 1
    assert "4CH rpt" in used.pop()


def radial(n_planes: int = 6) -> list[Dataset]:
    """One series with planes turned around the long axis."""
    h = np.array([0.66, -0.60, -0.45]) / np.linalg.norm([0.66, -0.60, -0.45])
    e1 = np.cross(h, [0, 0, 1]) / np.linalg.norm(np.cross(h, [0, 0, 1]))
    images = []
    for number in range(n_planes):
        turn = np.pi * number / n_planes
        in_plane = np.cos(turn) * np.cross(h, e1) - np.sin(turn) * e1
        images += [
            image(
                pixels_of(number, k),
                -50 * h - 40 * in_plane,
                TriggerTime=100 * k,
                NominalInterval=600,
                InstanceNumber=5 * number + k + 1,
                ImageOrientationPatient=[f"{value:.8f}" for value in (*in_plane, *h)],
            )
            for k in range(5)
        ]
    return images


def test_radial_planes_in_one_series_are_cines_of_their_own(tmp_path: Path) -> None:
    place = zipped(tmp_path / "radial.zip", radial())
    with pytest.raises(RecordingError, match="There are 6 cines"):
        read_cine_dicom(place)
    for number in range(6):
        cine = cine_of(read_cine_dicom(place, ReadOptions(series=f"1.2.3#{number + 1}")))
        np.testing.assert_array_equal(cine.frames[:, 0], [pixels_of(number, k) for k in range(5)])
