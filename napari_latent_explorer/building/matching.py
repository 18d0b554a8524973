"""Whose recording a file is, by the names of the file and of the folders that lead to it.

| names | whose |
|---|---|
| ``<eid>_<field>_<instance>_<array>.zip`` of a known field | the eid's |
| an id pattern was given | what its group ``id`` matches, anywhere in the path below the folder given |
| a table was given | the id of the table that stands in a name as a whole word; the longest if there are several |
| neither | the first folder (DICOM), the folder of a case (NIfTI), else the file's name without its suffix |

A single file's own name counts before those of its folders; of the images of a DICOM folder the folders count first,
because their own names are mere numbers.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from napari_latent_explorer.building.folders import Contents, Listing
from napari_latent_explorer.building.id_pattern import PatternMatch
from napari_latent_explorer.building.names import NameKind, is_nifti_name, stem

_WORD = re.compile(r"[^\W_]+")
_MAX_WORDS_OF_ID = 8
_MAX_WORDS_OF_NAME = 64


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose recording a file is.

    Attributes
    ----------
    participant_id
        The id; empty if nobody's.
    depth
        How many folders lead to the one whose name holds the id; None if it is the file's own.
    problem
        Why it is nobody's, in words.
    """

    participant_id: str = ""
    depth: int | None = None
    problem: str = ""


class OwnerFinder(Protocol):
    """Tells whose a file is."""

    def owner(self, listing: Listing, name: str, kind: NameKind) -> Owner:
        """Whose the file `name` of `listing` is."""


class OwnersByTable:
    """Ids of a table, looked for as whole words in names.

    Parameters
    ----------
    participant_ids
        All ids of the table.
    """

    def __init__(self, participant_ids: Iterable[str]) -> None:
        self._ids = set(participant_ids)
        folded: dict[str, str | None] = {}
        for participant_id in self._ids:
            key = participant_id.casefold()
            folded[key] = None if key in folded else participant_id
        self._folded = folded
        self._most_words = max((len(_WORD.findall(one)) for one in self._ids), default=1)
        self._of_folder: dict[tuple[str, ...], Owner] = {}

    def owner(self, listing: Listing, name: str, kind: NameKind) -> Owner:
        """Whose the file `name` of `listing` is."""
        folders = self._folders(listing.parts, outermost_first=kind == "dicom")
        if kind == "dicom" and (folders.participant_id or folders.problem):
            return folders
        own = self._in_name(stem(name), None)
        if own.participant_id or own.problem:
            return own
        return folders if folders.participant_id or folders.problem else Owner(problem=_NO_ID)

    def _folders(self, parts: tuple[str, ...], outermost_first: bool) -> Owner:
        key = ("outermost" if outermost_first else "innermost", *parts)
        if key not in self._of_folder:
            depths = range(1, len(parts) + 1) if outermost_first else range(len(parts), 0, -1)
            found = (self._in_name(parts[depth - 1], depth) for depth in depths)
            self._of_folder[key] = next((one for one in found if one.participant_id or one.problem), Owner())
        return self._of_folder[key]

    def _in_name(self, name: str, depth: int | None) -> Owner:
        """Find the longest id that stands in the name as whole words."""
        if name in self._ids:
            return Owner(name, depth)
        words = [match.span() for match in _WORD.finditer(name)][:_MAX_WORDS_OF_NAME]
        found: set[str] = set()
        for n_words in range(1, min(self._most_words, _MAX_WORDS_OF_ID, len(words)) + 1):
            spans = (name[words[i][0] : words[i + n_words - 1][1]] for i in range(len(words) - n_words + 1))
            found |= {known for span in spans if (known := self._known(span)) is not None}
        longest = max(map(len, found), default=0)
        found = {participant_id for participant_id in found if len(participant_id) == longest}
        if len(found) > 1:
            return Owner(problem=f"its name holds several ids of the table: {' and '.join(sorted(found)[:3])}")
        return Owner(found.pop(), depth) if found else Owner()

    def _known(self, text: str) -> str | None:
        return text if text in self._ids else self._folded.get(text.casefold())


class OwnersByPattern:
    """Ids that somebody's pattern matches.

    Parameters
    ----------
    matches
        For each path below the folder given, with ``/``, what the pattern matched.
    spelt
        How the table spells each matched id; an id that is not in it is nobody's. None without a table.
    """

    def __init__(self, matches: dict[str, PatternMatch | None], spelt: dict[str, str] | None) -> None:
        self._matches = matches
        self._spelt = spelt

    def owner(self, listing: Listing, name: str, kind: NameKind) -> Owner:
        """Whose the file `name` of `listing` is."""
        path = "/".join((*listing.parts, name))
        match = self._matches.get(path)
        if match is None:
            return Owner(problem="the id pattern does not match its path")
        if self._spelt is not None and match.participant_id not in self._spelt:
            return Owner(problem=NO_ROW)
        depth = path.count("/", 0, match.start) + 1
        spelt = match.participant_id if self._spelt is None else self._spelt[match.participant_id]
        return Owner(spelt, depth if depth <= len(listing.parts) else None)


class OwnersByLayout:
    """Ids taken from the names of folders and files themselves, where there is no table.

    Parameters
    ----------
    all_contents
        Every folder that is looked at.
    """

    def __init__(self, all_contents: Sequence[Contents]) -> None:
        self._roots = {listing.path: contents.root.name for contents in all_contents for listing in contents.listings}
        places = {
            (stem(name), listing.path)
            for contents in all_contents
            for listing in contents.listings
            for name in listing.names
        }
        self._n_folders_with = Counter(text for text, _ in places)

    def owner(self, listing: Listing, name: str, kind: NameKind) -> Owner:
        """Whose the file `name` of `listing` is."""
        if kind == "dicom":
            return Owner(listing.parts[0], 1) if listing.parts else Owner(self._roots[listing.path], 0)
        if listing.parts and (is_of_case(listing, name) or self._n_folders_with[stem(name)] > 1):
            return Owner(listing.parts[-1], len(listing.parts))
        return Owner(stem(name))


def is_of_case(listing: Listing, name: str) -> bool:
    """Whether it is a NIfTI file in the folder of one person, as ``patient001/patient001_4d.nii.gz``."""
    return bool(listing.parts) and is_nifti_name(name) and name.casefold().startswith(listing.parts[-1].casefold())


NO_ROW = "its id has no row in the table"
_NO_ID = "no id of the table stands in its name or in those of its folders"
