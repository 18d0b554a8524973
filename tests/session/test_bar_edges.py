"""Where the bars of a histogram begin and end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_latent_explorer.session.bar_edges import MOST_BARS, N_TAIL_STEPS, are_between_whole_numbers, bar_edges

RNG = np.random.default_rng(0)


def test_bars_begin_and_end_at_numbers_that_people_count_in() -> None:
    edges = bar_edges(RNG.uniform(41.3, 68.9, 2000))
    assert np.diff(edges).tolist() == [2.0] * (len(edges) - 1)
    assert (edges[0], edges[-1]) == (40.0, 70.0)
    fine = bar_edges(RNG.uniform(0.61, 0.79, 2000))
    np.testing.assert_array_equal(fine, [round(edge, 2) for edge in np.arange(0.61, 0.791, 0.01)])


def test_whole_numbers_have_bars_of_their_own() -> None:
    assert bar_edges(np.array([0.0, 1.0, 1.0, 3.0])).tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]
    edges = bar_edges(RNG.integers(40, 83, 5000).astype(float))
    assert are_between_whole_numbers(edges)
    assert set(np.diff(edges)) == {2.0}


def test_single_values_far_off_do_not_make_the_others_one_bar() -> None:
    values = np.exp(RNG.normal(5.0, 1.0, 20_000))
    values[:3] = 180_000.0
    edges = bar_edges(values)
    counts, _ = np.histogram(values, edges)
    assert counts.max() < 0.5 * len(values)
    assert edges[-1] == 180_000.0
    assert counts[-1] < 0.01 * len(values)
    assert set(np.diff(edges)[:-1]) == {edges[1] - edges[0]}


@pytest.mark.parametrize("values", [[], [3.7], [3.0, 3.0], [0.0], [-1e308, 1e308], [1e15, 1e15 + 0.25]], ids=str)
def test_there_is_always_a_bar(values) -> None:
    edges = bar_edges(np.array(values, float))
    assert len(edges) > 1
    assert (np.diff(edges) > 0).all()


@given(arrays(float, st.integers(1, 60), elements=st.floats(-1e12, 1e12, allow_subnormal=False)))
def test_every_value_is_in_one_of_not_too_many_bars(values) -> None:
    edges = bar_edges(values)
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= values.min() <= values.max() <= edges[-1]
    assert len(edges) - 1 <= MOST_BARS + 2 * N_TAIL_STEPS + 4
