"""A map on a real canvas: what is drawn, and what the mouse picks."""

import numpy as np
import pytest
import qtpy
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_latent_explorer._vispy.picture import ScatterColors, ScatterPicture
from napari_latent_explorer._vispy.scatter import VispyScatter
from napari_latent_explorer.analysis.polygon import points_in_polygon

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
GRID = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
BACKGROUND, RED, GREEN = (0.1, 0.1, 0.1, 1.0), (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)


def grid_picture(**changes):
    parts = {
        "coordinates": GRID,
        "rgba": np.tile(RED, (100, 1)),
        "visible": np.ones(100, bool),
        "selected": np.zeros(100, bool),
    }
    return ScatterPicture(**{**parts, **changes})


@pytest.fixture
def scatter(qtbot):
    scatter = VispyScatter(qtpy.API_NAME.lower())
    scatter.native.resize(400, 400)
    scatter.native.show()
    scatter.draw(grid_picture(), ScatterColors(background=BACKGROUND))
    scatter.show_all()
    qtbot.waitExposed(scatter.native)
    QTest.qWait(50)
    yield scatter
    scatter.close()
    scatter.native.deleteLater()


def drag(scatter, places, modifier=NO_KEY):
    """Drag the left button over these places of the map."""
    points = [QPoint(*point) for point in np.round(scatter.to_canvas_px(places)).astype(int).tolist()]
    QTest.mousePress(scatter.native, LEFT, modifier, points[0])
    for point in points[1:]:
        QTest.mouseMove(scatter.native, point)
        QTest.qWait(5)
    QTest.mouseRelease(scatter.native, LEFT, modifier, points[-1])


def heard(signal):
    calls = []
    signal.connect(lambda *arguments: calls.append(arguments))
    return calls


def color_at(scatter, place):
    x, y = np.round(scatter.to_canvas_px([place])[0]).astype(int).tolist()
    color = scatter.native.grab().toImage().pixelColor(x, y)
    return color.redF(), color.greenF(), color.blueF()


def test_a_place_and_its_pixel_belong_together(scatter):
    pixel = scatter.to_canvas_px([[3.0, 7.0]])[0]
    np.testing.assert_allclose(scatter.to_map(pixel), [3.0, 7.0], atol=1e-4)


def test_points_have_their_colours_and_hidden_ones_do_not(scatter):
    visible = np.ones(100, bool)
    visible[55] = False
    rgba = np.tile(RED, (100, 1))
    rgba[44] = GREEN
    scatter.draw(grid_picture(rgba=rgba, visible=visible))
    assert color_at(scatter, GRID[44])[1] > 0.7
    assert color_at(scatter, GRID[33])[0] > 0.7
    assert color_at(scatter, GRID[55])[0] < 0.4


def test_the_selected_are_larger_than_the_others(scatter):
    def n_red_pixels():
        image = scatter.native.grab().toImage()
        return sum(image.pixelColor(x, y).redF() > 0.3 for x in range(400) for y in range(0, 400, 4))

    before = n_red_pixels()
    scatter.draw(grid_picture(selected=np.ones(100, bool)))
    assert n_red_pixels() > 1.5 * before


def test_the_probe_can_be_seen_and_taken_away(scatter):
    before = scatter.native.grab().toImage()
    scatter.move_probe(np.array([4.5, 4.5]))
    assert color_at(scatter, (4.5, 4.5)) > (0.8, 0.8, 0.8)
    scatter.move_probe(None)
    assert scatter.native.grab().toImage() == before


def test_a_lasso_picks_what_it_goes_around(scatter):
    calls = heard(scatter.polygon_drawn)
    drag(scatter, [(1.5, 1.5), (4.5, 1.5), (4.5, 3.5), (1.5, 3.5)])
    (polygon, mode), *more = calls
    assert not more
    assert mode == "replace"
    inside = GRID[points_in_polygon(GRID, polygon)]
    assert sorted(map(tuple, inside.tolist())) == [(x, y) for x in (2.0, 3.0, 4.0) for y in (2.0, 3.0)]


