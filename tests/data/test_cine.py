import numpy as np
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, SA_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.errors import RecordingError


def test_a_cine_is_frozen_to_the_last_pixel() -> None:
    pixels = np.zeros((2, 1, 3, 4), dtype=np.uint16)
    cine = CineMRI(pixels, (8.0, 1.5, 1.5), np.array([0, 400]), np.eye(4), "sa", 800)
    with pytest.raises(ValueError, match="read-only"):
        cine.frames[0, 0, 0, 0] = 1
    pixels[0, 0, 0, 0] = 7  # the caller's own array is not made read-only behind their back
    with pytest.raises(AttributeError):
        cine.rr_interval_ms = 1.0
    assert cine.heart_rate_bpm == 75


def test_every_misfit_of_a_cine_is_named_at_once() -> None:
    with pytest.raises(RecordingError) as failure:
        CineMRI(np.zeros((2, 3, 4)), (0.0, 1, 1), np.array([5.0, 4.0, 3.0]), np.eye(4), "sa", np.nan, "a folder")
    for part in ("a folder", "shape (2, 3, 4)", "3,) frame times", "do not increase", "spacing", "lasts nan ms"):
        assert part in str(failure.value)


def test_labels_keep_their_meaning() -> None:
    names = {0: "background", 11: "LV_cavity"}
    labels = CineLabels(np.full((1, 1, 2, 2), 11), names)
    names[11] = "something else"
    assert labels.names[11] == "LV_cavity"
    assert labels.frames.dtype == np.uint8
    assert list(LA_4CH_CLASSES) == list(SA_CLASSES) == list(range(16))


def test_a_label_map_tells_the_frames_that_nobody_labelled_from_background() -> None:
    frames = np.zeros((5, 1, 3, 3))
    frames[[1, 4]] = 11
    assert CineLabels(frames, LA_4CH_CLASSES, (1, 4)).labelled_frames == (1, 4)
    assert CineLabels(frames, LA_4CH_CLASSES, (0, 1, 2, 3, 4)).labelled_frames is None
    assert CineLabels(frames, LA_4CH_CLASSES).labelled_frames is None
    with pytest.raises(RecordingError, match=r"frames other than \[1\] hold labels"):
        CineLabels(frames, LA_4CH_CLASSES, (1,))


@pytest.mark.parametrize("labelled", [(), (4, 1), (1, 1, 4), (1, 5), (-1, 1)])
def test_labelled_frames_that_cannot_be_are_refused(labelled: tuple[int, ...]) -> None:
    frames = np.zeros((5, 1, 3, 3))
    with pytest.raises(RecordingError, match=r"expected increasing numbers from 0 to 4"):
        CineLabels(frames, LA_4CH_CLASSES, labelled)
