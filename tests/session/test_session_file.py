import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_study import FINGERPRINT, LinearBundle, decode_linearly, make_study

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.walk_calibration import MeasuredChange, WalkCalibration
from napari_latent_explorer.session import session_file
from napari_latent_explorer.session.change_choice import NO_CHANGE_SHOWN, ChangeChoice
from napari_latent_explorer.session.color_sources import Predicted, Trust, Unusual
from napari_latent_explorer.session.comparison_choice import ComparisonChoice
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import AnyOf, CategoryFilter, MapFilter, Not, RangeFilter
from napari_latent_explorer.session.recipe_exchange import recipe_to_dict
from napari_latent_explorer.session.session_document import session_from_dict, session_to_dict
from napari_latent_explorer.session.session_file import last_session, read_session, write_automatic, write_session

LASSO = ((0.0, -1e6), (1e6, -1e6), (1e6, 1e6), (0.0, 1e6))


def do_much(explorer: Explorer) -> None:
    explorer.exclude(["P07", "P08"], "motion")
    explorer.exclude(["P09"], "wrong plane")
    explorer.set_filter(Not(CategoryFilter("sex", frozenset({"male"}))))
    explorer.set_filter(AnyOf((RangeFilter("lvef", 60.0, np.inf), CategoryFilter("diabetes", frozenset({"yes"})))))
    explorer.set_representative_method("medoid")
    explorer.select_inside(MapFilter("mri", LASSO, explorer.projections["mri"].fingerprint))
    explorer.create_group("Right; 'half'")
    explorer.create_group("By id", ["P01", "P00"])
    explorer.combine_groups("union", ["Right; 'half'", "By id"])
    explorer.set_active_group("By id")
    explorer.set_compared("Group A", "Right; 'half'")
    explorer.set_number_test("mann-whitney")
    explorer.set_color_by("age")
    explorer.show_participant("P04")
    explorer.probe.move(2, 0.1)
    explorer.probe.set_locked(2, True)
    assert explorer.jobs.wait(20.0)


def assert_same(explorer: Explorer, other: Explorer) -> None:
    for name in ("filters", "representative_method", "comparison", "color_by", "current_participant", "excluded"):
        assert getattr(other, name) == getattr(explorer, name), name
    assert other.state.selection_lassos == explorer.state.selection_lassos
    np.testing.assert_array_equal(other.selection, explorer.selection)
    assert len(other.groups) == len(explorer.groups)
    for group, again in zip(explorer.groups, other.groups, strict=True):
        assert (again.name, again.color) == (group.name, group.color)
        assert recipe_to_dict(again.recipe) == recipe_to_dict(group.recipe)
        np.testing.assert_array_equal(again.participant_ids, group.participant_ids)
        np.testing.assert_array_equal(again.representative.vector, group.representative.vector)
        assert again.representative.participant_id == group.representative.participant_id
    assert other.active_group.name == explorer.active_group.name
    assert other.active_group in other.groups
    assert other.probe.label == explorer.probe.label
    assert other.probe.origin.tobytes() == explorer.probe.origin.tobytes()
    assert other.probe.vector.tobytes() == explorer.probe.vector.tobytes()
    assert other.probe.locked == explorer.probe.locked


