"""Which plane of the heart a slice shows, from where it lies in the body and among the other planes of the same heart.

A short-axis slice is cut across the long axis of the left ventricle, the long-axis planes (2, 3 and 4 chambers) contain
it and differ by how far they are turned around it. Hearts lie differently in different people, so no single plane tells
much about the next person's; but all planes of one person were laid through the same heart.

That is the one idea here: hearts are drawn as they lie in people (long axis and turn around it), each is judged by how
well it explains all planes at once, and a plane is named when the hearts that explain them agree on its name. A short
axis thereby fixes the long axis, several long-axis planes fix it by what they have in common, and a single plane is
named only where all likely hearts agree. What no heart explains is `unknown`.

| constant | value | from |
|---|---|---|
| long axis to the transverse plane | 27.1 deg, SD 8.8 | [1]_, 25 people |
| long axis to the frontal plane | 38 deg, SD 5 | [1]_; 38.1 +- 7.8 in [2]_, 59 people |
| turn from the 2- to the 3-, from there to the 4-chamber plane | 60 deg, 53 deg | 60 in [3]_; see `_TURN_DEG` |
| turn of the 3-chamber plane in the patient | 65 deg | mean of 20 patients' images, see `_TURN_3CH_DEG` |

The deviations are taken wider than published, as the people of a cohort are less alike than those of a study.

Warnings
--------
A heart that lies differently (dextrocardia) gives `unknown`, or rarely another plane's name; readers let the user say
what it is. A typed description is a hint where geometry leaves names open or finds no heart in its usual place; it
never overrules a name that geometry gives. Where geometry names no plane of a heart that lies unusually, and all its
planes are described, by different names, the descriptions are believed.

References
----------
.. [1] Hoekema R et al. Interindividual variability of multilead electrocardiographic recordings: influence of heart
   position. J Electrocardiol 1999;32:137-148.
.. [2] Sathananthan G et al. Cardiac orientation: is there a correlation between the anatomical and the electrical axis
   of the heart? Br J Cardiol 2015;22(2). doi:10.5837/bjc.2015.016
.. [3] Mitchell C et al. Guidelines for performing a comprehensive transthoracic echocardiographic examination in
   adults. J Am Soc Echocardiogr 2019;32:1-64.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import ImagingPlane

NAMED_FROM = 0.85
"""A plane is named by geometry from this probability on."""
_HINTED_FROM = 0.1
"""Share of all names of heart planes that geometry must leave to the described one."""

_TO_TRANSVERSE_DEG, _TO_FRONTAL_DEG = (27.1, 11.0), (38.0, 9.0)
_ROLL_SD_DEG = 14.0
_TURN_3CH_DEG = 65.0
"""From the cross product of the long axis and the direction to the head, around the long axis: of the mean normals
(0.618, -0.629, -0.415) across the short axis and (0.337, 0.021, 0.491) across the 3-chamber plane, LPS."""
_TURN_DEG: dict[ImagingPlane, float] = {
    "la_2ch": _TURN_3CH_DEG - 60.0,
    "la_3ch": _TURN_3CH_DEG,
    "la_4ch": _TURN_3CH_DEG + 53.0,
}
"""The 4-chamber plane lies between 60 deg, as the probe is turned, and the 44 deg of the mean of those images."""
_TURN_SD_DEG, _TILT_SD_DEG, _SHORT_AXIS_SD_DEG = 11.0, 7.0, 7.0
_PRIOR: dict[ImagingPlane, float] = {"sa": 0.25, "la_4ch": 0.25, "la_2ch": 0.22, "la_3ch": 0.18, "unknown": 0.1}
_BODY_PLANE_SD_DEG, _BODY_PLANE_SHARE = 4.0, 0.4
"""Planes of the body (scouts, aorta) are exactly that."""
_SAME_PLANE_COSINE = np.cos(np.deg2rad(3.0))

_NAMES: tuple[tuple[ImagingPlane, str], ...] = (
    ("la_4ch", r"4[\s_-]*(ch|kammer|cavit|camar|c\b)|four[\s_-]*ch|\bhla\b|horizontal[\s_-]*long"),
    ("la_2ch", r"2[\s_-]*(ch|kammer|cavit|camar|c\b)|two[\s_-]*ch|\bvla\b|vertical[\s_-]*long"),
    ("la_3ch", r"3[\s_-]*(ch|kammer|cavit|camar|c\b)|three[\s_-]*ch"),
    ("sa", r"(?<![a-z])(sax|sa)(?![a-z])|short[\s_-]*ax|kurze?[\s_-]*achse|petit[\s_-]*axe|eje[\s_-]*corto"),
)


@dataclass(frozen=True, slots=True)
class PlaneGuess:
    """What a plane was taken for.

    Attributes
    ----------
    plane
        Its name.
    probability
        That its geometry gives to this name.
    is_by_name
        Whether a typed description decided between names that geometry left open.
    note
        What its user should know, as a sentence; empty when the geometry was clear.
    """

    plane: ImagingPlane
    probability: float
    is_by_name: bool = False
    note: str = ""


def guess_imaging_plane(normal: NDArray[np.float64]) -> ImagingPlane:
    """Imaging plane of slices of which nothing is known but their normal ``(3,)`` in LPS (its sign does not matter)."""
    return recognise_planes([normal])[0].plane


def recognise_planes(
    normals: Sequence[NDArray[np.float64]], descriptions: Sequence[str] = ()
) -> tuple[PlaneGuess, ...]:
    """Name the planes of one person's heart.

    Parameters
    ----------
    normals
        Normal ``(3,)`` of each plane in LPS; neither sign nor length matters.
    descriptions
        What somebody typed about each; none for no hints.

    Returns
    -------
    tuple of PlaneGuess
        One per plane.
    """
    if not len(normals):
        return ()
    units = np.array([normal / np.linalg.norm(normal) for normal in normals])
    chances = _chances(units)
    texts = tuple(descriptions) or ("",) * len(units)
    hints = [named_plane(text) for text in texts]
    guesses = tuple(_guess(*one) for one in zip(chances, hints, texts, strict=True))
    is_open = all(guess.plane == "unknown" or guess.is_by_name for guess in guesses)
    named = [hint for hint in hints if hint is not None]
    if is_open and len(named) == len(hints) and len(set(named)) > 1:
        return tuple(_by_name(*one) for one in zip(chances, named, texts, strict=True))
    return guesses


def named_plane(description: str) -> ImagingPlane | None:
    """Plane that a typed description names; None when it names none or several."""
    found = [plane for plane, pattern in _NAMES if re.search(pattern, description.lower())]
    return found[0] if len(found) == 1 else None


def _guess(chances: NDArray[np.float64], hint: ImagingPlane | None, description: str) -> PlaneGuess:
    by_plane = dict(zip(_PRIOR, chances.tolist(), strict=True))
    likely = max(by_plane, key=by_plane.__getitem__)
    chance = by_plane[likely]
    if likely != "unknown" and chance >= NAMED_FROM:
        note = ""
        if hint not in (None, likely):
            note = f"The cine is described as {description!r} but lies like {likely}; geometry was believed."
        return PlaneGuess(likely, chance, note=note)
    of_a_heart = sum(share for plane, share in by_plane.items() if plane != "unknown")
    if hint is not None and by_plane[hint] >= _HINTED_FROM * of_a_heart:
        return _by_name(chances, hint, description)
    open_names = ", ".join(f"{plane} {share:.0%}" for plane, share in by_plane.items() if share >= 0.05)
    return PlaneGuess(
        "unknown", by_plane["unknown"], note=f"The geometry leaves the imaging plane open ({open_names})."
    )


def _by_name(chances: NDArray[np.float64], hint: ImagingPlane, description: str) -> PlaneGuess:
    note = f"The plane {hint} is a hint by name: the geometry leaves it open and the description is {description!r}."
    return PlaneGuess(hint, float(chances[list(_PRIOR).index(hint)]), is_by_name=True, note=note)


def _chances(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each name ``(n_planes, n_names)`` for unit normals ``(n_planes, 3)``."""
    log_prior, long_axis, across, along_turn, roll_deg = _hearts()
    cosine = np.clip(units @ long_axis.T, -1.0, 1.0)  # (plane, heart)
    tilt_deg = np.degrees(np.arcsin(cosine))
    off_axis_deg = 90.0 - np.abs(tilt_deg)
    turn_deg = np.degrees(np.arctan2(units @ along_turn.T, units @ across.T))
    share = np.empty((*cosine.shape, len(_PRIOR)))
    for column, (plane, prior) in enumerate(_PRIOR.items()):
        if plane == "sa":
            density = np.exp(-0.5 * (off_axis_deg / _SHORT_AXIS_SD_DEG) ** 2) / (2 * np.pi * _SHORT_AXIS_SD_DEG**2)
        elif plane == "unknown":
            density = np.repeat(_elsewhere(units)[:, None], cosine.shape[1], axis=1)
        else:
            off_deg = (turn_deg - _TURN_DEG[plane] - roll_deg + 90.0) % 180.0 - 90.0
            density = _normal(off_deg, _TURN_SD_DEG) * _normal(tilt_deg, _TILT_SD_DEG)
        share[..., column] = prior * density
    total = share.sum(axis=-1)
    log_weight = log_prior + np.log(total[_first_of_each(units)]).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    chances: NDArray[np.float64] = np.einsum("h,phn->pn", weight / weight.sum(), share / total[..., None])
    return chances


