"""Which two groups are compared now, and what came of it.

The hard idea: a result belongs to one request. As soon as groups, exclusions or (for the rest) filters are others, the
result is no longer that of the present request, and is dropped; so is one that still comes from a worker.
"""

from psygnal import Signal

from napari_latent_explorer.analysis.phenotype_comparison import NumberTest
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.group_comparison import (
    Comparison,
    ComparisonRequest,
    compare_groups,
    has_same_members,
)
from napari_latent_explorer.session.groups import Group, find_group
from napari_latent_explorer.session.jobs import Job

JOB_NAME = "Compare groups"


class Comparing:
    """The choice of what is compared, and its result.

    Until somebody chooses, it is the first group with the second, or with the rest if it is the only one.

    Parameters
    ----------
    explorer
        The session whose groups are compared.
    """

    changed = Signal(description="What is compared, or its result, is another one; the result may be gone.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._chosen: tuple[Group, Group | None] | None = None
        self._number_test: NumberTest = "welch"
        self._result: Comparison | None = None
        self._running: ComparisonRequest | None = None
        explorer.study_changed.connect(self._on_groups_changed)
        explorer.groups_changed.connect(self._on_groups_changed)
        explorer.filters_changed.connect(self._on_filters_changed)

    @property
    def group_a(self) -> Group | None:
        """The group that is compared; None when there are no groups."""
        return self._choice()[0]

    @property
    def group_b(self) -> Group | None:
        """What it is compared with; None for the rest."""
        return self._choice()[1]

    @property
    def number_test(self) -> NumberTest:
        """How continuous phenotypes are tested."""
        return self._number_test

    @property
    def result(self) -> Comparison | None:
        """What came of the present request; None before it was run."""
        return self._result

    @property
    def is_running(self) -> bool:
        """Whether the present request is being worked on."""
        return self._running is not None

    @property
    def request(self) -> ComparisonRequest | None:
        """What is to be compared now; None when there are no groups."""
        state, (group_a, group_b) = self._explorer.state, self._choice()
        if state.cohort is None or group_a is None:
            return None
        filters = state.filters if group_b is None else ()
        return ComparisonRequest(
            state.cohort, group_a, group_b, filters, state.projections, state.excluded, self._number_test
        )

    def choose(self, name_a: str, name_b: str | None = None) -> None:
        """Compare a group with another, or with the rest if None.

        Raises
        ------
        LatentExplorerError
            When there is no such group, or both are the same.
        """
        group_a = find_group(self._explorer.groups, name_a)
        group_b = None if name_b is None else find_group(self._explorer.groups, name_b)
        if group_a is group_b:
            raise LatentExplorerError(f"{name_a} cannot be compared with itself. Choose another group, or the rest.")
        self._chosen = (group_a, group_b)
        self._drop_stale()

    def swap(self) -> None:
        """Turn the two groups round; nothing happens against the rest."""
        group_a, group_b = self._choice()
        if group_a is not None and group_b is not None:
            self.choose(group_b.name, group_a.name)

    def set_number_test(self, number_test: NumberTest) -> None:
        """Choose how continuous phenotypes are tested."""
        self._number_test = number_test
        self._drop_stale()

    def start(self) -> Job[Comparison] | None:
        """Start the job that compares; None when there is nothing to do: no groups, or it is done or being done."""
        request = self.request
        if request is None or self._result is not None or self._running is not None:
            return None
        self._running = request
        self.changed.emit()
        job = self._explorer.jobs.start(JOB_NAME, lambda: compare_groups(request), self._on_compared)
        job.ended.connect(lambda: self._on_job_ended(request))
        if not job.is_running:  # it has ended before it could be listened to
            self._on_job_ended(request)
        return job

    def _choice(self) -> tuple[Group | None, Group | None]:
        """Give the groups of the choice as they are now; one that is gone is replaced by the first, or by the rest."""
        groups = self._explorer.groups
        if self._chosen is not None and (group_a := _now(self._chosen[0], groups)) is not None:
            return group_a, _now(self._chosen[1], groups)
        return groups[0] if groups else None, groups[1] if len(groups) > 1 else None

    def _on_filters_changed(self) -> None:
        before = self._result, self._running
        self._forget_stale()
        if self.group_b is None or before != (self._result, self._running):
            self.changed.emit()

    def _on_groups_changed(self) -> None:
        chosen, groups = self._chosen, self._explorer.groups
        if chosen is not None:
            group_a = _now(chosen[0], groups)
            self._chosen = None if group_a is None else (group_a, _now(chosen[1], groups))
        self._drop_stale()

    def _drop_stale(self) -> None:
        self._forget_stale()
        self.changed.emit()

    def _forget_stale(self) -> None:
        """Forget the result, and the work on it, unless it is that of the present request."""
        request = self.request
        if self._result is not None and (request is None or not request.is_same(self._result.request)):
            self._result = None
        if self._running is not None and (request is None or not request.is_same(self._running)):
            self._running = None

    def _on_compared(self, result: Comparison) -> None:
        if result.request is self._running:
            self._result, self._running = result, None
            self.changed.emit()

    def _on_job_ended(self, request: ComparisonRequest) -> None:
        if request is self._running:
            self._running = None
            self.changed.emit()


def _now(group: Group | None, groups: tuple[Group, ...]) -> Group | None:
    """Find a group as it is now, perhaps under another name; None when it is gone."""
    if group is None:
        return None
    return next((one for one in groups if has_same_members(one, group)), None)
