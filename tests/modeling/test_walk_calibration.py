"""What a walk changes of drawn hearts: against hearts of known size, and by the shipped model in the shipped study."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.directions import Direction, phenotype_direction
from napari_latent_explorer.analysis.measurement import measure_left_ventricle
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.modeling.walk_calibration import STOPS, calibrate_walk, calibration_key, measure_with
from napari_latent_explorer.session.opening import load_bundle, load_study

SPACING_MM = 1.8
RADIUS_PX, WALL_PX = 20.0, 5.0


class Rings:
    """Draws round hearts: the first latent makes each larger, by as much as the second says."""

    fingerprint = "rings"
    label_names = LA_4CH_CLASSES
    input_spec = STANDARD

    def __init__(self, has_labels: bool = True) -> None:
        self.has_labels = has_labels

    def decode(self, latents: np.ndarray, *, with_labels: bool = False, with_ecg: bool = True) -> Decoded:
        rows, columns = np.mgrid[:96, :96] - 47.5
        distance = np.hypot(rows, columns)
        radii = RADIUS_PX + latents[:, 0] * latents[:, 1]
        labels = [np.where(distance < r, 11, np.where(distance < r + WALL_PX, 4, 0)) for r in radii]
        two_frames = np.stack([np.stack(labels)] * 2, axis=1).astype(np.uint8)
        return Decoded(None, two_frames if self.has_labels else None, None)


@pytest.fixture(scope="module")
def people() -> LatentSpace:
    rng = np.random.default_rng(4)
    values = np.column_stack([np.zeros(400), rng.normal(2.0, 0.3, 400), np.zeros(400)])
    return LatentSpace(values, np.array([f"P{number}" for number in range(400)]), "mri", "rings")


LARGER = Direction("Larger", np.array([0.5, 0.0, 0.0]), "g", 4.0, "lvm")


def volume_ml(radius_px: np.ndarray) -> np.ndarray:
    return 4.0 / 3.0 * np.pi * (radius_px * SPACING_MM) ** 3 / 1000.0


def test_round_hearts_change_by_the_formula_of_the_ball(people: LatentSpace) -> None:
    calibration = finish(calibrate_walk(measure_with(Rings()), people, LARGER, 200))
    behind, here, ahead = (RADIUS_PX + stop * 2.0 * people.values[:, 1] for stop in STOPS)  # one SD is 4 units
    amounts = 4.0 * STOPS[[0, 2], None]
    edv = (volume_ml(np.stack([behind, ahead])) - volume_ml(here)) / amounts  # (side, person)
    mass = 1.05 * (volume_ml(np.stack([behind, ahead]) + WALL_PX) - volume_ml(here + WALL_PX)) / amounts - 1.05 * edv
    for name, expected in (("lvedv", edv), ("lvm", mass)):
        change = calibration.of(name)
        assert change.per_unit == pytest.approx(expected.mean(), rel=0.03)  # of pixels
        within = (change.person_low < expected) & (expected < change.person_high)
        assert 0.92 < within.mean() <= 0.99
        assert change.low < expected.mean() < change.high
        # The mean of 200 is surer than one person, to one side, by more than the root of 200.
        assert (change.person_high - change.person_low) / (change.high - change.low) > np.sqrt(201)
    assert (calibration.spread, calibration.reach) == (4.0, 8.0)
    assert calibration.own == calibration.of("lvm")
    assert calibration.own.is_scale
    assert not calibration.of("lvef").is_scale
    assert calibration.of("lvef").per_unit == pytest.approx(0.0, abs=1e-9)  # of a heart that does not beat
    assert calibration.of("age") is None


def test_refusals(people: LatentSpace) -> None:
    with pytest.raises(BundleError, match="draws no labels"):
        finish(calibrate_walk(measure_with(Rings(has_labels=False)), people, LARGER))
    with pytest.raises(StudyError, match="fewer than 10 of 9"):
        finish(calibrate_walk(measure_with(Rings()), people, LARGER, 9))


def test_the_key_tells_walks_models_and_cohorts_apart(people: LatentSpace) -> None:
    same = Direction("Another name", LARGER.vector.copy(), "g", 4.0, "lvm")
    assert calibration_key(people, LARGER) == calibration_key(people, same)
    others = [
        (people, Direction("Larger", LARGER.vector * 1.001, "g", 4.0, "lvm")),
        (people, Direction("Larger", LARGER.vector, "g", 4.1, "lvm")),
        (people, Direction("Larger", LARGER.vector, "ml", 4.0, "lvedv")),
        (people.aligned_to(people.participant_ids[1:]), LARGER),
        (LatentSpace(people.values, people.participant_ids, "mri", "rings2"), LARGER),
    ]
    keys = {calibration_key(*one) for one in [(people, LARGER), *others]}
    assert len(keys) == 6


@pytest.mark.slow
def test_the_walk_along_lv_mass_changes_other_peoples_decoded_hearts_by_what_the_slider_says(record_property) -> None:
    """Direction and scale are of 1,950 people; 50 others are walked by grams of the scale."""
    study, bundle = finish(load_study(sample_study_path())), finish(load_bundle(sample_bundle_path()))
    everybody, cohort = study.latents("mri", bundle.fingerprint), study.cohort()
    order = np.random.default_rng(11).permutation(len(everybody.values))
    others = everybody.values[order[:50]]
    latents = everybody.aligned_to(everybody.participant_ids[np.sort(order[50:])])
    direction = phenotype_direction(latents, cohort, "lvm")
    said = finish(calibrate_walk(measure_with(bundle), latents, direction)).own

    def masses_g(said_g: float) -> np.ndarray:
        labels = bundle.decode(direction.moved(others, said_g / said.per_unit), with_labels=True, with_ecg=False).labels
        found = [measure_left_ventricle(one, bundle.label_names, (SPACING_MM, SPACING_MM)) for one in labels]
        return np.array([one.mass_g for one in found])

    before = masses_g(0.0)
    figures = []
    for said_g in (-20.0, -10.0, 10.0, 20.0):
        change = masses_g(said_g) - before
        share = said_g / said.per_unit
        mean_low, mean_high = sorted((share * said.low, share * said.high))
        margin = 1.96 * change.std(ddof=1) / np.sqrt(50)  # of the others' own mean
        assert mean_low - margin < change.mean() < mean_high + margin
        assert abs(change.mean() / said_g - 1.0) < 0.15
        low, high = sorted((share * said.person_low, share * said.person_high))
        within = ((low < change) & (change < high)).mean()
        assert within >= 0.9
        figures.append(f"{said_g:+.0f} g: {change.mean():+.1f} ({low:+.0f} to {high:+.0f} holds {100 * within:.0f} %)")
    record_property("figure", f"walk along LV mass, said and measured on 50 others: {'; '.join(figures)}")
