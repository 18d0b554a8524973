"""What changed in which structure: closed forms of drawn rings and strips, and simulated hearts of known mass."""

from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer.analysis.region_change import compare_regions, measure_difference, measure_regions
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population

CAVITY, WALL, SEPTUM = 11, 4, 5
SPACING_MM = (0.5, 0.5)


def ring(cavity_mm: float, wall_mm: float) -> np.ndarray:
    """Draw one frame: a round cavity in a wall whose left half is the septum."""
    rows, columns = (np.mgrid[:240, :240] - 119.5) * 0.5
    distance = np.hypot(rows, columns)
    wall = np.where(columns < 0, SEPTUM, WALL)
    return np.where(distance < cavity_mm, CAVITY, np.where(distance < cavity_mm + wall_mm, wall, 0)).astype(np.uint8)


def beating(cavity_mm: float, wall_mm: float) -> np.ndarray:
    """Draw systole, diastole, and between, where the wall is twice as thick at systole."""
    return np.stack([ring(0.6 * cavity_mm, 2 * wall_mm), ring(cavity_mm, wall_mm), ring(0.8 * cavity_mm, wall_mm)])


def signal_of(labels: np.ndarray, cavity_sd: float = 1.5) -> np.ndarray:
    return np.where(labels == CAVITY, cavity_sd, np.where(labels > 0, -0.5, 0.0)).astype(np.float32)


def found(labels: np.ndarray, cine: np.ndarray | None = None) -> dict[tuple[str, str], float]:
    cine = signal_of(labels) if cine is None else cine
    measures = measure_regions(cine, labels, LA_4CH_CLASSES, SPACING_MM)
    return {(one.quantity, one.region): one.value for one in measures}


def test_a_ring_has_its_areas_its_thickness_and_its_signal() -> None:
    values = found(beating(25.0, 8.0))
    assert values["area_ed", "LV_cavity"] == pytest.approx(np.pi * 2.5**2, rel=0.01)
    assert values["area_es", "LV_cavity"] == pytest.approx(np.pi * 1.5**2, rel=0.01)
    half_cm2 = np.pi * (3.3**2 - 2.5**2) / 2
    for wall in (WALL, SEPTUM):
        name = LA_4CH_CLASSES[wall]
        assert values["area_ed", name] == pytest.approx(half_cm2, rel=0.01)
        assert values["thickness", name] == pytest.approx(8.0, abs=0.3)
        assert values["signal", name] == pytest.approx(-0.5)
    assert values["signal", "LV_cavity"] == pytest.approx(1.5)
    assert values["ventricle", "EDV"] == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.02)
    assert values["ventricle", "EF"] == pytest.approx(100 * (1 - 0.6**3), abs=1.0)


@pytest.mark.parametrize("n_pixels", [4, 10, 20])
def test_a_strip_is_as_thick_as_it_is_drawn_however_coarse_the_pixels(n_pixels: int) -> None:
    labels = np.zeros((1, 60, 4000), np.uint8)
    labels[:, 20 : 20 + n_pixels, :-20] = WALL
    labels[:, :, -10:] = CAVITY
    assert found(labels)["thickness", "LV_anterolateral_wall"] == pytest.approx(0.5 * n_pixels, abs=0.15)


@pytest.mark.parametrize("wall_mm", [6.0, 8.0, 10.0, 14.0])
def test_a_round_wall_is_as_thick_as_it_is_in_the_pixels_of_a_model(wall_mm: float) -> None:
    rows, columns = (np.mgrid[:96, :96] - 47.3) * 1.8
    distance = np.hypot(rows, columns)
    labels = np.where(distance < 25, CAVITY, np.where(distance < 25 + wall_mm, WALL, 0)).astype(np.uint8)[None]
    measures = measure_regions(signal_of(labels), labels, LA_4CH_CLASSES, (1.8, 1.8))
    (thickness,) = (one.value for one in measures if one.quantity == "thickness")
    assert thickness == pytest.approx(wall_mm, abs=0.4)


def test_a_heart_that_only_grows_brighter_changes_in_signal_alone() -> None:
    labels = beating(25.0, 8.0)
    cines = signal_of(labels), signal_of(labels, 1.8)
    before, after = (measure_regions(cine, labels, LA_4CH_CLASSES, SPACING_MM) for cine in cines)
    changes = {(one.quantity, one.region): one.change for one in compare_regions(before, after)}
    moved = {key: change for key, change in changes.items() if change}
    assert moved == {("signal", "LV_cavity"): pytest.approx(0.3, rel=1e-5)}
    differences = {one.region: one.value for one in measure_difference(cines, (labels, labels), LA_4CH_CLASSES)}
    assert differences["LV_cavity"] == pytest.approx(0.3, rel=1e-5)
    assert differences["interventricular_septum"] == 0.0


def test_a_difference_is_that_of_all_pixels_where_the_structure_lies_in_either() -> None:
    rng = np.random.default_rng(3)
    cines = rng.normal(size=(3, 9, 9)), rng.normal(size=(3, 9, 9))
    labels = rng.integers(0, 4, (3, 9, 9)), rng.integers(0, 4, (3, 9, 9))
    names = {1: "one", 3: "three", 7: "never drawn"}
    differences = {one.region: one.value for one in measure_difference(cines, labels, names)}
    assert differences.keys() == {"one", "three"}
    for number in (1, 3):
        is_there = (labels[0] == number) | (labels[1] == number)
        change = (cines[1] - cines[0])[is_there]
        assert differences[names[number]] == pytest.approx(np.sqrt(np.mean(change**2)))


def test_a_structure_that_one_heart_lacks_is_told_with_a_gap() -> None:
    with_septum = beating(25.0, 8.0)
    without = np.where(with_septum == SEPTUM, 0, with_septum)
    both = [measure_regions(signal_of(one), one, LA_4CH_CLASSES, SPACING_MM) for one in (with_septum, without)]
    for before, after, gap in ((*both, "after"), (*reversed(both), "before")):
        (area,) = (
            one
            for one in compare_regions(before, after)
            if (one.quantity, one.region) == ("area_ed", "interventricular_septum")
        )
        assert np.isnan(getattr(area, gap))
        assert np.isnan(area.change)


def test_without_a_left_ventricle_only_the_signal_is_measured() -> None:
    labels = np.full((2, 30, 30), 2, np.uint8)
    names = {2: "RV_cavity"}
    (measure,) = measure_regions(np.full(labels.shape, 0.25), labels, names, SPACING_MM)
    assert (measure.quantity, measure.region, measure.value) == ("signal", "RV_cavity", 0.25)


def test_a_simulated_heart_of_more_muscle_has_thicker_walls_in_the_same_place() -> None:
    person = next(one for one in simulate_population(30, seed=5).factors if one.mri_quality == "good")
    values = []
    for factors in (person, replace(person, lvm_g=person.lvm_g * 1.3)):
        cine, labels = simulate_cine(factors, n_frames=4)
        measures = measure_regions(
            cine.frames[:, 0].astype(np.float32), labels.frames[:, 0], labels.names, cine.spacing_mm[1:]
        )
        values.append({(one.quantity, one.region): one.value for one in measures})
    before, after = values
    assert after["ventricle", "LVM"] / before["ventricle", "LVM"] == pytest.approx(1.3, abs=0.08)
    for wall in ("LV_anterolateral_wall", "interventricular_septum"):
        assert 1.1 < after["thickness", wall] / before["thickness", wall] < 1.4
        assert 4.0 < before["thickness", wall] < 14.0
