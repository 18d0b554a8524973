import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from pydicom.encaps import encapsulate

from napari_latent_explorer.io import decoding_process as module
from napari_latent_explorer.io.decoding_process import DecodingError, DecodingProcess

JPEG_2000 = "1.2.840.10008.1.2.4.90"
DESCRIPTION = {
    "rows": 40,
    "columns": 48,
    "number_of_frames": 1,
    "samples_per_pixel": 1,
    "photometric_interpretation": "MONOCHROME2",
    "bits_allocated": 16,
    "bits_stored": 16,
    "pixel_representation": 0,
    "pixel_keyword": "PixelData",
}


@pytest.fixture
def process() -> Iterator[DecodingProcess]:
    started = DecodingProcess()
    yield started
    started.close()


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4096, (40, 48)).astype(np.uint16)


@pytest.fixture(scope="module")
def content(pixels: np.ndarray) -> bytes:
    from pydicom.pixels.encoders.base import get_encoder

    return encapsulate([get_encoder(JPEG_2000).encode(pixels, **DESCRIPTION)])


def test_what_comes_back_is_what_was_packed(process: DecodingProcess, content: bytes, pixels: np.ndarray) -> None:
    for _ in range(3):
        np.testing.assert_array_equal(np.squeeze(process.decode(JPEG_2000, content, DESCRIPTION)), pixels)


def test_a_refusal_is_passed_on_and_the_process_goes_on(
    process: DecodingProcess, content: bytes, pixels: np.ndarray
) -> None:
    with pytest.raises(DecodingError, match="Unable to decode"):
        process.decode(JPEG_2000, encapsulate([bytes(50)]), DESCRIPTION)
    with pytest.raises(DecodingError):
        process.decode("no syntax", content, DESCRIPTION)
    np.testing.assert_array_equal(np.squeeze(process.decode(JPEG_2000, content, DESCRIPTION)), pixels)


def test_a_crash_costs_one_file_and_no_more(
    process: DecodingProcess, content: bytes, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.decode(JPEG_2000, content, DESCRIPTION)
    send = module._send

    def kill_and_send(*arguments: object) -> None:
        process._child.kill()  # type: ignore[union-attr]
        send(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_send", kill_and_send)
    with pytest.raises(DecodingError, match="their decoder crashed"):
        process.decode(JPEG_2000, content, DESCRIPTION)
    monkeypatch.undo()
    np.testing.assert_array_equal(np.squeeze(process.decode(JPEG_2000, content, DESCRIPTION)), pixels)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot halt a process")
def test_a_decoder_that_hangs_is_given_up(
    process: DecodingProcess, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.decode(JPEG_2000, content, DESCRIPTION)
    os.kill(process._child.pid, signal.SIGSTOP)  # type: ignore[union-attr]
    monkeypatch.setattr(module, "_WORK_S", 0.2)
    with pytest.raises(DecodingError, match="took longer than 0 s"):
        process.decode(JPEG_2000, content, DESCRIPTION)


def test_the_process_ends_when_it_is_closed(process: DecodingProcess, content: bytes) -> None:
    process.decode(JPEG_2000, content, DESCRIPTION)
    child = process._child
    process.close()
    assert child is not None
    assert child.poll() is not None
    process.close()
