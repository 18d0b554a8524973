"""What napari's Open does with studies, cines and ECGs."""

import numpy as np
import pytest

from napari_latent_explorer._napari import readers
from napari_latent_explorer.errors import BundleError


def test_what_is_nothing_of_ours_is_left_to_others(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    assert readers.get_reader(str(tmp_path / "note.txt")) is None
    assert readers.get_reader(str(tmp_path)) is None
    assert readers.get_reader([str(tmp_path)]) is None


def test_a_study_folder_and_its_manifest_are_recognised(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "participants.parquet").write_bytes(b"")
    assert readers.get_reader(str(tmp_path)) is readers.open_study
    assert readers.get_reader(str(tmp_path / "manifest.json")) is readers.open_study


def test_a_cine_becomes_a_layer_in_ms_and_mm_where_no_model_is_loaded(realdata, viewer):
    (layer,) = viewer.open(str(realdata / "cine" / "siemens_4ch"), plugin="napari-latent-explorer")
    assert layer.data.shape == (25, 1, 208, 256)
    assert layer.axis_labels == ("time", "slice", "row", "column")
    assert str(layer.units[0]) == "millisecond"
    np.testing.assert_allclose(layer.scale[2:], 1.40625)
    assert layer.scale[0] * 25 == pytest.approx(876.0, rel=0.05)


def test_an_ecg_without_a_model_says_what_to_do(realdata, viewer):
    path = realdata / "ecg" / "ptbxl_00001_lr"
    header = str(next(path.glob("*.hea")) if path.is_dir() else path.with_suffix(".hea"))
    reader = readers.get_reader(header)
    assert reader is readers.open_recording
    with pytest.raises(BundleError, match="Open a study"):
        reader(header)
