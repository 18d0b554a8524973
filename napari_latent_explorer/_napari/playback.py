"""Lets the hearts beat at their own rate.

napari has no public way to play; its slider can be set. The frame follows from the clock, not from counting ticks: a
machine that draws ten frames a second shows every fifth one, and the heart still beats at its rate.
"""

import math
from time import perf_counter
from weakref import ref

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_latent_explorer._napari.group_layers import GroupLayers
from napari_latent_explorer._napari.layers import (
    AXIS_LABELS,
    ORIGINAL,
    ORIGINAL_LABELS,
    RECONSTRUCTION,
    RECONSTRUCTION_LABELS,
    HeartLayers,
)

TICK_MS = 20
ROUNDING = 1e-6


class Playback(QObject):
    """Steps the time axis of a viewer, and says where in the heart cycle it is.

    Parameters
    ----------
    viewer
        Whose slider; held weakly.
    layers
        Know the heart rate.
    groups
        The hearts that beat when those are gone.
    """

    time_changed = Signal(float, float)
    """Time after the R peak and length of the cycle, both in ms."""
    playing_changed = Signal(bool)

    def __init__(self, viewer: ViewerModel, layers: HeartLayers, groups: GroupLayers) -> None:
        super().__init__()
        self._viewer = ref(viewer)
        self._layers = layers
        self._groups = groups
        self._began_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        viewer.dims.events.current_step.connect(self.tell_time)
        layers.rr_interval_changed.connect(self.tell_time)

    @property
    def is_playing(self) -> bool:
        """Whether the hearts beat."""
        return bool(self._timer.isActive())

    def set_playing(self, is_playing: bool) -> None:
        """Start or stop."""
        if is_playing == self.is_playing:
            return
        if is_playing:
            self._began_s = perf_counter() - self._time_ms() / 1000.0
            self._timer.start()
        else:
            self._timer.stop()
        self.playing_changed.emit(is_playing)

    def go_to(self, time_ms: float) -> None:
        """Show the frame at a time after the R peak."""
        viewer, axis, frame_ms = self._viewer(), self._time_axis(), self._frame_ms()
        if viewer is None or axis is None or frame_ms is None:
            return
        self._began_s = perf_counter() - time_ms / 1000.0
        wanted_ms = math.floor((time_ms % self._layers.rr_interval_ms) / frame_ms + ROUNDING) * frame_ms
        if not math.isclose(wanted_ms, viewer.dims.point[axis], abs_tol=frame_ms / 100.0):
            viewer.dims.set_point(axis, wanted_ms)

    def tell_time(self) -> None:
        """Emit where in the heart cycle the slider is."""
        self.time_changed.emit(self._time_ms(), self._layers.rr_interval_ms)

    def close(self) -> None:
        """Stop for good."""
        self._timer.stop()
        viewer = self._viewer()
        if viewer is not None:
            viewer.dims.events.current_step.disconnect(self.tell_time)
        self._layers.rr_interval_changed.disconnect(self.tell_time, missing_ok=True)

    def _on_tick(self) -> None:
        elapsed_ms = (perf_counter() - self._began_s) * 1000.0
        began_s = self._began_s
        self.go_to(elapsed_ms)
        self._began_s = began_s

    def _time_axis(self) -> int | None:
        """Axis of the viewer that is our time; None while there is no heart."""
        viewer = self._viewer()
        if viewer is None or self._heart() is None:
            return None
        axis: int = viewer.dims.ndim - len(AXIS_LABELS)
        return axis

    def _frame_ms(self) -> float | None:
        """How long a frame of the heart lasts; layers of others may have shorter and longer ones."""
        heart = self._heart()
        return float(heart.scale[0]) if heart is not None else None

    def _heart(self) -> Layer | None:
        """Layer whose frames are stepped: the reconstruction, or what else of a heart the user has left."""
        ours = (RECONSTRUCTION, ORIGINAL, RECONSTRUCTION_LABELS, ORIGINAL_LABELS)
        known = (*(self._layers.layer(name) for name in ours), self._groups.heart())
        return next((heart for heart in known if heart is not None), None)

    def _time_ms(self) -> float:
        viewer, axis = self._viewer(), self._time_axis()
        if viewer is None or axis is None:
            return 0.0
        return float(viewer.dims.point[axis]) % self._layers.rr_interval_ms
