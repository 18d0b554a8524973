"""What is exported is read back, by our readers and by the libraries' own."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import wfdb

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.recording_export import write_cine_dicom, write_ecg_wfdb


@pytest.fixture
def cine() -> CineMRI:
    random = np.random.default_rng(0)
    rows, columns = np.array([0.0, 0.6, 0.8]), np.array([1.0, 0.0, 0.0])
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.cross(columns, rows) * 10.0, rows * 1.5, columns * 2.0
    affine[:3, 3] = -40.0, 12.0, 7.0
    frames = random.integers(0, 255, (6, 3, 12, 10)).astype(np.uint8)
    return CineMRI(frames, (10.0, 1.5, 2.0), np.arange(6) * 150.0, affine, "sa", 900.0)


def test_a_cine_comes_back_with_its_signal_and_geometry(cine: CineMRI, tmp_path: Path) -> None:
    files = write_cine_dicom(cine, tmp_path / "cine", "Test")
    back = read_recording(tmp_path / "cine")
    assert isinstance(back, CineMRI)
    assert len(files) == 18
    np.testing.assert_allclose(back.frame_times_ms, cine.frame_times_ms)
    np.testing.assert_allclose(back.spacing_mm, cine.spacing_mm, atol=1e-4)
    np.testing.assert_allclose(back.affine, cine.affine, atol=1e-3)
    np.testing.assert_allclose(back.frames, cine.frames, atol=0.1)  # half a step of 12 bits
    assert back.rr_interval_ms == 900.0


def test_the_same_cine_makes_the_same_files(cine: CineMRI, tmp_path: Path) -> None:
    first, second = (write_cine_dicom(cine, tmp_path / name, "Test") for name in ("a", "b"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert len({str(pydicom.dcmread(file).SOPInstanceUID) for file in first}) == len(first)


def test_an_ecg_comes_back_in_millivolt(tmp_path: Path) -> None:
    signal_mv = np.random.default_rng(0).normal(0.0, 0.5, (12, 2000)).astype(np.float32)
    header = write_ecg_wfdb(ECG(signal_mv, LEAD_NAMES, 500.0, "rhythm", source="test"), tmp_path, "strip")
    back = read_recording(header)
    assert isinstance(back, ECG)
    assert (back.lead_names, back.sampling_rate_hz) == (LEAD_NAMES, 500.0)
    np.testing.assert_allclose(back.signal_mv, signal_mv, atol=6e-4)
    np.testing.assert_allclose(wfdb.rdrecord(str(tmp_path / "strip")).p_signal.T, signal_mv, atol=6e-4)


def test_a_median_beat_comes_back_as_one(tmp_path: Path) -> None:
    beat = ECG(np.random.default_rng(0).normal(0.0, 0.5, (12, 600)), LEAD_NAMES, 500.0, "median", 435.5, "test")
    back = read_recording(write_ecg_wfdb(beat, tmp_path, "beat"))
    assert isinstance(back, ECG)
    assert (back.kind, back.qrs_onset_ms) == ("median", 435.5)