def test_a_lasso_that_ends_where_it_began_is_no_click(scatter):
    polygons, clicks = heard(scatter.polygon_drawn), heard(scatter.clicked)
    drag(scatter, [(1.5, 1.5), (4.5, 1.5), (4.5, 4.5), (1.5, 1.5)])
    assert len(polygons) == 1
    assert not clicks


@pytest.mark.parametrize(
    ("modifier", "mode"),
    [
        (Qt.KeyboardModifier.ShiftModifier, "add"),
        (Qt.KeyboardModifier.AltModifier, "subtract"),
        (Qt.KeyboardModifier.ControlModifier, "subtract"),
    ],
)
def test_keys_say_what_becomes_of_the_picked(scatter, modifier, mode):
    calls = heard(scatter.polygon_drawn)
    drag(scatter, [(1.5, 1.5), (4.5, 1.5), (4.5, 3.5)], modifier)
    assert [call[1] for call in calls] == [mode]


def test_a_rectangle_has_the_corners_of_the_drag(scatter):
    calls = heard(scatter.polygon_drawn)
    scatter.tool = "rectangle"
    drag(scatter, [(1.5, 1.5), (3.0, 3.0), (6.5, 4.5)])
    (polygon, _), *_ = calls
    np.testing.assert_allclose([polygon.min(axis=0), polygon.max(axis=0)], [[1.5, 1.5], [6.5, 4.5]], atol=0.05)


def test_panning_moves_the_map_and_draws_nothing(scatter):
    calls = heard(scatter.polygon_drawn)
    scatter.tool = "pan"
    before = scatter.view_rect
    drag(scatter, [(2.0, 2.0), (3.0, 2.0), (5.0, 2.0)])
    assert scatter.view_rect[0] == pytest.approx(before[0] - 3.0, abs=0.1)
    assert not calls


def test_an_unknown_tool_is_refused(scatter):
    with pytest.raises(ValueError, match="lasso, rectangle, pan"):
        scatter.tool = "magnet"


def test_a_click_picks_the_point_under_it_but_no_hidden_one(scatter):
    calls = heard(scatter.clicked)
    visible = np.ones(100, bool)
    visible[37] = False
    scatter.draw(grid_picture(visible=visible))
    for row in (42, 37):
        drag(scatter, [GRID[row]])
    assert calls == [(42, "replace"), (None, "replace")]


def test_the_pointer_over_a_point_is_told_once(scatter):
    calls = heard(scatter.hovered)
    x, y = np.round(scatter.to_canvas_px([GRID[42]])[0]).astype(int).tolist()
    for step in (0, 1, 2):
        QTest.mouseMove(scatter.native, QPoint(x + step, y))
        QTest.qWait(5)
    assert calls == [(42,)]


def test_the_wheel_zooms_at_the_pointer(scatter):
    place, before = GRID[42], scatter.view_rect
    x, y = scatter.to_canvas_px([place])[0].tolist()
    here = QPointF(x, y)
    wheel = QWheelEvent(
        here,
        QPointF(scatter.native.mapToGlobal(here.toPoint())),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        NO_KEY,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(scatter.native, wheel)
    assert scatter.view_rect[2] < before[2]
    np.testing.assert_allclose(scatter.to_canvas_px([place])[0], [x, y], atol=1.0)


def test_points_without_a_place_and_an_empty_map_can_be_drawn(scatter):
    coordinates = GRID.copy()
    coordinates[:50] = np.nan
    scatter.draw(grid_picture(coordinates=coordinates))
    scatter.show_all()
    assert scatter.view_rect[1] > 4.0
    nobody = np.zeros(0, bool)
    scatter.draw(ScatterPicture(np.empty((0, 2)), np.empty((0, 4)), nobody, nobody))
    scatter.native.grab()
