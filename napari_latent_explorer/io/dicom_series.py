"""What DICOM images lie at a place: every series, and what became of every file.

Looking is tolerant. A damaged file, a report or a scout never hides the series beside it; it is remembered with its
reason, and with its series where its header still tells, so that whoever wants that series can refuse it.

Each file is read and parsed once. Packed pixels are kept until they are wanted, up to `KEPT_BYTES`; beyond that their
files are read again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.archive import is_archive
from napari_latent_explorer.io.dicom_enhanced import ENHANCED_MR, read_enhanced_images
from napari_latent_explorer.io.dicom_file import (
    HEAD_BYTES,
    DicomValues,
    NotDicomError,
    looks_like_dicom,
    parse_dicom,
    quiet_pydicom,
)
from napari_latent_explorer.io.dicom_image import MR_IMAGE, DicomImage, NotMrImageError, read_image
from napari_latent_explorer.io.reading import FileOutcome
from napari_latent_explorer.io.source_file import SourceFile, files_of

KEPT_BYTES = 512 << 20
_READ_WHOLE_BYTES = 4 << 20
_SAME_DIRECTION, _SAME_SPACING = 0.01, 1e-3
_DICOM_SUFFIXES = (".dcm", ".ima")
_OTHER_CLASSES = {
    "1.2.840.10008.1.3.10": "an index of other files (DICOMDIR)",
    "1.2.840.10008.5.1.4.1.1.4.2": "MR spectroscopy",
    "1.2.840.10008.5.1.4.1.1.7": "a screenshot (secondary capture)",
    "1.2.840.10008.5.1.4.1.1.9.1.1": "a 12-lead ECG waveform",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "an ECG waveform",
    "1.2.840.10008.5.1.4.1.1.104.1": "a PDF document",
}
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."


@dataclass(frozen=True, slots=True, eq=False)
class DicomSeries:
    """Images that belong to one acquisition: same series, component, echo, orientation and size.

    Attributes
    ----------
    key
        How it is chosen: its SeriesInstanceUID, with ``#1``, ``#2`` and so on (by the images' numbers) where one series
        holds several.
    images
        Its images, in no order.
    """

    key: str
    images: tuple[DicomImage, ...]

    @property
    def description(self) -> str:
        """What somebody typed about it."""
        return self.images[0].origin.series_description

    @property
    def name(self) -> str:
        """Key and description for messages."""
        return f"series {self.key} ({self.description or 'no description'})"

    @property
    def uid(self) -> str:
        """SeriesInstanceUID."""
        return self.images[0].origin.series_uid


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that should have been an image.

    Attributes
    ----------
    file
        The file.
    reason
        What is wrong with it, as a sentence.
    series_uid
        Series that it belongs to; empty when it does not tell.
    """

    file: SourceFile
    reason: str
    series_uid: str


@dataclass(frozen=True, slots=True, eq=False)
class DicomScan:
    """Everything that was found.

    Attributes
    ----------
    series
        All series of MR images, in the order of the scanner's numbers and of files.
    damaged
        Files that should have been images.
    others
        What became of files that are no MR images at all.
    n_files
        How many files were looked at.
    """

    series: tuple[DicomSeries, ...]
    damaged: tuple[DamagedFile, ...]
    others: tuple[FileOutcome, ...]
    n_files: int

    @property
    def outcomes(self) -> tuple[FileOutcome, ...]:
        """Files that are no images, or damaged."""
        return self.others + tuple(
            FileOutcome(str(one.file), False, one.reason.removeprefix(f"{one.file} ")) for one in self.damaged
        )


def scan(places: str | Path | Sequence[str | Path]) -> DicomScan:
    """Look at every file at one or several places: folders with their subfolders, archives, single files.

    Archives inside a folder are opened, archives inside archives are not. What is in a file never raises.

    Raises
    ------
    RecordingError
        When none of the places can be read at all.
    """
    files, refused = _all_files([Path(places)] if isinstance(places, (str, Path)) else list(map(Path, places)))
    others = [FileOutcome(place, False, str(refusal)) for place, refusal in refused]
    if not files and refused:
        raise RecordingError(str(refused[0][1]), others)
    images: list[DicomImage] = []
    damaged: list[DamagedFile] = []
    n_kept = 0
    with quiet_pydicom():
        for file in files:
            try:
                found = _images_in(file, damaged)
            except (NotDicomError, NotMrImageError) as other:
                others.append(FileOutcome(str(file), False, str(other).removeprefix(f"{file} is ")))
                continue
            n_kept += len(found[0].pixels.content or b"") if found else 0
            images += found if n_kept <= KEPT_BYTES else _without_content(found)
    return DicomScan(_grouped(images), tuple(damaged), tuple(others), len(files) + len(refused))


