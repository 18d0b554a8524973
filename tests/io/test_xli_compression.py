import numpy as np
import pytest
from xli_writer import walk, xli_chunk

from napari_latent_explorer.io.xli_compression import leads_in_xli


@pytest.mark.parametrize("n_samples", [3, 4, 5, 500, 5500])
def test_what_is_packed_comes_out_again(n_samples: int) -> None:
    leads = [walk(n_samples, seed) for seed in range(4)] + [np.zeros(n_samples, dtype=np.int64)]
    unpacked = leads_in_xli(b"".join(map(xli_chunk, leads)), n_leads=5, max_samples=n_samples)
    for lead, truth in zip(unpacked, leads, strict=True):
        np.testing.assert_array_equal(lead, truth)


def test_samples_wrap_round_at_16_bits_as_the_devices_count() -> None:
    lead = np.array([32767, -32768, 32767, -32768, 0, 0])
    np.testing.assert_array_equal(leads_in_xli(xli_chunk(lead), 1, 10)[0], lead)


def test_a_word_that_is_just_being_learnt() -> None:
    lead = np.full(600, 7)  # repeats use code N right when it becomes known
    np.testing.assert_array_equal(leads_in_xli(xli_chunk(lead), 1, 600)[0], lead)


def test_only_the_wanted_leads_are_unpacked() -> None:
    content = xli_chunk(walk(100, 0)) + xli_chunk(walk(100, 1)) + b"rubbish"
    assert len(leads_in_xli(content, n_leads=2, max_samples=100)) == 2
    assert leads_in_xli(b"", n_leads=2, max_samples=100) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (xli_chunk(walk(100, 0))[:50], "claims"),
        (b"\xff\xff\xff\xff\1\0\0\0abc", "claims -1 bytes"),
        (b"\0\0\0\x7f\1\0\0\0abc", "claims"),
        (b"\1", "claims"),
        (b"\3\0\0\0\1\0\0\0" + (0b0000000001_1111111110 << 4).to_bytes(3, "big"), "code 1022"),
        (b"\3\0\0\0\1\0\0\0" + (0b0100000000 << 14).to_bytes(3, "big"), "code 256"),
    ],
)
def test_damage_is_said(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        leads_in_xli(content, n_leads=1, max_samples=1000)


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = xli_chunk(np.zeros(200_000, dtype=np.int64))
    assert len(bomb) < 3000
    with pytest.raises(ValueError, match="more than 2000 bytes"):
        leads_in_xli(bomb, n_leads=1, max_samples=1000)
