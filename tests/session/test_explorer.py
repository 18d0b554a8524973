import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from psygnal.testing import assert_emitted_once, assert_emitted_once_with, assert_not_emitted

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.errors import BundleError, LatentExplorerError, StudyError, TableError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter, RangeFilter
from napari_latent_explorer.session.view_state import resolve

WOMEN = CategoryFilter("sex", frozenset({"female"}))
YOUNG = RangeFilter("age", 0, 9)
SIGNALS = (
    "study_changed",
    "bundle_changed",
    "projections_changed",
    "predictors_changed",
    "filters_changed",
    "selection_changed",
    "groups_changed",
    "active_group_changed",
    "comparison_changed",
    "color_by_changed",
    "view_state_changed",
)


@contextmanager
def heard(explorer: Explorer) -> Iterator[list[str]]:
    """Names of the signals in the order in which they came."""
    names: list[str] = []
    for name in SIGNALS:
        getattr(explorer, name).connect(lambda *_, name=name: names.append(name))
    yield names


def settle(explorer: Explorer) -> None:
    assert explorer.jobs.wait(90.0)
    assert explorer.decode.wait(20.0)


# ---- opening


def test_opening_brings_cohort_latents_maps_predictors_and_a_decoded_mean(explorer: Explorer, study: Any) -> None:
    assert explorer.cohort is study.people
    assert set(explorer.latents) == {"mri", "ecg"}
    assert {name: projection.method for name, projection in explorer.projections.items()} == {
        "mri": "pca",
        "ecg": "pca",
    }
    assert explorer.predictors is not None
    assert explorer.predictors.rows == ("MRI", "ECG", "MRI + ECG")
    np.testing.assert_allclose(explorer.probe.origin, explorer.latents["mri"].mean)
    assert explorer.view_state.n_total == 40


def test_opening_tells_each_thing_once(empty_explorer: Explorer, study: Any, bundle: Any) -> None:
    with heard(empty_explorer) as names:
        empty_explorer.open(study, bundle)
        settle(empty_explorer)
    assert names == [
        "study_changed",
        "projections_changed",
        "view_state_changed",
        "bundle_changed",
        "predictors_changed",
    ]


def test_stored_maps_are_used_and_damaged_ones_are_named(empty_explorer: Explorer, study: Any, bundle: Any) -> None:
    ids = study.people.participant_ids
    stored = Projection(np.ones((40, 2)), ids, "mri", "tsne", {}, bundle.fingerprint)
    study.maps["mri", bundle.fingerprint] = stored.to_arrays()
    study.maps["ecg", bundle.fingerprint] = stored.to_arrays()  # of other people than the latents
    warnings: list[str] = []
    empty_explorer.warning_raised.connect(warnings.append)
    empty_explorer.open(study, bundle)
    assert empty_explorer.projections["mri"].method == "tsne"
    assert empty_explorer.projections["ecg"].method == "pca"
    assert len(warnings) == 1
    assert "ecg map" in warnings[0]


def test_a_study_that_was_not_encoded_can_be_filtered(empty_explorer: Explorer, study: Any, other_bundle: Any) -> None:
    warnings: list[str] = []
    empty_explorer.warning_raised.connect(warnings.append)
    empty_explorer.open(study, other_bundle)
    assert "has not been encoded by this model" in warnings[0]
    assert warnings[1] == "only seen lines"
    empty_explorer.set_filter(WOMEN)
    assert empty_explorer.view_state.n_visible == 20
    group = empty_explorer.create_group()
    assert group.representative is None


def test_maps_show_before_the_bundle_is_there(empty_explorer: Explorer, study: Any, bundle: Any) -> None:
    outcomes: list[Any] = []
    empty_explorer.decode.decoded.connect(outcomes.append)
    empty_explorer.open(study)
    settle(empty_explorer)
    assert set(empty_explorer.projections) == {"mri", "ecg"}
    assert outcomes == []
    empty_explorer.set_bundle(bundle)
    settle(empty_explorer)
    np.testing.assert_array_equal(outcomes[0].vector, empty_explorer.probe.vector)
    assert outcomes[0].predictions is not None


def test_a_bundle_that_did_not_make_the_latents_is_refused(explorer: Explorer, other_bundle: Any, bundle: Any) -> None:
    with pytest.raises(BundleError, match="were made by bundle linear0, not by other00"):
        explorer.set_bundle(other_bundle)
    assert explorer.bundle is bundle