def _elsewhere(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density per square degree ``(n_planes,)`` of planes that are laid through no heart."""
    anywhere = 1.0 / (2 * np.pi * np.degrees(1.0) ** 2)
    off_deg = np.degrees(np.arccos(np.clip(np.abs(units).max(axis=1), 0.0, 1.0)))
    body = np.exp(-0.5 * (off_deg / _BODY_PLANE_SD_DEG) ** 2) / (2 * np.pi * _BODY_PLANE_SD_DEG**2) / 3.0
    density: NDArray[np.float64] = _BODY_PLANE_SHARE * body + (1.0 - _BODY_PLANE_SHARE) * anywhere
    return density


def _first_of_each(units: NDArray[np.float64]) -> list[int]:
    """Planes that are not nearly the same as an earlier one: a repeated acquisition is no further evidence."""
    kept: list[int] = []
    for index, unit in enumerate(units):
        if not any(abs(float(unit @ units[other])) > _SAME_PLANE_COSINE for other in kept):
            kept.append(index)
    return kept


@cache
def _hearts() -> tuple[NDArray[np.float64], ...]:
    """Hearts as they lie in people: log probability, long axis ``(n_hearts, 3)``, two axes across it, roll in deg."""
    spread = np.linspace(-2.6, 2.6, 13)
    down, front, roll = (
        grid.ravel() for grid in np.meshgrid(spread, spread, np.linspace(-2.6, 2.6, 21), indexing="ij")
    )
    to_feet = np.sin(np.deg2rad(_TO_TRANSVERSE_DEG[0] + _TO_TRANSVERSE_DEG[1] * down))
    to_front = np.sin(np.deg2rad(_TO_FRONTAL_DEG[0] + _TO_FRONTAL_DEG[1] * front))
    to_left_squared = 1.0 - to_feet**2 - to_front**2
    possible = to_left_squared > 0.0
    long_axis = np.stack([np.sqrt(np.abs(to_left_squared)), -to_front, -to_feet], axis=1)[possible]
    across = np.cross(long_axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    log_prior = -0.5 * (down**2 + front**2 + roll**2)
    return log_prior[possible], long_axis, across, np.cross(long_axis, across), _ROLL_SD_DEG * roll[possible]


def _normal(off_deg: NDArray[np.float64], sd_deg: float) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-0.5 * (off_deg / sd_deg) ** 2) / (np.sqrt(2 * np.pi) * sd_deg)
    return density
