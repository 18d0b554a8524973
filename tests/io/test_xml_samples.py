import base64

import numpy as np
import pytest

from napari_latent_explorer.io.xml_samples import bytes_in_base64, integers_in_base64, numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("\t1,2,\n\t\t-3, 4,", [1, 2, -3, 4]),
        ("1 2\n3\t4\r\n5", [1, 2, 3, 4, 5]),
        ("1.5 -2.25 +.5 1e3 7.", [1.5, -2.25, 0.5, 1000, 7]),
        (" \n", []),
        (",5", [5]),
    ],
)
def test_lists_of_numbers(text: str, numbers: list[float]) -> None:
    found = numbers_in(text)
    assert found is not None
    assert found.tolist() == numbers


@pytest.mark.parametrize(
    "text", ["1,,2", "1, ,2", "1 a 2", "nan", "inf", "5-3", "1_0", "e", "9" * 40, "1e13", "--1", "\u0661"]
)
def test_a_list_with_something_else_in_it_is_none(text: str) -> None:
    assert numbers_in(text) is None


def test_long_lists_are_read_piece_by_piece() -> None:
    expected = np.arange(-400_000, 400_000)
    found = numbers_in(",\n".join(map(str, expected)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("n_bytes", "lowest"), [(1, -128), (2, -32768), (4, -(2**31))])
def test_integers_of_every_width_with_line_breaks(n_bytes: int, lowest: int) -> None:
    values = np.array([0, 1, -1, lowest, -lowest - 1], dtype=f"<i{n_bytes}")
    text = base64.encodebytes(values.tobytes()).decode()
    np.testing.assert_array_equal(integers_in_base64(f"\r\n  {text[:4]} \n{text[4:]}", n_bytes), values)


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("AAA", 2), ("AAAA", 2), ("A!==", 1), ("AA==AA==", 1), ("é", 1), ("AAAA", 3)]
)
def test_what_is_no_base64_of_integers_is_none(text: str, n_bytes: int) -> None:
    assert integers_in_base64(text, n_bytes) is None


def test_nothing_is_no_bytes() -> None:
    assert bytes_in_base64(" \n") == b""
