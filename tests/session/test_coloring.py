import numpy as np
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.coloring import (
    CATEGORY_COLORS,
    MISSING_COLOR,
    NEUTRAL_COLOR,
    ContinuousLegend,
    color_values,
    viridis,
)
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.recipes import GroupRecipe


def test_categories_take_the_colours_of_their_legend_and_missing_is_grey(cohort: Cohort) -> None:
    coloring = color_values(cohort, "diabetes")
    assert isinstance(coloring.legend, tuple)
    of_label = {entry.label: entry.color for entry in coloring.legend}
    assert list(of_label) == ["no", "yes", "missing"]
    np.testing.assert_allclose(coloring.rgba[4], of_label["yes"])
    np.testing.assert_allclose(coloring.rgba[1], of_label["no"])
    np.testing.assert_allclose(coloring.rgba[3], MISSING_COLOR)


def test_numbers_run_along_viridis_between_the_ends_that_the_legend_names(cohort: Cohort) -> None:
    coloring = color_values(cohort, "lvef")
    legend = coloring.legend
    assert isinstance(legend, ContinuousLegend)
    assert legend.title == "LV EF (%)"
    values = cohort.values("lvef")
    assert (legend.low, legend.high) == tuple(np.percentile(values[np.isfinite(values)], [2, 98]))
    np.testing.assert_allclose(coloring.rgba[6], viridis(np.array(0.0)), atol=1e-6)
    np.testing.assert_allclose(coloring.rgba[39], viridis(np.array(1.0)), atol=1e-6)
    np.testing.assert_allclose(coloring.rgba[:6], [MISSING_COLOR] * 6)


def test_viridis_is_that_of_matplotlib() -> None:
    colormaps = pytest.importorskip("matplotlib").colormaps
    fractions = np.linspace(0, 1, 256)
    np.testing.assert_allclose(viridis(fractions), colormaps["viridis"](fractions), atol=0.025)


def test_the_latest_group_is_on_top_and_others_stay_neutral(cohort: Cohort) -> None:
    red, blue = CATEGORY_COLORS[:2]
    groups = [
        Group("A", red, np.array(["P00", "P01"]), GroupRecipe("by id"), None),
        Group("B", blue, np.array(["P01", "P02"]), GroupRecipe("by id"), None),
    ]
    rgba = color_values(cohort, None, groups).rgba
    np.testing.assert_allclose(rgba[:4], [red, blue, blue, NEUTRAL_COLOR], atol=1e-6)


def test_neighbouring_category_colours_differ_in_lightness_or_hue() -> None:
    colors = np.array(CATEGORY_COLORS)[:, :3]
    distances = np.linalg.norm(colors[:, None] - colors[None], axis=2) + np.eye(len(colors))
    assert distances.min() > 0.15
