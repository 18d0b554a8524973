"""The direction laid and measured by jobs, kept per choice, and dropped when it is of something that has changed."""

from collections.abc import Iterator

import numpy as np
import pytest

from napari_latent_explorer.analysis.directions import phenotype_direction
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_walk import DirectionWalk
from napari_latent_explorer.session.explorer import Explorer

LVM = DirectionChoice(phenotype="lvm")


@pytest.fixture
def explorer(shapes_study, shapes_bundle, shapes_decoder) -> Iterator[Explorer]:
    """Explore the study of shapes: its second latent is the standardised mass."""
    explorer = Explorer(decode_fn=shapes_decoder)
    explorer.open(shapes_study, shapes_bundle)
    assert explorer.jobs.wait(20.0)
    explorer.probe_mean("mri")
    yield explorer
    explorer.close()


@pytest.fixture
def walk(explorer: Explorer) -> DirectionWalk:
    return DirectionWalk(explorer)


def choose(explorer: Explorer, walk: DirectionWalk, choice: DirectionChoice) -> None:
    walk.choose(choice)
    assert explorer.jobs.wait(20.0)


def test_a_choice_becomes_the_sessions_together_with_its_direction(explorer: Explorer, walk: DirectionWalk) -> None:
    choose(explorer, walk, LVM)
    assert explorer.direction == LVM
    expected = phenotype_direction(explorer.latents["mri"], explorer.cohort, "lvm")
    np.testing.assert_array_equal(walk.direction.vector, expected.vector)
    walk.walk(10.0)
    assert walk.amount == 10.0
    assert explorer.probe.offsets[1] == pytest.approx(10.0 / walk.direction.spread, rel=1e-3)


def test_a_walk_goes_on_along_the_direction_laid_anew_and_undo_brings_both_back(
    explorer: Explorer, walk: DirectionWalk
) -> None:
    choose(explorer, walk, LVM)
    walk.walk(10.0)
    before = explorer.probe.vector
    choose(explorer, walk, DirectionChoice(phenotype="lvm", held=("lvedv",)))
    assert walk.amount == 10.0
    assert abs(explorer.probe.offsets[0]) < 0.05 * abs(explorer.probe.offsets[1])  # the first latent is the volume
    explorer.undo()
    assert walk.choice == LVM
    np.testing.assert_array_equal(explorer.probe.vector, before)
    explorer.redo()
    assert walk.choice.held == ("lvedv",)
    assert explorer.jobs.running == ()  # it was known
    assert walk.direction is not None


def test_what_else_moves_is_kept_for_whoever_comes_back(explorer: Explorer, walk: DirectionWalk) -> None:
    choose(explorer, walk, LVM)
    walk.measure_effects()
    assert explorer.jobs.wait(30.0)
    effects = walk.effects
    assert effects.own.per_unit == pytest.approx(1.0, abs=0.1)
    cohort = explorer.cohort
    expected = np.corrcoef(cohort.values("lvm"), cohort.values("lvedv"))[0, 1]
    assert effects.correlations["lvedv"] == pytest.approx(expected)
    sizes = [abs(effect.per_spread) for effect in effects.effects]
    assert sizes == sorted(sizes, reverse=True)
    choose(explorer, walk, DirectionChoice("component"))
    assert walk.effects is None
    choose(explorer, walk, LVM)
    assert walk.effects is effects
    assert walk.measure_effects() is None


def test_too_few_people_for_halves_is_said_and_is_no_failure(explorer: Explorer, walk: DirectionWalk) -> None:
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    ids = explorer.cohort.participant_ids.tolist()
    explorer.create_group("One", ids[:1])
    explorer.create_group("Two", ids[1:2])
    choose(explorer, walk, DirectionChoice("groups", name_a="One", name_b="Two"))
    walk.measure_effects()
    assert explorer.jobs.wait(30.0)
    assert "No member of" in walk.effects.problem
    assert not failures


def test_a_direction_of_a_group_that_is_no_more_is_said_and_laid_again_with_another(
    explorer: Explorer, walk: DirectionWalk
) -> None:
    ids = explorer.cohort.participant_ids.tolist()
    explorer.create_group("One", ids[:30])
    explorer.create_group("Two", ids[30:60])
    choose(explorer, walk, DirectionChoice("groups", name_a="One", name_b="Two"))
    first = walk.direction.vector
    explorer.remove_group("Two")
    assert walk.direction is None
    walk.start()
    assert "Two" in walk.problem
    explorer.create_group("Two", ids[60:90])
    walk.start()
    assert explorer.jobs.wait(20.0)
    assert not np.array_equal(walk.direction.vector, first)


def test_what_cannot_be_laid_leaves_the_former_choice_and_says_why(explorer: Explorer, walk: DirectionWalk) -> None:
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    choose(explorer, walk, LVM)
    choose(explorer, walk, DirectionChoice(phenotype="lvm", covariates=("lvm",)))
    assert "cannot be adjusted for itself" in walk.problem
    assert explorer.direction == walk.choice == LVM
    assert not failures


def test_hearts_can_only_be_measured_by_a_model(explorer: Explorer, walk: DirectionWalk) -> None:
    choose(explorer, walk, LVM)
    explorer.set_bundle(None)
    with pytest.raises(BundleError, match="open a bundle first"):
        walk.calibrate()


def test_another_study_forgets_all(explorer: Explorer, walk: DirectionWalk, shapes_study, shapes_bundle) -> None:
    choose(explorer, walk, LVM)
    explorer.open(shapes_study, shapes_bundle)
    assert explorer.jobs.wait(20.0)
    assert not walk.choice.is_complete
    assert walk.direction is None