@pytest.fixture
def other(study):
    """Open the same study in another window."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(study, LinearBundle())
    assert explorer.jobs.wait(20.0)
    yield explorer
    explorer.close()


def test_a_session_brings_everything_back_in_one_step_that_can_be_undone(explorer, other, tmp_path) -> None:
    do_much(explorer)
    explorer.save_session(tmp_path / "mine.json")
    assert explorer.jobs.wait(20.0)
    shown = []
    other.participant_shown.connect(lambda now: shown.append(now.participant_id))
    other.set_color_by("sex")
    other.open_session(tmp_path / "mine.json")
    assert other.jobs.wait(20.0)
    assert_same(explorer, other)
    assert shown == ["P04"]
    other.undo()
    assert (other.filters, other.groups, other.color_by) == ((), (), "sex")
    assert other.undo_text == "Colour by Sex"


def test_what_was_measured_of_walks_comes_with_a_session_and_joins_what_is_known(explorer, other, tmp_path) -> None:
    change = MeasuredChange("lvm", "LV mass", "g", 0.5, 0.4, 0.6, 0.2, 0.8, 50)
    here, there = (WalkCalibration(key, "lvm", 25.0, 50.0, (change,)) for key in ("here", "there"))
    explorer.add_calibration(here)
    other.add_calibration(there)
    explorer.save_session(tmp_path / "s.json").wait(20.0)
    other.open_session(tmp_path / "s.json").wait(20.0)
    assert other.calibrations == {"here": here, "there": there}
    other.undo()
    assert "here" in other.calibrations  # what is known is not forgotten
    data = session_to_dict(explorer.moment())
    data["calibrations"][0]["changes"][0]["low"] = 0.7
    with pytest.raises(StudyError, match="between low and high"):
        session_from_dict(json.loads(json.dumps(data)), explorer.state, "s.json")
    del data["calibrations"]  # of before there were any
    assert session_from_dict(data, explorer.state, "s.json").state.calibrations == explorer.calibrations


@pytest.mark.parametrize("locked", [[0.5], [6], [-1], ["2"]], ids=["half", "beyond", "negative", "text"])
def test_no_lock_comes_back_of_a_dimension_that_is_none(explorer, locked) -> None:
    data = session_to_dict(explorer.moment())
    data["probe"]["locked"] = locked
    with pytest.raises(StudyError, match=r"probe\.locked must be"):
        session_from_dict(data, explorer.state, "s.json")
    del data["probe"]["locked"]  # of before locks were kept
    assert session_from_dict(data, explorer.state, "s.json").probe.locked == frozenset()


def test_nothing_done_is_a_session_too(explorer, other, tmp_path) -> None:
    write_session(tmp_path / "empty.json", explorer.moment())
    moment = read_session(tmp_path / "empty.json", other.state)
    assert (moment.state.filters, moment.state.groups, moment.state.active_group) == ((), (), None)
    assert moment.probe.vector.tobytes() == explorer.probe.vector.tobytes()


def test_a_session_of_the_first_version_opens_still() -> None:
    other = Explorer(decode_fn=decode_linearly)
    other.open(make_study(12), LinearBundle())
    other.jobs.cancel_all()
    moment = read_session(Path(__file__).with_name("session_of_version_1.json"), other.state)
    other.close()
    assert moment.state.excluded == {"P07": "motion"}
    assert [group.name for group in moment.state.groups] == ["Picked", "Women", "Group A"]
    assert (moment.state.active_group, moment.state.representative_method) == (moment.state.groups[2], "medoid")
    assert moment.state.comparison == ComparisonChoice()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name_b": "Group A"}, "another group than name_a"),
        ({"name_a": None}, "and null when that is"),
        ({"name_b": "Nobody"}, "null or the name of a group"),
        ({"number_test": "guess"}, "one of welch, mann-whitney"),
    ],
    ids=["itself", "half", "stranger", "test"],
)
def test_no_choice_of_a_comparison_comes_back_that_could_not_be_made(explorer, changed, words) -> None:
    do_much(explorer)
    data = session_to_dict(explorer.moment())
    data["comparison"] |= changed
    with pytest.raises(StudyError, match=words):
        session_from_dict(data, explorer.state, "s.json")


def test_without_a_study_there_is_no_session(empty_explorer, tmp_path) -> None:
    with pytest.raises(StudyError, match="No study is open"):
        write_session(tmp_path / "none.json", empty_explorer.moment())


# ---- refused


def refusal(explorer: Explorer, other: Explorer) -> str:
    with pytest.raises(StudyError) as refused:
        session_from_dict(session_to_dict(explorer.moment()), other.state, "s.json")
    return str(refused.value)


def test_the_session_of_other_people_is_refused_with_both_names(explorer) -> None:
    study = make_study(30)
    study.name = "Elsewhere"
    other = Explorer(decode_fn=decode_linearly)
    other.open(study)
    other.jobs.cancel_all()
    text = refusal(explorer, other)
    assert "'Memory'" in text
    assert "'Elsewhere'" in text
    assert "other participants (40 there, 30 here)" in text
    other.close()


def test_what_differs_in_the_table_is_named(explorer) -> None:
    study = make_study()
    study.people.phenotypes.loc[3, "age"] = 99.0
    specs = dict(study.people.specs)
    del specs["diabetes"]
    object.__setattr__(study.people, "specs", specs)
    other = Explorer(decode_fn=decode_linearly)
    other.open(study)
    other.jobs.cancel_all()
    text = refusal(explorer, other)
    assert "no phenotype diabetes" in text
    assert "other values of age" in text
    assert "other participants" not in text
    other.close()


def test_the_session_of_another_model_is_refused(explorer) -> None:
    study = make_study()
    latents = study.spaces.pop(("mri", FINGERPRINT))
    study.spaces = {("mri", "newer"): LatentSpace(latents.values, latents.participant_ids, "mri", "newer")}
    other = Explorer(decode_fn=decode_linearly)
    other.open(study)
    other.jobs.cancel_all()
    assert "latents of model newer instead of linear0" in refusal(explorer, other)
    other.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"schema": NaN}', "is no JSON"),
        (b'{"version": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b"[]", "not a session of this program"),
        (b"{}", "not a session of this program"),
        (
            b'{"schema": "napari-latent-explorer/session", "version": 3}',
            "version 3; this program reads version 1 and 2",
        ),
        (b'{"schema": "napari-latent-explorer/session", "version": true}', "version True"),
        (b'{"schema": "napari-latent-explorer/session", "version": 1}', "does not fit the open study"),
    ],
    ids=["empty", "cut", "bytes", "deep", "nan", "digits", "list", "bare", "newer", "bool", "no study"],
)
def test_files_that_are_no_sessions_are_refused_in_words(explorer, tmp_path, content, words) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with pytest.raises(StudyError, match=words):
        read_session(file, explorer.state)


def test_a_missing_file_and_one_that_is_too_large_are_refused(explorer, tmp_path, monkeypatch) -> None:
    with pytest.raises(StudyError, match="Cannot read the session"):
        read_session(tmp_path / "none.json", explorer.state)
    monkeypatch.setattr(session_file, "MAX_FILE_BYTES", 10)
    (tmp_path / "large.json").write_bytes(b" " * 11)
    with pytest.raises(StudyError, match="more than"):
        read_session(tmp_path / "large.json", explorer.state)


def test_all_that_is_wrong_in_a_session_is_named_and_nothing_changes(explorer) -> None:
    do_much(explorer)
    data = session_to_dict(explorer.moment())
    data["color_by"] = "height"
    data["current_participant"] = "P99"
    data["selection"]["participants"] += ["P77", "P78"]
    data["groups"][0]["color"] = [0, 0, "red", 1]
    data["groups"][1]["name"] = data["groups"][0]["name"]
    data["probe"]["vector"] = [1.0]
    before = explorer.state
    with pytest.raises(StudyError) as refused:
        session_from_dict(data, explorer.state, "s.json")
    text = str(refused.value)
    for words in (
        "color_by must be a phenotype of the study, found 'height'",
        "current_participant must be participants of the study, found '1 who are not: P99'",
        "selection.participants must be participants of the study, found '2 who are not: P77, P78'",
        "groups[0].color must be a list of finite numbers",
        "groups[1].name must be unique and not empty",
        "probe.vector must be as long as the origin",
    ):
        assert words in text
    assert explorer.state is before


def places(data, path=()):
    """Each place in a tree of JSON."""
    yield path
    if isinstance(data, dict):
        for key in data:
            yield from places(data[key], (*path, key))
    elif isinstance(data, list):
        for number in range(min(len(data), 3)):
            yield from places(data[number], (*path, number))


@pytest.fixture(scope="module")
def written():
    """A session of a study, and that study."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(make_study(), LinearBundle())
    explorer.jobs.cancel_all()
    do_much(explorer)
    yield json.dumps(session_to_dict(explorer.moment())), explorer.state
    explorer.close()


