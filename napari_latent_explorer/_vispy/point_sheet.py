"""Many round points of one size, as a vispy visual.

The hard idea: where the points are, which colours they have and which of them are drawn change at different times. So
each of the three has a buffer of its own, the first two shared by all sheets of a map: a new selection sends row
numbers only, new colours send colours only, and moving the view sends nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vispy import gloo, scene
from vispy.visuals import Visual

from napari_latent_explorer._vispy.picture import Color

_VERTEX = """
uniform float u_extent_px;
uniform vec4 u_color;
uniform float u_is_one_color;
uniform float u_opacity;
attribute vec2 a_position;
attribute vec4 a_color;
varying vec4 v_color;

void main() {
    v_color = mix(a_color, u_color, u_is_one_color);
    v_color.a *= u_opacity;
    gl_Position = $map_to_render(vec4(a_position, 0.0, 1.0));
    gl_PointSize = u_extent_px;
}
"""

_FRAGMENT = """
uniform float u_extent_px;
uniform float u_radius_px;
uniform float u_edge_px;
uniform vec4 u_edge_color;
varying vec4 v_color;

void main() {
    float from_middle_px = length(gl_PointCoord - 0.5) * u_extent_px;
    float is_inside = clamp(u_radius_px + 0.5 - from_middle_px, 0.0, 1.0);
    float is_face = clamp(u_radius_px - u_edge_px + 0.5 - from_middle_px, 0.0, 1.0);
    vec4 color = u_edge_px > 0.0 ? mix(u_edge_color, v_color, is_face) : v_color;
    gl_FragColor = vec4(color.rgb, color.a * is_inside);
}
"""


class PointSheetVisual(Visual):  # type: ignore[misc]  # vispy has no types
    """Discs at the places of some rows.

    Parameters
    ----------
    positions
        Buffer of places ``(n_points, 2)`` float32.
    colors
        Buffer of colours ``(n_points, 4)`` float32 in 0..1.
    diameter_px, edge_px
        Size of a disc with its edge, and width of the edge, in logical pixels.
    """

    def __init__(
        self, positions: gloo.VertexBuffer, colors: gloo.VertexBuffer, diameter_px: float, edge_px: float = 0.0
    ) -> None:
        super().__init__(_VERTEX, _FRAGMENT)
        self._diameter_px, self._edge_px = diameter_px, edge_px
        self._draw_mode = "points"
        self._index_buffer = gloo.IndexBuffer()
        program = self.shared_program
        program["a_position"], program["a_color"] = positions, colors
        program["u_color"], program["u_is_one_color"] = (0.0, 0.0, 0.0, 0.0), 0.0
        program["u_edge_color"], program["u_opacity"] = (0.0, 0.0, 0.0, 1.0), 1.0
        self.set_gl_state("translucent", depth_test=False)
        self.freeze()

    def show_rows(self, rows: NDArray[np.unsignedinteger]) -> None:
        """Draw these rows ``(n_rows,)``."""
        self._index_buffer.set_data(np.ascontiguousarray(rows, np.uint32))
        self.update()

    def set_colors(self, edge: Color, opacity: float, face: Color | None = None) -> None:
        """Draw in these colours; each point in its own one if `face` is None."""
        program = self.shared_program
        program["u_edge_color"], program["u_opacity"] = edge, opacity
        program["u_is_one_color"] = float(face is not None)
        program["u_color"] = face or (0.0, 0.0, 0.0, 0.0)
        self.update()

    def _prepare_transforms(self, view: Any) -> None:
        view.view_program.vert["map_to_render"] = view.transforms.get_transform()

    def _prepare_draw(self, view: Any) -> bool:
        scale = float(view.transforms.pixel_scale)
        view.view_program["u_radius_px"] = self._diameter_px * scale / 2
        view.view_program["u_edge_px"] = self._edge_px * scale
        view.view_program["u_extent_px"] = self._diameter_px * scale + 1.0  # half a pixel around it fades out
        return True


PointSheet: Any = scene.visuals.create_visual_node(PointSheetVisual)
"""The same as a node of a scene."""
