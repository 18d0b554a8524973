"""What lies along the chosen path: predicted phenotypes as curves, and hearts at a few places, measured.

The hard idea: predictions are linear models and take less than a millisecond, hearts take a hundred times that. So the
curves are there at once and are fine. The hearts follow, few at a time on the decoder's own thread, where what the user
drags meanwhile goes between them. Both belong to one path, and are dropped once that is another one.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.decode_service import Bundle, DecodeOutcome, DecodeService
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.path import ProbePath

if TYPE_CHECKING:
    from napari_latent_explorer.analysis.prediction import PredictorTable
    from napari_latent_explorer.session.jobs import Job

N_SHARES, N_STILLS = 41, 9
CURVES_JOB, FILM_JOB = "Predict along the path", "Draw hearts along the path"
MEASURED = {"lvm": "mass_g", "lvedv": "edv_ml", "lvesv": "esv_ml", "lvef": "ef_percent"}
"""Phenotypes that are measured on decoded hearts, and which of `VentricleMeasures` each is."""


@dataclass(frozen=True, slots=True, eq=False)
class PathCurves:
    """Predictions along a path.

    Attributes
    ----------
    shares
        ``(n_shares,)`` of the way, from 0 to 1.
    rows, targets
        Inputs and phenotypes, as in `PredictionTable`.
    values, low, high
        ``(n_shares, n_rows, n_targets)``, as in `PredictionTable`.
    spreads
        ``(n_targets,)`` standard deviations of the phenotypes in the cohort.
    """

    shares: NDArray[np.float64]
    rows: tuple[str, ...]
    targets: tuple[PhenotypeSpec, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    spreads: NDArray[np.float64]

    def by_change(self) -> NDArray[np.intp]:
        """Targets that can be predicted, sorted by how much they change along the path, in standard deviations.

        Those that change most come first; what the row of most inputs says counts.
        """
        change = np.ptp(self.values[:, -1], axis=0) / np.maximum(self.spreads, 1e-12)
        order = np.argsort(-change, kind="stable")
        return np.asarray(order[np.isfinite(change[order])])


@dataclass(frozen=True, slots=True, eq=False)
class PathFilm:
    """Hearts along a path.

    Attributes
    ----------
    shares
        ``(n_stills,)`` of the way, from 0 to 1.
    outcomes
        What was decoded and measured there.
    """

    shares: NDArray[np.float64]
    outcomes: tuple[DecodeOutcome, ...]

    def measured(self, phenotype: str) -> NDArray[np.float64]:
        """Measures ``(n_stills,)`` of a phenotype of `MEASURED`; NaN where no ventricle was found."""
        name = MEASURED[phenotype]
        return np.array([np.nan if one.measures is None else getattr(one.measures, name) for one in self.outcomes])


def predict_along(
    path: ProbePath, predictors: "PredictorTable", cohort: Cohort, n_shares: int = N_SHARES
) -> Generator[Progress, None, PathCurves]:
    """Predict phenotypes at places evenly along a path, of each modality's own vectors.

    Yields
    ------
    Progress
        Once.
    """
    shares = np.linspace(0.0, 1.0, n_shares)
    yield Progress(0, 1, CURVES_JOB)
    tables = [predictors.predict(path.seen_at(float(share))) for share in shares]
    values, low, high = (
        read_only(np.stack([getattr(table, name) for table in tables])) for name in ("values", "low", "high")
    )
    targets = tables[0].targets
    spreads = read_only(np.array([_spread(cohort.values(spec.name)) for spec in targets]))
    return PathCurves(read_only(shares), tables[0].rows, targets, values, low, high, spreads)


def draw_along(
    path: ProbePath, service: DecodeService, bundle: Bundle, n_stills: int = N_STILLS
) -> Generator[Progress, None, PathFilm]:
    """Decode and measure hearts at places evenly along a path.

    Yields
    ------
    Progress
        Before each heart.
    """
    shares = np.linspace(0.0, 1.0, n_stills)
    hearts = service.decode_all_and_wait([path.main.at(share) for share in shares.tolist()], bundle)
    outcomes: list[DecodeOutcome] = []
    for number in range(n_stills):
        yield Progress(number, n_stills, f"Heart {number + 1} of {n_stills} along the path")
        outcomes.append(next(hearts))
    return PathFilm(read_only(shares), tuple(outcomes))


class PathSurvey:
    """Follows the path of an explorer and has what lies along it.

    Parameters
    ----------
    explorer
        The session.
    """

    changed = Signal(description="There are other curves or hearts, or none any more.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._path: ProbePath | None = None
        self._bundle: Bundle | None = None
        self._predictors: PredictorTable | None = None
        self._curves: PathCurves | None = None
        self._film: PathFilm | None = None
        self._running: dict[str, Job[Any]] = {}
        for signal in (
            explorer.path_changed,
            explorer.groups_changed,
            explorer.bundle_changed,
            explorer.predictors_changed,
            explorer.study_changed,
        ):
            signal.connect(self.synchronize)

    @property
    def curves(self) -> PathCurves | None:
        """Predictions along the path; None until they were made."""
        return self._curves

    @property
    def film(self) -> PathFilm | None:
        """Hearts along the path; None until they were decoded."""
        return self._film

    def synchronize(self) -> None:
        """Start the jobs that find what is not known of the path of now; those of another one are cancelled."""
        explorer, known_path, known_bundle, known_predictors = (
            self._explorer,
            self._path,
            self._bundle,
            self._predictors,
        )
        self._path, self._bundle, self._predictors = explorer.probe_path, explorer.bundle, explorer.predictors
        is_same_way = _are_same_way(known_path, self._path)
        keeps_curves = is_same_way and known_predictors is self._predictors
        keeps_film = is_same_way and known_bundle is self._bundle
        if not keeps_curves:
            self._curves = None
            self._predict()
        if not keeps_film:
            self._film = None
            self._draw()
        if not (keeps_curves and keeps_film):
            self.changed.emit()

    def _predict(self) -> None:
        self._cancel(CURVES_JOB)
        path, predictors, cohort = self._path, self._predictors, self._explorer.cohort
        if path is not None and predictors is not None and cohort is not None:
            self._running[CURVES_JOB] = self._explorer.jobs.start(
                CURVES_JOB, lambda: predict_along(path, predictors, cohort), self._on_predicted
            )

    def _draw(self) -> None:
        self._cancel(FILM_JOB)
        path, bundle, service = self._path, self._bundle, self._explorer.decode
        if path is not None and bundle is not None:
            job = self._explorer.jobs.start(FILM_JOB, lambda: draw_along(path, service, bundle), self._on_drawn)
            self._running[FILM_JOB] = job

    def _cancel(self, name: str) -> None:
        if name in self._running:
            self._running.pop(name).cancel()

    def _on_predicted(self, curves: PathCurves) -> None:
        self._curves = curves
        self.changed.emit()

    def _on_drawn(self, film: PathFilm) -> None:
        self._film = film
        self.changed.emit()


def _are_same_way(one: ProbePath | None, other: ProbePath | None) -> bool:
    """Whether two paths lead through the same vectors, whatever their ends are called."""
    if one is None or other is None:
        return one is other
    if one.main.kind != other.main.kind or one.by_modality.keys() != other.by_modality.keys():
        return False
    pairs = [(one.main, other.main), *((one.by_modality[name], other.by_modality[name]) for name in one.by_modality)]
    return all(
        np.array_equal(first.start, second.start) and np.array_equal(first.end, second.end) for first, second in pairs
    )


def _spread(values: NDArray[np.float64]) -> float:
    """Compute the standard deviation of those ``(n,)`` that are known; NaN if none is."""
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else float("nan")
