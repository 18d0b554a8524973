"""Which structures changed between where the probe began and where it is, measured on decoded hearts.

It takes some milliseconds, and so is done on a thread of its own, for somebody who looks only: when the probe comes to
rest, and a few times a second while it is dragged. What was measured at the origin is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_latent_explorer.analysis.region_change import (
    RegionChange,
    RegionMeasure,
    compare_regions,
    measure_difference,
    measure_regions,
)
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.session.decode_service import MODEL_SPACING_MM, DecodeOutcome
from napari_latent_explorer.session.dispatch import Dispatch, forward, inline
from napari_latent_explorer.session.latest_wins import LatestWins

if TYPE_CHECKING:
    from napari_latent_explorer.session.explorer import Explorer

LEAST_INTERVAL_S = 0.4
"""Between two answers while the probe is dragged."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangeReading:
    """What was measured.

    Attributes
    ----------
    began, now
        The hearts.
    changes
        Of all structures; empty where nothing is segmented.
    """

    began: DecodeOutcome
    now: DecodeOutcome
    changes: tuple[RegionChange, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    began: DecodeOutcome
    now: DecodeOutcome
    names: Mapping[int, str]
    spacing_mm: tuple[float, float]


class ChangeSurvey:
    """Answers for the newest place of an explorer's probe, while it is asked to `watch`.

    Parameters
    ----------
    explorer
        Whose probe.
    dispatch
        Brings answers to the thread that listens.
    """

    changed = Signal(object, description="The `ChangeReading` of now; None when there is none.")
    failed = Signal(Exception)

    def __init__(self, explorer: "Explorer", dispatch: Dispatch = inline) -> None:
        self._explorer = explorer
        self._is_watching = False
        self._now: DecodeOutcome | None = None
        self._reading: ChangeReading | None = None
        self._asked_s = 0.0
        self._measurer = _Measurer()
        self._questions: LatestWins[_Question, ChangeReading] = LatestWins(self._measurer, dispatch)
        self._questions.finished.connect(self._set)
        forward(self._questions.failed, self.failed)
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.decoded_origin.changed.connect(self._on_origin_changed)

    @property
    def reading(self) -> ChangeReading | None:
        """The newest answer; None while there is none."""
        return self._reading

    def watch(self, is_watching: bool) -> None:
        """Follow the probe from now on, or no longer."""
        if is_watching and not self._is_watching:
            self._explorer.decode_probe()  # what was decoded before
        self._is_watching = is_watching

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until all is answered; False after `timeout_s`. Not for who listens."""
        return self._questions.wait(timeout_s)

    def close(self) -> None:
        """Stop the thread."""
        self._questions.close()

    def _on_origin_changed(self, began: DecodeOutcome | None) -> None:
        if began is None:
            self._questions.forget()
            self._now = None
            self._set(None)
        elif self._is_watching and self._now is not None:
            self._ask(self._now)

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        if not self._is_watching:
            return
        self._now = outcome
        is_at_rest = np.array_equal(outcome.vector, self._explorer.probe.vector)
        if is_at_rest or monotonic() - self._asked_s > LEAST_INTERVAL_S:
            self._ask(outcome)

    def _ask(self, now: DecodeOutcome) -> None:
        origin = self._explorer.decoded_origin
        origin.find()
        began, bundle = origin.outcome, self._explorer.bundle
        if began is None or bundle is None or began.result.labels is None or now.result.labels is None:
            return
        self._asked_s = monotonic()
        side_mm = bundle.input_spec.mri.spacing_mm or MODEL_SPACING_MM
        names = getattr(bundle, "label_names", LA_4CH_CLASSES)
        self._questions.request(_Question(began, now, names, (side_mm, side_mm)))

    def _set(self, reading: ChangeReading | None) -> None:
        if reading is not self._reading:
            self._reading = reading
            self.changed.emit(reading)


class _Measurer:
    """Measures on its worker; remembers what the last origin came to."""

    def __init__(self) -> None:
        self._known: tuple[DecodeOutcome, tuple[RegionMeasure, ...]] | None = None

    def __call__(self, question: _Question) -> ChangeReading:
        began, now = question.began, question.now
        if self._known is None or self._known[0] is not began:
            self._known = began, self._measure(began, began, question)
        changes = compare_regions(self._known[1], self._measure(began, now, question))
        return ChangeReading(began, now, changes)

    @staticmethod
    def _measure(began: DecodeOutcome, now: DecodeOutcome, question: _Question) -> tuple[RegionMeasure, ...]:
        hearts = began.result, now.result
        cines = np.asarray(hearts[0].cine), np.asarray(hearts[1].cine)
        labels = np.asarray(hearts[0].labels), np.asarray(hearts[1].labels)
        regions = measure_regions(cines[1], labels[1], question.names, question.spacing_mm)
        return (*regions, *measure_difference(cines, labels, question.names))
