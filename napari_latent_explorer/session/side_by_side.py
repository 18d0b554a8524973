"""Hearts of several groups, each reconstructed from the vector that stands for its group, and measured.

The hard idea: a picture beside a number is only worth something if both are of the same vector. So hearts are told of
all at once, with the groups that they were decoded for; a group that merely has another name or colour is told of
again with the heart that it has. Recordings of those who stand for groups come later, from disk, and are added.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.probing import group_counterparts
from napari_latent_explorer.session.recordings import Recordings, ShownParticipant, read_participant

if TYPE_CHECKING:
    from napari_latent_explorer.analysis.prediction import PredictionTable

JOB_NAME = "Read representatives"


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
        self._outcomes: tuple[DecodeOutcome, ...] = ()
        self._originals: Mapping[str, ShownParticipant | None] = {}
        self._asked: tuple[object, ...] = ()
        self._is_waiting = False
        explorer.study_changed.connect(self._on_study_changed)
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
            self._asked, self._outcomes = asked, ()
            self._is_waiting = bool(groups) and explorer.bundle is not None
            explorer.decode.request_together(
                [
                    (group.representative.vector, partial(group_counterparts, explorer.latents, group))
                    for group in groups
                    if group.representative is not None
                ]
            )
        if not self._is_waiting:
            self._tell()

    def _on_study_changed(self) -> None:
        self._originals = {}

    def _on_decoded(self, outcomes: tuple[DecodeOutcome, ...]) -> None:
        self._is_waiting, self._outcomes = False, outcomes
        self._tell()

    def _tell(self) -> None:
        """Emit what is shown now, if it is something else than before."""
        groups = self.groups if self._outcomes else ()
        if self._explorer.side_by_side.has_originals:
            self._read_originals(groups)
        hearts = tuple(
            GroupHeart(group, outcome, self._original_of(group))
            for group, outcome in zip(groups, self._outcomes, strict=True)
        )
        if not _are_same(_parts(hearts), _parts(self._hearts)):
            self._hearts = hearts
            self.changed.emit(hearts)

    # ---- recordings of those who stand for groups

    def _original_of(self, group: Group) -> ShownParticipant | None:
        who = _participant_of(group)
        return self._originals.get(who) if who and self._explorer.side_by_side.has_originals else None

    def _read_originals(self, groups: Sequence[Group]) -> None:
        study = self._explorer.study
        wanted = list(dict.fromkeys(filter(None, map(_participant_of, groups))))
        missing = [who for who in wanted if who not in self._originals]
        if not missing or study is None:
            return
        self._originals = {who: self._originals.get(who) for who in wanted}

        def on_read(found: tuple[dict[str, ShownParticipant], list[LatentExplorerError]]) -> None:
            if self._explorer.study is study:
                self._originals = {**self._originals, **found[0]}
                self.synchronize()
                for error in found[1]:
                    self._explorer.failed.emit(error)

        self._explorer.jobs.start(JOB_NAME, lambda: _read(study, missing), on_read)


def _read(
    study: Recordings, participant_ids: Sequence[str]
) -> Generator[Progress, None, tuple[dict[str, ShownParticipant], list[LatentExplorerError]]]:
    """Read the recordings of some participants, and what kept others from being read."""
    found, problems = {}, []
    for participant_id in participant_ids:
        try:
            found[participant_id] = yield from read_participant(study, participant_id)
        except LatentExplorerError as error:
            problems.append(error)
    return found, problems


def _participant_of(group: Group) -> str | None:
    return None if group.representative is None else group.representative.participant_id


def _parts(hearts: Sequence[GroupHeart]) -> tuple[object, ...]:
    return tuple(part for heart in hearts for part in (heart.group, heart.outcome, heart.original))


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