STRANGE = [None, True, -1, 10**400, 1e308, "", "x\x1b[31m", "P00", [], {}, [[]], [None], {"": {}}, ["P99"]]


@given(data=st.data())
def test_a_value_that_was_changed_is_refused_or_harmless(written, data) -> None:
    """No accident of Python's comes through, whatever stands in a place of the file."""
    text, state = written
    tree = json.loads(text)
    place = data.draw(st.sampled_from([place for place in places(tree) if place]))
    value = data.draw(
        st.sampled_from(
            [None, True, -1, 10**400, 1e308, "", "x\x1b[31m", "P00", [], {}, [[]], [None], {"": {}}, ["P99"]]
        )
    )
    parent = tree
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    refusal = ""
    try:
        state = session_from_dict(tree, state, "s.json").state
    except StudyError as error:
        refusal = str(error)
    assert "\x1b" not in refusal
    assert refusal == "" or "s.json" in refusal
    assert set(state.selection.tolist()) <= set(state.cohort.participant_ids.tolist())


# ---- automatic sessions


@pytest.fixture
def folder(study, tmp_path, monkeypatch) -> Path:
    """Give the study a folder of its own; the user's own folder is elsewhere."""
    monkeypatch.setattr(session_file, "user_state_path", lambda *_, **__: tmp_path / "state")
    study.path = tmp_path / "study"
    study.path.mkdir()
    return study.path / "sessions"


