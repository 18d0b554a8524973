"""What napari's Open does with studies, cines and ECGs, and what it leaves to others."""

from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import napari
import numpy as np
import pytest
from npe2 import PluginManifest

import napari_latent_explorer
from napari_latent_explorer._napari import explorers, readers
from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.places import open_dock
from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.formats import FORMATS, read_recording
from napari_latent_explorer.io.recording_export import write_cine_dicom, write_ecg_wfdb
from napari_latent_explorer.modeling.sample import sample_study_path

PLUGIN = "napari-latent-explorer"
RECORDINGS = sample_study_path().parent / "recordings"


@pytest.fixture
def stack_folder(tmp_path):
    """Write a short-axis stack of 3 slices and 4 frames as a DICOM folder."""
    rng = np.random.default_rng(0)
    affine = np.diag([10.0, 1.5, 1.5, 1.0])
    frames = rng.integers(0, 900, (4, 3, 20, 24)).astype(np.uint16)
    cine = CineMRI(frames, (10.0, 1.5, 1.5), np.arange(4) * 200.0, affine, "sa", 800.0, "a stack")
    write_cine_dicom(cine, tmp_path / "stack", "a stack")
    return tmp_path / "stack"


@pytest.fixture
def wait_for_jobs(viewer, qtbot):
    explorer = session_of(viewer).explorer

    def wait():
        qtbot.wait(150)  # longer than the silence that ends a drop
        qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=30_000)
        qtbot.wait(30)

    return wait


@pytest.fixture
def errors(viewer):
    said = []
    session_of(viewer).explorer.failed.connect(said.append)
    return said


def test_what_is_nothing_of_ours_is_left_to_others(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "picture.tif").write_bytes(b"II*\0")
    assert readers.get_reader(str(tmp_path / "note.txt")) is None
    assert readers.get_reader(str(tmp_path)) is None
    assert readers.get_reader([str(tmp_path)]) is None
    assert readers.get_reader(str(tmp_path / "there is no such file.zip")) is None


def claimed_patterns():
    manifest = PluginManifest.from_file(Path(napari_latent_explorer.__file__).with_name("napari.yaml"))
    return set(manifest.contributions.readers[0].filename_patterns)


@pytest.mark.parametrize("name", ["points.csv", "image.npy", "image.tif", "cells.mat", "movie.avi"])
def test_files_that_napari_and_other_plugins_open_are_not_claimed(name):
    assert not [pattern for pattern in claimed_patterns() if fnmatch(name, pattern)]


def test_every_other_file_that_is_read_is_claimed():
    left_to_others = {"*.csv", "*.tsv", "*.txt", "*.npy", "*.npz", "*.mat", "*.h5", "*.hdf5", "*.hdr", "*.img", "*.edf"}
    read = {pattern for known in FORMATS for pattern in known.patterns} - left_to_others - {"folder"}
    assert claimed_patterns() == read | {"manifest.json"}