def test_opening_another_study_forgets_everything(explorer: Explorer, study: Any, bundle: Any) -> None:
    explorer.set_filter(YOUNG)
    explorer.select(["P02"])
    explorer.create_group()
    explorer.set_color_by("age")
    explorer.exclude(["P30"], "motion")
    explorer.open(study, bundle)
    settle(explorer)
    assert (explorer.filters, explorer.groups, explorer.active_group, explorer.color_by) == ((), (), None, None)
    assert len(explorer.selection) == len(explorer.excluded) == 0
    assert explorer.view_state.n_visible == 40


def test_nothing_can_be_asked_of_a_study_that_is_not_open(empty_explorer: Explorer) -> None:
    for ask in (
        lambda: empty_explorer.set_filter(WOMEN),
        lambda: empty_explorer.select(["P00"]),
        lambda: empty_explorer.create_group(),
        lambda: empty_explorer.show_participant("P00"),
        lambda: empty_explorer.probe_mean(),
    ):
        with pytest.raises(StudyError):
            ask()


# ---- one change, one emission


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda e: e.set_filter(WOMEN), ["filters_changed", "view_state_changed"]),
        (lambda e: e.select(["P00"]), ["selection_changed", "view_state_changed"]),
        (lambda e: e.set_color_by("age"), ["color_by_changed", "view_state_changed"]),
        (lambda e: e.exclude(["P00"], "motion"), ["filters_changed", "view_state_changed"]),
        (lambda e: e.create_group(), ["groups_changed", "active_group_changed", "view_state_changed"]),
    ],
)
def test_a_change_is_told_once_and_the_same_again_not_at_all(
    explorer: Explorer, change: Callable[[Explorer], Any], expected: list[str]
) -> None:
    with heard(explorer) as names:
        change(explorer)
    assert names == expected
    if "groups_changed" not in expected:
        names.clear()
        change(explorer)
        assert names == []


def test_a_filter_that_hides_selected_participants_tells_both_changes_and_one_view_state(explorer: Explorer) -> None:
    explorer.select(["P00", "P01", "P20"])
    with heard(explorer) as names:
        explorer.set_filter(YOUNG)
    assert names == ["filters_changed", "selection_changed", "view_state_changed"]
    assert explorer.selection.tolist() == ["P00", "P01"]


def test_a_batch_tells_once_at_its_end(explorer: Explorer) -> None:
    with heard(explorer) as names, explorer.batch():
        explorer.set_filter(YOUNG)
        with explorer.batch():
            explorer.set_filter(WOMEN)
            explorer.select(["P02"])
        explorer.set_color_by("lvef")
        assert names == []
    assert names == ["filters_changed", "selection_changed", "color_by_changed", "view_state_changed"]


def test_a_batch_that_comes_back_to_where_it_began_tells_no_selection(explorer: Explorer) -> None:
    with assert_not_emitted(explorer.color_by_changed), explorer.batch():
        explorer.set_color_by("age")
        explorer.set_color_by(None)


def test_a_batch_that_fails_tells_what_had_changed(explorer: Explorer) -> None:
    def fail_half_way() -> None:
        with explorer.batch():
            explorer.set_filter(WOMEN)
            explorer.set_filter(RangeFilter("height", 0, 1))

    with assert_emitted_once(explorer.filters_changed), pytest.raises(TableError):
        fail_half_way()
    assert explorer.filters == (WOMEN,)


def test_listeners_already_see_the_new_view_state(explorer: Explorer) -> None:
    seen: list[int] = []
    explorer.filters_changed.connect(lambda: seen.append(explorer.view_state.n_visible))
    explorer.set_filter(WOMEN)
    assert seen == [20]


