"""Cine MRI with its labels from the folder of one person in ACDC, M&Ms or M&Ms-2, or from any folder of NIfTI files.

The layouts are those of `case_layout.py`; a file of such a layout brings the others with it.

| the folder holds | the cine is |
|---|---|
| all frames in one file | that file; frames that are also there by themselves are not needed |
| end-diastole and end-systole only | two frames, at the shares of a cycle that `Info.cfg` gives, else 0 and 35 % |
| files of no known layout | the only one with several frames that is no label map |

Short and long axis of one person: the wanted plane, else the long axis (which the models take), with a note. Labels
that cannot be placed are left out with a note; the cine is read all the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.case_layout import (
    INFO_FILE,
    CaseFile,
    nifti_files_in,
    parse_case_file,
    read_case_info,
    whole_number,
)
from napari_latent_explorer.io.cine_nifti import make_cine, read_cine_nifti
from napari_latent_explorer.io.frame_timing import ASSUMED_RR_MS, FrameTiming
from napari_latent_explorer.io.label_grid import Grid, on_grid
from napari_latent_explorer.io.label_maps import LabelPart, join_labels, read_label_part
from napari_latent_explorer.io.nifti_header import read_nifti_header
from napari_latent_explorer.io.nifti_pixels import read_nifti_pixels
from napari_latent_explorer.io.reading import ANY, FileOutcome, Reading, ReadOptions

_SYSTOLE_SHARE = 0.35
"""Of the cycle, at rest."""


def is_nifti_case(path: Path) -> bool:
    """Whether a folder holds NIfTI files, or a NIfTI file is one of a known layout."""
    try:
        if path.is_dir():
            return bool(nifti_files_in(path))
        meant = parse_case_file(path)
        return meant is not None and path in nifti_files_in(path.parent, meant)
    except RecordingError:
        return False


def read_nifti_case(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read the cine and the labels of one person.

    Parameters
    ----------
    path
        Folder, or one of its files.
    options
        `imaging_plane` or `series` (the name of a file) choose where there are several; `assumed_plane` overrules.

    Raises
    ------
    RecordingError
        When there is no cine, there are several of no known layout, or its file is damaged.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    files = nifti_files_in(folder, None if place.is_dir() else parse_case_file(place))
    known = [case for case in map(parse_case_file, files) if case is not None]
    if not known:
        return _read_only_cine(folder, files, options)
    chosen, note = _choose(folder, known, options)
    reading = _read_group(folder, chosen, options)
    others = tuple(
        FileOutcome(str(case.path), False, f"of another cine ({case.case}, {case.imaging_plane})")
        for case in known
        if case not in chosen
    )
    return replace(reading, notes=(*note, *reading.notes), outcomes=(*reading.outcomes, *others))


def _choose(folder: Path, known: Sequence[CaseFile], options: ReadOptions) -> tuple[list[CaseFile], tuple[str, ...]]:
    groups = sorted({case.group for case in known})
    if options.series is not None:
        groups = sorted(
            {case.group for case in known if options.series in (case.path.name, case.path.name.split(".")[0])}
        )
    if options.imaging_plane not in (None, options.assumed_plane):
        groups = [group for group in groups if group[1] == options.imaging_plane]
    listed = ", ".join(sorted({f"{case.case} ({case.imaging_plane})" for case in known}))
    if not groups:
        raise RecordingError(f"{folder} does not hold the wanted cine; it holds {listed}.")
    if len({case for case, _ in groups}) > 1:
        raise RecordingError(f"{folder} holds files of several people: {listed}. Give the folder or a file of one.")
    chosen = [case for case in known if case.group == groups[0]]  # la_4ch comes before sa
    note = f"{folder.name} holds {listed}; the {groups[0][1]} is read." if len(groups) > 1 else ""
    return chosen, (note,) if note else ()


def _read_group(folder: Path, files: Sequence[CaseFile], options: ReadOptions) -> Reading:
    """Cine and labels of one person and plane."""
    images, label_files = [[case for case in files if case.is_label is wanted] for wanted in (False, True)]
    whole = [case for case in images if case.frame is None]
    single = sorted((case for case in images if case.frame is not None), key=_place_in_cycle)
    if whole:
        plane = options.assumed_plane or whole[0].imaging_plane
        reading = read_cine_nifti(whole[0].path, replace(options, assumed_plane=plane, imaging_plane=None))
        unneeded = "one frame of the cine, not needed beside the file with all of them"
        outcomes = [*reading.outcomes, *(FileOutcome(str(case.path), False, unneeded) for case in single)]
    else:
        reading = _read_single_frames(folder, single, options)
        outcomes = list(reading.outcomes)
        label_files = _renumbered(label_files, single)
    assert isinstance(reading.recording, CineMRI)
    if (folder / INFO_FILE).is_file():
        info = "numbers of the frames" if not whole else "facts about the person, not needed for the cine"
        outcomes.append(FileOutcome(str(folder / INFO_FILE), not whole, info))
    labels, notes, label_outcomes = _read_labels(label_files, reading.recording)
    return replace(reading, labels=labels, notes=(*reading.notes, *notes), outcomes=(*outcomes, *label_outcomes))


def _place_in_cycle(case: CaseFile) -> int:
    return case.frame if isinstance(case.frame, int) else ("ED", "ES").index(case.frame or "ED")


def _renumbered(label_files: Sequence[CaseFile], images: Sequence[CaseFile]) -> list[CaseFile]:
    """Labels with the numbers that their frames have in a cine of just those images."""
    numbers = {case.frame: number for number, case in enumerate(images)}
    return [replace(case, frame=numbers[case.frame]) for case in label_files if case.frame in numbers]


def _read_labels(
    files: Sequence[CaseFile], cine: CineMRI
) -> tuple[CineLabels | None, tuple[str, ...], tuple[FileOutcome, ...]]:
    """Labels of those files that can be placed, notes on the others, and what became of each."""
    parts: list[LabelPart] = []
    refusals: dict[Path, str] = {}
    for case in files:
        try:
            parts.append(read_label_part(case.path, case, cine))
        except RecordingError as refusal:
            refusals[case.path] = str(refusal)
    labels = None
    if parts:
        try:
            labels = join_labels(parts, cine, files[0].names)
        except RecordingError as refusal:
            refusals |= {part.file: str(refusal) for part in parts}
    notes = tuple(f"Labels left out: {reason}" for reason in dict.fromkeys(refusals.values()))
    outcomes = (
        FileOutcome(str(case.path), case.path not in refusals, refusals.get(case.path, "labels")) for case in files
    )
    return labels, notes, tuple(outcomes)


def _read_single_frames(folder: Path, images: Sequence[CaseFile], options: ReadOptions) -> Reading:
    """Cine of the frames that are there by themselves."""
    if len(images) < 2:
        listed = ", ".join(case.path.name for case in images) or "none"
        raise RecordingError(
            f"{folder} holds single frames of one cine ({listed}); at least two are needed, or the file with all."
        )
    headers = [read_nifti_header(case.path) for case in images]
    odd = [header.path for header in headers if header.shape[0] != 1]
    if odd:
        raise RecordingError(f"{odd[0]} is named as one frame and holds several. Rename it, or move it elsewhere.")
    timing = _timing(folder, images)
    grid = Grid(headers[0].affine, headers[0].shape[1:], str(headers[0].path))
    volumes = [on_grid(grid, read_nifti_pixels(header), header.affine, header.path) for header in headers]
    plane = options.assumed_plane or images[0].imaging_plane
    cine = replace(make_cine(headers[0], np.concatenate(volumes), timing, plane), source=str(folder))
    outcomes = tuple(FileOutcome(str(case.path), True, "one frame of the cine") for case in images)
    return Reading(cine, None, (*headers[0].notes, timing.note), outcomes)


def _timing(folder: Path, images: Sequence[CaseFile]) -> FrameTiming:
    n_frames = whole_number(read_case_info(folder), "NbFrame")
    numbers = [case.frame for case in images if isinstance(case.frame, int)]
    assumed = f"over an assumed cycle of {ASSUMED_RR_MS:.0f} ms: phases are right, times and heart rate are not known"
    if n_frames is not None and len(numbers) == len(images) and max(numbers) < n_frames:
        times_ms = np.array(numbers) * ASSUMED_RR_MS / n_frames
        listed = ", ".join(str(number + 1) for number in numbers)
        note = f"The cine has only the frames {listed} of {n_frames}, which are spread evenly {assumed}."
        return FrameTiming(times_ms, ASSUMED_RR_MS, note, False)
    if len(images) == 2:
        times_ms = np.array([0.0, _SYSTOLE_SHARE * ASSUMED_RR_MS])
        note = (
            f"The cine has two frames of unknown times; the second is taken to lie {100 * _SYSTOLE_SHARE:.0f} % into "
            f"an assumed cycle of {ASSUMED_RR_MS:.0f} ms, where systole usually ends. Times and heart rate are unknown."
        )
        return FrameTiming(times_ms, ASSUMED_RR_MS, note, False)
    raise RecordingError(
        f"{folder} holds {len(images)} single frames and no Info.cfg that says of how many (NbFrame), so their times "
        "are not known. Add it, or give the file with all frames."
    )


def _read_only_cine(folder: Path, files: Sequence[Path], options: ReadOptions) -> Reading:
    """Read the one file with several frames in a folder of no known layout."""
    headers = [read_nifti_header(file) for file in files]
    cines = [header for header in headers if header.shape[0] > 1]
    if options.series is not None:
        cines = [header for header in cines if options.series in (header.path.name, header.path.name.split(".")[0])]
    if len(cines) != 1:
        listed = ", ".join(header.path.name for header in cines[:8]) or "none"
        raise RecordingError(
            f"{folder} holds {len(files)} NIfTI files, {len(cines)} of them with several frames ({listed}); expected "
            "one cine. Give the file itself."
        )
    reading = read_cine_nifti(cines[0].path, options)
    others = (
        FileOutcome(str(file), False, "another file, of no known layout") for file in files if file != cines[0].path
    )
    return replace(reading, outcomes=(*reading.outcomes, *others))
