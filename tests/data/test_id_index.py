import numpy as np
import pytest

from napari_latent_explorer.data.id_index import IdIndex


def test_ids_are_found_where_they_stand() -> None:
    """Against a dictionary; the asked ones are wider, narrower, repeated and strange."""
    rng = np.random.default_rng(0)
    ids = np.array([f"{'ÄP'[i % 2]}{i * 7}" for i in rng.permutation(3000)])
    place = {str(one): row for row, one in enumerate(ids)}
    for asked in (
        ids[rng.integers(3000, size=500)],
        np.array(["P7", "P7", "P8", "", "P7 much longer than any"]),
        ids[:0],
    ):
        assert IdIndex(ids).find(asked).tolist() == [place.get(str(one), -1) for one in asked]


def test_ids_of_the_other_byte_order_are_the_same() -> None:
    ids = np.array(["a", "b", "c"])
    swapped = ids.astype(ids.dtype.newbyteorder("S"))
    assert IdIndex(swapped).find(np.array(["c", "x"])).tolist() == [2, -1]
    assert IdIndex(ids).find(swapped).tolist() == [0, 1, 2]


def test_among_nobody_nobody_is_found() -> None:
    assert IdIndex(np.array([], np.str_)).find(np.array(["a"])).tolist() == [-1]


def test_numbers_that_meet_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first constants all ids have the same number."""
    from napari_latent_explorer.data import id_index

    numbers = id_index._numbers
    monkeypatch.setattr(id_index, "_numbers", lambda ids, seed: numbers(ids, seed) * np.uint64(seed > 0))
    assert IdIndex(np.array(["a", "b", "c"])).find(np.array(["c", "a", "z"])).tolist() == [2, 0, -1]


def test_it_knows_whether_each_occurs_once() -> None:
    assert IdIndex(np.array(["a", "b", "ab"])).is_unique
    assert not IdIndex(np.array(["a", "b", "a"])).is_unique
