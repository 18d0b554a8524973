from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import ImagingPlane
from napari_latent_explorer.io.imaging_plane import guess_imaging_plane, named_plane, recognise_planes
from napari_latent_explorer.simulation.heart import Heart
from napari_latent_explorer.simulation.population import simulate_population

LONG_AXIS = np.array([0.66, -0.60, -0.45])
ACROSS_FOUR_CHAMBERS = np.array([0.05, 0.82, -0.57])
LONG_AXIS_PLANES: tuple[ImagingPlane, ...] = ("la_2ch", "la_3ch", "la_4ch")


def turned(direction: NDArray[np.float64], angle_deg: float, away_from: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn a direction by an angle, in the plane of both and away from the other."""
    unit = direction / np.linalg.norm(direction)
    away = -(away_from - (away_from @ unit) * unit)
    angle = np.radians(angle_deg)
    return np.cos(angle) * unit + np.sin(angle) * away / np.linalg.norm(away)


@pytest.mark.parametrize(("normal", "plane"), [(LONG_AXIS, "sa"), (ACROSS_FOUR_CHAMBERS, "la_4ch")])
def test_neither_sign_nor_length_of_the_normal_matters(normal: NDArray[np.float64], plane: str) -> None:
    assert {guess_imaging_plane(factor * normal) for factor in (1.0, -1.0, 7.5, -0.01)} == {plane}


@pytest.mark.parametrize(
    ("angle_deg", "plane"), [(22.0, "sa"), (40.0, "unknown"), (-22.0, "sa")], ids=["inside", "outside", "other side"]
)
def test_a_short_axis_may_lie_20_degrees_off(angle_deg: float, plane: str) -> None:
    side = ACROSS_FOUR_CHAMBERS * np.sign(ACROSS_FOUR_CHAMBERS @ LONG_AXIS)
    assert guess_imaging_plane(turned(LONG_AXIS, angle_deg, side)) == plane


def test_planes_of_the_body_are_unknown() -> None:
    for direction in np.eye(3):  # sagittal, frontal, transverse
        assert guess_imaging_plane(direction) == "unknown"


def test_the_planes_that_twenty_patients_had_on_average_are_named() -> None:
    """Mean normals of 20 patients with hypertrophic cardiomyopathy, as another program compares planes with them."""
    means = {
        "sa": [-0.618, 0.629, 0.415],
        "la_2ch": [-0.505, -0.327, -0.010],
        "la_4ch": [0.0195, -0.339, 0.613],
        "la_3ch": [0.337, 0.021, 0.491],
    }
    assert [guess.plane for guess in recognise_planes([np.array(mean) for mean in means.values()])] == list(means)
    assert [guess_imaging_plane(np.array(mean)) for mean in means.values()] == list(means)


def draw_planes(
    rng: np.random.Generator, turn_deg: dict[ImagingPlane, float]
) -> dict[ImagingPlane, NDArray[np.float64]]:
    """Normals of a person's planes: the heart by Hoekema (1999), its turn by 12 deg, the planning by 8 and 5 deg."""
    down, front = np.sin(np.radians(rng.normal(27.1, 8.8))), np.sin(np.radians(rng.normal(38.0, 5.0)))
    long_axis = np.array([np.sqrt(1.0 - down**2 - front**2), -front, -down])
    across = np.cross(long_axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    along = np.cross(long_axis, across)
    tilts = np.tan(np.radians(rng.normal(0.0, 5.0, 5)))
    planes: dict[ImagingPlane, NDArray[np.float64]] = {"sa": long_axis + tilts[3] * across + tilts[4] * along}
    roll_deg = rng.normal(0.0, 12.0)
    for (plane, middle_deg), tilt in zip(turn_deg.items(), tilts, strict=False):
        turn = np.radians(middle_deg + roll_deg + rng.normal(0.0, 8.0))
        planes[plane] = np.cos(turn) * across + np.sin(turn) * along + tilt * long_axis
    return planes


@pytest.mark.parametrize(
    "turns_deg",
    [(5.0, 65.0, 125.0), (6.0, 65.0, 109.0), (15.0, 70.0, 131.0)],
    ids=["60 degrees apart", "as in 20 patients", "4 chambers as in a Siemens cine"],
)
@pytest.mark.parametrize(
    ("present", "least_named"),
    [
        (("sa", *LONG_AXIS_PLANES), 0.8),
        (LONG_AXIS_PLANES, 0.75),
        (("sa", "la_4ch"), 0.75),
        (("la_2ch", "la_4ch"), 0.7),
        (("la_4ch",), 0.55),
        (("la_2ch",), 0.55),
        (("sa",), 0.95),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_planes_of_many_people_are_rarely_named_wrongly(
    turns_deg: tuple[float, ...], present: tuple[ImagingPlane, ...], least_named: float
) -> None:
    rng = np.random.default_rng(7)
    turn_deg = dict(zip(LONG_AXIS_PLANES, turns_deg, strict=True))
    pairs = []
    for _ in range(100):
        planes = draw_planes(rng, turn_deg)
        guesses = recognise_planes([planes[plane] for plane in present])
        pairs += [(plane, guess.plane) for plane, guess in zip(present, guesses, strict=True)]
    wrong = sum(guess not in (plane, "unknown") for plane, guess in pairs)
    named = sum(guess == plane for plane, guess in pairs)
    assert wrong <= 0.04 * len(pairs)
    assert named >= least_named * len(pairs)


def test_typed_descriptions_settle_what_geometry_leaves_open() -> None:
    rng = np.random.default_rng(8)
    present: tuple[ImagingPlane, ...] = ("sa", *LONG_AXIS_PLANES)
    texts = ["cine_SAX", "CINE_segmented_LAX_2ch", "3 Ch", "4CH"]
    named, hinted = 0, 0
    for _ in range(100):
        planes = draw_planes(rng, dict(zip(LONG_AXIS_PLANES, (6.0, 65.0, 109.0), strict=True)))
        guesses = recognise_planes([planes[plane] for plane in present], texts)
        named += sum(guess.plane == plane for plane, guess in zip(present, guesses, strict=True))
        hinted += sum(guess.is_by_name for guess in guesses)
    assert named >= 0.96 * 400
    assert hinted > 0


def test_simulated_hearts_of_a_population_are_recognised() -> None:
    for factors in simulate_population(20, seed=4).factors:
        h, _, n = Heart(factors).axes
        assert [guess.plane for guess in recognise_planes([h, n])] == ["sa", "la_4ch"]


def test_a_short_axis_stack_turns_an_open_plane_into_a_named_one() -> None:
    rng = np.random.default_rng(9)
    turn_deg = dict(zip(LONG_AXIS_PLANES, (5.0, 65.0, 125.0), strict=True))
    alone = together = 0
    for _ in range(100):
        planes = draw_planes(rng, turn_deg)
        alone += sum(guess_imaging_plane(planes[plane]) == plane for plane in LONG_AXIS_PLANES)
        guesses = recognise_planes([planes["sa"], *(planes[plane] for plane in LONG_AXIS_PLANES)])[1:]
        together += sum(guess.plane == plane for plane, guess in zip(LONG_AXIS_PLANES, guesses, strict=True))
    assert together > alone + 15


def test_repeated_acquisitions_are_no_further_evidence() -> None:
    between = turned(ACROSS_FOUR_CHAMBERS, 28.0, LONG_AXIS)
    once = recognise_planes([between])[0].probability
    assert recognise_planes([between] * 6)[0].probability == pytest.approx(once)


def test_a_heart_on_the_other_side_is_unknown_and_not_another_plane() -> None:
    for normal in (LONG_AXIS, ACROSS_FOUR_CHAMBERS):
        mirrored = normal * [-1.0, 1.0, 1.0]
        assert guess_imaging_plane(mirrored) in ("unknown", "la_4ch")
    assert guess_imaging_plane(LONG_AXIS * [-1.0, 1.0, 1.0]) == "unknown"


@pytest.mark.parametrize(
    ("description", "plane"),
    [
        ("CINE_segmented_LAX_4Ch", "la_4ch"),
        ("cine_trufi_retro 4CH", "la_4ch"),
        ("b2CHTFE", "la_2ch"),
        ("3-chamber", "la_3ch"),
        ("Cine SA stack", "sa"),
        ("CINE_segmented_SAX_b7", "sa"),
        ("kurze Achse", "sa"),
        ("saturation", None),
        ("4ch and 2ch", None),
        ("", None),
    ],
)
def test_descriptions_name_planes(description: str, plane: ImagingPlane | None) -> None:
    assert named_plane(description) == plane


def test_real_cines_are_recognised(realdata: Path) -> None:
    from napari_latent_explorer.io.cine_dicom import read_cine_dicom
    from napari_latent_explorer.io.reading import ReadOptions

    four_chambers = realdata / "cine" / "siemens_4ch"
    stack = realdata / "cine" / "sunnybrook_sax" / "SCD0000101"
    for options in (ReadOptions(), ReadOptions(related=(stack,))):  # not the same person, but not far apart
        assert read_cine_dicom(four_chambers, options).recording.imaging_plane == "la_4ch"  # type: ignore[union-attr]
    assert read_cine_dicom(stack).recording.imaging_plane == "sa"  # type: ignore[union-attr]


def test_descriptions_name_all_planes_of_a_heart_that_lies_as_hearts_do_not() -> None:
    normals = [np.array(one) for one in ([-0.853, -0.425, 0.303], [-0.931, 0.252, -0.265], [-0.176, -0.447, 0.877])]
    texts = [f"CINE_segmented_LAX_{name}" for name in ("3Ch", "4Ch", "2Ch")]
    guesses = recognise_planes(normals, texts)
    assert [guess.plane for guess in guesses] == ["la_3ch", "la_4ch", "la_2ch"]
    assert all(guess.is_by_name and "hint by name" in guess.note for guess in guesses)
    assert [guess.plane for guess in recognise_planes(normals, [texts[1]] * 3)].count("la_4ch") < 3
