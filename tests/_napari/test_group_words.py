"""Words above hearts: in order, packed, and cut only where one piece alone is too long."""

from napari_latent_explorer._napari.group_words import packed


def test_words_are_packed_in_order_and_cut_only_alone() -> None:
    assert packed(["12 people", "", "mean"], 20) == ("12 people, mean",)
    assert packed(["12 people", "mean"], 12) == ("12 people", "mean")
    assert packed(["a name that is too long"], 10) == ("a name th…",)
