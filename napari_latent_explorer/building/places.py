"""From files to places: what one reader is given for one person, and which of several such places is taken.

| found for one person | taken |
|---|---|
| files named as UK Biobank does | the field of the wanted plane, the wanted visit, the lowest array |
| a folder of DICOM images whose name holds the id | the folder, with its subfolders |
| several NIfTI files in a folder of theirs | the folder, if a reader knows its layout, else the first by name |
| several others | the first by name (``scan2`` before ``scan10``) |
"""

from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_latent_explorer.building.folders import Contents, Listing
from napari_latent_explorer.building.found import BiobankName, Modality, Place, UnusedFile, natural_key
from napari_latent_explorer.building.matching import NO_ROW, OwnerFinder
from napari_latent_explorer.building.names import (
    BIOBANK_FIELDS,
    LONG_AXIS_FIELD,
    MAY_BE_ANYTHING,
    SHORT_AXIS_FIELD,
    NameKind,
    biobank_name,
    header_names,
    is_label_name,
    is_nifti_name,
    kinds_by_name,
    usual_names,
)
from napari_latent_explorer.data.cine import ImagingPlane
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.io.formats import recognise

_STEP_FILES = 2_000


@dataclass(slots=True)
class Found:
    """What was found so far.

    Attributes
    ----------
    places
        Places by kind of recording and participant.
    unused
        Files left aside.
    """

    places: dict[tuple[Modality, str], list[Place]] = field(default_factory=lambda: defaultdict(list))
    unused: list[UnusedFile] = field(default_factory=list)

    def leave(self, path: Path, modality: Modality, reason: str, participant_id: str = "") -> None:
        """Leave one file aside."""
        self.unused.append(UnusedFile(path, modality, reason, participant_id))


def find_places(
    contents: Contents, wanted: frozenset[Modality], finder: OwnerFinder, known_ids: frozenset[str] | None, found: Found
) -> Generator[Progress, None, None]:
    """Sort the files of one folder into `found`.

    Parameters
    ----------
    contents
        The folder's files.
    wanted
        Kinds of recordings that it was given for.
    finder
        Tells whose a file is.
    known_ids
        Ids of the table; None without one.
    found
        Where to put them.
    """
    n_total, n_done = sum(len(listing.names) for listing in contents.listings), 0
    first = sorted(wanted)[-1]  # mri, labels, ecg: for which kind a file counts that is of none
    for path, reason in contents.odd:
        found.leave(path, first, reason)
    for listing in contents.listings:
        one = _Folder(listing, wanted, finder, known_ids, found)
        for n_here, name in enumerate(listing.names):
            one.sort(name, first)
            if n_here % _STEP_FILES == 0:
                yield Progress(n_done + n_here, n_total, "matching files to participants")
        one.settle()
        n_done += len(listing.names)


