"""The left ventricle measured in one plane: closed forms of ellipsoids, and simulated hearts of known mass."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.measurement import measure_left_ventricle
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population

CAVITY, WALL, SEPTUM = 11, 4, 5


def ellipse(long_mm: float, short_mm: float, angle: float = 0.0, spacing_mm: float = 0.5) -> np.ndarray:
    """Draw the section of an ellipsoid through its long axis."""
    rows, columns = (np.mgrid[:300, :300] - 150) * spacing_mm
    along = rows * np.cos(angle) + columns * np.sin(angle)
    across = columns * np.cos(angle) - rows * np.sin(angle)
    return np.square(along / long_mm) + np.square(across / short_mm) < 1.0


def ellipsoid_ml(long_mm: float, short_mm: float) -> float:
    return 4.0 / 3.0 * np.pi * long_mm * short_mm**2 / 1000.0


@pytest.mark.parametrize("angle", [0.0, 0.6, 1.4])
def test_ellipsoids_have_their_volume_and_the_shell_its_mass(angle: float) -> None:
    diastole = np.where(ellipse(50, 25, angle), CAVITY, np.where(ellipse(58, 33, angle), WALL, 0))
    systole = np.where(ellipse(40, 18, angle), CAVITY, np.where(ellipse(58, 33, angle), SEPTUM, 0))
    measures = measure_left_ventricle(np.stack([systole, diastole, systole]), LA_4CH_CLASSES, (0.5, 0.5))
    assert measures is not None
    edv, esv = ellipsoid_ml(50, 25), ellipsoid_ml(40, 18)
    assert measures.edv_ml == pytest.approx(edv, rel=0.02)
    assert measures.esv_ml == pytest.approx(esv, rel=0.02)
    assert measures.ef_percent == pytest.approx(100 * (1 - esv / edv), abs=1.0)
    assert measures.mass_g == pytest.approx(1.05 * (ellipsoid_ml(58, 33) - edv), rel=0.03)


def test_a_pixel_need_not_be_square() -> None:
    labels = CAVITY * ellipse(50, 25)[None, ::2]
    measures = measure_left_ventricle(labels, LA_4CH_CLASSES, (1.0, 0.5))
    assert measures is not None
    assert measures.edv_ml == pytest.approx(ellipsoid_ml(50, 25), rel=0.03)
    assert np.isnan(measures.mass_g)
    assert np.isnan([measures.esv_ml, measures.ef_percent]).all()  # of one frame nobody knows how far it contracts


def test_specks_beside_the_ventricle_do_not_count() -> None:
    labels = np.where(ellipse(50, 25), CAVITY, np.where(ellipse(58, 33), WALL, 0))
    clean = measure_left_ventricle(np.stack([labels] * 2), LA_4CH_CLASSES, (0.5, 0.5))
    labels[2:5, 2:5], labels[-4:, -9:] = CAVITY, WALL
    assert measure_left_ventricle(np.stack([labels] * 2), LA_4CH_CLASSES, (0.5, 0.5)) == clean


def test_where_no_left_ventricle_is_drawn_nothing_is_measured() -> None:
    assert measure_left_ventricle(np.zeros((2, 9, 9), np.uint8), LA_4CH_CLASSES, (1.8, 1.8)) is None
    assert measure_left_ventricle(np.full((2, 9, 9), CAVITY), {1: "RV_cavity"}, (1.8, 1.8)) is None


def test_simulated_hearts_have_the_mass_and_the_volume_that_they_were_made_with(record_property) -> None:
    people = [one for one in simulate_population(30, seed=5).factors if one.mri_quality == "good"][:12]
    found = []
    for person in people:
        cine, labels = simulate_cine(person, n_frames=2)
        measures = measure_left_ventricle(labels.frames[:, 0], labels.names, cine.spacing_mm[1:])
        assert measures is not None
        found.append((measures.mass_g, measures.edv_ml))
    true = np.array([(person.lvm_g, person.lvedv_ml) for person in people])
    error = np.array(found) - true
    assert np.abs(error.mean(axis=0)).max() < 3.0
    assert np.abs(error).max() < 8.0
    record_property("figure", f"LV mass in one plane of simulated hearts: error {np.abs(error[:, 0]).mean():.1f} g")
