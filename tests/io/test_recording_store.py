from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.cine import ACDC_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.io.recording_store import create_store, read_labels, write_recordings


@pytest.mark.parametrize("labelled", [(0, 2), None])
def test_which_frames_are_labelled_comes_back(tmp_path: Path, labelled: tuple[int, ...] | None) -> None:
    create_store(tmp_path)
    frames = np.zeros((4, 2, 5, 6), dtype=np.uint8)
    frames[[0, 2], 1, 2:4] = 3
    cine = CineMRI(frames, (10.0, 1.5, 1.5), np.arange(4) * 200.0, np.eye(4), "sa", 800.0)
    write_recordings(tmp_path, 0, cine, CineLabels(frames, ACDC_CLASSES, labelled))
    labels = read_labels(tmp_path, 0)
    assert labels.labelled_frames == labelled
    assert labels.names == ACDC_CLASSES
    np.testing.assert_array_equal(labels.frames, frames)


def test_labels_written_before_frames_could_lack_them_are_complete(tmp_path: Path) -> None:
    import zarr

    create_store(tmp_path)
    frames = np.ones((2, 1, 3, 3), dtype=np.uint8)
    cine = CineMRI(frames, (10.0, 1.5, 1.5), np.arange(2) * 400.0, np.eye(4), "sa", 800.0)
    write_recordings(tmp_path, 0, cine, CineLabels(frames, ACDC_CLASSES))
    stored = zarr.open_array(tmp_path / "recordings.zarr" / "000000" / "cine_labels", mode="r+")
    del stored.attrs["labelled_frames"]
    assert read_labels(tmp_path, 0).labelled_frames is None
