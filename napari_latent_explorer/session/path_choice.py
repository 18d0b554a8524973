"""Which path through the latents the user goes, and how far along it: the part of it that is the user's own wish.

The hard idea: an end says whom it stands for, not where that is. Where a group's end lies follows from the group and
from how groups are represented, so it is looked up when it is asked for (see `session.path`) and cannot become stale.
Only a place where the probe once was is kept as numbers, for nobody else remembers it.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from napari_latent_explorer.analysis.interpolation import PathKind

EndKind = Literal["group", "participant", "point"]


@dataclass(frozen=True, slots=True)
class PathEnd:
    """One end of a path.

    Attributes
    ----------
    kind
        A group's representative, a participant's own vector, or a place where the probe was.
    name
        Of the group, id of the participant, or what the place is called.
    vector
        ``(latent_dim,)`` of a place; empty for the others.
    seen
        Name of each modality and the vector ``(latent_dim,)`` of a place as that modality sees it.
    """

    kind: EndKind
    name: str
    vector: tuple[float, ...] = ()
    seen: tuple[tuple[str, tuple[float, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PathChoice:
    """From one end to the other.

    Attributes
    ----------
    start, end
        Both or neither; without them no path was chosen.
    kind
        ``linear`` or ``spherical``.
    share
        How far along it, 0 at the start and 1 at the end.
    """

    start: PathEnd | None = None
    end: PathEnd | None = None
    kind: PathKind = "linear"
    share: float = 0.0

    @property
    def ends(self) -> tuple[PathEnd, PathEnd] | None:
        """Both ends; None while no path is chosen."""
        return None if self.start is None or self.end is None else (self.start, self.end)

    def renamed(self, name: str, new_name: str) -> "PathChoice":
        """Follow a group that has another name now."""
        return replace(self, start=_renamed(self.start, name, new_name), end=_renamed(self.end, name, new_name))

    def without(self, name: str) -> "PathChoice":
        """Give the path up if it begins or ends at a group."""
        is_there = any(end.kind == "group" and end.name == name for end in self.ends or ())
        return NO_PATH if is_there else self


def _renamed(end: PathEnd | None, name: str, new_name: str) -> PathEnd | None:
    return replace(end, name=new_name) if end is not None and end.kind == "group" and end.name == name else end


NO_PATH: Final = PathChoice()