@dataclass(slots=True)
class _Folder:
    """The files of one folder while they are sorted."""

    listing: Listing
    wanted: frozenset[Modality]
    finder: OwnerFinder
    known_ids: frozenset[str] | None
    found: Found
    nifti: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    with_images: set[str] = field(default_factory=set)
    beside: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.beside = frozenset(self.listing.names)

    def sort(self, name: str, first: Modality) -> None:
        biobank = biobank_name(name)
        if biobank is not None:
            self._sort_biobank(name, biobank, first)
            return
        if not self.beside.isdisjoint(header_names(name)):
            return  # read with its header, which reports it
        kinds = kinds_by_name(name, self.wanted)
        if not kinds:
            self.found.leave(self.listing.file(name), first, self._why_no_kind(name))
            return
        if self.known_ids is None and name.lower().endswith(MAY_BE_ANYTHING) and not self._is_ecg(name):
            self.found.leave(self.listing.file(name), first, "it holds no ECG")
            return
        for modality, kind in self._told_apart(name, kinds).items():
            self._place(name, modality, kind)

    def settle(self) -> None:
        """Decide on NIfTI files, of which several may be one recording."""
        has_one_owner = len(self.nifti) == 1
        for participant_id, names in self.nifti.items():
            places = self.found.places["mri", participant_id]
            folder = Path(self.listing.path)
            if has_one_owner and self.listing.parts and len(names) > 1 and _is_known_case(folder):
                places.append(Place(folder, "mri"))
            else:
                places += [Place(self.listing.file(name), "mri") for name in names]

    def _sort_biobank(self, name: str, biobank: BiobankName, first: Modality) -> None:
        modality, what = BIOBANK_FIELDS[biobank.field]
        path, participant_id = self.listing.file(name), biobank.participant_id
        if modality is None or modality not in self.wanted:
            why = "are not read" if modality is None else "were not asked for here"
            self.found.leave(path, modality or first, f"field {biobank.field} ({what}): they {why}", participant_id)
        elif self.known_ids is not None and participant_id not in self.known_ids:
            self.found.leave(path, modality, NO_ROW, participant_id)
        else:
            self.found.places[modality, participant_id].append(Place(path, modality, biobank))

    def _why_no_kind(self, name: str) -> str:
        if is_nifti_name(name) and is_label_name(name):
            return "a label map by its name, and labels were not asked for here"
        kinds = " or ".join(f"{_PLURAL[modality]} ({usual_names(modality)})" for modality in sorted(self.wanted))
        return f"its name is not one of {kinds}"

    def _told_apart(self, name: str, kinds: dict[Modality, NameKind]) -> dict[Modality, NameKind]:
        """Settle by its content what a DICOM file is, where the folder is to hold cines and ECGs."""
        if kinds.get("mri") != "dicom" or "ecg" not in kinds:
            return kinds
        return {"ecg": "file"} if self._is_ecg(name) else {"mri": "dicom"}

    def _is_ecg(self, name: str) -> bool:
        return recognise(self.listing.file(name), "ecg") is not None

    def _place(self, name: str, modality: Modality, kind: NameKind) -> None:
        path = self.listing.file(name)
        owner = self.finder.owner(self.listing, name, kind)
        if not owner.participant_id:
            self.found.leave(path, modality, owner.problem)
        elif kind == "dicom" and owner.depth is not None:
            n_up = len(self.listing.parts) - owner.depth
            folder = Path(self.listing.path)
            for _ in range(n_up):
                folder = folder.parent
            places = self.found.places[modality, owner.participant_id]
            if not any(place.path == folder for place in places):
                places.append(Place(folder, modality))
        elif kind == "dicom" and owner.participant_id in self.with_images:
            return  # the reader of the first looks at the files beside it, and reports them
        elif modality == "mri" and is_nifti_name(name):
            self.nifti[owner.participant_id].append(name)
        else:
            self.found.places[modality, owner.participant_id].append(Place(path, modality))
            if kind == "dicom":
                self.with_images.add(owner.participant_id)


_PLURAL: dict[Modality, str] = {"mri": "cines", "ecg": "ECGs", "labels": "label maps"}


def _is_known_case(folder: Path) -> bool:
    return recognise(folder, "mri") is not None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is taken for one person and one kind of recording.

    Attributes
    ----------
    place
        Where; None for nowhere.
    related
        Other cines of theirs, which tell planes apart.
    unused
        What is not taken, and why.
    """

    place: Place | None
    related: tuple[Path, ...]
    unused: tuple[UnusedFile, ...]


def choose_place(
    participant_id: str, places: Sequence[Place], plane: ImagingPlane | None, instance: int | None
) -> Chosen:
    """Choose one of the places of one person, all of one kind of recording, by the rules above."""
    if not places:
        return Chosen(None, (), ())
    wanted_field = SHORT_AXIS_FIELD if plane == "sa" else LONG_AXIS_FIELD
    taken: list[Place] = []
    related: list[Place] = []
    reasons: dict[Path, str] = {}
    for place in places if len(places) == 1 else sorted(places, key=_order):
        biobank = place.biobank
        if biobank is not None and biobank.instance != instance:
            reasons[place.path] = f"visit {biobank.instance}; visit {instance} is taken (choose with --instance)"
        elif biobank is not None and place.modality == "mri" and biobank.field != wanted_field:
            related.append(place)
        elif not taken:
            taken.append(place)
        else:
            reasons[place.path] = "another recording of the same person comes first by name"
    for place in related:
        reasons[place.path] = (
            "read for its geometry only, which tells long-axis planes apart"
            if taken and wanted_field == LONG_AXIS_FIELD
            else f"{BIOBANK_FIELDS[place.biobank.field][1] if place.biobank else ''}; not the plane that is wanted"
        )
    unused = tuple(UnusedFile(path, places[0].modality, why, participant_id) for path, why in reasons.items())
    helpful = related[:1] if taken and wanted_field == LONG_AXIS_FIELD else []
    return Chosen(taken[0] if taken else None, tuple(place.path for place in helpful), unused)


def _order(place: Place) -> tuple[object, ...]:
    name = natural_key(str(place.path))
    return (0, place.biobank.array, name) if place.biobank is not None else (1, 0, name)


def count_instances(contents: Contents, wanted: frozenset[Modality]) -> dict[int, int]:
    """Count the wanted files that are named as UK Biobank does, by visit."""
    named = (biobank_name(name) for listing in contents.listings for name in listing.names)
    kept = (one.instance for one in named if one is not None and BIOBANK_FIELDS[one.field][0] in wanted)
    return dict(sorted(Counter(kept).items()))
