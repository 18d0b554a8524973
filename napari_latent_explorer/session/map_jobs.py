"""Long work that the maps need: layouts, keeping them in the study, and measuring how unusual recordings are."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from napari_latent_explorer.analysis.map_space import JOINT, MAP_KINDS, MAP_NAMES, MapKind
from napari_latent_explorer.analysis.projection import Projection, fit_map_of
from napari_latent_explorer.analysis.unusualness import Unusualness, measure_unusualness
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.color_sources import Unusual
from napari_latent_explorer.session.jobs import Job, Jobs
from napari_latent_explorer.session.opening import ExplorableStudy
from napari_latent_explorer.session.state import ExplorerState
from napari_latent_explorer.session.state_holder import StateHolder


def fit_job_name(name: str, kind: MapKind) -> str:
    """Name the job that fits a map."""
    return f"Lay out {MAP_NAMES[name]} map ({MAP_KINDS[kind]})"


class MapJobs:
    """Starts the maps' jobs and puts into the state what comes of them.

    Parameters
    ----------
    holder
        Whose state.
    jobs
        Where jobs are started.
    set_state
        Puts the next state in place of the last.
    """

    def __init__(self, holder: StateHolder, jobs: Jobs, set_state: Callable[[ExplorerState], None]) -> None:
        self._holder = holder
        self._jobs = jobs
        self._set_state = set_state
        holder.color_by_changed.connect(self._on_color_by_changed)

    def fit(self, name: str, kind: MapKind | None, seed: int = 0) -> Job[Projection]:
        """Fit a map, of the wanted kind if None."""
        state = self._holder.state
        latents = dict(state.latents) if name == JOINT else {name: changes.latents_of(state, name)}
        wanted = state.map_kind if kind is None else kind
        return self._jobs.start(
            fit_job_name(name, wanted), lambda: fit_map_of(latents, wanted, seed), self._on_projection_fit
        )

    def fit_missing(self, names: Iterable[str] | None) -> list[Job[Projection]]:
        """Fit the maps of these names, of each modality if None, which lack the wanted kind."""
        state = self._holder.state
        missing = changes.missing_maps(state, state.latents if names is None else names)
        return [self.fit(name, kind) for name, kind in missing]

    def measure_unusualness(self, modality: str) -> Job[Unusualness]:
        """Measure how unusual each participant's recording of a modality is."""
        latents = changes.latents_of(self._holder.state, modality)

        def on_measured(measured: Unusualness) -> None:
            known = {**self._holder.unusualness, modality: measured}
            self._set_state(replace(self._holder.state, unusualness=MappingProxyType(known)))

        title = f"Measure how unusual each {MAP_NAMES[modality]} is"
        return self._jobs.start(title, lambda: measure_unusualness(latents), on_measured)

    def _on_projection_fit(self, projection: Projection) -> None:
        self._set_state(changes.with_projection(self._holder.state, projection))
        if (study := self._holder.study) is not None:
            self._jobs.start(f"Keep {projection.key} map", lambda: _keep(study, projection), lambda _: None)

    def _on_color_by_changed(self) -> None:
        source = self._holder.color_by
        if isinstance(source, Unusual) and source.modality not in self._holder.unusualness:
            self.measure_unusualness(source.modality)


def _keep(study: ExplorableStudy, projection: Projection) -> Generator[Progress, None, Any]:
    """Store a map in the study, so that it is there when the study is opened again."""
    yield Progress(0, 1, f"Keeping the {projection.name} map")
    study.save_projection(projection.key, projection.bundle_fingerprint, *projection.to_arrays())
