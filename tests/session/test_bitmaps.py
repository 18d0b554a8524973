import numpy as np
import pytest

from napari_latent_explorer.session import bitmaps


@pytest.mark.parametrize("n", [0, 1, 7, 63, 64, 65, 1000, bitmaps.BLOCK_WORDS * 64 + 3])
def test_sets_have_the_sizes_of_their_masks(n: int) -> None:
    rng = np.random.default_rng(n)
    masks = rng.random((4, n)) < 0.4
    words = [bitmaps.pack(mask) for mask in masks]
    for mask, word in zip(masks, words, strict=True):
        np.testing.assert_array_equal(bitmaps.unpack(word, n), mask)
        assert bitmaps.size(word) == mask.sum()
    assert bitmaps.sizes_within(np.stack(words), words[0]).tolist() == (masks & masks[0]).sum(axis=1).tolist()
    together = bitmaps.unpack(bitmaps.intersection(words[:3]), n)
    np.testing.assert_array_equal(together, masks[:3].all(axis=0))
