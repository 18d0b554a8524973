"""What is asked for when a study is built, and what was found for it before any recording is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from napari_latent_explorer.building.found import Modality, UnusedFile
from napari_latent_explorer.data.cine import ImagingPlane
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.io.reading import EcgKind

if TYPE_CHECKING:
    from napari_latent_explorer.io.phenotype_columns import ColumnProposal

CropRule = Literal["centred", "published", "none"]


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """What a study is to be built from, and how.

    Attributes
    ----------
    output
        Folder to be made.
    table
        Table of phenotypes; None to take the participants from the names of files.
    id_column
        Column of the table that holds the participants' ids.
    cine, ecg, labels
        Folders of recordings; the same folder may be given for several. None for none.
    imaging_plane
        Which cine is taken where a place holds several; None for the only one there is. With a series, what that
        shows, whatever its geometry says; None to go by the geometry.
    series
        Series description or SeriesInstanceUID of the cine, where the plane does not settle it.
    ecg_kind
        Which ECG is taken where a file holds several; None for the median beat of the device, else the rhythm strip.
    instance
        UK Biobank visit, of recordings and phenotypes; None for the lowest imaging visit that there is.
    id_pattern
        Regular expression with a group ``id``, searched for in each path below the folder given.
    crop_rule
        How the box around the heart is set, see `data.heart_box`; ``none`` to set none.
    label_scheme
        What class numbers mean in label maps whose names do not tell, of `io.label_maps.LABEL_SCHEMES`.
    columns
        What the columns of the table mean, where the proposal was corrected; None for the proposal as it is.
    name
        Name of the study for people; the folder's name if empty.
    """

    output: Path
    table: Path | None = None
    id_column: str | None = None
    cine: Path | None = None
    ecg: Path | None = None
    labels: Path | None = None
    imaging_plane: ImagingPlane | None = "la_4ch"
    series: str | None = None
    ecg_kind: EcgKind | None = None
    instance: int | None = None
    id_pattern: str | None = None
    crop_rule: CropRule = "centred"
    label_scheme: str | None = None
    columns: "tuple[ColumnProposal, ...] | None" = None
    name: str = ""

    def folders(self) -> dict[Modality, Path]:
        """Absolute paths of the folders that were given, by what they hold."""
        given: dict[Modality, Path | None] = {"mri": self.cine, "ecg": self.ecg, "labels": self.labels}
        return {modality: folder.expanduser().absolute() for modality, folder in given.items() if folder is not None}


@dataclass(frozen=True, slots=True)
class ParticipantPlan:
    """Where the recordings of one participant are to be read.

    Attributes
    ----------
    participant_id
        As in the table.
    cine, ecg
        File, folder or archive; None where there is none.
    labels
        Files with labels of the cine.
    related
        Other cines of theirs, read for their geometry only.
    """

    participant_id: str
    cine: Path | None = None
    ecg: Path | None = None
    labels: tuple[Path, ...] = ()
    related: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StudyPlan:
    """What a study will be made of.

    Attributes
    ----------
    config
        What was asked for.
    cohort
        Everybody who has a recording, with their phenotypes, in the table's order.
    participants
        Their recordings, in the same order.
    instance
        UK Biobank visit that was chosen; None where no name tells a visit.
    without_recording
        Ids of the table for whom no recording was found; they are left out of the study.
    unused
        Files that are left aside, and why.
    n_hidden
        Hidden files that were passed over.
    warnings
        What somebody should know before building, in sentences: ids that do not match, by count and example; what was
        chosen where there was a choice.
    """

    config: BuildConfig
    cohort: Cohort
    participants: tuple[ParticipantPlan, ...]
    instance: int | None = None
    without_recording: tuple[str, ...] = ()
    unused: tuple[UnusedFile, ...] = ()
    n_hidden: int = 0
    warnings: tuple[str, ...] = ()

    def n_with(self, modality: Modality) -> int:
        """Count the participants for whom a recording of that kind was found."""
        name = {"mri": "cine", "ecg": "ecg", "labels": "labels"}[modality]
        return sum(bool(getattr(one, name)) for one in self.participants)

    def n_with_both(self) -> int:
        """Count the participants who have a cine and an ECG."""
        return sum(one.cine is not None and one.ecg is not None for one in self.participants)

    def unused_by_reason(self) -> Mapping[str, tuple[UnusedFile, ...]]:
        """Files left aside, grouped by the reason, the most frequent reason first."""
        groups: dict[str, list[UnusedFile]] = {}
        for one in self.unused:
            groups.setdefault(one.reason, []).append(one)
        ordered = sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        return MappingProxyType({reason: tuple(files) for reason, files in ordered})
