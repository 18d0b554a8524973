"""Walks along directions: laid, walked, mixed with single dimensions, undone, kept in sessions and scripts."""

import json
from pathlib import Path

import numpy as np
import pytest
from memory_study import decode_linearly
from test_script_log import body, run

from napari_latent_explorer.analysis.directions import phenotype_direction, principal_direction
from napari_latent_explorer.analysis.readers import fit_readers
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.direction_choice import NO_DIRECTION, DirectionChoice, NamedVector
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.session_document import session_from_dict

AGE = DirectionChoice(phenotype="age")


@pytest.fixture
def step(explorer: Explorer) -> np.ndarray:
    return phenotype_direction(explorer.latents["mri"], explorer.cohort, "age").vector


def test_a_walk_adds_its_amount_times_the_direction(explorer: Explorer, step: np.ndarray) -> None:
    explorer.probe_mean("mri")
    explorer.set_direction(AGE)
    explorer.walk(3.0)
    np.testing.assert_allclose(explorer.probe.offsets, 3.0 * step, rtol=1e-4, atol=1e-6)
    explorer.walk(-1.0)  # not from there, but from where it began
    np.testing.assert_allclose(explorer.probe.offsets, -step, rtol=1e-4, atol=1e-6)
    assert explorer.probe.moved_dims.size == 0
    assert explorer.probe.moves_text == "Age -1 years predicted"


def test_a_walk_and_single_dimensions_are_taken_back_without_each_other(explorer: Explorer) -> None:
    probe = explorer.probe
    explorer.probe_mean("mri")
    probe.move(2, 0.5)
    explorer.set_direction(AGE)
    for amount in np.linspace(0.1, 4.0, 50):
        explorer.walk(float(amount))
    probe.end_walk()
    assert probe.moved_dims.tolist() == [2]
    assert probe.vector[2] == np.float32(0.5)
    explorer.walk(4.0)
    probe.move(4, 2.0)
    assert probe.vector[4] == np.float32(2.0)
    assert probe.moved_dims.tolist() == [2, 4]
    assert probe.moves_text == "Age +4 years predicted, 2 dimensions moved"
    probe.reset(2)
    probe.reset(4)
    only_walked = probe.vector
    assert probe.walk is not None
    probe.reset()
    assert probe.walk is None
    explorer.walk(4.0)
    np.testing.assert_array_equal(probe.vector, only_walked)


def test_the_same_thing_laid_anew_is_walked_as_far_and_another_ends_the_walk(explorer: Explorer) -> None:
    explorer.probe_mean("mri")
    explorer.set_direction(AGE)
    explorer.walk(2.0)
    held = DirectionChoice(phenotype="age", covariates=("sex",))
    explorer.set_direction(held)
    expected = phenotype_direction(explorer.latents["mri"], explorer.cohort, "age", ["sex"])
    np.testing.assert_allclose(explorer.probe.offsets, 2.0 * expected.vector, rtol=1e-4, atol=1e-6)
    assert explorer.undo_text == "Adjust the direction of Age for Sex"
    explorer.undo()
    assert explorer.direction == AGE
    assert explorer.probe.walk is not None
    assert explorer.probe.walk.amount == 2.0
    explorer.set_direction(DirectionChoice("component"))
    assert explorer.probe.walk is None
    assert not explorer.probe.offsets.any()


def test_components_groups_and_what_is_held_still_are_laid_as_the_analysis_lays_them(explorer: Explorer) -> None:
    latents = explorer.latents["mri"]
    explorer.probe_mean("mri")
    explorer.set_direction(DirectionChoice("component", component=1))
    explorer.walk(2.0)
    step = principal_direction(latents, 1).vector
    np.testing.assert_allclose(explorer.probe.offsets, 2.0 * step, rtol=1e-4, atol=1e-5)
    ids = latents.participant_ids.tolist()
    explorer.create_group("Some", ids[:7])
    explorer.create_group("Others", ids[7:20])
    explorer.probe_mean("mri")
    explorer.set_direction(DirectionChoice("groups", name_a="Some", name_b="Others"))
    explorer.walk(0.5)
    way = latents.values[7:20].mean(axis=0) - latents.values[:7].mean(axis=0)
    np.testing.assert_allclose(explorer.probe.offsets, 0.5 * way, rtol=1e-3, atol=1e-5)
    explorer.rename_group("Some", "A few")
    assert explorer.direction.name_a == "A few"
    explorer.set_direction(DirectionChoice(phenotype="age", held=("sex",)))
    explorer.walk(1.0)
    readers = fit_readers(latents, explorer.cohort)
    names = [spec.name for spec in readers.targets]
    moved = explorer.probe.offsets @ readers.weights
    plain = readers.changes(phenotype_direction(latents, explorer.cohort, "age"))
    assert moved[names.index("age")] == pytest.approx(plain[names.index("age")], rel=1e-2)
    assert abs(moved[names.index("sex")]) < 1e-4


def test_what_is_walked_is_one_step_each_and_can_be_undone(explorer: Explorer) -> None:
    explorer.probe_mean("mri")
    explorer.set_direction(AGE)
    assert explorer.undo_text == "Choose the direction of Age"
    explorer.begin_gesture()
    for amount in (1.0, 2.0, 5.0):
        explorer.walk(amount)
    explorer.end_gesture()
    assert explorer.undo_text == "Walk: Age +5 years predicted"
    vector = explorer.probe.vector
    explorer.undo()
    assert explorer.probe.walk is None
    explorer.redo()
    np.testing.assert_array_equal(explorer.probe.vector, vector)
    assert explorer.probe.walk is not None
    explorer.probe.end_walk()
    assert explorer.undo_text == "Take the probe back"


