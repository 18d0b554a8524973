"""The camera, moved so that more hearts are seen, and given back when they go, unless its user has moved it since."""

from typing import Any

from napari.components import ViewerModel

from napari_latent_explorer._napari.layers import MARGIN


class BorrowedView:
    """What the camera saw before, while it sees more."""

    def __init__(self) -> None:
        self._before: tuple[Any, float] | None = None
        self._fitted: tuple[Any, float] | None = None

    def fit(self, viewer: ViewerModel, size_mm: tuple[float, float], left_mm: float) -> float:
        """Fit hearts of this height and width, whose rows begin at 0, into view; returns how many pixels are 1 mm."""
        height_mm, width_mm = size_mm
        room_px = [float(side) * (1.0 - 2.0 * MARGIN) for side in viewer.canvas.size]
        camera = viewer.scene.camera
        self._before = self._before or (camera.center, camera.zoom)
        camera.center = (0.0, height_mm / 2.0, left_mm + width_mm / 2.0)
        camera.zoom = min(room_px[0] / height_mm, (room_px[1] + room_px[1] * MARGIN) / width_mm)
        self._fitted = (camera.center, camera.zoom)
        return float(camera.zoom)

    def give_back(self, viewer: ViewerModel) -> None:
        """Look again at what was seen before."""
        camera = viewer.scene.camera
        if self._before is not None and (camera.center, camera.zoom) == self._fitted:  # nobody has moved it since
            camera.center, camera.zoom = self._before
        self._before = None
