"""What came of the comparison that is chosen now.

The hard idea: a result belongs to one request. As soon as groups, exclusions or (for the rest) filters are others, the
result is no longer that of the present request, and is dropped; so is one that still comes from a worker.
"""

from psygnal import Signal

from napari_latent_explorer.analysis.phenotype_comparison import NumberTest
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.group_comparison import Comparison, ComparisonRequest, compare_groups
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.jobs import Job

JOB_NAME = "Compare groups"


class Comparing:
    """What the session's choice (`Explorer.comparison`) comes to: groups, a request, and its result.

    Parameters
    ----------
    explorer
        The session whose groups are compared.
    """

    changed = Signal(description="What is compared, or its result, is another one; the result may be gone.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._result: Comparison | None = None
        self._running: ComparisonRequest | None = None
        explorer.study_changed.connect(self._on_groups_changed)
        explorer.groups_changed.connect(self._on_groups_changed)
        explorer.comparison_changed.connect(self._on_comparison_changed)
        explorer.filters_changed.connect(self._on_filters_changed)

    @property
    def group_a(self) -> Group | None:
        """The group that is compared; None when there are no groups."""
        return self._pick()[0]

    @property
    def group_b(self) -> Group | None:
        """What it is compared with; None for the rest."""
        return self._pick()[1]

    @property
    def number_test(self) -> NumberTest:
        """How continuous phenotypes are tested."""
        return self._explorer.comparison.number_test

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
        state, (group_a, group_b) = self._explorer.state, self._pick()
        if state.cohort is None or group_a is None:
            return None
        filters = state.filters if group_b is None else ()
        return ComparisonRequest(state.cohort, group_a, group_b, filters, state.maps, state.excluded, self.number_test)

    def choose(self, name_a: str, name_b: str | None = None) -> None:
        """Compare a group with another, or with the rest if None; see `Explorer.set_compared`."""
        self._explorer.set_compared(name_a, name_b)

    def swap(self) -> None:
        """Turn the two groups round; nothing happens against the rest."""
        group_a, group_b = self._pick()
        if group_a is not None and group_b is not None:
            self.choose(group_b.name, group_a.name)

    def set_number_test(self, number_test: NumberTest) -> None:
        """Choose how continuous phenotypes are tested."""
        self._explorer.set_number_test(number_test)

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

    def _pick(self) -> tuple[Group | None, Group | None]:
        return self._explorer.comparison.pick(self._explorer.groups)

    def _on_filters_changed(self) -> None:
        before = self._result, self._running
        self._forget_stale()
        if self.group_b is None or before != (self._result, self._running):
            self.changed.emit()

    def _on_groups_changed(self) -> None:
        self._forget_stale()
        self.changed.emit()

    def _on_comparison_changed(self) -> None:
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