def _all_files(places: Sequence[Path]) -> tuple[list[SourceFile], list[tuple[str, RecordingError]]]:
    files: list[SourceFile] = []
    refused = []
    for place in places:
        try:
            for file in files_of(place):
                is_packed = file.member is None and file.path != place and file.suffix == ".zip"
                if not (is_packed and is_archive(file.path)):
                    files.append(file)
                    continue
                try:
                    files += files_of(file.path)
                except RecordingError as refusal:
                    refused.append((str(file), refusal))
        except RecordingError as refusal:
            refused.append((str(SourceFile(place)), refusal))
    return files, refused


def _images_in(file: SourceFile, damaged: list[DamagedFile]) -> tuple[DicomImage, ...]:
    """Read one file; damage is noted and gives no image."""
    series_uid = ""
    try:
        if file.n_bytes > _READ_WHOLE_BYTES and not looks_like_dicom(file.head(HEAD_BYTES)):
            raise NotDicomError(f"{file} is no DICOM file ({file.n_bytes} bytes).")
        values = parse_dicom(file, file.read())
        values.refuse_cut_off()
        series_uid = values.text("SeriesInstanceUID")
        return _images_of(values)
    except NotMrImageError:
        raise
    except NotDicomError:
        if file.suffix not in _DICOM_SUFFIXES:
            raise
        reason = f"{file} is named like a DICOM file but is none ({file.n_bytes} bytes). Copy or export it again."
        damaged.append(DamagedFile(file, reason, ""))
        return ()
    except RecordingError as damage:
        damaged.append(DamagedFile(file, str(damage), series_uid))
        return ()


def _images_of(values: DicomValues) -> tuple[DicomImage, ...]:
    sop_class = values.text("SOPClassUID")
    if sop_class == MR_IMAGE:
        return (read_image(values),)
    if sop_class in ENHANCED_MR:
        return read_enhanced_images(values)
    if not sop_class:
        raise RecordingError(f"{values.file} does not say what it holds (SOPClassUID); it is damaged. Export it again.")
    raise NotMrImageError(f"{values.file} is {_class_name(sop_class)}, no MR image.")


def _class_name(sop_class: str) -> str:
    from pydicom.uid import UID

    if sop_class.startswith(_REPORTS):
        return "a report (structured document)"
    name = UID(sop_class).name
    return _OTHER_CLASSES.get(sop_class, f"of class {name}")


def _without_content(images: Sequence[DicomImage]) -> list[DicomImage]:
    pixels = images[0].pixels.without_content()
    return [replace(image, pixels=pixels) for image in images]


def _grouped(images: Sequence[DicomImage]) -> tuple[DicomSeries, ...]:
    groups: dict[tuple[object, ...], list[list[DicomImage]]] = defaultdict(list)
    order: list[list[DicomImage]] = []
    for image in images:
        alike = groups[_exact_key(image)]
        group = next((group for group in alike if is_parallel(image, group[0])), None)
        if group is None:
            group = []
            alike.append(group)
            order.append(group)
        group.append(image)
    n_of_uid = Counter(group[0].origin.series_uid for group in order)
    n_seen: Counter[str] = Counter()
    series = []
    for group in sorted(order, key=_first_number):
        uid = group[0].origin.series_uid
        n_seen[uid] += 1
        series.append(DicomSeries(uid if n_of_uid[uid] == 1 else f"{uid}#{n_seen[uid]}", tuple(group)))
    return tuple(series)


def _first_number(group: Sequence[DicomImage]) -> tuple[int, int]:
    return group[0].origin.series_number or 0, min(image.origin.instance_number or 0 for image in group)


def _exact_key(image: DicomImage) -> tuple[object, ...]:
    origin, pixels = image.origin, image.pixels
    return (origin.series_uid, origin.component, origin.echo, pixels.n_rows, pixels.n_columns)


def is_parallel(image: DicomImage, other: DicomImage) -> bool:
    """Whether two images have the same directions and the same spacing."""
    first, second = image.placement, other.placement
    turn = max(
        np.abs(first.row_direction - second.row_direction).max(),
        np.abs(first.column_direction - second.column_direction).max(),
    )
    steps = zip(first.spacing_mm, second.spacing_mm, strict=True)
    return bool(turn < _SAME_DIRECTION) and all(abs(one - two) <= _SAME_SPACING * two for one, two in steps)
