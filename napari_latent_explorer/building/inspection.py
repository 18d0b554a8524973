"""What recordings lie under a path, in one line each: what they are with their numbers, or why they are refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_latent_explorer.building.folders import Listing, list_contents
from napari_latent_explorer.building.names import (
    MAY_BE_ANYTHING,
    is_label_name,
    is_nifti_name,
    kinds_by_name,
    without_headers,
)
from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.archive import is_archive
from napari_latent_explorer.io.dicom_choice import find_cines
from napari_latent_explorer.io.dicom_series import scan
from napari_latent_explorer.io.formats import read_place, recognise
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

_DICOM = "DICOM cine MRI"
_WISHES = (("mri", ANY), ("ecg", ReadOptions(ecg_kind="median")), ("ecg", ReadOptions(ecg_kind="rhythm")))
_ADVICE = " What is read: "


@dataclass(frozen=True, slots=True)
class Inspected:
    """One recording, or what was taken for one.

    Attributes
    ----------
    path
        File or folder.
    is_read
        Whether it is a recording that is read.
    text
        What it is, with its numbers and notes, or why it is refused.
    """

    path: Path
    is_read: bool
    text: str


def inspect_path(path: Path) -> Iterator[Inspected]:
    """Look at every recording under a file or folder, one after the other.

    Raises
    ------
    StudyError
        When there is no such path.
    """
    if path.is_file():
        yield from _inspect_place(path)
        return
    taken: list[tuple[str, ...]] = []
    for listing in finish(list_contents(path)).listings:
        if any(listing.parts[: len(parts)] == parts for parts in taken):
            continue
        for place in _places(listing):
            if place == Path(listing.path):
                taken.append(listing.parts)
            yield from _inspect_place(place)


def _places(listing: Listing) -> Iterator[Path]:
    """Say what is read as one: the folder itself (images, a case), or single files."""
    folder = Path(listing.path)
    names = [name for name in without_headers(listing.names) if kinds_by_name(name, frozenset({"mri", "ecg"}))]
    images = [name for name in names if kinds_by_name(name, frozenset({"mri", "ecg"})).get("mri") == "dicom"]
    waveforms = [name for name in images if recognise(listing.file(name), "ecg") is not None]
    nifti = [name for name in names if is_nifti_name(name)]
    as_one = [name for name in images if name not in waveforms]
    known = recognise(folder, "mri") if len(nifti) > 1 or as_one else None
    is_case = known is not None and known.name != _DICOM
    if as_one or is_case:
        yield folder
    left_out = {*as_one, *(nifti if is_case else ())}
    for name in names:
        may_be_else = name.lower().endswith(MAY_BE_ANYTHING) and recognise(listing.file(name)) is None
        if name not in left_out and not is_label_name(name) and not may_be_else:
            yield listing.file(name)


def _inspect_place(place: Path) -> Iterator[Inspected]:
    """Each recording of a place: a cine, an ECG's median beat, its rhythm strip."""
    known = {modality: recognise(place, modality) for modality in ("mri", "ecg")}
    is_several = place.is_dir() or is_archive(place)
    if is_several and known["mri"] is not None and known["mri"].name == _DICOM:
        yield from _inspect_dicom(place)
        return
    wishes = [(modality, wish) for modality, wish in _WISHES if known[modality] is not None or not any(known.values())]
    n_read = 0
    refusals = []
    for modality, wish in wishes:
        try:
            reading = read_place(place, wish, modality)
        except RecordingError as refusal:
            refusals.append(refusal)
            continue
        one = known[modality]
        n_read += 1
        yield _described(place, "" if one is None else one.name, reading)
    if not n_read:
        yield _refused(place, refusals[-1])


def _inspect_dicom(place: Path) -> Iterator[Inspected]:
    """Each cine of a folder or an archive; where there is none, why."""
    try:
        found = find_cines(place, scan(place), ANY)
    except RecordingError as refusal:
        yield _refused(place, refusal)
        return
    keys: list[str | None] = [one.cine.series[0].key for one in found.cines]
    for key in keys or [None]:
        try:
            yield _described(place, _DICOM, read_place(place, ReadOptions(series=key), "mri"))
        except RecordingError as refusal:
            yield _refused(place, refusal)


def _refused(place: Path, refusal: RecordingError) -> Inspected:
    reason = str(refusal).partition(_ADVICE)[0].removeprefix(f"Cannot read {place}: ")
    return Inspected(place, False, f"refused: {reason}".replace("\n", " "))


def _described(place: Path, name: str, reading: Reading) -> Inspected:
    recording = reading.recording
    numbers = describe_cine(recording) if isinstance(recording, CineMRI) else describe_ecg(recording)
    labels = "" if reading.labels is None else f"; {_labels_of(reading)}"
    notes = "".join(f" {note}" for note in reading.notes)
    return Inspected(place, True, f"{name}: {numbers}{labels}.{notes}".replace("\n", " "))


def describe_cine(cine: CineMRI) -> str:
    """Numbers of a cine in words."""
    n_frames, n_slices, n_rows, n_columns = cine.frames.shape
    slice_mm, row_mm, column_mm = cine.spacing_mm
    first_ms, last_ms = cine.frame_times_ms[[0, -1]]
    return (
        f"{n_frames} frames x {n_slices} slices of {n_rows} x {n_columns} pixels ({cine.frames.dtype}), "
        f"{row_mm:.4g} x {column_mm:.4g} mm, {slice_mm:.4g} mm between slices, {first_ms:.0f} to {last_ms:.0f} ms of "
        f"{cine.rr_interval_ms:.0f} ms, plane {cine.imaging_plane}"
    )


def describe_ecg(ecg: ECG) -> str:
    """Numbers of an ECG in words."""
    n_leads, n_samples = ecg.signal_mv.shape
    lowest, highest = np.nanmin(ecg.signal_mv), np.nanmax(ecg.signal_mv)
    onset = "" if ecg.qrs_onset_ms is None else f", QRS onset at {ecg.qrs_onset_ms:.0f} ms"
    return (
        f"{ecg.kind}, {n_leads} leads ({' '.join(ecg.lead_names)}) x {n_samples} samples at "
        f"{ecg.sampling_rate_hz:.4g} Hz ({n_samples / ecg.sampling_rate_hz:.4g} s), {lowest:.2f} to {highest:.2f} mV"
        f"{onset}"
    )


def _labels_of(reading: Reading) -> str:
    labels = reading.labels
    if labels is None:
        return ""
    frames = "all frames" if labels.labelled_frames is None else f"{len(labels.labelled_frames)} frames"
    return f"labels of {len(labels.names) - 1} classes in {frames}"
