"""Colours that are in no table: how unusual, trust, predictions."""

import numpy as np
import pytest

from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.session.color_sources import Predicted, Trust, Unusual, color_title
from napari_latent_explorer.session.coloring import MISSING_COLOR, ContinuousLegend, viridis
from napari_latent_explorer.session.derived_colors import derived_values
from napari_latent_explorer.session.explorer import Explorer


def test_the_farther_from_the_mean_the_more_unusual_is_the_colour(explorer: Explorer) -> None:
    explorer.set_color_by(Unusual("ecg"))
    assert explorer.jobs.wait(20.0)
    measured = explorer.unusualness["ecg"]
    values = derived_values(explorer.state, Unusual("ecg"))
    assert values is not None
    assert np.isnan(values[0])  # P00 has no ECG
    np.testing.assert_array_equal(np.argsort(values[1:]), np.argsort(measured.squared_distances))
    assert explorer.view_state.legend == ContinuousLegend(0.0, 100.0, "viridis", "How unusual the ECG is (percentile)")
    np.testing.assert_allclose(explorer.view_state.rgba[1:], viridis(values[1:] / 100.0), atol=1e-6)
    np.testing.assert_allclose(explorer.view_state.rgba[0], MISSING_COLOR)


def test_until_it_is_measured_everybody_is_grey_and_the_legend_says_why(explorer: Explorer) -> None:
    explorer.jobs.start = lambda *_: None  # type: ignore[assignment, method-assign, misc, return-value]
    explorer.set_color_by(Unusual("mri"))
    np.testing.assert_allclose(explorer.view_state.rgba, np.tile(MISSING_COLOR, (40, 1)))
    (entry,) = explorer.view_state.legend  # type: ignore[misc]
    assert entry.label == "How unusual the MRI is (percentile): being measured"


def test_trust_is_that_of_the_map_that_is_shown(explorer: Explorer) -> None:
    explorer.set_color_by(Trust("ecg"))
    assert derived_values(explorer.state, Trust("ecg")) is None  # of the first PCA it is not measured
    explorer.fit_projection("ecg", "tsne")
    assert explorer.jobs.wait(60.0)
    values = derived_values(explorer.state, Trust("ecg"))
    assert values is not None
    np.testing.assert_array_equal(values[1:], explorer.maps["ecg"].trust)
    assert isinstance(explorer.view_state.legend, ContinuousLegend)
    explorer.set_map_kind("pca")
    assert not isinstance(explorer.view_state.legend, ContinuousLegend)


def test_a_prediction_colours_those_too_whose_phenotype_is_unknown(explorer: Explorer) -> None:
    explorer.set_color_by(Predicted("lvef", "MRI"))  # known of those above 5, and 50 + their number
    values = derived_values(explorer.state, Predicted("lvef", "MRI"))
    assert values is not None
    np.testing.assert_allclose(values, 50.0 + np.arange(40), atol=3.0)
    assert isinstance(explorer.view_state.legend, ContinuousLegend)
    assert explorer.view_state.legend.title == "Predicted LV EF (%), from MRI, held out"


def test_what_the_study_lacks_is_refused(explorer: Explorer) -> None:
    with pytest.raises(StudyError, match="no ct latents"):
        explorer.set_color_by(Unusual("ct"))
    with pytest.raises(StudyError, match="no joint map"):
        explorer.set_color_by(Trust("joint"))
    with pytest.raises(TableError, match="'height' to predict"):
        explorer.set_color_by(Predicted("height", "MRI"))
    with pytest.raises(TableError, match="from 'CT'"):
        explorer.set_color_by(Predicted("age", "CT"))
    assert explorer.color_by is None


def test_a_binary_phenotype_is_predicted_as_a_probability(explorer: Explorer) -> None:
    assert explorer.cohort is not None
    title = color_title(Predicted("sex", "MRI + ECG"), explorer.cohort.specs)
    assert title == "Predicted probability of Sex: male, from MRI + ECG, held out"
