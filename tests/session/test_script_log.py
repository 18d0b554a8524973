import numpy as np
import pytest
from memory_study import decode_linearly

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter, RangeFilter
from napari_latent_explorer.session.history import History
from napari_latent_explorer.session.opening import load_study
from napari_latent_explorer.session.recipe_exchange import recipe_to_dict


def body(explorer: Explorer) -> list[str]:
    lines = explorer.script().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("def repeat")) + 2
    end = next(number for number, line in enumerate(lines) if line.startswith("def main"))
    return [line.strip() for line in lines[begin:end] if line.strip()]


def run(script: str, explorer: Explorer) -> None:
    namespace: dict[str, object] = {"__name__": "script"}
    exec(compile(script, "script.py", "exec"), namespace)
    namespace["repeat"](explorer)  # type: ignore[operator]


def test_nothing_done_is_a_script_that_does_nothing(explorer: Explorer) -> None:
    assert body(explorer) == ["pass"]


def test_each_step_is_said_in_words_and_in_a_call(explorer: Explorer) -> None:
    explorer.set_filter(RangeFilter("age", 0, 9))
    explorer.select(["P02", "P04"])
    explorer.create_group("Ours")
    explorer.set_color_by("sex")
    explorer.probe.move(1, 0.5)
    explorer.probe.reset()
    assert body(explorer) == [
        "# Filter by Age 0 to 9 years",
        "explorer.set_filter(RangeFilter(phenotype='age', low=0, high=9))",
        "# Select 2 participants",
        "explorer.select(['P02', 'P04'])",
        "# Make Ours",
        "explorer.create_group('Ours')",
        "# Colour by Sex",
        "explorer.set_color_by('sex')",
        "# Move latent dimension 1",
        "explorer.probe.move(1, 0.5)",
        "# Take the probe back",
        "explorer.probe.reset()",
    ]


def test_what_was_undone_is_not_repeated(explorer: Explorer) -> None:
    explorer.set_color_by("sex")
    explorer.undo()
    assert body(explorer) == ["pass"]


def test_names_cannot_get_out_of_their_quotes(explorer: Explorer) -> None:
    evil = 'A\'"""\nraise SystemExit\n\u2028#'
    explorer.create_group(evil, ["P00"])
    explorer.exclude(["P01"], evil)
    explorer.remove_group(evil)
    explorer.study.name = evil  # type: ignore[union-attr, misc]
    fresh = Explorer()
    fresh.open(explorer.study)  # type: ignore[arg-type]
    run(explorer.script(), fresh)
    assert dict(fresh.excluded) == {"P01": evil.strip()}
    fresh.close()


def test_groups_of_a_session_that_was_opened_are_made_of_the_same_people_whoever_is_excluded_now(
    explorer: Explorer, study, tmp_path
) -> None:
    explorer.set_filter(CategoryFilter("diabetes", frozenset({"yes"})))
    explorer.create_group("Diabetics")
    explorer.exclude([f"P{number:02}" for number in range(0, 40, 4)], "bad scans")  # all of them
    assert explorer.save_session(tmp_path / "mine.json").wait(20.0)
    other = Explorer(decode_fn=decode_linearly)
    other.open(study)
    assert other.jobs.wait(20.0)
    assert other.open_session(tmp_path / "mine.json").wait(20.0)
    assert other.jobs.wait(20.0)
    script = other.script()
    other.open(study)
    run(script, other)
    assert other.groups[0].participant_ids.tolist() == explorer.groups[0].participant_ids.tolist()
    assert recipe_to_dict(other.groups[0].recipe) == recipe_to_dict(explorer.groups[0].recipe)
    assert (other.excluded, other.filters) == (explorer.excluded, explorer.filters)
    other.close()


def test_forgotten_steps_are_repeated_as_one(explorer: Explorer) -> None:
    explorer.history = History(max_steps=3)
    explorer.history.clear(explorer.moment())
    explorer.create_group("A", ["P00"])
    explorer.remove_group("A")
    explorer.create_group("B", ["P01", "P02"])
    for age in range(10, 20):
        explorer.set_filter(RangeFilter("age", 0, age))
    explorer.create_group("C")
    fresh = Explorer()
    fresh.open(explorer.study)  # type: ignore[arg-type]
    run(explorer.script(), fresh)
    assert [(group.name, group.color) for group in fresh.groups] == [(g.name, g.color) for g in explorer.groups]
    assert fresh.filters == explorer.filters
    assert sum(line.startswith("#") for line in body(explorer)) == 4
    fresh.close()


@pytest.fixture(scope="module")
def sample():
    return finish(load_study(sample_study_path()))


def test_a_script_repeats_a_session_on_the_sample_study(sample) -> None:
    explorer, again = Explorer(), Explorer()
    for each in (explorer, again):
        each.open(sample)
        each.jobs.cancel_all()
    projection = explorer.projections["mri"]
    low, high = np.quantile(projection.coordinates.astype(float), [0.0, 0.3], axis=0)
    corners = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    explorer.select_inside(MapFilter("mri", corners, projection.fingerprint))
    explorer.exclude(explorer.selection[:5].tolist(), "unreadable MRI")
    explorer.create_group("Corner")
    explorer.clear_selection()
    sex = explorer.cohort.specs["sex"].categories
    explorer.set_filter(CategoryFilter("sex", frozenset({sex[0]})))
    explorer.create_group("One sex")
    explorer.combine_groups("intersection", ["Corner", "One sex"], "Both")
    explorer.set_representative_method("mean")
    explorer.rename_group("Both", "Corner of one sex")
    explorer.probe.move_to(explorer.probe.vector * 1.5)
    explorer.show_participant(str(explorer.cohort.participant_ids[3]))
    script = explorer.script()
    assert f"STUDY = {str(sample_study_path())!r}" in script
    assert "explorer.combine_groups('intersection', ['Corner', 'One sex'], 'Both')" in script
    run(script, again)
    assert again.filters == explorer.filters
    assert dict(again.excluded) == dict(explorer.excluded)
    assert again.current_participant == explorer.current_participant
    assert len(again.groups) == 3
    for group, repeated in zip(explorer.groups, again.groups, strict=True):
        assert (repeated.name, repeated.color) == (group.name, group.color)
        assert recipe_to_dict(repeated.recipe) == recipe_to_dict(group.recipe)
        np.testing.assert_array_equal(repeated.participant_ids, group.participant_ids)
        np.testing.assert_array_equal(repeated.representative.vector, group.representative.vector)
    np.testing.assert_array_equal(again.probe.vector, explorer.probe.vector)
    assert again.probe.label == explorer.probe.label
    np.testing.assert_array_equal(again.view_state.visible_mask, explorer.view_state.visible_mask)
    for each in (explorer, again):
        each.close()


@pytest.mark.slow
def test_the_script_runs_by_itself(sample, monkeypatch, capsys) -> None:
    explorer = Explorer()
    explorer.open(sample)
    explorer.jobs.cancel_all()
    explorer.create_group("Everybody")
    script = explorer.script()
    explorer.close()
    monkeypatch.setattr("sys.argv", ["script.py", str(sample_study_path()), str(sample_bundle_path())])
    exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    n = len(sample.cohort())
    assert f"Everybody: {n} participants, all participants" in capsys.readouterr().out
