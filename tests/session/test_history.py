import numpy as np
import pytest
from memory_study import LinearBundle, decode_linearly, make_study
from psygnal.testing import assert_emitted_once, assert_not_emitted

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter, RangeFilter
from napari_latent_explorer.session.history import History, Moment
from napari_latent_explorer.session.state import with_projection, with_selected

WOMEN = CategoryFilter("sex", frozenset({"female"}))


def settle(explorer: Explorer) -> None:
    assert explorer.jobs.wait(60.0)
    assert explorer.decode.wait(20.0)


def test_opening_is_no_step(explorer: Explorer) -> None:
    assert not explorer.can_undo
    assert not explorer.can_redo
    with assert_emitted_once(explorer.history_changed):  # nothing to take back, and the buttons may ask again
        explorer.undo()
    assert explorer.probe.label.startswith("mean of all")


def test_opening_another_study_clears_the_history(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.open(make_study(10), LinearBundle())
    settle(explorer)
    assert not explorer.can_undo
    explorer.undo()
    assert explorer.filters == ()


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda e: e.set_filter(RangeFilter("age", 0, 9)), "Filter by Age 0 to 9 years"),
        (lambda e: e.select(["P00", "P01"]), "Select 2 participants"),
        (lambda e: e.select(["P00"]), "Select 1 participant"),
        (lambda e: e.exclude(["P00", "P01"], "motion"), "Exclude 2 participants (motion)"),
        (lambda e: e.create_group("Old"), "Make Old"),
        (lambda e: e.set_color_by("age"), "Colour by Age"),
        (lambda e: e.set_representative_method("mean"), "Represent groups by mean"),
        (lambda e: e.probe_participant("P03"), "Start the probe at P03, MRI"),
        (lambda e: e.probe.move(2, 1.5), "Move latent dimension 2"),
        (lambda e: e.probe.move_to(np.arange(6)), "Move 6 latent dimensions"),
        (lambda e: e.probe.set_locked(3, True), "Lock latent dimension 3"),
    ],
    ids=["filter", "select", "select one", "exclude", "group", "colour", "method", "probe", "move", "move all", "lock"],
)
def test_a_wish_is_one_step_that_is_named_and_taken_back(explorer, act, text) -> None:
    before, vector = explorer.state, explorer.probe.vector
    with assert_emitted_once(explorer.history_changed):
        act(explorer)
    after, moved = explorer.state, explorer.probe.vector
    assert explorer.undo_text == text
    explorer.undo()
    assert not explorer.can_undo
    assert explorer.redo_text == text
    assert explorer.state.filters is before.filters
    assert explorer.state.groups is before.groups
    np.testing.assert_array_equal(explorer.probe.vector, vector)
    explorer.redo()
    assert explorer.state.filters == after.filters
    assert explorer.state.groups == after.groups
    np.testing.assert_array_equal(explorer.selection, after.selection)
    np.testing.assert_array_equal(explorer.probe.vector, moved)


def test_locks_are_undone_and_stay_when_the_probe_begins_elsewhere(explorer: Explorer) -> None:
    explorer.probe.set_locked(3, True)
    explorer.probe_participant("P03")
    assert explorer.probe.locked == {3}
    explorer.undo()
    explorer.undo()
    assert not explorer.probe.locked
    with assert_emitted_once(explorer.probe.locks_changed):
        explorer.redo()
    assert explorer.probe.locked == {3}
    explorer.open(explorer.study)  # type: ignore[arg-type]
    assert not explorer.probe.locked


def test_looking_is_no_step(explorer: Explorer) -> None:
    with assert_not_emitted(explorer.history_changed):
        explorer.show_participant("P03")
    settle(explorer)
    explorer.set_filter(WOMEN)
    explorer.undo()
    assert explorer.current_participant == "P03"


