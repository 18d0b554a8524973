"""Files of what is shown."""

import imageio.v3 as imageio
import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer._napari.exports import write_movie, write_predictions
from napari_latent_explorer.analysis.prediction import PredictionTable
from napari_latent_explorer.analysis.scores import Score
from napari_latent_explorer.data.phenotype import PhenotypeSpec


def test_the_movie_beats_at_the_hearts_rate(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.arange(50)[:, None, None] * np.ones((50, 32, 32)), contrast_limits=(0, 50))
    gif, movie = write_movie(viewer, tmp_path, 0, 1000.0)
    frames = imageio.imread(gif)
    assert len(frames) == 50
    assert np.ptp(frames.astype(float), axis=0).max() > 50  # something moves
    assert imageio.immeta(gif)["duration"] == pytest.approx(20.0)
    video = imageio.immeta(movie, plugin="FFMPEG")
    assert video["fps"] == pytest.approx(50.0)
    assert video["duration"] == pytest.approx(3.0, abs=0.1)


def test_the_table_says_unit_interval_and_score_of_each_prediction(tmp_path):
    lvm = PhenotypeSpec("lvm", "continuous", "LV mass", "g")
    sex = PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male"))
    values = np.array([[150.0, 0.8]])
    scores = ((Score("r2", 0.8, 0.7, 0.9, 50), Score("auroc", 0.9, 0.8, 0.95, 60)),)
    table = PredictionTable(("MRI",), (lvm, sex), values, values - 0.1, values + 0.1, scores)
    written = pd.read_csv(write_predictions(table, tmp_path / "predictions.csv"))
    first, second = written.to_dict("records")
    assert (first["phenotype"], first["unit"], first["predicted"]) == ("LV mass", "g", 150.0)
    assert second["quantity"] == "probability of male"
    assert (second["held_out_metric"], second["held_out_score"], second["n_participants"]) == ("auroc", 0.9, 60)
