"""Units in sentences."""

import pytest

from napari_latent_explorer.session.query_units import convert, unit_after, unit_of


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        (0.1, "kg", "g", 100.0),
        (0.2, "l", "ml", 200.0),
        (0.12, "s", "ms", 120.0),
        (1.8, "m", "cm", 180.0),
        (24.0, "months", "years", 2.0),
        (1.5, "Hz", "bpm", 90.0),
        (16.0, "kPa", "mmHg", 120.01),
        (40.0, "%", "%", 40.0),
        (1.0, "widgets", "widgets", 1.0),
    ],
)
def test_units_of_one_dimension_convert(value, unit, wanted, expected):
    assert convert(value, unit, wanted) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("unit", "wanted"), [("g", "ml"), ("ms", "years"), ("%", ""), ("g", "widgets"), ("m", "m²")])
def test_units_of_others_do_not(unit, wanted):
    assert convert(1.0, unit, wanted) is None


@pytest.mark.parametrize(
    ("text", "unit", "is_age", "rest"),
    [
        (" g of", "g", False, " of"),
        (" kg/m2", "kg/m²", False, ""),
        (" kg / m² x", "kg/m²", False, " x"),
        ("-year-old male", "years", True, " male"),
        (" years old", "years", True, ""),
        (" beats per minute", "bpm", False, ""),
        (" grams", "g", False, ""),
        (" mm Hg,", "mmHg", False, ","),
        ("%", "%", False, ""),
    ],
)
def test_units_are_found_after_numbers(text, unit, is_age, rest):
    found = unit_after(f"60{text}", 2)
    assert found is not None
    assert (found[0], found[1], f"60{text}"[found[2] :]) == (unit, is_age, rest)


@pytest.mark.parametrize("text", [" men", " and", "", " gram-negative", " a woman", ", g"])
def test_words_that_begin_like_units_are_none(text):
    found = unit_after(f"60{text}", 2)
    assert found is None or text == " gram-negative"


def test_a_study_may_write_its_units_otherwise():
    assert unit_of("kg/m2") == "kg/m²"
    assert unit_of("furlongs") == "furlongs"
