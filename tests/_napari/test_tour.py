"""The tour does the main job by mouse and keyboard, and leaves its pictures, movie, figure and table."""

import imageio.v3 as imageio
import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer._napari.explorers import explorer_of
from napari_latent_explorer._napari.tour import run_tour
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session import explorer as session_explorer
from napari_latent_explorer.session import opening


def yields(value):
    """Make a job that finds `value` whatever it is asked for."""

    def load(path):
        yield Progress(0, 1, "Opening")
        return value

    return load


@pytest.mark.slow
def test_the_main_job_is_done_and_seen(make_napari_viewer, shapes_study, shapes_bundle, monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "load_study", yields(type(shapes_study)(300)))
    monkeypatch.setattr(session_explorer, "load_bundle", yields(shapes_bundle))
    viewer = make_napari_viewer(show=True)
    written = run_tour(viewer, tmp_path / "tour", tmp_path, tmp_path)
    explorer = explorer_of(viewer)
    assert [group.name for group in explorer.groups] == [
        "Men with hypertension (MRI map)",
        "Women with hypertension (ECG map)",
    ]
    for group, sex in zip(explorer.groups, (1, 0), strict=True):
        rows = explorer.cohort.rows_of(group.participant_ids.tolist())
        assert set(explorer.cohort.codes("hypertension")[rows]) == {1}
        assert np.mean(explorer.cohort.codes("sex")[rows] == sex) > 0.5
    assert len(explorer.probe.moved_dims) == 1
    assert all(path.stat().st_size > 1000 for path in written)
    assert {path.suffix for path in written} == {".png", ".svg", ".gif", ".mp4", ".csv"}
    assert imageio.imread(written[0]).std() > 10
    assert "LV mass" in set(pd.read_csv(tmp_path / "tour" / "predictions.csv")["phenotype"])


def test_a_study_that_cannot_be_opened_ends_the_tour_in_words(make_napari_viewer, tmp_path):
    with pytest.raises(LatentExplorerError, match="while it waited for the first reconstruction"):
        run_tour(make_napari_viewer(show=True), tmp_path / "tour", tmp_path / "nothing", tmp_path)
