"""Which groups are looked at side by side: the part of that picture that is the user's own wish.

The hard idea: the viewer shows either the probe's heart or those of some groups. The last wish counts: whoever moves
the probe or begins it elsewhere looks at the probe again, so the choice is then empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from napari_latent_explorer.session.groups import Group, find_group

MAX_GROUPS: Final = 12
"""More hearts would be too small to be read."""


@dataclass(frozen=True, slots=True)
class SideBySideChoice:
    """Groups whose representatives are shown beside each other.

    Attributes
    ----------
    names
        Of the groups, in the order in which they are shown; empty while the probe's heart is shown.
    has_originals
        Whether the recordings of participants who stand for groups are shown in a second row.
    """

    names: tuple[str, ...] = ()
    has_originals: bool = False

    def pick(self, groups: Sequence[Group]) -> tuple[Group, ...]:
        """Find the groups among those that there are."""
        return tuple(find_group(groups, name) for name in self.names)

    def renamed(self, name: str, new_name: str) -> "SideBySideChoice":
        """Follow a group that has another name now."""
        return replace(self, names=tuple(new_name if chosen == name else chosen for chosen in self.names))

    def without(self, name: str) -> "SideBySideChoice":
        """Do without a group."""
        return replace(self, names=tuple(chosen for chosen in self.names if chosen != name))


ONLY_THE_PROBE: Final = SideBySideChoice()
