"""Numbers that people count in."""

import pytest

from napari_latent_explorer.data.readable_numbers import readable_step, round_to_step


@pytest.mark.parametrize(
    ("value", "span", "rounded"), [(57.283, 40.0, 57.3), (1234.0, 900.0, 1230.0), (3.0, 0.0, 3.0), (7.28, 20.0, 7.3)]
)
def test_dragged_limits_read_well(value, span, rounded):
    assert round_to_step(value, span) == rounded


@pytest.mark.parametrize(
    ("step", "readable"), [(0.9, 1.0), (1.1, 2.0), (2.4, 5.0), (6.0, 10.0), (0.03, 0.05), (20.0, 20.0)]
)
def test_ticks_are_one_two_or_five(step, readable):
    assert readable_step(step) == pytest.approx(readable)
