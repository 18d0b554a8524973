"""A path between two ends: where it has the probe, each modality, and what comes back of it."""

import numpy as np
import pytest
from memory_study import LinearBundle, decode_linearly

from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.path_choice import NO_PATH, PathEnd
from napari_latent_explorer.session.session_document import session_from_dict, session_to_dict

YOUNG, OLD = PathEnd("group", "Young"), PathEnd("group", "Old")


@pytest.fixture
def explorer(explorer: Explorer, cohort) -> Explorer:
    for name, rows in (("Young", slice(0, 11)), ("Old", slice(29, 40))):
        explorer.create_group(name, cohort.participant_ids[rows].tolist())
    return explorer


def ends_of(explorer: Explorer, modality: str) -> list[np.ndarray]:
    people = [group.representative.participant_id for group in explorer.groups]
    return [explorer.latents[modality].of([who])[0] for who in people]


def test_the_probe_goes_from_one_groups_vector_to_the_others(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD)
    start, end = (group.representative.vector for group in explorer.groups)
    np.testing.assert_array_equal(explorer.probe.vector, start)
    explorer.move_on_path(1.0)
    np.testing.assert_array_equal(explorer.probe.vector, end)
    np.testing.assert_array_equal(explorer.probe.origin, start)
    explorer.move_on_path(0.25)
    np.testing.assert_allclose(explorer.probe.vector, 0.75 * start + 0.25 * end, rtol=1e-6)
    assert explorer.path_share == 0.25


def test_each_modality_goes_between_its_own_vectors_of_the_same_people(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD, share=0.25)
    for modality in ("mri", "ecg"):
        start, end = ends_of(explorer, modality)
        np.testing.assert_allclose(explorer.probe_counterparts[modality], 0.75 * start + 0.25 * end, rtol=1e-5)


def test_a_spherical_path_keeps_the_distance_from_the_mean(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD, "spherical", 0.5)
    mean = explorer.latents["mri"].mean
    ends = [np.linalg.norm(group.representative.vector - mean) for group in explorer.groups]
    assert np.linalg.norm(explorer.probe.vector - mean) == pytest.approx(np.mean(ends), rel=1e-5)


def test_a_drag_along_the_path_is_one_step(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD)
    told = []
    explorer.path_changed.connect(lambda: told.append(explorer.path_share))
    explorer.begin_gesture()
    for share in (0.1, 0.4, 0.7):
        explorer.move_on_path(share)
    explorer.end_gesture()
    assert told == [0.1, 0.4, 0.7]
    assert explorer.undo_text == "Go from Young to Old, 70 % of the way"
    explorer.undo()
    assert explorer.path_share == 0.0
    explorer.redo()
    assert explorer.path_share == 0.7


def test_whoever_moves_a_dimension_leaves_the_path_and_may_come_back(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD, share=0.5)
    explorer.probe.move(2, 9.0)
    assert explorer.path_share is None
    assert explorer.path.ends == (YOUNG, OLD)
    explorer.move_on_path(0.5)
    assert explorer.path_share == 0.5


def test_groups_side_by_side_give_way_to_the_path(explorer: Explorer) -> None:
    explorer.show_side_by_side(["Young", "Old"])
    explorer.set_path(YOUNG, OLD)
    assert explorer.side_by_side.names == ()
    explorer.undo()
    assert explorer.side_by_side.names == ("Young", "Old")


def test_the_path_follows_a_name_and_another_representative_and_ends_with_its_group(explorer: Explorer) -> None:
    explorer.set_path(YOUNG, OLD, share=1.0)
    explorer.rename_group("Old", "Elderly")
    assert explorer.probe_path.title == "Young to Elderly"
    assert explorer.path_share == 1.0
    explorer.set_representative_method("mean")
    np.testing.assert_array_equal(explorer.probe.vector, explorer.groups[1].representative.vector)
    assert explorer.path_share == 1.0
    explorer.remove_group("Elderly")
    assert explorer.path == NO_PATH
    explorer.undo()
    assert explorer.path_share == 1.0


