"""A pan and zoom camera that leaves the left button to whoever draws on the map."""

from typing import Any

from vispy.scene.cameras import PanZoomCamera

LEFT, MIDDLE = 1, 3


class MapCamera(PanZoomCamera):
    """Wheel zooms, the middle button pans; the left button pans only while `pans_with_left` is true.

    Parameters
    ----------
    pans_with_left
        Whether dragging with the left button moves the map.
    """

    def __init__(self, pans_with_left: bool = False) -> None:
        super().__init__(aspect=1)
        self.pans_with_left = pans_with_left

    def viewbox_mouse_event(self, event: Any) -> None:
        """Pan, zoom, or let the event through."""
        if event.type == "mouse_move" and event.press_event is not None:
            if MIDDLE in event.buttons or (LEFT in event.buttons and self.pans_with_left):
                here = self._transform.imap(event.pos[:2])
                before = self._transform.imap(event.last_event.pos[:2])
                self.pan(before - here)
                event.handled = True
            return
        super().viewbox_mouse_event(event)
