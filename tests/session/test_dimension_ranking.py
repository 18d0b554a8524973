"""Which dimensions matter: to a phenotype by its predictor, to picture and ECG by the model's derivatives."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.readers import fit_readers
from napari_latent_explorer.errors import BundleError, LatentExplorerError
from napari_latent_explorer.session.dimension_ranking import DimensionRanking
from napari_latent_explorer.session.explorer import Explorer


def test_the_effect_on_a_phenotype_is_that_of_its_reader_per_sd(explorer: Explorer) -> None:
    ranking = DimensionRanking(explorer)
    ranking.start("phenotype", "age")
    assert explorer.jobs.wait(20.0)
    space = explorer.latents["mri"]
    readers = fit_readers(space, explorer.cohort)
    age = [spec.name for spec in readers.targets].index("age")
    np.testing.assert_allclose(ranking.influence, np.abs(readers.weights[:, age] * space.values.std(axis=0)), rtol=1e-5)
    explorer.probe_mean("ecg")
    assert ranking.influence is not None  # predictors are the same everywhere
    explorer.set_bundle(None)
    assert ranking.influence is None


def test_a_picture_needs_a_model_and_a_place(explorer: Explorer) -> None:
    ranking = DimensionRanking(explorer)
    explorer.set_bundle(None)
    with pytest.raises(BundleError, match="only be measured with a model"):
        ranking.start("mri")
    assert not ranking.is_asked


def test_an_unknown_phenotype_fails_as_a_job_does(explorer: Explorer) -> None:
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    DimensionRanking(explorer).start("phenotype", "height")
    assert explorer.jobs.wait(20.0)
    assert isinstance(failures[0], LatentExplorerError)


def test_a_model_that_has_no_derivatives_leaves_no_ranking(explorer: Explorer) -> None:
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    ranking = DimensionRanking(explorer)
    ranking.start("mri")  # this one is no torch network
    assert explorer.jobs.wait(20.0)
    assert failures
    assert not ranking.is_asked
