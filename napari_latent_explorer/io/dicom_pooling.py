"""Which slices of DICOM series belong to one cine.

Some scanners put a whole stack into one series, others make a series of each slice (UK Biobank's short axis). So slices
are pooled by geometry: same study, frame of reference, directions, spacing and size.

| case | rule |
|---|---|
| several series with one slice each, at three or more even steps | one stack |
| two such series, or steps under half a slice | separate cines: repeated or moved, not stacked |
| one slice taken several times | measured before computed, then most frames, then the latest; noted |
| single slices off the even steps of a stack of such | separate cines, noted |
| a stack whose slices are all in another stack | the one with more slices is used, then by the rule above; noted |
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.io.dicom_series import DicomSeries, is_parallel
from napari_latent_explorer.io.dicom_slices import CineSeries, SliceCine
from napari_latent_explorer.io.dicom_stack import UNEVEN_MM, DicomCine, checked
from napari_latent_explorer.io.reading import FileOutcome

_LEAST_STACK = 3
_LEAST_STEP = 0.5
_MOST = 0.75
_RULE = "measured before computed, then most frames, then the latest"


def cines_of(series: Sequence[CineSeries]) -> tuple[DicomCine, ...]:
    """Pool the slices of series into cines, in the order of their first series."""
    pools: list[list[CineSeries]] = []
    for one in series:
        pool = next((pool for pool in pools if _may_stack(one.series, pool[0].series)), None)
        if pool is None:
            pools.append([one])
        else:
            pool.append(one)
    return tuple(checked(cine) for pool in pools for cine in _cines_of_pool(pool))


def _may_stack(one: DicomSeries, other: DicomSeries) -> bool:
    first, second = one.images[0], other.images[0]
    return (
        first.origin.dicom_study_uid == second.origin.dicom_study_uid
        and first.origin.frame_of_reference_uid == second.origin.frame_of_reference_uid
        and first.origin.echo == second.origin.echo
        and (first.pixels.n_rows, first.pixels.n_columns) == (second.pixels.n_rows, second.pixels.n_columns)
        and is_parallel(first, second)
    )


def _cines_of_pool(pool: Sequence[CineSeries]) -> list[DicomCine]:
    """Cines among parallel series: those with several slices as they are, single slices stacked."""
    singles = [one for one in pool if len(one.along_mm) == 1]
    several = [_cine(_at_each_position(one.slices), [one]) for one in pool if len(one.along_mm) > 1]
    return _without_repeated_stacks([*_stacked(singles), *several])


def _stacked(singles: Sequence[CineSeries]) -> list[DicomCine]:
    """Cines of series with one slice each: one stack where they lie at even steps, and the others alone."""
    places = _at_each_position([one for series in singles for one in series.slices])
    if not places:
        return []
    first = places[0][-1].first.placement
    along_mm = np.array([place[-1].along_mm_of(first.normal) for place in places])
    is_on = _on_even_steps(along_mm)
    if is_on.sum() < _LEAST_STACK or np.diff(along_mm[is_on]).min() < _LEAST_STEP * first.thickness_mm:
        return [_cine([place], singles) for place in places]
    stack = _cine([place for place, on in zip(places, is_on, strict=True) if on], singles)
    aside = [place for place, on in zip(places, is_on, strict=True) if not on]
    notes = (
        f"{place[-1].place(first.normal)} lies off the even steps of the stack and is left out." for place in aside
    )
    return [replace(stack, notes=(*stack.notes, *notes)), *(_cine([place], singles) for place in aside)]


def _at_each_position(slices: Iterable[SliceCine]) -> list[list[SliceCine]]:
    """Parallel slices by position along the normal; at each position the acquisition to be used comes last."""
    places: list[list[SliceCine]] = []
    normal: NDArray[np.float64] | None = None
    for one in slices:
        normal = one.first.placement.normal if normal is None else normal
        here_mm = one.along_mm_of(normal)
        place = next((place for place in places if abs(place[0].along_mm_of(normal) - here_mm) <= UNEVEN_MM), None)
        if place is None:
            places.append([one])
        else:
            place.append(one)
    if normal is not None:
        places.sort(key=lambda place: place[0].along_mm_of(normal))
    return [sorted(place, key=lambda one: one.preference) for place in places]


def _cine(places: Sequence[Sequence[SliceCine]], series: Sequence[CineSeries]) -> DicomCine:
    """Cine of the preferred acquisition at each place, with what was done about the others."""
    slices = tuple(place[-1] for place in places)
    used = {id(one.series) for place in places for one in place}
    sources = [one for one in series if id(one.series) in used]
    notes = list(dict.fromkeys(note for one in sources for note in one.notes))
    left_out = [copy for one in sources for copy in one.copies]
    for *repeated, best in places:
        if repeated:
            where = best.place(slices[0].first.placement.normal)
            notes.append(f"{where} was taken {len(repeated) + 1} times; {best.series.name} is used ({_RULE}).")
            reason = f"a repeated acquisition: {where} is taken from {best.series.name}"
            left_out += [FileOutcome(frame.image.name, False, reason) for one in repeated for frame in one.frames]
    return DicomCine(slices, notes=tuple(notes), left_out=tuple(left_out))


def _on_even_steps(along_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which positions ``(n,)``, rising, fit one step without a hole; all of them where no step fits three quarters."""
    if len(along_mm) < _LEAST_STACK:
        return np.ones(len(along_mm), dtype=bool)
    best = np.ones(len(along_mm), dtype=bool)
    best_count = 0
    for step_mm in np.unique(np.round(np.diff(along_mm), 2)):
        for start_mm in along_mm:
            off_mm = (along_mm - start_mm) - np.round((along_mm - start_mm) / step_mm) * step_mm
            fits = np.abs(off_mm) <= UNEVEN_MM
            is_dense = bool(np.allclose(np.diff(along_mm[fits]), step_mm, atol=2 * UNEVEN_MM))
            if is_dense and fits.sum() > best_count:
                best, best_count = fits, int(fits.sum())
    return best if best_count >= _MOST * len(along_mm) else np.ones(len(along_mm), dtype=bool)


def _without_repeated_stacks(cines: list[DicomCine]) -> list[DicomCine]:
    """Drop stacks whose slices are all in another one (a copy made by the scanner, a repetition)."""
    kept: list[DicomCine] = []
    for cine in sorted(cines, key=lambda one: (len(one.slices), one.preference), reverse=True):
        whole = next((other for other in kept if _is_within(cine, other)), None)
        if whole is None:
            kept.append(cine)
            continue
        better, worse = (cine, whole) if _replaces(cine, whole) else (whole, cine)
        names = ", ".join(one.name for one in worse.series)
        note = f"The same slices were found twice; {better.slices[0].series.name} is used, not {names}."
        reason = f"the same slices as {better.slices[0].series.name}, which is used"
        files = tuple(FileOutcome(image.name, False, reason) for image in worse.images)
        kept[kept.index(whole)] = replace(
            better, notes=(*better.notes, note), left_out=(*better.left_out, *files, *worse.left_out)
        )
    return [cine for one in cines for cine in kept if cine.slices is one.slices]


def _is_within(cine: DicomCine, other: DicomCine) -> bool:
    if min(len(cine.slices), len(other.slices)) < _LEAST_STACK:
        return False
    here, there = cine.positions_mm @ other.normal, other.positions_mm @ other.normal
    return bool((np.abs(here[:, None] - there).min(axis=1) <= UNEVEN_MM).all())


def _replaces(cine: DicomCine, whole: DicomCine) -> bool:
    return len(cine.slices) == len(whole.slices) and cine.preference > whole.preference
