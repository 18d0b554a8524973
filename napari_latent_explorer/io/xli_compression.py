"""XLI, the compression of Philips' Sierra ECG XML: one chunk per lead, LZW inside.

A chunk is a header of 8 bytes (length of what follows, int32; a number of unknown use, int16; the first delta, int16;
all little-endian) and 10-bit LZW codes, high bit first, closed by code 1023. They unpack to the high bytes of all
16-bit numbers, then their low bytes. The first two numbers are the first two samples; from then on each number, less
64, is the bend of the lead one sample later: ``z[i] = 2 z[i-1] - z[i-2] - delta[i-1]``.

References
----------
C. A. Watford, sierra-ecg-tools, https://github.com/sixlettervariables/sierra-ecg-tools (the format as found there; the
code here is written anew).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 8
_CODE_BITS = 10
_LAST_CODE = (1 << _CODE_BITS) - 2
_DELTA_OFFSET = 64


def leads_in_xli(content: bytes, n_leads: int, max_samples: int) -> list[NDArray[np.int64]]:
    """Unpack the samples ``(n_samples,)`` of the first `n_leads` chunks, as many as there are.

    Parameters
    ----------
    content
        Chunks, one after the other.
    n_leads
        How many are wanted.
    max_samples
        Most samples that a lead may have.

    Raises
    ------
    ValueError
        When the content is damaged, ends early, or unpacks to more than `max_samples`; says how.
    """
    leads: list[NDArray[np.int64]] = []
    start = 0
    while start < len(content) and len(leads) < n_leads:
        n_bytes = int.from_bytes(content[start : start + 4], "little", signed=True)
        first_delta = int.from_bytes(content[start + 6 : start + _HEADER_BYTES], "little", signed=True)
        start += _HEADER_BYTES
        if not 0 < n_bytes <= len(content) - start:
            raise ValueError(f"chunk {len(leads) + 1} claims {n_bytes} bytes where {max(len(content) - start, 0)} are")
        unpacked = _unpack(content[start : start + n_bytes], 2 * max_samples)
        leads.append(_samples(unpacked, first_delta))
        start += n_bytes
    return leads


def _unpack(chunk: bytes, max_bytes: int) -> bytes:
    """Undo LZW with codes of constant width, whose table stays as it is once it is full."""
    words = [bytes([value]) for value in range(256)]
    unpacked = bytearray()
    before = b""
    for code in _codes(chunk):
        if code > _LAST_CODE:
            break
        if code < len(words):
            word = words[code]
        elif code == len(words) and before:
            word = before + before[:1]
        else:
            raise ValueError(f"code {code} stands where {len(words)} are known")
        if before and len(words) <= _LAST_CODE:
            words.append(before + word[:1])
        unpacked += word
        before = word
        if len(unpacked) > max_bytes + 1:
            raise ValueError(f"it unpacks to more than {max_bytes} bytes")
    return bytes(unpacked)


def _codes(chunk: bytes) -> Iterator[int]:
    held, n_held = 0, 0
    for byte in chunk:
        held = (held << 8) | byte
        n_held += 8
        if n_held >= _CODE_BITS:
            n_held -= _CODE_BITS
            yield held >> n_held
            held &= (1 << n_held) - 1


def _samples(unpacked: bytes, first_delta: int) -> NDArray[np.int64]:
    n_samples = (len(unpacked) + 1) // 2
    halves = np.frombuffer(unpacked.ljust(2 * n_samples, b"\0"), dtype=np.uint8).reshape(2, n_samples).astype(np.int64)
    numbers: NDArray[np.int64] = (halves[0] << 8 | halves[1]).astype(np.int16).astype(np.int64)
    if n_samples < 3:
        return numbers
    bends = np.concatenate([[first_delta], numbers[2:-1] - _DELTA_OFFSET])
    steps = numbers[1] - numbers[0] - np.cumsum(bends)
    samples: NDArray[np.int64] = np.concatenate([numbers[:2], numbers[1] + np.cumsum(steps)])
    return samples.astype(np.int16).astype(np.int64)  # the devices count in 16 bits
