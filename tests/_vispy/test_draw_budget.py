"""How many discs a card draws between two frames."""

import pytest

from napari_latent_explorer._vispy.draw_budget import (
    FEWEST_POINTS,
    MOST_POINTS,
    N_TRIED,
    SECONDS_PER_FRAME,
    discs_per_frame,
)


@pytest.mark.parametrize(
    ("seconds_per_disc", "expected"),
    [
        (SECONDS_PER_FRAME / 100_000, 100_000),
        (SECONDS_PER_FRAME / 10_000, FEWEST_POINTS),
        (SECONDS_PER_FRAME / 1e9, MOST_POINTS),
        (0.0, MOST_POINTS),
    ],
)
def test_it_is_what_takes_one_frame_within_limits(seconds_per_disc, expected):
    found = discs_per_frame(lambda number: 0.005 + number * seconds_per_disc)
    assert found == pytest.approx(expected, abs=1)


def test_a_hiccup_of_the_machine_is_no_slow_card():
    tries = iter([0.9, 0.005 + N_TRIED * 1e-7, 0.9, 0.9, 0.005, 0.9])
    assert discs_per_frame(lambda _: next(tries)) == pytest.approx(SECONDS_PER_FRAME / 1e-7, abs=1)
