import numpy as np
import pytest

from napari_latent_explorer.data.arrays import has_real_characters, read_only


def test_the_view_refuses_writing_and_its_source_does_not() -> None:
    source = np.arange(3.0)
    view = read_only(source)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 7.0
    source[0] = 5.0
    assert view[0] == 5.0  # a view, not a copy


def test_a_dtype_is_converted_into_a_copy() -> None:
    source = np.array([1, 2], dtype=np.int64)
    converted = read_only(source, np.float32)
    source[0] = 9
    assert converted.dtype == np.float32
    assert converted.tolist() == [1.0, 2.0]


def test_lists_and_numbers_become_arrays() -> None:
    assert read_only([[1, 2], [3, 4]]).shape == (2, 2)
    assert read_only(3.0).shape == ()


def test_what_is_read_only_already_stays_so() -> None:
    assert not read_only(read_only([1, 2])).flags.writeable


@pytest.mark.parametrize("order", "<>")
def test_texts_of_characters_beyond_unicode_are_noticed(order: str) -> None:
    assert has_real_characters(np.array([["I", "µ", "\U0010ffff"]], dtype=f"{order}U3"))
    assert not has_real_characters(np.array([65, 0x110000], dtype=f"{order}u4").view(f"{order}U2"))
    assert has_real_characters(np.array([2**32 - 1], dtype=np.uint32))
    assert has_real_characters(np.array([], dtype="U3"))
    assert has_real_characters(np.array(["", ""]))