def test_automatic_sessions_lie_with_the_study_and_never_replace_each_other(explorer, other, folder) -> None:
    explorer.set_color_by("age")
    other.set_color_by("sex")
    first, second = session_file.automatic_name(), session_file.automatic_name()
    write_automatic(first, explorer.moment())
    path = write_automatic(second, other.moment())
    assert path == folder / second
    assert {found.name for found in folder.iterdir()} == {first, second}
    assert read_session(folder / first, explorer.state).state.color_by == "age"
    assert last_session(explorer.state, but=first) == folder / second
    assert last_session(other.state, but=second) == folder / first


def test_the_oldest_automatic_sessions_go_and_other_files_stay(explorer, folder) -> None:
    write_session(folder / "mine.json", explorer.moment())
    names = [f"auto-202601{day:02}T120000-0123abcd.json" for day in range(1, 15)]
    for name in names:
        write_automatic(name, explorer.moment())
    assert sorted(found.name for found in folder.iterdir()) == [*names[4:], "mine.json"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_where_the_study_cannot_be_written_the_users_own_folder_serves(explorer, folder, study, tmp_path) -> None:
    study.path.chmod(0o555)
    path = write_automatic(session_file.automatic_name(), explorer.moment())
    study.path.chmod(0o755)
    assert path.parent == tmp_path / "state" / "sessions" / study.people.fingerprint
    assert last_session(explorer.state) == path


def test_a_study_in_a_place_that_is_no_folder_is_kept_in_the_users_own(explorer, folder, study, tmp_path) -> None:
    (study.path / "sessions").write_text("a file in the way")
    path = write_automatic(session_file.automatic_name(), explorer.moment())
    assert path.parent == tmp_path / "state" / "sessions" / study.people.fingerprint


def test_the_sample_study_in_the_package_is_not_written_to(explorer, folder, study, tmp_path) -> None:
    study.path = Path(session_file.__file__).parent / "sample_data" / "study"
    assert session_file.automatic_folders(explorer.state) == [
        tmp_path / "state" / "sessions" / study.people.fingerprint
    ]


def test_a_write_that_fails_leaves_the_old_file(explorer, tmp_path, monkeypatch) -> None:
    file = tmp_path / "mine.json"
    write_session(file, explorer.moment())
    before = file.read_bytes()

    def fail(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_latent_explorer.io.atomic.os.fsync", fail)
    explorer.set_color_by("age")
    with pytest.raises(StudyError, match="No space left"):
        write_session(file, explorer.moment())
    assert file.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["mine.json"]


@pytest.mark.parametrize(
    "source", [Unusual("mri"), Trust("ecg"), Predicted("age", "MRI + ECG")], ids=["unusual", "trust", "predicted"]
)
def test_what_was_derived_from_latents_colours_the_maps_again(explorer, source) -> None:
    explorer.set_color_by(source)
    data = json.loads(json.dumps(session_to_dict(explorer.moment())))
    explorer.set_color_by(None)
    assert session_from_dict(data, explorer.state, "s.json").state.color_by == source
    assert f"set_color_by({type(source).__name__}(" in explorer.script()
    data["color_by"] = {**data["color_by"], "modality": "ct", "map_name": "ct", "row": "CT"}
    with pytest.raises(StudyError, match="color_by must be of what the study has"):
        session_from_dict(data, explorer.state, "s.json")


def test_the_kind_of_map_is_restored_and_older_sessions_have_none(explorer) -> None:
    explorer.set_map_kind("whitened_tsne")
    data = session_to_dict(explorer.moment())
    explorer.set_map_kind("pca")
    assert session_from_dict(data, explorer.state, "s.json").state.map_kind == "whitened_tsne"
    assert "set_map_kind('whitened_tsne')" in explorer.script()
    assert session_from_dict({**data, "map_kind": None}, explorer.state, "s.json").state.map_kind == "tsne"
    with pytest.raises(StudyError, match="map_kind must be one of tsne, whitened_tsne, pca"):
        session_from_dict({**data, "map_kind": "umap"}, explorer.state, "s.json")


def test_what_is_shown_of_a_change_is_restored_and_is_no_step(explorer) -> None:
    shown, n_steps = ChangeChoice(has_difference=True), len([*explorer.history.moments()])
    explorer.show_change(shown)
    assert len([*explorer.history.moments()]) == n_steps
    written = session_to_dict(explorer.moment())
    assert session_from_dict(written, explorer.state, "here").state.change == shown
    del written["change"]  # as older programs wrote it
    assert session_from_dict(written, explorer.state, "here").state.change == NO_CHANGE_SHOWN
