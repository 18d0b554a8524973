"""How much each latent dimension matters, for sorting: to the picture, the ECG, or a phenotype.

The hard idea: what a dimension changes of a picture is measured where the probe began (a Jacobian is of one place), so
a ranking is of one origin and one model, and is dropped with either. What it changes of a prediction is the same
everywhere, for predictors are linear.
"""

from collections.abc import Generator
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.readers import fit_readers
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.state import cohort_of, latents_of

Influence = Literal["mri", "ecg", "phenotype"]
RANK: Final = "Rank latent dimensions"


class DimensionRanking:
    """Measures on a worker what one standard deviation of each dimension changes.

    Parameters
    ----------
    explorer
        The session.
    """

    changed = Signal(description="Another ranking is there, or the last one is gone.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._asked: tuple[object, ...] = ()
        self._influence: NDArray[np.float64] | None = None
        for signal in (explorer.study_changed, explorer.bundle_changed):
            signal.connect(self.forget)
        explorer.probe.origin_changed.connect(self._on_probe_origin_changed)

    @property
    def influence(self) -> NDArray[np.float64] | None:
        """What was asked last, ``(latent_dim,)``, not negative; None until it is measured."""
        return self._influence

    @property
    def is_asked(self) -> bool:
        """Whether there is a ranking, or one is being measured."""
        return bool(self._asked)

    def start(self, what: Influence, phenotype: str | None = None) -> Job[NDArray[Any]]:
        """Start the job that measures.

        Parameters
        ----------
        what
            Change of the decoded cine or ECG at the place where the probe began (root mean square), or of a phenotype
            as its predictor reads it; each for one standard deviation of the dimension.
        phenotype
            Which one.

        Raises
        ------
        LatentExplorerError
            Without latents, or without a model where one is needed.
        """
        space, cohort = latents_of(self._explorer.state), cohort_of(self._explorer.state)
        bundle: Any = self._explorer.bundle
        origin, spreads = self._explorer.probe.origin, space.values.std(axis=0)
        if what != "phenotype" and bundle is None:
            raise BundleError("What a dimension changes of a picture can only be measured with a model; open a bundle.")
        if what != "phenotype" and not origin.size:
            raise StudyError("The probe is nowhere yet; click a participant or make a group first.")
        asked = self._asked = (what, phenotype, origin, bundle, space)

        def work() -> Generator[Progress, None, NDArray[Any]]:
            if what == "phenotype":
                return _read(space, cohort, phenotype or "", spreads)
            from napari_latent_explorer.modeling.sensitivity import measure_sensitivity

            return measure_sensitivity(bundle, origin, spreads, what)

        self._influence = None
        job = self._explorer.jobs.start(RANK, work, lambda found: self._learn(asked, found))

        def drop(*_: object) -> None:
            if asked is self._asked and self._influence is None:
                self.forget()

        # one that fails is dropped too, but of a phenotype: another may be predictable
        (job.cancelled if what == "phenotype" else job.ended).connect(drop)
        if what != "phenotype" and not job.is_running:
            drop()
        return job

    def forget(self) -> None:
        """Drop the ranking, and the one that is being measured."""
        if self._asked:
            self._asked, self._influence = (), None
            self.changed.emit()

    def _on_probe_origin_changed(self) -> None:
        if self._asked and self._asked[0] != "phenotype":
            self.forget()

    def _learn(self, asked: tuple[object, ...], found: NDArray[Any]) -> None:
        if asked is self._asked:
            self._influence = np.abs(np.asarray(found, np.float64))
            self.changed.emit()


def _read(
    space: LatentSpace, cohort: Cohort, phenotype: str, spreads: NDArray[np.float32]
) -> Generator[Progress, None, NDArray[np.float64]]:
    yield Progress(0, 1, "What each dimension changes of the prediction")
    readers = fit_readers(space, cohort)
    names = [spec.name for spec in readers.targets]
    if phenotype not in names:
        raise StudyError(f"There is no predictor of {phenotype!r}; too few people have it, or it is no number.")
    return np.asarray(readers.weights[:, names.index(phenotype)] * spreads)
