"""A process that unpacks compressed pixels, so that a decoder that crashes or hangs on damaged ones takes nobody along.

The decoders behind JPEG, JPEG-LS and JPEG 2000 are large C and C++ libraries. On damaged streams some of them abort the
whole process, others write a complaint to the terminal and give back wrong pixels. Here they work in a process of their
own: what they complain of is damage, and when the process dies the next file gets a new one.

Parent and child exchange a header in JSON, after its length in 4 bytes, and raw bytes; nothing that comes back is
executed. The child is this module run as a program; it ends when its input does.
"""

import atexit
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import reason_of

_LENGTH = struct.Struct("<I")
_MAX_HEADER_BYTES = 1 << 20
_MAX_MEMORY_BYTES = 6 << 30
_START_S, _WORK_S, _FRAME_S = 60.0, 8.0, 0.1
_MAX_COMPLAINT_CHARS = 300


class DecodingError(Exception):
    """Pixels that could not be unpacked; the message says why."""


class DecodingProcess:
    """The process, started when it is first needed and again after it was lost."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def decode(self, transfer_syntax: str, content: bytes, description: Mapping[str, Any]) -> NDArray[Any]:
        """Unpack all frames of one file.

        Parameters
        ----------
        transfer_syntax
            UID of the packing.
        content
            Encapsulated frames, as in the file.
        description
            What pydicom's decoders are to be told about them (rows, columns, bits, ...).

        Raises
        ------
        DecodingError
            When the decoder refuses, complains, crashes, or takes too long.
        """
        header = {"transfer_syntax": transfer_syntax, "n_bytes": len(content), "description": dict(description)}
        with self._lock:
            if self._child is None or self._child.poll() is not None:
                self._start()
            reply, pixels = self._exchange(header, content, _WORK_S + _FRAME_S * description.get("number_of_frames", 1))
        if "error" in reply:
            raise DecodingError(str(reply["error"]))
        return np.frombuffer(pixels, np.dtype(reply["dtype"])).reshape(reply["shape"])

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._end()
        # -P: no folder in which somebody works, perhaps on foreign files, is searched for modules
        program = [sys.executable, "-P", "-m", __name__]
        try:
            self._child = subprocess.Popen(
                program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as refusal:
            raise DecodingError(f"no process could be started for their decoder ({refusal})") from refusal
        self._exchange(None, b"", _START_S)

    def _exchange(
        self, header: Mapping[str, Any] | None, content: bytes, limit_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request, or none, and wait for a reply."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise DecodingError("their decoder is not there")
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(limit_s, give_up)
        timer.start()
        try:
            if header is not None:
                _send(child.stdin, header, content)
            return _receive(child.stdout)
        except (OSError, EOFError, ValueError) as loss:
            self._end()
            why = f"took longer than {limit_s:.0f} s" if is_late.is_set() else "crashed"
            raise DecodingError(f"their decoder {why}, as damaged pixels make it do") from loss
        finally:
            timer.cancel()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue


def decoding_process() -> DecodingProcess:
    """Return the one of this process."""
    return _process_of(os.getpid())


@cache
def _process_of(pid: int) -> DecodingProcess:
    process = DecodingProcess()
    atexit.register(process.close)
    return process


def _send(stream: IO[bytes], header: Mapping[str, Any], content: bytes) -> None:
    text = json.dumps(header).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    stream.write(content)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    (n_bytes,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if n_bytes > _MAX_HEADER_BYTES:
        raise ValueError(f"a header of {n_bytes} bytes")
    header = json.loads(_exactly(stream, n_bytes))
    return header, _exactly(stream, int(header["n_bytes"]))


def _exactly(stream: IO[bytes], n_bytes: int) -> bytes:
    content = stream.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError
    return content


def main() -> None:
    """Unpack what comes in until nothing does."""
    _limit_memory()
    import pydicom.pixels.decoders  # noqa: F401  # before the clock runs

    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    with tempfile.TemporaryFile() as complaints:
        for descriptor in (1, 2):  # the libraries write to both, past Python
            os.dup2(complaints.fileno(), descriptor)
        _send(replies, {"n_bytes": 0}, b"")
        while True:
            try:
                header, content = _receive(requests)
            except EOFError:
                return
            complaints.seek(0)
            complaints.truncate()
            try:
                pixels = _decode(header["transfer_syntax"], content, header["description"])
            except Exception as refusal:  # whatever a decoder finds wrong
                _send(replies, {"error": reason_of(refusal, _MAX_COMPLAINT_CHARS), "n_bytes": 0}, b"")
                continue
            complaints.seek(0)
            complaint = complaints.read(_MAX_COMPLAINT_CHARS).decode("utf-8", "replace").strip()
            if complaint:
                _send(replies, {"error": f"their decoder complains: {complaint}", "n_bytes": 0}, b"")
                continue
            reply = {"dtype": pixels.dtype.str, "shape": pixels.shape, "n_bytes": pixels.nbytes}
            _send(replies, reply, np.ascontiguousarray(pixels).tobytes())


def _decode(transfer_syntax: str, content: bytes, description: dict[str, Any]) -> NDArray[Any]:
    import warnings

    from pydicom.pixels.decoders.base import get_decoder

    warnings.simplefilter("ignore")
    decoder = get_decoder(transfer_syntax)
    # OpenJPEG through its own plugin: it tells damage, and knows all of JPEG 2000
    plugin = "pylibjpeg" if "pylibjpeg" in decoder.available_plugins else ""
    pixels, _ = decoder.as_array(content, raw=True, decoding_plugin=plugin, **description)
    return np.asarray(pixels)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))


if __name__ == "__main__":
    main()
