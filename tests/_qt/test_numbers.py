"""Numbers as people read them."""

import math

import pytest

from napari_latent_explorer._qt.numbers import format_count, format_range, format_value, readable_step, round_to_step


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


@pytest.mark.parametrize(("value", "span", "rounded"), [(57.283, 40.0, 57.3), (1234.0, 900.0, 1230.0), (3.0, 0.0, 3.0)])
def test_dragged_limits_read_well(value, span, rounded):
    assert round_to_step(value, span) == pytest.approx(rounded)


@pytest.mark.parametrize(
    ("step", "readable"), [(0.9, 1.0), (1.1, 2.0), (2.4, 5.0), (6.0, 10.0), (0.03, 0.05), (20.0, 20.0)]
)
def test_ticks_are_one_two_or_five(step, readable):
    assert readable_step(step) == pytest.approx(readable)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (55.0, 65.0, "55 to 65"),
        (60.0, math.inf, "from 60"),
        (-math.inf, 40.0, "to 40"),
        (-math.inf, math.inf, "any value"),
    ],
)
def test_open_ends_of_ranges_are_left_out(low, high, text):
    assert format_range(low, high) == text
