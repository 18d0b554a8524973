"""Which way the probe walks: the part of a walk that is the user's own wish.

The hard idea: how far the probe has gone is kept with the probe, which way with the other choices. Whoever lays the
same way in another manner (other covariates, other things held still) goes on as far along the new one; whoever walks
along something else begins anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from napari_latent_explorer.analysis.directions import DirectionMethod

DirectionKind = Literal["phenotype", "component", "groups", "vectors"]

DIRECTION_KINDS: Final[Mapping[DirectionKind, str]] = {
    "phenotype": "Phenotype",
    "component": "Principal component",
    "groups": "From group to group",
    "vectors": "From vector to vector",
}
DIRECTION_METHODS: Final[Mapping[DirectionMethod, str]] = {
    "regression": "Regression",
    "means": "Difference of means",
}


@dataclass(frozen=True, slots=True)
class NamedVector:
    """A vector that nobody else remembers: where the probe was, or what was pasted.

    Attributes
    ----------
    name
        For people.
    values
        ``(latent_dim,)``.
    """

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DirectionChoice:
    """Which way to walk.

    Attributes
    ----------
    kind
        What the direction is of.
    phenotype, method, covariates
        Of a phenotype: which one, how, and in what people are alike who are compared; None while none was chosen.
    component
        Number of the principal component, from 0.
    name_a, name_b
        From the mean of one group to that of another.
    start, end
        From one vector to another.
    held
        Phenotypes that stand still on the walk, as predictors read them.
    modality
        Whose latents it is laid in; the first there is if None.
    """

    kind: DirectionKind = "phenotype"
    phenotype: str | None = None
    method: DirectionMethod = "regression"
    covariates: tuple[str, ...] = ()
    component: int = 0
    name_a: str | None = None
    name_b: str | None = None
    start: NamedVector | None = None
    end: NamedVector | None = None
    held: tuple[str, ...] = ()
    modality: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it says enough to make a direction."""
        if self.kind == "groups":
            return self.name_a is not None and self.name_b is not None
        if self.kind == "vectors":
            return self.start is not None and self.end is not None
        return self.kind == "component" or self.phenotype is not None

    def is_same_subject(self, other: "DirectionChoice") -> bool:
        """Whether both walk along the same thing, perhaps laid in another way."""
        bare = (replace(one, method="regression", covariates=(), held=(), modality=None) for one in (self, other))
        return next(bare) == next(bare)

    def renamed(self, name: str, new_name: str) -> "DirectionChoice":
        """Follow a group that has another name now."""
        name_a, name_b = (new_name if chosen == name else chosen for chosen in (self.name_a, self.name_b))
        return replace(self, name_a=name_a, name_b=name_b)


NO_DIRECTION: Final = DirectionChoice()
