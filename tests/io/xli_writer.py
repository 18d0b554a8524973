"""Packs leads by XLI, as Philips' devices do, for tests of what unpacks them."""

import numpy as np


def xli_chunk(samples: np.ndarray) -> bytes:
    """Pack one lead: second differences less an offset, high bytes before low bytes, LZW of 10 bits."""
    z = samples.astype(np.int64)
    bend = 2 * z[1:-1] - z[:-2] - z[2:]  # what a straight line would give, less what is
    numbers = np.concatenate([z[:2], bend[1:] + 64, [64]]) & 0xFFFF
    packed = lzw(np.concatenate([numbers >> 8, numbers & 0xFF]).astype(np.uint8).tobytes())
    return len(packed).to_bytes(4, "little") + b"\1\0" + int(bend[0] & 0xFFFF).to_bytes(2, "little") + packed


def lzw(content: bytes) -> bytes:
    table = {bytes([value]): value for value in range(256)}
    word, codes = b"", []
    for value in content:
        longer = word + bytes([value])
        if longer not in table:
            codes.append(table[word])
            if len(table) < 1023:
                table[longer] = len(table)
            longer = bytes([value])
        word = longer
    bits = "".join(f"{code:010b}" for code in [*codes, table[word], 1023])
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def walk(n_samples: int, seed: int, largest_step: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(-largest_step, largest_step + 1, size=n_samples).cumsum()