def test_a_points_table_is_still_opened_by_napari(viewer, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("index,axis-0,axis-1\n0,1.5,2.5\n1,3.0,4.0\n")
    (layer,) = viewer.open(str(path), plugin=None)
    np.testing.assert_array_equal(layer.data, [[1.5, 2.5], [3.0, 4.0]])


def test_a_study_folder_and_its_manifest_are_recognised(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "participants.parquet").write_bytes(b"")
    assert readers.get_reader(str(tmp_path)) is readers.open_study
    assert readers.get_reader(str(tmp_path / "manifest.json")) is readers.open_study


def test_a_study_is_opened_in_its_docks(viewer, qtbot):
    explorer = session_of(viewer).explorer
    assert viewer.open(str(sample_study_path()), plugin=PLUGIN) == []
    qtbot.waitUntil(lambda: explorer.cohort is not None, timeout=30_000)
    explorer.jobs.cancel_all()
    assert len(explorer.cohort) == 2000
    assert f"Maps ({PLUGIN})" in viewer.window.dock_widgets


def test_a_cine_becomes_an_image_in_ms_and_mm(viewer, wait_for_jobs):
    assert viewer.open(str(RECORDINGS / "cine_dicom"), plugin=PLUGIN) == []
    wait_for_jobs()
    (layer,) = viewer.layers
    assert layer.data.shape == (50, 96, 96)
    assert layer.axis_labels == ("time", "row", "column")
    assert [str(unit) for unit in layer.units] == ["millisecond", "millimeter", "millimeter"]
    np.testing.assert_allclose(layer.scale[1:], 1.8)
    assert layer.scale[0] * 50 == pytest.approx(layer.metadata["rr_interval_ms"])
    assert layer.contrast_limits_range == [layer.data.min(), layer.data.max()]
    assert viewer.dims.current_step[0] == 0


def test_many_files_of_a_stack_dropped_at_once_are_one_layer(viewer, stack_folder, wait_for_jobs, errors):
    files = sorted(str(file) for file in stack_folder.rglob("*.dcm"))
    assert len(files) == 12
    viewer.open(files, plugin=PLUGIN)
    wait_for_jobs()
    assert [layer.data.shape for layer in viewer.layers] == [(3, 4, 20, 24)]
    assert viewer.layers[0].name.startswith("stack")  # the folder's name, not one file's
    viewer.open(files[:5], plugin=PLUGIN, stack=True)
    wait_for_jobs()
    assert len(viewer.layers) == 2
    assert errors == []


def test_files_without_a_plugin_choice_come_to_us_where_nobody_else_takes_them(viewer, wait_for_jobs):
    viewer.open(str(RECORDINGS / "ecg_wfdb" / "ecg.hea"), plugin=None)
    wait_for_jobs()
    assert f"ECG ({PLUGIN})" in viewer.window.dock_widgets


def test_an_ecg_is_shown_as_recorded_without_a_model_and_without_a_study(viewer, wait_for_jobs, errors):
    viewer.open(str(RECORDINGS / "ecg_wfdb" / "ecg.hea"), plugin=PLUGIN)
    wait_for_jobs()
    dock = viewer.window.dock_widgets[f"ECG ({PLUGIN})"]
    assert errors == []
    assert dock.strip.page.label == "Original: ecg.hea"
    dock.strip.page.resize(900, 300)
    assert set(dock.strip.page.shown_leads) == set(LEAD_NAMES)
    assert not dock.strip.isHidden()
    assert dock.plot.isHidden()
    assert dock.play.isHidden()  # there is no heart to play


def test_a_recording_that_a_model_takes_is_encoded_and_reconstructed(viewer, explorer, monkeypatch, wait_for_jobs):
    vector = np.full(16, 0.5, np.float32)
    monkeypatch.setattr(type(explorer.bundle), "encode", lambda self, modality, batch: vector[None], raising=False)
    viewer.open(str(RECORDINGS / "ecg_wfdb" / "ecg.hea"), plugin=PLUGIN)
    wait_for_jobs()
    np.testing.assert_array_equal(explorer.probe.origin, vector)
    dock = viewer.window.dock_widgets[f"ECG ({PLUGIN})"]
    assert [trace.label.split(":")[0] for trace in dock.plot.traces] == ["Reconstruction", "Original"]
    assert not dock.pages.isHidden()  # the strip is a click away


def test_what_napari_leaves_to_us_alone_is_dropped_on_the_ecg_dock(viewer, wait_for_jobs, errors, tmp_path):
    path = tmp_path / "ecg.csv"
    leads = ",".join(LEAD_NAMES)
    samples = "\n".join(",".join(f"{0.1 * ((row * 7) % 13):.2f}" for _ in LEAD_NAMES) for row in range(1000))
    path.write_text(f"# sampling_rate_hz: 500\n# unit: mV\n{leads}\n{samples}\n")
    open_dock(viewer, "ECG")
    dock = viewer.window.dock_widgets[f"ECG ({PLUGIN})"]
    dock.open_requested.emit([str(path)])
    wait_for_jobs()
    assert errors == []
    assert dock.strip.page.label == "Original: ecg.csv"


def test_a_damaged_file_among_good_ones_is_one_message_and_the_rest_is_there(
    viewer, stack_folder, tmp_path, wait_for_jobs, errors, monkeypatch
):
    said = []
    monkeypatch.setattr(explorers, "show_error", said.append)
    broken = tmp_path / "other" / "broken.dcm"
    broken.parent.mkdir()
    broken.write_bytes((next(stack_folder.rglob("*.dcm"))).read_bytes()[:300])
    viewer.open([str(broken), str(next(stack_folder.rglob("*.dcm")))], plugin=PLUGIN)
    wait_for_jobs()
    assert len(viewer.layers) == 1
    assert len(said) == 1
    assert "broken.dcm" in said[0]


def test_several_broken_places_are_one_message_that_names_them(viewer, tmp_path, wait_for_jobs, errors):
    paths = []
    for name in ("first", "second", "third"):
        paths.append(tmp_path / name / "ecg.hea")
        paths[-1].parent.mkdir()
        paths[-1].write_text("not a header")
    session_of(viewer).inbox.put(paths)
    wait_for_jobs()
    (error,) = errors
    assert isinstance(error, RecordingError)
    assert all(str(path) in str(error) for path in paths)


def test_without_a_viewer_layers_are_returned_at_once(monkeypatch, stack_folder):
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    ((data, attributes, kind),) = readers.open_recording(str(stack_folder))
    assert (data.shape, kind) == ((3, 4, 20, 24), "image")
    assert attributes["axis_labels"] == ("slice", "time", "row", "column")
    with pytest.raises(RecordingError, match="no layer"):
        readers.open_recording(str(RECORDINGS / "ecg_wfdb" / "ecg.hea"))


def test_a_real_long_axis_cine(realdata, viewer, wait_for_jobs):
    viewer.open(str(realdata / "cine" / "siemens_4ch"), plugin=PLUGIN)
    wait_for_jobs()
    (layer,) = viewer.layers
    assert layer.data.shape == (25, 208, 256)
    np.testing.assert_allclose(layer.scale[1:], 1.40625)
    assert layer.scale[0] * 25 == pytest.approx(876.0, rel=0.05)


def test_a_real_stack_dropped_beside_a_real_long_axis(realdata, viewer, wait_for_jobs, errors):
    folder = realdata / "cine" / "sunnybrook_sax" / "SCD0000101"
    viewer.open(str(realdata / "cine" / "siemens_4ch"), plugin=PLUGIN)
    wait_for_jobs()
    viewer.open(str(folder), plugin=PLUGIN)
    wait_for_jobs()
    stack = viewer.layers[1]
    assert stack.data.shape == (12, 20, 256, 256)
    assert stack.scale[0] == pytest.approx(10.0, abs=0.01)  # SliceLocation would say 6.72
    assert viewer.dims.axis_labels == ("slice", "time", "row", "column")
    assert viewer.dims.units is not None
    assert errors == []


def test_real_scouts_are_refused_with_one_message(realdata, viewer, wait_for_jobs, errors):
    folder = realdata / "cine" / "sunnybrook_sax" / "SCD0000101_scout"
    viewer.open(sorted(str(file) for file in folder.glob("*.dcm")), plugin=PLUGIN)
    wait_for_jobs()
    assert len(viewer.layers) == 0
    assert len(errors) == 1


def test_a_short_ecg_that_no_beat_can_be_made_of_is_still_shown(viewer, explorer, wait_for_jobs, errors, tmp_path):
    ecg = read_recording(RECORDINGS / "ecg_wfdb" / "ecg.hea")
    path = write_ecg_wfdb(replace(ecg, signal_mv=ecg.signal_mv[:, :600]), tmp_path, "short")
    viewer.open(str(path), plugin=PLUGIN)
    wait_for_jobs()
    assert "shown as it was recorded" in str(errors[0])
    dock = viewer.window.dock_widgets[f"ECG ({PLUGIN})"]
    assert dock.strip.page.label == "Original: short.hea"
    assert dock.plot.traces == ()  # no reconstruction of somebody else over it
