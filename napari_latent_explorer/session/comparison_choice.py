"""Which two groups are compared, and how: the part of a comparison that is the user's own wish.

The hard idea is that nobody need wish anything: until somebody does, it is the first group with the second, or with the
rest if it is the only one, so the choice is kept as names and becomes groups only when it is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from napari_latent_explorer.analysis.phenotype_comparison import NumberTest
from napari_latent_explorer.session.groups import Group, find_group


@dataclass(frozen=True, slots=True)
class ComparisonChoice:
    """What is compared with what.

    Attributes
    ----------
    name_a
        Name of the group that is compared; None until somebody chooses.
    name_b
        Name of the other group; None for the rest.
    number_test
        How continuous phenotypes are tested.
    """

    name_a: str | None = None
    name_b: str | None = None
    number_test: NumberTest = "welch"

    def pick(self, groups: Sequence[Group]) -> tuple[Group | None, Group | None]:
        """Find what is compared among the groups that there are; None for the rest, or for want of any group."""
        if self.name_a is None:
            return groups[0] if groups else None, groups[1] if len(groups) > 1 else None
        return find_group(groups, self.name_a), None if self.name_b is None else find_group(groups, self.name_b)

    def renamed(self, name: str, new_name: str) -> "ComparisonChoice":
        """Follow a group that has another name now."""
        name_a, name_b = (new_name if chosen == name else chosen for chosen in (self.name_a, self.name_b))
        return replace(self, name_a=name_a, name_b=name_b)

    def without(self, name: str) -> "ComparisonChoice":
        """Do without a group: the other is compared with the rest, and without the first the choice is open again."""
        if name == self.name_a:
            return replace(self, name_a=None, name_b=None)
        return replace(self, name_b=None) if name == self.name_b else self


UNCHOSEN: Final = ComparisonChoice()