def test_a_session_brings_a_walk_back_to_the_bit(explorer: Explorer, tmp_path: Path) -> None:
    explorer.probe_mean("mri")
    explorer.probe.move(1, 0.25)
    explorer.set_direction(AGE)
    explorer.walk(2.5)
    vector = explorer.probe.vector
    explorer.save_session(tmp_path / "kept.json").wait(10)
    explorer.set_direction(NO_DIRECTION)
    explorer.probe_mean("ecg")
    explorer.open_session(tmp_path / "kept.json").wait(10)
    assert explorer.direction == AGE
    np.testing.assert_array_equal(explorer.probe.vector, vector)
    assert explorer.probe.moves_text == "Age +2.5 years predicted, 1 dimension moved"
    explorer.probe.end_walk()
    assert explorer.probe.moved_dims.tolist() == [1]


def test_a_damaged_walk_is_refused_by_name(explorer: Explorer, tmp_path: Path) -> None:
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    explorer.set_direction(AGE)
    explorer.walk(2.5)
    explorer.save_session(tmp_path / "kept.json").wait(10)
    document = json.loads((tmp_path / "kept.json").read_text())
    document["probe"]["walk"]["amount"] = "far"
    (tmp_path / "kept.json").write_text(json.dumps(document))
    vector = explorer.probe.vector
    explorer.open_session(tmp_path / "kept.json").wait(10)
    np.testing.assert_array_equal(explorer.probe.vector, vector)
    assert "probe.walk.amount must be a finite number" in str(failures[-1])


def test_the_script_walks_as_it_was_walked(explorer: Explorer, study, bundle) -> None:  # type: ignore[no-untyped-def]
    explorer.probe_mean("ecg")
    explorer.set_direction(AGE)
    explorer.walk(2.0)
    explorer.probe.move(3, 0.5)
    explorer.set_direction(DirectionChoice(phenotype="age", covariates=("sex",)))
    explorer.probe.end_walk()
    explorer.walk(1.5)
    lines = [line for line in body(explorer) if not line.startswith("#")]
    assert lines[1:3] == ["explorer.set_direction(DirectionChoice(phenotype='age'))", "explorer.walk(2.0)"]
    again = Explorer(decode_fn=decode_linearly)
    again.open(study, bundle)
    run(explorer.script(), again)
    again.close()
    np.testing.assert_allclose(again.probe.vector, explorer.probe.vector, rtol=1e-5, atol=1e-6)
    assert again.probe.walk.amount == 1.5
    assert again.direction == explorer.direction


def test_a_direction_between_two_vectors_is_kept_in_sessions_and_scripts(
    explorer: Explorer,
    study,  # type: ignore[no-untyped-def]
    bundle,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    start, end = (NamedVector(name, (float(number),) * 6) for number, name in enumerate(("here", 'a "pasted" one')))
    explorer.probe_mean("mri")
    explorer.set_direction(DirectionChoice("vectors", start=start))
    with pytest.raises(StudyError, match="two groups or vectors"):
        explorer.walk(0.5)
    explorer.set_direction(DirectionChoice("vectors", start=start, end=end))
    assert explorer.undo_text == 'Choose the direction from here to a "pasted" one'
    explorer.walk(0.5)
    np.testing.assert_allclose(explorer.probe.offsets, np.full(6, 0.5), rtol=1e-5)
    vector = explorer.probe.vector
    explorer.save_session(tmp_path / "kept.json").wait(10)
    again = Explorer(decode_fn=decode_linearly)
    again.open(study, bundle)
    run(explorer.script(), again)
    np.testing.assert_array_equal(again.probe.vector, vector)
    again.close()
    explorer.set_direction(NO_DIRECTION)
    explorer.open_session(tmp_path / "kept.json").wait(10)
    assert explorer.direction == DirectionChoice("vectors", start=start, end=end)
    document = json.loads((tmp_path / "kept.json").read_text())
    document["direction"]["end"]["values"].pop()
    with pytest.raises(StudyError, match=r"direction\.end\.values must be 6 numbers"):
        session_from_dict(document, explorer.state, "kept.json")
    for name in ("start", "end"):  # of before there were such directions
        del document["direction"][name]
    assert session_from_dict(document, explorer.state, "kept.json").state.direction.start is None
    with pytest.raises(StudyError, match="two different vectors of 6 dimensions"):
        explorer.set_direction(DirectionChoice("vectors", start=start, end=start))
    with pytest.raises(StudyError, match="two different vectors of 6 dimensions"):
        explorer.set_direction(DirectionChoice("vectors", start=start, end=NamedVector("short", (1.0,))))


def test_refusals_change_nothing(explorer: Explorer) -> None:
    with pytest.raises(StudyError, match="No direction was chosen"):
        explorer.walk(1.0)
    with pytest.raises(LatentExplorerError, match="height"):
        explorer.set_direction(DirectionChoice(phenotype="height"))
    with pytest.raises(LatentExplorerError, match="Nobody"):
        explorer.set_direction(DirectionChoice("groups", name_a="Nobody", name_b="No one"))
    assert explorer.direction == NO_DIRECTION
    explorer.set_direction(AGE)
    with pytest.raises(LatentExplorerError, match="cannot be nan long"):
        explorer.walk(float("nan"))
    assert explorer.probe.walk is None