def test_from_a_participant_to_where_the_probe_was(explorer: Explorer) -> None:
    explorer.probe_participant("P03")
    explorer.probe.move(1, 4.0)
    began, here = explorer.probe_ends()
    assert (began.name, here.name) == ("P03, MRI", "P03, MRI, moved")
    there = explorer.probe.vector
    explorer.probe_mean()
    explorer.set_path(PathEnd("participant", "P20"), here, share=1.0)
    np.testing.assert_array_equal(explorer.probe.vector, there)
    ecg = explorer.latents["ecg"].of(["P03"])[0]
    np.testing.assert_allclose(explorer.probe_counterparts["ecg"] - ecg, there - explorer.latents["mri"].of(["P03"])[0])


@pytest.mark.parametrize(
    ("start", "end", "kind", "share", "words"),
    [
        (YOUNG, YOUNG, "linear", 0.0, "both ends are Young"),
        (YOUNG, PathEnd("group", "Nobody"), "linear", 0.0, "no group 'Nobody'"),
        (PathEnd("participant", "Q1"), OLD, "linear", 0.0, "Q1, who has no latents"),
        (YOUNG, OLD, "round", 0.0, "linear or spherical"),
        (YOUNG, OLD, "linear", 1.5, "1.5 does not lie on it"),
    ],
    ids=["same", "stranger", "unencoded", "kind", "beyond"],
)
def test_no_path_is_chosen_that_leads_nowhere(explorer: Explorer, start, end, kind, share, words) -> None:
    before = explorer.moment()
    with pytest.raises(LatentExplorerError, match=words):
        explorer.set_path(start, end, kind, share)
    assert explorer.state is before.state
    assert explorer.probe.state is before.probe


def test_there_is_no_place_on_no_path(explorer: Explorer, empty_explorer: Explorer) -> None:
    with pytest.raises(LatentExplorerError, match="choose its two ends"):
        explorer.move_on_path(0.5)
    with pytest.raises(StudyError, match="nowhere yet"):
        empty_explorer.probe_ends()


@pytest.fixture
def walked(explorer: Explorer) -> Explorer:
    """Make two paths, the second from a place of the probe."""
    explorer.set_path(YOUNG, OLD, "spherical", 0.3)
    _, here = explorer.probe_ends()
    explorer.set_path(here, PathEnd("participant", "P20"))
    explorer.move_on_path(0.8)
    return explorer


def test_a_session_brings_the_path_back(walked: Explorer) -> None:
    moment = session_from_dict(session_to_dict(walked.moment()), walked.state, "s.json")
    assert moment.state.path == walked.path
    np.testing.assert_array_equal(moment.probe.vector, walked.probe.vector)


def test_a_session_of_before_there_were_paths_has_none(walked: Explorer) -> None:
    data = session_to_dict(walked.moment())
    del data["path"]
    assert session_from_dict(data, walked.state, "s.json").state.path == NO_PATH


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"share": 1.5}, "path.share must be a number in 0..1"),
        ({"kind": "round"}, "path.kind must be one of linear, spherical"),
        ({"end": {"kind": "group", "name": "Nobody"}}, "no group 'Nobody'"),
        (
            {"start": {"kind": "point", "name": "here", "vector": [1], "seen": {}}},
            "path.start.vector must be 6 numbers",
        ),
    ],
    ids=["share", "kind", "stranger", "short"],
)
def test_no_path_comes_back_that_could_not_be_chosen(walked: Explorer, changed, words) -> None:
    data = session_to_dict(walked.moment())
    data["path"] |= changed
    with pytest.raises(StudyError, match=words):
        session_from_dict(data, walked.state, "s.json")


def test_the_script_goes_the_same_way(walked: Explorer, study) -> None:
    walked.probe.move(0, 1.0)
    walked.clear_path()
    script = walked.script()
    assert "explorer.set_path(PathEnd(kind='group', name='Young'), PathEnd(kind='group', name='Old'), 's" in script
    assert "explorer.move_on_path(0.8)" in script
    assert "# Leave the path" in script
    other = Explorer(decode_fn=decode_linearly)
    other.open(study, LinearBundle())
    namespace: dict[str, object] = {"__name__": "script"}
    exec(compile(script, "script.py", "exec"), namespace)
    namespace["repeat"](other)  # type: ignore[operator]
    np.testing.assert_array_equal(other.probe.vector, walked.probe.vector)
    assert other.path == NO_PATH
    other.undo()
    assert other.path.share == 0.8
    other.close()
