"""Numbers as people read them."""

import math

import pytest

from napari_latent_explorer._qt.numbers import format_count, format_limit, format_range, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (152.4, "152"),
        (55.0, "55"),
        (5.426, "5.43"),
        (0.07123, "0.0712"),
        (0.0, "0"),
        (-3.5, "-3.50"),
        (1234.5, "1,234"),
    ],
)
def test_values_have_three_significant_digits(value, text):
    assert format_value(value) == text


def test_what_is_no_number_is_said_to_be_unknown():
    assert format_value(math.nan) == "?"


def test_counts_have_their_thousands_apart():
    assert format_count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("value", "text"), [(4.9, "4.9"), (0.5, "0.5"), (9.0, "9"), (1200.0, "1,200"), (4e-7, "4e-07"), (-0.7, "-0.7")]
)
def test_limits_have_no_zeros_that_say_nothing(value, text):
    assert format_limit(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (55.0, 65.0, "55 to 65"),
        (55.0, math.nextafter(65.0, 0.0), "55 to <65"),
        (60.0, math.inf, "from 60"),
        (-math.inf, 40.0, "to 40"),
        (-math.inf, math.inf, "any value"),
    ],
)
def test_open_ends_of_ranges_are_left_out(low, high, text):
    assert format_range(low, high) == text
