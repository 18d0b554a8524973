import numpy as np
import pytest

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.vector_text import vector_from_text, vector_to_csv, vector_to_text

VECTOR = np.array([0.1, -2.5e-9, 3.0e12, np.float32(1) / 3, 0.0], np.float32)


@pytest.mark.parametrize("write", [vector_to_text, vector_to_csv, str, repr, lambda v: "\t".join(map(str, v.tolist()))])
def test_what_is_written_here_or_elsewhere_is_read(write) -> None:
    read = vector_from_text(write(VECTOR.astype(np.float32).tolist() if write in (str, repr) else VECTOR), 5)
    np.testing.assert_allclose(read, VECTOR, rtol=1e-7)


@pytest.mark.parametrize("write", [vector_to_text, vector_to_csv])
def test_own_text_is_exact_to_the_last_bit(write) -> None:
    np.testing.assert_array_equal(vector_from_text(write(VECTOR), 5), VECTOR)


def test_a_table_may_be_in_any_order_and_from_a_spreadsheet() -> None:
    np.testing.assert_array_equal(vector_from_text("Dimension\tvalue\n1\t5\n0\t4\n", 2), np.array([4, 5], np.float32))


@pytest.mark.parametrize(
    "text", ["dimension;value\n0;0,5\n1;-1,25\n", "Dimension\tvalue\n0\t0,5\n1\t-1,25", "0,5;-1,25", "0,5\t-1,25"]
)
def test_decimal_commas_of_a_spreadsheet_are_no_separators(text) -> None:
    np.testing.assert_array_equal(vector_from_text(text, 2), np.array([0.5, -1.25], np.float32))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1, 2", "3 numbers was to be pasted; the clipboard holds 2"),
        ("", "holds 0"),
        ("1, 2, three", "holds 'three' where a finite number"),
        ("1, 2, nan", "holds 'nan'"),
        ("1, 2, 1e300", "holds '1e300'"),
        ("dimension,value\n0,1\n2,1", "lacks 1 of 3 dimensions, the first is 1"),
        ("dimension,value\n7,1", "has the dimension '7'; expected 0 to 2"),
    ],
    ids=["few", "nothing", "word", "nan", "huge", "lacking", "strange"],
)
def test_what_is_no_vector_is_refused_and_named(text: str, said: str) -> None:
    with pytest.raises(LatentExplorerError, match=said):
        vector_from_text(text, 3)