def test_the_view_state_is_that_of_resolve(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.select(["P02", "P04"])
    explorer.set_color_by("diabetes")
    again = resolve(explorer.state)
    np.testing.assert_array_equal(again.visible_mask, explorer.view_state.visible_mask)
    np.testing.assert_array_equal(again.selected_mask, explorer.view_state.selected_mask)
    np.testing.assert_array_equal(again.rgba, explorer.view_state.rgba)
    assert again.legend == explorer.view_state.legend
    assert dict(again.bars) == dict(explorer.view_state.bars)


# ---- filters, selection, exclusion


def test_a_phenotype_has_one_filter_and_keeps_its_place(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.set_filter(YOUNG)
    men = CategoryFilter("sex", frozenset({"male"}))
    explorer.set_filter(men)
    assert explorer.filters == (men, YOUNG)
    explorer.remove_filter("sex")
    assert explorer.filters == (YOUNG,)
    explorer.clear_filters()
    assert explorer.view_state.n_visible == 40


def test_a_filter_that_does_not_fit_changes_nothing(explorer: Explorer) -> None:
    with assert_not_emitted(explorer.filters_changed), pytest.raises(TableError):
        explorer.set_filter(RangeFilter("sex", 0, 1))
    assert explorer.filters == ()


def test_only_visible_participants_can_be_selected(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.select(["P00", "P01", "P02"])
    assert explorer.selection.tolist() == ["P00", "P02"]


def test_selection_modes(explorer: Explorer) -> None:
    explorer.select(["P05", "P01"])
    assert explorer.selection.tolist() == ["P01", "P05"]
    explorer.select(["P02"], "add")
    assert explorer.selection.tolist() == ["P01", "P02", "P05"]
    explorer.select(["P01", "P09"], "subtract")
    assert explorer.selection.tolist() == ["P02", "P05"]
    explorer.select(["P02", "P03"], "toggle")
    assert explorer.selection.tolist() == ["P03", "P05"]
    explorer.clear_selection()
    assert explorer.selection.size == 0
    with pytest.raises(LatentExplorerError, match="selection mode"):
        explorer.select([], "invert")  # type: ignore[arg-type]


def test_a_stranger_cannot_be_selected(explorer: Explorer) -> None:
    with pytest.raises(KeyError):
        explorer.select(["P99"])


def test_excluded_participants_leave_counts_selection_and_totals(explorer: Explorer) -> None:
    explorer.select(["P00", "P01"])
    explorer.exclude(["P00"], "wrong plane")
    assert explorer.selection.tolist() == ["P01"]
    assert explorer.view_state.n_total == explorer.view_state.n_visible == 39
    assert explorer.view_state.bars["sex"].total.tolist() == [19, 20]
    assert dict(explorer.excluded) == {"P00": "wrong plane"}
    explorer.restore_excluded()
    assert explorer.view_state.n_total == 40


def test_some_of_the_excluded_can_be_restored(explorer: Explorer) -> None:
    explorer.exclude(["P00", "P01"], "motion")
    explorer.restore_excluded(["P01"])
    assert list(explorer.excluded) == ["P00"]
    with assert_not_emitted(explorer.filters_changed):
        explorer.restore_excluded(["P01"])


# ---- groups


def test_a_group_is_made_of_the_selected_or_else_of_the_visible(explorer: Explorer) -> None:
    explorer.set_filter(YOUNG)
    by_filter = explorer.create_group()
    assert by_filter.participant_ids.tolist() == [f"P{i:02}" for i in range(10)]
    assert by_filter.recipe.describe() == "Age 0 to 9 years"
    explorer.select(["P03", "P01"])
    by_hand = explorer.create_group("Ours")
    assert by_hand.participant_ids.tolist() == ["P01", "P03"]
    assert by_hand.recipe.describe() == "Age 0 to 9 years; selected by hand"
    by_id = explorer.create_group(participant_ids=["P39"])
    assert [group.name for group in explorer.groups] == ["Group A", "Ours", "Group B"]
    assert len({group.color for group in explorer.groups}) == 3
    assert explorer.active_group is by_id


def test_the_probe_begins_at_the_active_groups_representative(explorer: Explorer) -> None:
    first = explorer.create_group(participant_ids=["P00", "P01", "P02"])
    explorer.create_group(participant_ids=["P39"])
    np.testing.assert_array_equal(explorer.probe.origin, explorer.latents["mri"].of(["P39"])[0])
    explorer.set_active_group(first.name)
    assert first.representative is not None
    np.testing.assert_array_equal(explorer.probe.origin, first.representative.vector)
    assert first.representative.participant_id in first.participant_ids
    assert explorer.probe.label.startswith("Group A, nearest to the mean: P")


def test_the_representative_method_changes_all_groups_and_moves_the_probe(explorer: Explorer) -> None:
    explorer.create_group(participant_ids=["P00", "P01"])
    explorer.create_group(participant_ids=["P10", "P11"])
    with assert_emitted_once(explorer.groups_changed), assert_emitted_once(explorer.view_state_changed):
        explorer.set_representative_method("mean")
    latents = explorer.latents["mri"]
    np.testing.assert_allclose(explorer.probe.origin, latents.of(["P10", "P11"]).mean(axis=0), rtol=1e-6)
    first = explorer.groups[0].representative
    assert first is not None
    np.testing.assert_allclose(first.vector, latents.of(["P00", "P01"]).mean(axis=0), rtol=1e-6)
    assert explorer.active_group is explorer.groups[1]
    with pytest.raises(LatentExplorerError, match="Unknown representative"):
        explorer.set_representative_method("best")  # type: ignore[arg-type]


def test_renaming_and_removing_keep_the_active_group_right(explorer: Explorer) -> None:
    explorer.create_group("A", ["P00"])
    explorer.create_group("B", ["P01"])
    explorer.rename_group("B", "C")
    assert explorer.active_group is not None
    assert explorer.active_group.name == "C"
    with assert_not_emitted(explorer.active_group_changed):
        explorer.remove_group("A")
    with assert_emitted_once(explorer.active_group_changed):
        explorer.remove_group("C")
    assert explorer.groups == ()
    assert explorer.active_group is None


def test_groups_that_make_no_sense_are_refused(explorer: Explorer) -> None:
    explorer.create_group("A", ["P00"])
    for ask, words in (
        (lambda: explorer.create_group("A", ["P01"]), "unique"),
        (lambda: explorer.create_group(" ", ["P01"]), "not empty"),
        (lambda: explorer.create_group("B", []), "needs participants"),
        (lambda: explorer.remove_group("B"), "no group 'B'; there are A"),
        (lambda: explorer.set_active_group("B"), "no group 'B'"),
        (lambda: explorer.rename_group("A", ""), "not empty"),
    ):
        with pytest.raises(LatentExplorerError, match=words):
            ask()
    assert [group.name for group in explorer.groups] == ["A"]


def test_a_group_of_people_without_latents_has_no_representative(empty_explorer: Explorer, study: Any) -> None:
    del study.spaces["mri", "linear0"]
    empty_explorer.open(study)
    assert empty_explorer.create_group("Without", ["P00"]).representative is None
    with_latents = empty_explorer.create_group("Some", ["P00", "P01"]).representative
    assert with_latents is not None
    assert with_latents.participant_id == "P01"
    settle(empty_explorer)


# ---- probe and decoding


def test_moving_the_probe_decodes_it_and_predicts_from_it(explorer: Explorer) -> None:
    outcomes: list[Any] = []
    explorer.decode.decoded.connect(outcomes.append)
    explorer.probe.move(0, 17.0)
    settle(explorer)
    assert outcomes[-1].result.cine[0, 0, 0] == 17.0
    age = [spec.name for spec in outcomes[-1].predictions.targets].index("age")
    assert outcomes[-1].predictions.values[0, age] == pytest.approx(17.0, abs=1.0)  # the first latent is the age


def test_a_decoder_that_fails_is_told_and_the_next_vector_is_decoded(study: Any, bundle: Any) -> None:
    def decode(_: Any, vector: Any) -> Any:
        if vector[0] == 13:
            raise RuntimeError("out of memory")
        return type("Result", (), {"vector": vector})()

    explorer = Explorer(decode_fn=decode)
    errors: list[Exception] = []
    outcomes: list[Any] = []
    explorer.failed.connect(errors.append)
    explorer.decode.decoded.connect(outcomes.append)
    explorer.open(study, bundle)
    settle(explorer)
    explorer.probe.move(0, 13.0)
    assert explorer.decode.wait(5.0)
    explorer.probe.move(0, 14.0)
    assert explorer.decode.wait(5.0)
    explorer.close()
    assert [str(error) for error in errors] == ["out of memory"]
    assert outcomes[-1].vector[0] == 14.0


def test_what_was_asked_of_a_former_bundle_is_never_shown(study: Any, bundle: Any) -> None:
    gate, outcomes = threading.Event(), []

    def decode(_: Any, vector: Any) -> Any:
        gate.wait(5.0)
        return type("Result", (), {"vector": vector})()

    explorer = Explorer(decode_fn=decode)
    explorer.open(study, bundle)
    explorer.decode.decoded.connect(outcomes.append)
    explorer.probe.move(0, 3.0)
    explorer.set_bundle(None)
    gate.set()
    settle(explorer)
    explorer.close()
    assert outcomes == []


def test_the_probe_can_begin_at_a_participant(explorer: Explorer) -> None:
    explorer.probe_participant("P07", "ecg")
    np.testing.assert_array_equal(explorer.probe.origin, explorer.latents["ecg"].of(["P07"])[0])
    assert explorer.probe.label == "P07, ECG"
    with pytest.raises(StudyError, match="P00 has no ecg latents"):
        explorer.probe_participant("P00", "ecg")


def test_a_fitted_map_replaces_the_former_of_its_modality(explorer: Explorer) -> None:
    with assert_emitted_once(explorer.projections_changed):
        explorer.fit_projection("ecg")
        settle(explorer)
    assert explorer.projections["ecg"].method == "tsne"
    assert explorer.projections["mri"].method == "pca"
    assert explorer.participant_at("ecg", 0) == "P01"


# ---- recordings


def test_showing_a_participant_brings_what_they_have(explorer: Explorer) -> None:
    shown: list[Any] = []
    explorer.participant_shown.connect(shown.append)
    with assert_emitted_once_with(explorer.current_participant_changed, "P01"):
        explorer.show_participant("P01")
        settle(explorer)
    assert (shown[0].participant_id, shown[0].labels, shown[0].ecg) == ("P01", None, None)
    assert shown[0].cine.source == "P01"
    assert explorer.current_participant == "P01"


def test_the_last_of_quick_clicks_is_shown_last(explorer: Explorer) -> None:
    shown: list[str] = []
    explorer.participant_shown.connect(lambda one: shown.append(one.participant_id))
    for number in range(10):
        explorer.show_participant(f"P{number:02}")
    settle(explorer)
    assert shown[-1] == "P09"


def test_a_stranger_cannot_be_shown(explorer: Explorer) -> None:
    with pytest.raises(StudyError, match="no participant 'P99'"):
        explorer.show_participant("P99")


def test_a_recording_needs_a_bundle(empty_explorer: Explorer) -> None:
    with pytest.raises(BundleError, match="open a bundle first"):
        empty_explorer.load_recording("anywhere")


def test_close_leaves_no_thread(study: Any, bundle: Any) -> None:
    before = threading.active_count()
    explorer = Explorer()
    explorer.open(study, bundle)
    explorer.close()
    assert threading.active_count() == before


def test_another_kind_of_map_is_shown_as_soon_as_it_is_fit_and_the_choice_can_be_undone(explorer: Explorer) -> None:
    explorer.set_map_kind("whitened_tsne")
    assert explorer.projections["mri"].method == "pca"
    with assert_emitted_once(explorer.projections_changed):
        explorer.fit_projection("mri")
        assert explorer.jobs.wait(60.0)
    assert explorer.projections["mri"].method == "whitened_tsne"
    assert set(explorer.maps) == {"mri_pca", "ecg_pca", "mri_whitened_tsne"}
    explorer.undo()
    assert explorer.map_kind == "tsne"
    assert explorer.projections["mri"].method == "pca"


def test_only_missing_maps_are_fit_and_a_joint_one_is_of_those_who_have_both(explorer: Explorer) -> None:
    explorer.set_map_kind("pca")
    assert explorer.fit_missing_maps() == []
    explorer.fit_missing_maps(["mri", "joint"])
    assert explorer.jobs.wait(60.0)
    joint = explorer.projections["joint"]
    assert joint.participant_ids.tolist() == explorer.latents["ecg"].participant_ids.tolist()


def test_a_lasso_stays_on_the_map_it_was_drawn_on(explorer: Explorer) -> None:
    pca = explorer.projections["mri"]
    right = ((0.0, -1e6), (1e6, -1e6), (1e6, 1e6), (0.0, 1e6))
    explorer.set_filter(MapFilter("mri", right, pca.fingerprint))
    n_visible = explorer.view_state.n_visible
    assert n_visible == int((pca.coordinates[:, 0] >= 0).sum())
    explorer.fit_projection("mri", "whitened_tsne")
    assert explorer.jobs.wait(60.0)
    explorer.set_map_kind("whitened_tsne")
    assert explorer.view_state.n_visible == n_visible
    assert explorer.filters[0].describe({}) == "inside a lasso on the MRI map"
