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
from napari_latent_explorer.modeling.walk_calibration import calibrate_walk
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
        return Decoded(None, np.stack(labels)[:, None].astype(np.uint8) if self.has_labels else None, None)


@pytest.fixture(scope="module")
def people() -> LatentSpace:
    rng = np.random.default_rng(4)
    values = np.column_stack([np.zeros(400), rng.normal(2.0, 0.3, 400), np.zeros(400)])
    return LatentSpace(values, np.array([f"P{number}" for number in range(400)]), "mri", "rings")


LARGER = Direction("Larger", np.array([0.5, 0.0, 0.0]), "g", 4.0, "lvm")


def volume_ml(radius_px: np.ndarray) -> np.ndarray:
    return 4.0 / 3.0 * np.pi * (radius_px * SPACING_MM) ** 3 / 1000.0


def test_round_hearts_change_by_the_formula_of_the_ball(people: LatentSpace) -> None:
    calibration = finish(calibrate_walk(Rings(), people, LARGER, 200))
    ahead, behind = (RADIUS_PX + sign * 2.0 * people.values[:, 1] for sign in (1.0, -1.0))  # one SD is 4 units
    edv = (volume_ml(ahead) - volume_ml(behind)) / 8.0
    mass = 1.05 * (volume_ml(ahead + WALL_PX) - volume_ml(behind + WALL_PX)) / 8.0 - 1.05 * edv
    for name, expected in (("lvedv", edv), ("lvm", mass)):
        change = calibration.of(name)
        assert change.per_unit == pytest.approx(expected.mean(), rel=0.03)  # of pixels
        within = (change.person_low < expected) & (expected < change.person_high)
        assert 0.92 < within.mean() <= 0.99
        assert change.low < expected.mean() < change.high
        # The mean of 200 is surer than one person by about the root of 200.
        assert (change.person_high - change.person_low) / (change.high - change.low) == pytest.approx(np.sqrt(201))
    assert calibration.reach == 4.0
    assert calibration.of("lvef").per_unit == pytest.approx(0.0, abs=1e-9)  # of a heart that does not beat
    assert calibration.of("age") is None


def test_refusals(people: LatentSpace) -> None:
    with pytest.raises(BundleError, match="draws no labels"):
        finish(calibrate_walk(Rings(has_labels=False), people, LARGER))
    with pytest.raises(StudyError, match="fewer than 10 of 9"):
        finish(calibrate_walk(Rings(), people, LARGER, 9))


@pytest.mark.slow
def test_the_walk_along_lv_mass_changes_other_peoples_decoded_hearts_by_what_the_slider_says(record_property) -> None:
    study, bundle = finish(load_study(sample_study_path())), finish(load_bundle(sample_bundle_path()))
    latents, cohort = study.latents("mri", bundle.fingerprint), study.cohort()
    direction = phenotype_direction(latents, cohort, "lvm")
    order = np.random.default_rng(0).permutation(len(latents.values))
    said = finish(calibrate_walk(bundle, latents, direction, 50)).of("lvm")
    others = latents.values[order[50:100]]  # the seed of `calibrate_walk` draws the first 50

    def masses_g(amount: float) -> np.ndarray:
        labels = bundle.decode(direction.moved(others, amount), with_labels=True, with_ecg=False).labels
        found = [measure_left_ventricle(one, bundle.label_names, (SPACING_MM, SPACING_MM)) for one in labels]
        return np.array([one.mass_g for one in found])

    heavier_g = masses_g(20.0) - masses_g(0.0)
    record_property(
        "figure",
        f"walk along LV mass: 1 slider g = {said.per_unit:.2f} measured g (mean {said.low:.2f} to {said.high:.2f}, one "
        f"heart {said.person_low:.2f} to {said.person_high:.2f}); 50 others walked 20 g: {heavier_g.mean() / 20:.2f}",
    )
    assert said.low > 0.0
    margin = 2.0 * heavier_g.std(ddof=1) / np.sqrt(50)  # of the others' own mean
    assert 20.0 * said.low - margin < heavier_g.mean() < 20.0 * said.high + margin
    within = (20.0 * said.person_low < heavier_g) & (heavier_g < 20.0 * said.person_high)
    assert within.mean() >= 0.9
