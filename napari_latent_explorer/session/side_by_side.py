"""Hearts of several groups, each reconstructed from the vector that stands for its group, and measured.

The hard idea: a picture beside a number is only worth something if both are of the same vector. So hearts are told of
all at once, with the groups that they were decoded for; a group that merely has another name or colour is told of
again with the heart that it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.probing import group_counterparts
from napari_latent_explorer.session.recordings import ShownParticipant

if TYPE_CHECKING:
    from napari_latent_explorer.analysis.prediction import PredictionTable


@dataclass(frozen=True, slots=True, eq=False)
class GroupHeart:
    """What the vector that stands for a group looks like.

    Attributes
    ----------
    group
        As it is now.
    outcome
        Decoded from its representative: cine, labels, ECG, predictions, and what was measured on the labels.
    original
        Recordings of the participant who stands for the group; None unless they are shown, and there is such a one.
    """

    group: Group
    outcome: DecodeOutcome
    original: ShownParticipant | None = None

    def predicted(self, phenotype: str) -> float | None:
        """Predict a phenotype of this heart from all that is known of it; None where it cannot be."""
        table = self.outcome.predictions
        return None if table is None else last_prediction(table, phenotype)


class SideBySide:
    """Follows the choice of an explorer and has the hearts of the groups that are chosen.

    Parameters
    ----------
    explorer
        The session.
    """

    changed = Signal(tuple, description="The `GroupHeart` of each group that is shown; empty when none is.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._hearts: tuple[GroupHeart, ...] = ()
        self._asked: tuple[object, ...] = ()
        self._is_waiting = False
        explorer.side_by_side_changed.connect(self.synchronize)
        explorer.groups_changed.connect(self.synchronize)
        explorer.bundle_changed.connect(self.synchronize)
        explorer.predictors_changed.connect(self.synchronize)
        explorer.decode.together_decoded.connect(self._on_decoded)

    @property
    def hearts(self) -> tuple[GroupHeart, ...]:
        """What is shown; empty until it was decoded."""
        return self._hearts

    @property
    def groups(self) -> tuple[Group, ...]:
        """Whose hearts are shown, or will be."""
        return self._explorer.side_by_side.pick(self._explorer.groups)

    def synchronize(self) -> None:
        """Ask for the hearts of the groups that are chosen now, unless they are known."""
        explorer, groups = self._explorer, self.groups
        asked = (explorer.bundle, explorer.predictors, *(group.representative for group in groups)) if groups else ()
        if not _are_same(asked, self._asked):
            self._asked = asked
            self._is_waiting = bool(groups) and explorer.bundle is not None
            explorer.decode.request_together(
                [(group.representative.vector, self._counterparts(group)) for group in groups if group.representative]
            )
            if not self._is_waiting:
                self._set(())
        elif not self._is_waiting:
            named = tuple(replace(heart, group=group) for heart, group in zip(self._hearts, groups, strict=True))
            if any(new.group is not old.group for new, old in zip(named, self._hearts, strict=True)):
                self._set(named)

    def _counterparts(self, group: Group) -> Mapping[str, NDArray[np.float32]]:
        return group_counterparts(self._explorer.state, group)

    def _on_decoded(self, outcomes: tuple[DecodeOutcome, ...]) -> None:
        self._is_waiting, groups = False, self.groups
        self._set(tuple(GroupHeart(group, one) for group, one in zip(groups, outcomes, strict=True)))

    def _set(self, hearts: tuple[GroupHeart, ...]) -> None:
        if hearts or self._hearts:
            self._hearts = hearts
            self.changed.emit(hearts)


def _are_same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def last_prediction(table: "PredictionTable", phenotype: str) -> float | None:
    """Value by the row with the most inputs, which is the last."""
    names = [spec.name for spec in table.targets]
    if phenotype not in names:
        return None
    values = table.values[:, names.index(phenotype)]
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None
