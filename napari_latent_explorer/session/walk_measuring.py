"""Measuring what a walk changes of decoded hearts, while the user goes on.

The hard idea: hearts are decoded on the decoder's own thread, which the hand needs. So before each person the work
waits until nothing is asked of that thread. What was measured once is kept in the folder of the study, under a key that
says of which walk and model it is, and is only read the next time.
"""

import time
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.analysis.measurement import VentricleMeasures
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, LatentExplorerError
from napari_latent_explorer.modeling.walk_calibration import (
    NO_LABELS,
    MeasureHearts,
    WalkCalibration,
    calibrate_walk,
)
from napari_latent_explorer.session.calibration_store import CalibrationStore
from napari_latent_explorer.session.decode_service import Bundle, DecodeService

PAUSE_S = 0.05


def measure_walk(
    store: CalibrationStore,
    service: DecodeService,
    bundle: Bundle,
    latents: LatentSpace,
    direction: Direction,
    key: str,
) -> Generator[Progress, None, WalkCalibration | LatentExplorerError]:
    """Find what a walk changes, or measure and keep it, as a job; or say why it cannot be measured.

    Parameters
    ----------
    store
        Where it is kept.
    service
        Whose thread decodes.
    bundle
        The model that decodes.
    latents, direction
        Whose hearts, and which walk.
    key
        See `calibration_key`.

    Yields
    ------
    Progress
        In participants, and while the probe is being moved.
    """
    yield Progress(0, 1, f"Looking up what was measured along {direction.name}")
    if (known := store.find(key)) is not None:
        return known
    try:
        measuring = calibrate_walk(_measure_on(service, bundle), latents, direction)
        calibration = yield from _between_moves(measuring, service)
    except LatentExplorerError as error:
        return error
    store.keep(calibration)
    return calibration


def _measure_on(service: DecodeService, bundle: Bundle) -> MeasureHearts:
    def measure(vectors: NDArray[np.float32]) -> list[VentricleMeasures | None]:
        outcomes = list(service.decode_all_and_wait(list(vectors), bundle))
        if any(getattr(outcome.result, "labels", None) is None for outcome in outcomes):
            raise BundleError(NO_LABELS)
        return [outcome.measures for outcome in outcomes]

    return measure


def _between_moves(
    work: Generator[Progress, None, WalkCalibration], service: DecodeService
) -> Generator[Progress, None, WalkCalibration]:
    """Take a step of the work whenever the decoder has nothing else to do."""
    try:
        while True:
            progress = next(work)
            yield progress
            while not service.is_idle:
                time.sleep(PAUSE_S)
                yield progress
    except StopIteration as stop:
        calibration: WalkCalibration = stop.value
        return calibration
