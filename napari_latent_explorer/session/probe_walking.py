"""The probe on a walk: the part of an explorer that takes it along a direction.

The hard idea: the way is a choice of the user, and how far the probe went is with the probe. When the way is laid anew
both change in one step, so that undoing it brings back the former vector and the former choice together.
"""

from dataclasses import replace
from types import MappingProxyType

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.modeling.walk_calibration import WalkCalibration
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_finding import direction_request
from napari_latent_explorer.session.state import with_direction
from napari_latent_explorer.session.state_holder import StateHolder


class ProbeWalking(StateHolder):
    """Walks along the direction that is chosen (`StateHolder.direction`)."""

    def set_direction(self, choice: DirectionChoice, direction: Direction | None = None) -> None:
        """Choose which way the probe walks.

        A walk along the same thing goes on as far along the new way; a walk along something else ends.

        Parameters
        ----------
        choice
            Which way.
        direction
            What the choice comes to, where that is known; else it is laid now, which can take a second.

        Raises
        ------
        LatentExplorerError
            When it cannot be laid (see `DirectionRequest.direction`).
        """
        if choice == self._state.direction:
            return
        walk, goes_on = self.probe.walk, choice.is_same_subject(self._state.direction)
        if direction is None and choice.is_complete:
            direction = direction_request(self._state, choice).direction()
        with self._one_step():
            self._set(with_direction(self._state, choice))
            if walk is not None:
                self.probe.walk_along(direction or walk.direction, walk.amount if goes_on else 0.0)

    def add_calibration(self, calibration: WalkCalibration) -> None:
        """Remember what a walk changes of decoded hearts."""
        known = {**self._state.calibrations, calibration.key: calibration}
        self._set(replace(self._state, calibrations=MappingProxyType(known)))

    def walk(self, amount: float) -> None:
        """Take the probe `amount` units along the chosen way, which is laid now; 0 takes the walk back.

        Raises
        ------
        LatentExplorerError
            When the way cannot be laid, or has another number of dimensions than the probe.
        """
        self.probe.walk_along(direction_request(self._state, self._state.direction).direction(), amount)