def test_what_comes_from_a_worker_is_no_step_and_is_not_taken_back(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    predictors = explorer.predictors
    explorer.fit_predictors()
    settle(explorer)
    assert explorer.predictors is not predictors
    newer = explorer.predictors
    explorer.undo()
    assert explorer.predictors is newer
    assert not explorer.can_undo


def test_a_batch_is_one_step_with_what_the_probe_did(explorer: Explorer) -> None:
    with explorer.batch():
        explorer.set_filter(WOMEN)
        explorer.select(["P02"])
        explorer.probe_participant("P02")
    assert explorer.view_state.n_visible == 20
    explorer.undo()
    assert (len(explorer.filters), len(explorer.selection)) == (0, 0)
    assert explorer.probe.label.startswith("mean")
    assert not explorer.can_undo


def test_a_gesture_is_one_step(explorer: Explorer) -> None:
    explorer.begin_gesture()
    for high in range(5, 15):
        explorer.set_filter(RangeFilter("age", 0, high))
    assert not explorer.can_undo
    explorer.end_gesture()
    assert explorer.undo_text == "Filter by Age 0 to 14 years"
    explorer.undo()
    assert explorer.filters == ()


def test_a_gesture_that_changes_nothing_is_no_step_and_keeps_what_can_be_redone(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.undo()
    explorer.begin_gesture()
    with assert_not_emitted(explorer.history_changed):
        explorer.end_gesture()
        explorer.end_gesture()
    assert explorer.can_redo


def test_undo_in_the_middle_of_a_gesture_takes_the_gesture_back(explorer: Explorer) -> None:
    explorer.begin_gesture()
    explorer.probe.move(0, 3.0)
    explorer.undo()
    assert len(explorer.probe.moved_dims) == 0
    explorer.probe.move(1, 3.0)
    assert explorer.undo_text == "Move latent dimension 1"


def test_a_new_wish_forgets_what_was_undone(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.undo()
    explorer.set_color_by("age")
    assert not explorer.can_redo
    explorer.redo()
    assert explorer.filters == ()


def test_undo_tells_each_thing_once_and_decodes_the_former_vector(explorer: Explorer) -> None:
    explorer.select(["P02"])
    explorer.create_group()
    settle(explorer)
    outcomes = []
    explorer.decode.decoded.connect(outcomes.append)
    with assert_emitted_once(explorer.groups_changed), assert_emitted_once(explorer.view_state_changed):
        explorer.undo()
    settle(explorer)
    np.testing.assert_array_equal(outcomes[-1].vector, explorer.latents["mri"].mean)


def test_a_hundred_steps_are_kept_and_the_oldest_beyond_them_forgotten(explorer: Explorer) -> None:
    for age in range(250):
        explorer.set_filter(RangeFilter("age", 0, 40 + age))
    n = 0
    while explorer.can_undo:
        explorer.undo()
        n += 1
    assert n == 200
    assert explorer.filters == (RangeFilter("age", 0, 89),)


def test_a_lasso_on_a_map_that_is_gone_is_not_brought_back(explorer: Explorer) -> None:
    projection = explorer.projections["mri"]
    everywhere = ((-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6))
    explorer.set_filter(MapFilter("mri", everywhere, projection.fingerprint))
    explorer.set_filter(WOMEN)
    explorer.remove_filter("map:mri")
    other = Projection(
        projection.coordinates + 1, projection.participant_ids, "mri", "pca", {}, projection.bundle_fingerprint
    )
    explorer._set(with_projection(explorer.state, other))
    explorer.undo()
    assert explorer.filters == (WOMEN,)
    assert explorer.view_state.n_visible == 20


def test_selections_among_many_people_cost_a_bit_each() -> None:
    explorer = Explorer(decode_fn=decode_linearly)
    study = make_study(20_000)
    study.spaces = {}
    explorer.open(study)
    now = explorer.moment()
    history = History()
    history.clear(now)
    half = explorer.cohort.participant_ids[::2].tolist()
    for number in range(120):
        state = with_selected(explorer.state, half[number:], "replace")
        assert history.record(Moment(state))
    assert history.n_bytes < 120 * 2 * (20_000 // 8 + 100)
    gone_back = history.undo(Moment(state))
    np.testing.assert_array_equal(gone_back.state.selection, np.array(half[118:]))
    explorer.close()


def test_groups_that_only_the_history_holds_are_bounded() -> None:
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(make_study(200))
    explorer.jobs.cancel_all()
    explorer.history = History(max_bytes=3 * explorer.cohort.participant_ids.nbytes)
    explorer.history.clear(explorer.moment())
    for _ in range(10):
        explorer.create_group()
        explorer.remove_group("Group A")
    n = 0
    while explorer.can_undo:
        explorer.undo()
        n += 1
    assert 1 <= n <= 4
    explorer.close()
