"""Which of the cines at a place is meant, and what is said about the others.

Nothing is chosen by guess: several cines without a wish are listed and refused. With a wish for an imaging plane the
planes are recognised by geometry among all cines of the place and of related places; of several cines of that plane the
measured one with most slices, then most frames, then the latest is taken, which is noted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_file import parse_dicom, quiet_pydicom
from napari_latent_explorer.io.dicom_image import MR_IMAGE, DicomImage, placement_of, timing_of
from napari_latent_explorer.io.dicom_pooling import cines_of
from napari_latent_explorer.io.dicom_series import DamagedFile, DicomScan, DicomSeries
from napari_latent_explorer.io.dicom_slices import CineSeries, as_cine
from napari_latent_explorer.io.dicom_stack import DicomCine
from napari_latent_explorer.io.dicom_timing import NotCineError
from napari_latent_explorer.io.imaging_plane import PlaneGuess, recognise_planes
from napari_latent_explorer.io.reading import FileOutcome, ReadOptions
from napari_latent_explorer.io.source_file import files_of

_RELATED_FILES = 24
_RELATED_HEAD_BYTES = 64 << 10
_MAX_NAMED, _MAX_LISTED = 3, 8


@dataclass(frozen=True, slots=True, eq=False)
class FoundCine:
    """A cine and the imaging plane that it was taken for."""

    cine: DicomCine
    guess: PlaneGuess

    @property
    def summary(self) -> str:
        """What it is, in one line for people."""
        first, series = self.cine.first, self.cine.series
        of = f" of {len(series)} series" if len(series) > 1 else ""
        n_slices, n_images = len(self.cine.slices), len(self.cine.images)
        text = f"{n_images} images of {first.pixels.n_rows} x {first.pixels.n_columns} in {n_slices} slices{of}"
        description = series[0].description or "no description"
        return f"{series[0].key} ({description}: {text}, plane {self.guess.plane}, cine)"


@dataclass(frozen=True, slots=True, eq=False)
class FoundCines:
    """All cines of a scan, and why its other series are none.

    Attributes
    ----------
    place
        Where they were found, for messages.
    scan
        What was looked at.
    cines
        Cines with their planes.
    no_cines
        Series that are no cine, and why.
    """

    place: Path
    scan: DicomScan
    cines: tuple[FoundCine, ...]
    no_cines: tuple[tuple[DicomSeries, str], ...]

    @property
    def listing(self) -> str:
        """Series in one line each, cines first."""
        others = (
            f"{one.key} ({one.description or 'no description'}: {len(one.images)} images, no cine: {reason})"
            for one, reason in self.no_cines
        )
        lines = [*(found.summary for found in self.cines), *others]
        more = [f"and {len(lines) - _MAX_LISTED} more"] if len(lines) > _MAX_LISTED else []
        return "\n  ".join(lines[:_MAX_LISTED] + more)

    def outcomes(self, chosen: FoundCine | None = None) -> tuple[FileOutcome, ...]:
        """Say what became of every file, once each."""
        said = list(_used(chosen.cine)) if chosen else []
        said += [outcome for found in self.cines for outcome in found.cine.left_out]
        for one, reason in self.no_cines:
            said += _all_of(one.images, f"{one.name} is no cine: {reason}")
        for found in self.cines:
            if found is not chosen:
                said += _all_of(found.cine.images, f"not asked for: {found.summary}")
        said += self.scan.outcomes
        first_of_file: dict[str, FileOutcome] = {}
        for outcome in said:
            first_of_file.setdefault(outcome.file, outcome)
        return tuple(first_of_file.values())


def find_cines(place: Path, scan: DicomScan, options: ReadOptions) -> FoundCines:
    """Put all series of a scan together and recognise their planes.

    Parameters
    ----------
    place
        For messages.
    scan
        What was found there.
    options
        A wish for a series is followed before slices of several series are pooled; planes are recognised among all
        cines, and those of related places.
    """
    cines: list[CineSeries] = []
    no_cines = []
    for series in scan.series:
        try:
            cines.append(as_cine(series))
        except NotCineError as other:
            no_cines.append((series, str(other)))
    wanted = [one for one in cines if _is_wanted(one.series, options.series)]
    others = [one for one in cines if not _is_wanted(one.series, options.series)]
    pooled = [*cines_of(wanted), *cines_of(others)]
    normals, descriptions = _related_planes(options.related)
    guesses = recognise_planes(
        [cine.normal for cine in pooled] + normals, [cine.series[0].description for cine in pooled] + descriptions
    )
    found = [FoundCine(cine, guess) for cine, guess in zip(pooled, guesses[: len(pooled)], strict=True)]
    return FoundCines(place, scan, tuple(found), tuple(no_cines))


def choose_cine(found: FoundCines, options: ReadOptions, file: Path | None = None) -> tuple[FoundCine, tuple[str, ...]]:
    """Choose the cine that is meant; also returns what should be known about the choice.

    Raises
    ------
    RecordingError
        When there is none, or several to choose from.
    """
    chosen = [one for one in found.cines if _is_of_series(one.cine, options.series)]
    if file is not None:
        chosen = [one for one in chosen if any(image.file.path == file for image in one.cine.images)] or [
            one for one in chosen if any(outcome.file == str(file) for outcome in one.cine.left_out)
        ]
    if options.imaging_plane is not None:
        chosen = [one for one in chosen if one.guess.plane == options.imaging_plane]
    if not chosen:
        raise _nothing(found, options, file)
    if len(chosen) == 1:
        return chosen[0], ()
    if options.imaging_plane is None:
        raise RecordingError(
            f"There are {len(chosen)} cines in {found.place}; say which one by its imaging plane or its series (UID or "
            f"description), or open one of its files. Found:\n  {found.listing}",
            found.outcomes(),
        )
    best = max(chosen, key=lambda one: (not one.cine.problem, one.cine.preference))
    return best, (
        f"There are {len(chosen)} cines of plane {options.imaging_plane}; {best.cine.series[0].name} is used (measured "
        "before computed, then most slices, most frames, the latest).",
    )


def refuse_broken(found: FoundCines, chosen: FoundCine) -> None:
    """Refuse a cine that is not whole, naming damaged files that belong to it or may do so.

    Raises
    ------
    RecordingError
        When frames or slices are missing or repeated, or files are damaged that may be among them.
    """
    cine = chosen.cine
    uids = {series.uid for series in cine.series}
    own = [one for one in found.scan.damaged if one.series_uid in uids]
    folders = {image.file.folder for image in cine.images}
    perhaps = [one for one in found.scan.damaged if not one.series_uid and one.file.folder in folders]
    is_whole = not cine.problem and all(one.is_surely_whole for one in cine.slices)
    damaged = own or ([] if is_whole else perhaps)
    if not damaged and not cine.problem:
        return
    problem = cine.problem or "Frames are missing."
    which = "of it" if own else "beside it, perhaps of it,"
    text = f" {len(damaged)} files {which} are damaged: {_first_reason(damaged)}" if damaged else ""
    raise RecordingError(f"Cannot read the cine in {found.place}. {problem}{text}", found.outcomes())


def _nothing(found: FoundCines, options: ReadOptions, file: Path | None) -> RecordingError:
    scan = found.scan
    own = next((one.reason for one in scan.damaged if one.file.path == file), "")
    if own:
        return RecordingError(f"Cannot read {file} as part of a cine: {own}", found.outcomes())
    if not scan.series and not scan.damaged:
        ordered = sorted(scan.others, key=lambda outcome: outcome.file != str(file))
        reasons = "; ".join(f"{outcome.file}: {outcome.reason}" for outcome in ordered[:1])
        return RecordingError(
            f"{found.place} holds no MR images ({scan.n_files} files; {reasons or 'none'}). Choose another place.",
            found.outcomes(),
        )
    wish = "" if options.imaging_plane is None else f" of plane {options.imaging_plane}"
    wish += "" if options.series is None else f" {options.series!r}"
    more = f"\n  {len(scan.damaged)} damaged files: {_first_reason(scan.damaged)}" if scan.damaged else ""
    return RecordingError(
        f"There is no cine{wish} in {found.place}. A cine has a TriggerTime in each image and several of them per "
        f"slice; scouts and stills have none. Found:\n  {found.listing or 'no series'}{more}",
        found.outcomes(),
    )


def _first_reason(damaged: Sequence[DamagedFile]) -> str:
    """Say what is wrong with the first, and name some others."""
    others = ", ".join(one.file.name for one in damaged[1 : 1 + _MAX_NAMED])
    return damaged[0].reason + (
        f" Also {others}{' and more' if len(damaged) > 1 + _MAX_NAMED else ''}." if others else ""
    )


def _is_wanted(series: DicomSeries, wish: str | None) -> bool:
    if wish is None:
        return True
    return wish in (series.key, series.uid) or wish.strip().lower() == series.description.lower()


def _is_of_series(cine: DicomCine, wish: str | None) -> bool:
    exact = [series for series in cine.series if series.key == wish]
    return bool(exact) or all(_is_wanted(series, wish) for series in cine.series)


def _related_planes(places: Iterable[Path]) -> tuple[list[NDArray[np.float64]], list[str]]:
    """Sample files' beginnings at other places for the normals and descriptions of gated images."""
    normals: list[NDArray[np.float64]] = []
    descriptions: list[str] = []
    with quiet_pydicom():
        for place in places:
            try:
                files = files_of(place)
            except RecordingError:
                continue
            for file in files[:: max(1, len(files) // _RELATED_FILES)]:
                try:
                    values = parse_dicom(file, file.head(_RELATED_HEAD_BYTES))
                    if values.text("SOPClassUID") != MR_IMAGE or timing_of(values).trigger_time_ms is None:
                        continue
                    normal = placement_of(values).normal
                except RecordingError:
                    continue
                if not any(abs(float(normal @ other)) > 0.999 for other in normals):
                    normals.append(normal)
                    descriptions.append(values.described("SeriesDescription"))
    return normals, descriptions


def _used(cine: DicomCine) -> Iterable[FileOutcome]:
    for slice_index, one in enumerate(cine.slices):
        for frame_index, frame in enumerate(one.frames):
            image = frame.image
            what = "all frames" if image.pixels.n_frames > 1 else f"frame {frame_index + 1} of slice {slice_index + 1}"
            yield FileOutcome(str(image.file), True, f"{what} of {one.series.name}")


def _all_of(images: Sequence[DicomImage], reason: str) -> list[FileOutcome]:
    return [FileOutcome(str(image.file), False, reason) for image in images]
