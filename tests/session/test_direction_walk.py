"""The direction laid and measured by jobs, kept per choice, and dropped when it is of something that has changed."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_latent_explorer.analysis.directions import phenotype_direction
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.walk_calibration import MeasuredChange, WalkCalibration
from napari_latent_explorer.session.calibration_store import CalibrationStore
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_walk import CALIBRATE, DirectionWalk
from napari_latent_explorer.session.explorer import Explorer

LVM = DirectionChoice(phenotype="lvm")
VOLUME = DirectionChoice(phenotype="lvedv")


class StudyOnDisk:
    """Is another study, in a folder."""

    def __init__(self, study: object, path: Path) -> None:
        self._study = study
        self.path = path

    def __getattr__(self, name: str) -> object:
        return getattr(self._study, name)


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


def test_measurable_walks_are_calibrated_by_themselves_and_others_when_somebody_asks(
    explorer: Explorer, walk: DirectionWalk
) -> None:
    choose(explorer, walk, DirectionChoice(phenotype="age"))
    assert not walk.is_measurable
    assert walk.calibrate_if_usual() is None
    choose(explorer, walk, VOLUME)
    assert walk.is_measurable
    assert walk.calibrate_if_usual() is not None
    assert walk.calibrate_if_usual() is None  # it runs
    assert explorer.jobs.wait(60.0)
    assert walk.measured.phenotype == "lvedv"
    assert walk.measured.n_hearts == 50
    # The first latent is the standardised volume and a heart's radius: 16 px and 2 px per standard deviation.
    radii_px = 16.0 + 2.0 * explorer.latents["mri"].values[:, 0, None] + np.array([-4.0, 4.0])
    volumes_ml = 4.0 / 3.0 * np.pi * (1.8 * radii_px) ** 3 / 1000.0
    expected = (volumes_ml[:, 1] - volumes_ml[:, 0]) / (4.0 * walk.direction.spread)
    assert walk.measured.per_unit == pytest.approx(expected.mean(), rel=0.1)
    assert explorer.undo_text == "Choose the direction of LV end-diastolic volume"  # knowing is no step
    assert walk.calibrate_if_usual() is None


def test_whoever_cancels_the_measuring_is_not_bothered_again(explorer: Explorer, walk: DirectionWalk) -> None:
    choose(explorer, walk, VOLUME)
    walk.calibrate_if_usual()
    walk.cancel(CALIBRATE)
    assert explorer.jobs.wait(20.0)
    assert walk.calibration is None
    assert walk.calibrate_if_usual() is None
    assert walk.calibrate() is not None
    assert walk.choose(LVM).wait(20.0)
    walk.calibrate_if_usual()  # the other work ends in favour of this
    assert explorer.jobs.wait(60.0)
    choose(explorer, walk, VOLUME)
    assert walk.calibration is None
    assert walk.calibrate_if_usual() is not None


def test_why_hearts_cannot_be_measured_is_said_once_and_not_tried_again(shapes_study, shapes_bundle) -> None:
    explorer = Explorer(decode_fn=lambda bundle, vector: SimpleNamespace(vector=vector, bundle_fingerprint="shapes0"))
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    explorer.open(shapes_study, shapes_bundle)
    explorer.jobs.wait(20.0)
    explorer.probe_mean("mri")
    walk = DirectionWalk(explorer)
    choose(explorer, walk, VOLUME)
    walk.calibrate_if_usual()
    assert explorer.jobs.wait(20.0)
    assert "draws no labels" in walk.calibration_problem
    assert walk.calibrate_if_usual() is None
    assert not failures
    explorer.close()


def test_what_was_measured_is_kept_in_the_study_and_read_the_next_time(
    shapes_study, shapes_bundle, shapes_decoder, monkeypatch, tmp_path
) -> None:
    study = StudyOnDisk(shapes_study, tmp_path)
    explorer = Explorer(decode_fn=shapes_decoder)
    explorer.open(study, shapes_bundle)
    walk = DirectionWalk(explorer)
    choose(explorer, walk, VOLUME)
    walk.calibrate_if_usual()
    assert explorer.jobs.wait(60.0)
    measured = walk.calibration
    explorer.close()
    (file,) = tmp_path.glob("calibrations/shapes0/*.json")
    stored = file.read_bytes()

    explorer = Explorer(decode_fn=shapes_decoder)
    explorer.open(study, shapes_bundle)
    walk = DirectionWalk(explorer)
    choose(explorer, walk, VOLUME)
    monkeypatch.setattr(explorer.decode, "decode_all_and_wait", None)  # nobody decodes
    walk.calibrate_if_usual()
    assert explorer.jobs.wait(20.0)
    assert walk.calibration == measured
    assert file.read_bytes() == stored
    explorer.close()


def test_what_is_damaged_or_of_another_walk_is_not_taken_for_what_was_measured(tmp_path: Path) -> None:
    change = MeasuredChange("lvm", "LV mass", "g", 0.5, 0.4, 0.6, 0.2, 0.8, 50)
    calibration = WalkCalibration("abc", "lvm", 25.0, 50.0, (change,))
    store = CalibrationStore((tmp_path,))
    store.keep(calibration)
    assert store.find("abc") == calibration
    file = tmp_path / "abc.json"
    good = file.read_text()
    for bad in ("", "[]", good[:-9], good.replace("0.4", "0.55"), good.replace("lvm", "age"), good.replace("25", "-1")):
        file.write_text(bad)
        assert store.find("abc") is None, bad
    (tmp_path / "def.json").write_text(good)
    assert store.find("def") is None


def test_where_the_first_folder_cannot_be_written_the_next_one_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folders = (tmp_path / "file" / "calibrations", tmp_path / "own")
    calibration = WalkCalibration("abc", None, 1.0, 2.0, ())
    CalibrationStore(folders).keep(calibration)
    assert CalibrationStore(folders).find("abc") == calibration
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["abc.json"]
    CalibrationStore(()).keep(calibration)  # of a study in memory: nowhere
    CalibrationStore(folders[:1]).keep(calibration)


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
