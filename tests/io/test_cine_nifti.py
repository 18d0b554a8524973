import gzip
import json
import tracemalloc
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nifti_files import write_nifti, write_pair

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_nifti import read_cine_nifti
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.simulation.mri import simulate_cine, simulate_short_axis
from napari_latent_explorer.simulation.population import simulate_population

PERSON = simulate_population(1, seed=4).factors[0]


def save(path: Path, cine: CineMRI, step_s: float = 0.04) -> Path:
    """Write with nibabel, as a converter would."""
    affine_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ cine.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(cine.frames.transpose(3, 2, 1, 0), affine_ras)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((*cine.spacing_mm[::-1], step_s))
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("plane", ["la_4ch", "sa"])
def test_a_cine_comes_back_from_the_file_of_a_converter(tmp_path: Path, plane: str) -> None:
    simulate = simulate_cine if plane == "la_4ch" else simulate_short_axis
    cine, _ = simulate(PERSON, n_frames=5, size=48, spacing_mm=3.6 if plane == "la_4ch" else (10.0, 3.6, 3.6))
    reading = read_cine_nifti(save(tmp_path / "a.nii.gz", cine, 0.18))
    found = reading.recording
    assert isinstance(found, CineMRI)
    np.testing.assert_array_equal(found.frames, cine.frames)
    np.testing.assert_allclose(found.affine, cine.affine, atol=1e-4)
    np.testing.assert_allclose(found.spacing_mm, cine.spacing_mm, rtol=1e-5)
    np.testing.assert_allclose(found.frame_times_ms, 180.0 * np.arange(5))
    assert (found.imaging_plane, found.rr_interval_ms) == (plane, pytest.approx(900.0))
    assert [outcome.is_used for outcome in reading.outcomes] == [True]


def test_the_plane_is_given_or_guessed_or_asked_for_and_said_to_be(tmp_path: Path) -> None:
    cine, _ = simulate_cine(PERSON, n_frames=3, size=32, spacing_mm=5.4)
    placed = save(tmp_path / "placed.nii", cine, 0.3)
    anywhere = write_nifti(tmp_path / "anywhere.nii", np.arange(120, dtype="i2").reshape(4, 3, 2, 5))

    def plane(path: Path, **options: str) -> tuple[str, str]:
        reading = read_cine_nifti(path, ReadOptions(**options))
        return reading.recording.imaging_plane, " ".join(reading.notes)

    assert plane(placed)[0] == "la_4ch"
    assert plane(placed, assumed_plane="la_2ch", imaging_plane="la_2ch")[0] == "la_2ch"
    with pytest.raises(RecordingError, match="shows the plane la_4ch by its geometry, sa was asked for"):
        plane(placed, imaging_plane="sa")
    assert plane(anywhere)[0] == "unknown"
    found, notes = plane(anywhere, imaging_plane="sa")
    assert found == "sa"
    assert "does not tell its plane; it is taken for the sa asked for" in notes


def test_times_of_the_sidecar_and_doubts_about_the_header_reach_the_reader(tmp_path: Path) -> None:
    pixels = np.arange(120, dtype="i2").reshape(4, 3, 2, 5)
    path = write_nifti(tmp_path / "a.nii", pixels, sform=np.diag([1.5, 1.5, 10, 1]), pixdim=(1, 1.5, 1.5, 10, 1.0))
    reading = read_cine_nifti(path)
    assert reading.recording.rr_interval_ms == 1000
    assert any("heart cycle of 5000 ms and is not believed" in note for note in reading.notes)
    (tmp_path / "a.json").write_text(json.dumps({"TriggerTime": [3, 150, 320, 480, 700]}))
    reading = read_cine_nifti(path)
    np.testing.assert_array_equal(reading.recording.frame_times_ms, [3, 150, 320, 480, 700])
    assert reading.notes == ()


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 7), (6, 5, 7, 1), (6, 5, 7, 1, 1)])
def test_one_volume_is_no_cine(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_nifti(tmp_path / "a.nii", np.zeros(shape, "i2"))
    with pytest.raises(RecordingError, match=r"holds one volume of 6 x 5 x [17] pixels; a cine has several frames"):
        read_cine_nifti(path)


def test_a_fifth_axis_of_length_one_does_not_matter(tmp_path: Path) -> None:
    pixels = np.arange(120, dtype="i2").reshape(4, 3, 2, 5, 1)
    frames = read_cine_nifti(write_nifti(tmp_path / "a.nii", pixels)).recording.frames
    np.testing.assert_array_equal(frames, pixels[..., 0].transpose(3, 2, 1, 0))


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_class_numbers_are_no_signal(tmp_path: Path, dtype: str) -> None:
    pixels = (np.arange(120).reshape(4, 3, 2, 5) % 4).astype(dtype)
    with pytest.raises(RecordingError, match=r"a\.nii is a label map .* up to 3"):
        read_cine_nifti(write_nifti(tmp_path / "a.nii", pixels))
    fine = write_nifti(tmp_path / "b.nii", (pixels / 3).astype("f4"))
    assert read_cine_nifti(fine).recording.frames.max() == 1


def test_both_files_of_a_pair_are_accounted_for(tmp_path: Path) -> None:
    path = write_pair(tmp_path / "a.hdr", np.arange(120, dtype="i2").reshape(4, 3, 2, 5))
    reading = read_cine_nifti(tmp_path / "a.img")
    assert [outcome.file for outcome in reading.outcomes] == [str(path), str(tmp_path / "a.img")]


def test_a_header_that_lies_costs_no_memory(tmp_path: Path) -> None:
    """A small packed file that claims 2 GB, and one that goes on for gigabytes after what it claims."""
    liar = write_nifti(tmp_path / "liar.nii.gz", dim=[4, 1000, 1000, 50, 20])
    endless = write_nifti(tmp_path / "endless.nii", np.arange(120, dtype="i2").reshape(4, 3, 2, 5))
    endless.write_bytes(gzip.compress(endless.read_bytes() + bytes(200 << 20), 1))
    tracemalloc.start()
    with pytest.raises(RecordingError, match="is truncated"):
        read_cine_nifti(liar)
    assert read_cine_nifti(endless).recording.frames.shape == (5, 2, 3, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize("scaling", [(1.0, 0.0), (0.5, 3.0)])
def test_reading_takes_less_than_twice_the_memory_of_the_cine(tmp_path: Path, scaling: tuple[float, float]) -> None:
    pixels = np.random.default_rng(0).integers(0, 900, (128, 128, 8, 20)).astype("i2")
    path = write_nifti(tmp_path / "a.nii.gz", pixels, scaling=scaling)
    read_cine_nifti(path)
    tracemalloc.start()
    cine = read_cine_nifti(path).recording
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * cine.frames.nbytes


def test_nothing_is_printed_and_no_warning_given(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """For what nibabel would comment upon: odd quaternion signs, negative steps, unknown units, a wrong bit depth."""
    odd = {"pixdim": (0.0, -1.5, 1.5, 10, np.nan), "units": 7, "qform": (0, 0, 0, 0, 0, 0), "scaling": (np.nan, np.inf)}
    path = write_nifti(tmp_path / "a.nii", np.arange(120, dtype="i2").reshape(4, 3, 2, 5), **odd)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = read_cine_nifti(path)
    assert capfd.readouterr() == ("", "")
    assert reading.recording.spacing_mm == pytest.approx((10, 1.5, 1.5))
