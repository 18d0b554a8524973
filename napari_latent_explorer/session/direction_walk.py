"""The direction that is chosen, laid and measured on workers, and the walk along it.

The hard idea: what a choice comes to takes a while, and is of one choice. So a new choice becomes the session's only
together with its direction, in one step with the walk that goes on along it; what was found is kept per choice, and
whoever comes back to one, or undoes, finds it there.
"""

from dataclasses import dataclass, replace

import numpy as np
from psygnal import Signal

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.errors import BundleError, LatentExplorerError
from napari_latent_explorer.modeling.walk_calibration import (
    MEASURES,
    MeasuredChange,
    WalkCalibration,
    calibration_key,
)
from napari_latent_explorer.session.calibration_store import calibration_store
from napari_latent_explorer.session.decode_service import DecodeOutcome, measured
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_finding import (
    DirectionRequest,
    WalkEffects,
    direction_request,
    find_effects,
    lay_direction,
)
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.walk_measuring import measure_walk

Laid = Direction | LatentExplorerError
Calibrated = WalkCalibration | LatentExplorerError
LAY, EFFECTS, CALIBRATE = "Lay direction", "Effects of the direction", "Measure decoded hearts"


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What is known of one choice.

    Attributes
    ----------
    request
        What it was found for.
    direction
        What it came to.
    key
        Under which it is known what it changes of decoded hearts.
    effects
        None until they are measured.
    """

    request: DirectionRequest
    direction: Direction
    key: str
    effects: WalkEffects | None = None


class DirectionWalk:
    """What the session's direction (`Explorer.direction`) comes to.

    Parameters
    ----------
    explorer
        The session whose probe walks.
    """

    changed = Signal(description="Another direction, or more is known of it, or work on it began or ended.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._found: dict[DirectionChoice, Findings] = {}
        self._wanted: DirectionChoice | None = None
        self._problem = ""
        self._calibration_problems: dict[str, str] = {}
        self._declined: set[str] = set()
        self._now: DecodeOutcome | None = None
        self._calibrating: tuple[str, Job[Calibrated] | None] = ("", None)
        explorer.study_changed.connect(self._forget)
        explorer.bundle_changed.connect(self._forget_problems)
        explorer.calibrations_changed.connect(self.changed.emit)
        explorer.direction_changed.connect(self._on_direction_changed)
        explorer.groups_changed.connect(self._on_direction_changed)
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.jobs.started.connect(self._on_job)
        explorer.jobs.ended.connect(self._on_job)

    @property
    def choice(self) -> DirectionChoice:
        """What was chosen, even if it is still being laid."""
        return self._explorer.direction if self._wanted is None else self._wanted

    @property
    def direction(self) -> Direction | None:
        """The direction that the probe walks; None until it is laid."""
        walk = self._explorer.probe.walk
        if walk is not None:
            return walk.direction
        findings = self._findings()
        return None if findings is None else findings.direction

    @property
    def amount(self) -> float:
        """How far the probe has walked, in the direction's unit."""
        walk = self._explorer.probe.walk
        return 0.0 if walk is None else walk.amount

    @property
    def effects(self) -> WalkEffects | None:
        """What else moves; None until it is measured, and while another choice is being laid."""
        findings = None if self._wanted is not None else self._findings()
        return None if findings is None else findings.effects

    @property
    def calibration(self) -> WalkCalibration | None:
        """What decoded hearts change; None until it is measured, and while another choice is being laid."""
        findings = None if self._wanted is not None else self._findings()
        return None if findings is None else self._explorer.calibrations.get(findings.key)

    @property
    def measured(self) -> MeasuredChange | None:
        """What was measured of the phenotype that is walked along, if it can be told from nothing."""
        own = None if self.calibration is None else self.calibration.own
        return own if own is not None and own.is_scale else None

    @property
    def _measure(self) -> tuple[str, str, str] | None:
        """Words, unit and field of what is walked along, as in `MEASURES`; None if it cannot be measured."""
        return None if self.direction is None else MEASURES.get(self.direction.phenotype or "")

    @property
    def is_measurable(self) -> bool:
        """Whether what is walked along can be measured on decoded hearts."""
        return self._measure is not None

    @property
    def calibration_problem(self) -> str:
        """Why decoded hearts cannot be measured; empty if they can, or nobody tried."""
        findings = self._findings()
        return "" if findings is None else self._calibration_problems.get(findings.key, "")

    @property
    def measured_unit(self) -> str:
        """Unit of what is walked along as it is measured on decoded hearts; empty if it cannot be measured."""
        return "" if self._measure is None else self._measure[1]

    @property
    def has_heart(self) -> bool:
        """Whether a walk along what can be measured is all that lies between where the probe began and where it is."""
        probe = self._explorer.probe
        return probe.walk is not None and self.is_measurable and np.array_equal(probe.base, probe.origin)

    def heart_change(self) -> float | None:
        """Measure what the walk changed of the one heart that is shown, in the measure's unit.

        It takes some milliseconds. None while one of both hearts is not decoded, or has no ventricle.
        """
        explorer, bundle, measure = self._explorer, self._explorer.bundle, self._measure
        if bundle is None or measure is None or not self.has_heart:
            return None
        explorer.decoded_origin.find()
        began, now = explorer.decoded_origin.outcome, self._now
        if began is None or now is None or not np.array_equal(now.vector, explorer.probe.vector):
            return None
        before, after = (measured(outcome, bundle).measures for outcome in (began, now))
        if before is None or after is None:
            return None
        return float(getattr(after, measure[2]) - getattr(before, measure[2]))

    @property
    def problem(self) -> str:
        """Why the choice cannot be laid; empty if it can."""
        return self._problem

    def is_running(self, job_name: str) -> bool:
        """Whether `LAY`, `EFFECTS` or `CALIBRATE` is being worked on."""
        return any(job.name == job_name and not job.is_cancelled for job in self._explorer.jobs.running)

    def cancel(self, job_name: str) -> None:
        """Stop working on it."""
        for job in self._explorer.jobs.running:
            if job.name == job_name:
                job.cancel()
        self.changed.emit()

    def choose(self, choice: DirectionChoice) -> Job[Laid] | None:
        """Choose another direction: start the job that lays it, after which it is the session's.

        None when nothing has to be laid: the choice is not complete, was laid before, or cannot be.
        """
        self._wanted, self._problem = None, ""
        request = self._request(choice) if choice.is_complete else None
        if not choice.is_complete:
            self._explorer.set_direction(choice)
        elif request is not None and (known := self._known(request)) is not None:
            self._explorer.set_direction(choice, known.direction)
        elif request is not None:
            self._wanted = choice
            return self._lay(request)
        self.changed.emit()
        return None

    def start(self) -> Job[Laid] | None:
        """Lay the session's direction if it is not known, as after a session was opened."""
        choice = self._explorer.direction
        if self._wanted is not None or not choice.is_complete or self._problem or self._findings() is not None:
            return None
        request = self._request(choice)
        return None if request is None else self._lay(request)

    def walk(self, amount: float) -> None:
        """Take the probe so many units along; nothing happens before the direction is laid."""
        if self.direction is not None:
            self._explorer.probe.walk_along(self.direction, amount)

    def measure_effects(self) -> Job[WalkEffects] | None:
        """Start the job that measures what else moves; None when it is known, running, or there is no direction."""
        findings = self._findings()
        if findings is None or findings.effects is not None or self.is_running(EFFECTS):
            return None
        request, direction = findings.request, findings.direction
        return self._explorer.jobs.start(
            EFFECTS,
            lambda: find_effects(request, direction),
            lambda effects: self._learn(request, direction, effects=effects),
        )

    def calibrate_if_usual(self) -> Job[Calibrated] | None:
        """Calibrate what decoded hearts can be measured for, unless it was cancelled, fails, or no model is open."""
        findings = self._findings()
        if findings is None or not self.is_measurable or self._explorer.bundle is None:
            return None
        if findings.key in self._declined or self.calibration_problem:
            return None
        return self.calibrate()

    def calibrate(self) -> Job[Calibrated] | None:
        """Start the job that measures decoded hearts; None when it is known, running, or there is no direction.

        Raises
        ------
        BundleError
            When no model is open.
        """
        findings = self._findings()
        if findings is None or self.calibration is not None or self._is_calibrating(findings.key):
            return None
        bundle = self._explorer.bundle
        if bundle is None:
            raise BundleError("Hearts can only be measured when a model draws them; open a bundle first.")
        service, latents, direction, key = (
            self._explorer.decode,
            findings.request.latents,
            findings.direction,
            findings.key,
        )
        store = calibration_store(self._explorer.state, latents.bundle_fingerprint)
        self._declined.discard(key)
        job = self._explorer.jobs.start(
            CALIBRATE,
            lambda: measure_walk(store, service, bundle, latents, direction, key),
            lambda found: self._on_calibrated(key, found),
        )
        self._calibrating = (key, job)
        job.cancelled.connect(lambda: self._on_declined(key))
        return job

    def _is_calibrating(self, key: str) -> bool:
        now, job = self._calibrating
        return now == key and job is not None and job.is_running and not job.is_cancelled

    def _on_calibrated(self, key: str, found: Calibrated) -> None:
        if isinstance(found, WalkCalibration):
            self._explorer.add_calibration(found)
            return
        self._calibration_problems[key] = str(found)
        self.changed.emit()

    def _on_declined(self, key: str) -> None:
        """Whoever cancels what is walked along now does not want it; another walk takes the place of a former one."""
        findings = self._findings()
        if findings is not None and findings.key == key and not self._is_calibrating(key):
            self._declined.add(key)

    def _request(self, choice: DirectionChoice) -> DirectionRequest | None:
        try:
            return direction_request(self._explorer.state, choice)
        except LatentExplorerError as error:
            self._problem = str(error)
            return None

    def _findings(self) -> Findings | None:
        """Return what is known of the present choice, as far as it is still of the present study and groups."""
        choice = self._explorer.direction
        if self._explorer.cohort is None or choice not in self._found:
            return None
        try:
            return self._known(direction_request(self._explorer.state, choice))
        except LatentExplorerError:
            return None

    def _known(self, request: DirectionRequest) -> Findings | None:
        known = self._found.get(request.choice)
        return known if known is not None and known.request.is_same(request) else None

    def _lay(self, request: DirectionRequest) -> Job[Laid]:
        return self._explorer.jobs.start(LAY, lambda: lay_direction(request), lambda laid: self._on_laid(request, laid))

    def _on_laid(self, request: DirectionRequest, laid: Laid) -> None:
        is_wanted = self._wanted == request.choice
        if is_wanted:
            self._wanted = None
        if isinstance(laid, LatentExplorerError):
            self._problem = str(laid)
            self.changed.emit()
            return
        self._learn(request, laid)
        if is_wanted:
            self._explorer.set_direction(request.choice, laid)

    def _learn(self, request: DirectionRequest, direction: Direction, effects: WalkEffects | None = None) -> None:
        """Keep what was found beside what was known."""
        known = self._known(request)
        if known is None:
            known = Findings(request, direction, calibration_key(request.latents, direction))
        self._found[request.choice] = replace(known, effects=effects or known.effects)
        self.changed.emit()

    def _on_direction_changed(self) -> None:
        self._problem = ""
        self.changed.emit()

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        self._now = outcome

    def _on_job(self, job: Job[object]) -> None:
        if job.name in (LAY, EFFECTS, CALIBRATE):
            if not job.is_running and job.name == LAY and job.is_cancelled:
                self._wanted = None
            self.changed.emit()

    def _forget(self) -> None:
        self._found.clear()
        self._wanted, self._problem = None, ""
        self._declined.clear()
        self.changed.emit()

    def _forget_problems(self) -> None:
        """Try again with another model."""
        self._calibration_problems.clear()
        self.changed.emit()
