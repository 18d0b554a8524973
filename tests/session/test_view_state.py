from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter
from napari_latent_explorer.session.state import ExplorerState
from napari_latent_explorer.session.view_state import EMPTY_VIEW_STATE, resolve


@pytest.fixture
def state(cohort: Cohort) -> ExplorerState:
    return ExplorerState(cohort=cohort, crossfilter=Crossfilter(cohort))


def test_without_a_study_there_is_nothing_to_see() -> None:
    assert resolve(ExplorerState()) is EMPTY_VIEW_STATE


def test_visible_are_those_who_pass_all_filters_and_are_not_excluded(state: ExplorerState) -> None:
    filters = (CategoryFilter("sex", frozenset({"male"})), RangeFilter("age", 0, 9))
    seen = resolve(replace(state, filters=filters, excluded={"P01": "motion", "P20": "motion"}))
    assert np.flatnonzero(seen.visible_mask).tolist() == [3, 5, 7, 9]
    assert (seen.n_visible, seen.n_total) == (4, 38)


def test_selected_are_visible(state: ExplorerState) -> None:
    seen = resolve(replace(state, filters=(RangeFilter("age", 0, 9),), selection=np.array(["P05", "P30"])))
    assert np.flatnonzero(seen.selected_mask).tolist() == [5]
    assert seen.n_selected == 1


def test_charts_count_all_filters_but_their_own_and_never_the_excluded(state: ExplorerState) -> None:
    seen = resolve(replace(state, filters=(RangeFilter("age", 0, 9),), excluded={"P00": "motion"}))
    assert seen.bars["sex"].filtered.tolist() == [4, 5]
    assert seen.bars["sex"].total.tolist() == [19, 20]
    assert seen.bars["age"].filtered.sum() == 39


def test_colours_do_not_depend_on_filters(state: ExplorerState) -> None:
    colored = replace(state, color_by="age")
    all_seen, few_seen = resolve(colored), resolve(replace(colored, filters=(RangeFilter("age", 0, 9),)))
    np.testing.assert_array_equal(all_seen.rgba, few_seen.rgba)
    assert all_seen.legend == few_seen.legend


def test_its_arrays_cannot_be_written(state: ExplorerState) -> None:
    seen = resolve(state)
    for array in (seen.visible_mask, seen.selected_mask, seen.rgba, seen.bars["age"].filtered):
        assert not array.flags.writeable
