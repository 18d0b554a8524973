"""The implicit heart: its solids have the volumes of the factors, and it moves as hearts do."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.heart import Heart

MakeFactors = Callable[..., ParticipantFactors]


def counted_ml(heart: Heart, phases: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Volume in ml of every solid at each phase, by counting the points of a 2.5 mm lattice inside it."""
    step = 2.5
    h, s, n = (np.arange(low, high, step) for low, high in ((-75.0, 125.0), (-70.0, 105.0), (-75.0, 75.0)))
    lattice = np.stack(np.meshgrid(h, s, n, indexing="ij"), axis=-1).reshape(-1, 3)
    at = heart.locate(heart.origin_mm + lattice @ heart.axes)
    distances = heart.distances(at, heart.shape(phases))
    inside = {
        "lv": distances.lv_cavity < 0.0,
        "rv": distances.rv_cavity < 0.0,
        "la": distances.la_cavity < 0.0,
        "ra": distances.ra_cavity < 0.0,
        "wall": (distances.lv_wall < 0.0) & (distances.lv_cavity >= 0.0),
    }
    return {name: mask.sum(axis=1) * step**3 / 1e3 for name, mask in inside.items()}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lvm_g": 250.0, "lvedv_ml": 300.0, "lvesv_ml": 200.0, "rvedv_ml": 280.0, "rvesv_ml": 150.0},
        {"lvm_g": 190.0, "septal_asymmetry": 1.0, "lvesv_ml": 45.0},
    ],
    ids=["healthy", "dilated", "hypertrophic"],
)
def test_every_solid_has_the_volume_of_the_factors(changes: dict[str, object], make_factors: MakeFactors) -> None:
    heart = Heart(make_factors(**changes))
    phases = np.array([0.0, 0.2, heart.cycle.end_systole_ms / heart.cycle.rr_ms, 0.7])
    counted, asked = counted_ml(heart, phases), heart.volumes_ml(phases)
    np.testing.assert_allclose(counted["lv"], asked.lv, rtol=0.03)
    np.testing.assert_allclose(counted["rv"], asked.rv, rtol=0.03)
    np.testing.assert_allclose(1.05 * counted["wall"], heart.factors.lvm_g, rtol=0.04)
    np.testing.assert_allclose(counted["la"], asked.la, rtol=0.12)
    np.testing.assert_allclose(counted["ra"], asked.ra, rtol=0.12)


def test_volumes_run_from_end_diastole_to_end_systole_and_back(make_factors: MakeFactors) -> None:
    heart = Heart(make_factors())
    volumes = heart.volumes_ml(np.linspace(0.0, 1.0, 501))
    assert volumes.lv[0] == pytest.approx(150.0)
    assert volumes.lv[-1] == pytest.approx(volumes.lv[0])
    assert volumes.lv.min() == pytest.approx(60.0, abs=0.1)
    assert volumes.rv.min() == pytest.approx(68.0, abs=0.1)
    assert (volumes.la.min(), volumes.la.max()) == pytest.approx((30.0, 72.0), abs=0.1)
    assert np.argmax(volumes.la) >= np.argmin(volumes.lv)
    assert heart.volumes_ml(2.3).lv == pytest.approx(heart.volumes_ml(0.3).lv)


def test_systole_keeps_its_length_when_the_heart_is_fast(make_factors: MakeFactors) -> None:
    slow, fast = (Heart(make_factors(heart_rate_bpm=rate)).cycle for rate in (50.0, 95.0))
    assert 290.0 < fast.end_systole_ms < slow.end_systole_ms < 380.0
    assert fast.end_systole_ms / fast.rr_ms > 1.4 * slow.end_systole_ms / slow.rr_ms


def test_the_atrial_kick_fills_the_ventricle_unless_the_atria_fibrillate(make_factors: MakeFactors) -> None:
    def filled_by_the_kick_ml(has_atrial_fibrillation: bool) -> float:
        heart = Heart(make_factors(has_atrial_fibrillation=has_atrial_fibrillation))
        before = 1.0 - heart.cycle.atrial_kick_ms / heart.cycle.rr_ms
        return float(150.0 - heart.volumes_ml(before).lv)

    assert 10.0 < filled_by_the_kick_ml(False) < 40.0
    assert filled_by_the_kick_ml(True) == pytest.approx(0.0, abs=0.5)


def test_the_base_comes_down_and_the_apex_stands_still(make_factors: MakeFactors) -> None:
    heart = Heart(make_factors(longitudinal_shortening=0.18))
    shape = heart.shape(np.array([0.0, heart.cycle.end_systole_ms / heart.cycle.rr_ms]))
    apex_h = (shape.lv_centre_h + shape.outer_length)[:, 0]
    cavity_mm = 1.7 * shape.lv_length[:, 0]
    assert apex_h[0] == pytest.approx(apex_h[1], abs=1e-3)
    assert cavity_mm[1] / cavity_mm[0] == pytest.approx(0.82, abs=1e-3)
    assert 8.0 < shape.mitral_h[1, 0] - shape.mitral_h[0, 0] < 20.0
    assert shape.wall[1, 0] > 1.25 * shape.wall[0, 0]


def test_an_asymmetric_septum_is_thicker_than_the_free_wall(make_factors: MakeFactors) -> None:
    def thickness_mm(heart: Heart, side: float) -> float:
        ray = np.array([heart.to_patient(45.0, side * s) for s in np.arange(0.0, 70.0, 0.1)])
        distances = heart.distances(heart.locate(ray), heart.shape(np.array([0.0])))
        return 0.1 * float(np.sum((distances.lv_wall[0] < 0.0) & (distances.lv_cavity[0] >= 0.0)))

    even, uneven = Heart(make_factors(septal_asymmetry=0.0)), Heart(make_factors(septal_asymmetry=0.9))
    assert thickness_mm(even, 1.0) == pytest.approx(thickness_mm(even, -1.0), abs=0.2)
    assert thickness_mm(uneven, 1.0) == pytest.approx(1.9 * thickness_mm(uneven, -1.0), rel=0.05)


def test_the_cavities_do_not_overlap(make_factors: MakeFactors) -> None:
    heart = Heart(make_factors())
    rng = np.random.default_rng(0)
    points = heart.origin_mm + rng.uniform((-60.0, -60.0, -60.0), (100.0, 90.0, 60.0), (20_000, 3)) @ heart.axes
    d = heart.distances(heart.locate(points), heart.shape(np.linspace(0.0, 0.95, 8)))
    inside = sum((cavity < 0.0).astype(int) for cavity in (d.lv_cavity, d.rv_cavity, d.la_cavity, d.ra_cavity))
    assert np.mean(inside > 1) < 1e-4
