from pathlib import Path

import numpy as np
import pytest
import torch

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.phenotype_prediction import LabelledSplit
from napari_latent_explorer.modeling.recording_cache import RecordingCache, fill_cache
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.supervised import SupervisedModel, train_supervised
from napari_latent_explorer.modeling.tensors import prepare_study_tensor
from napari_latent_explorer.nn.coder import CoderConfig

torch.set_num_threads(1)
CODER = CoderConfig(3, (32,), 5, 6, (8,), (8,), 2, "mish", "max")
SPECS = (
    PhenotypeSpec("height", "continuous", "Height", "mm"),
    PhenotypeSpec("tall", "binary", "Tall", categories=("no", "yes")),
    PhenotypeSpec("unknown", "continuous", "Unknown", "mm"),
)
N = 160


@pytest.fixture
def recordings() -> RecordingCache:
    """Waves whose height is the phenotype."""
    return RecordingCache("ecg", height()[:, None, None] * np.sin(np.arange(32) / 3) * np.ones((1, 3, 1)))


def height() -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 4, N).astype(np.float32)


def outcomes() -> np.ndarray:
    columns = np.stack([50 + 10 * height(), height() > 2.5, np.full(N, np.nan)], axis=1).astype(float)
    columns[::9, 0] = np.nan
    return columns


def train(recordings: RecordingCache, checkpoint: Path, max_epochs: int = 25, stop_after: int | None = None):
    work = train_supervised(
        CODER,
        8,
        recordings,
        outcomes(),
        SPECS,
        LabelledSplit.of(N),
        checkpoint,
        max_minutes=None,
        max_epochs=max_epochs,
    )
    if stop_after is None:
        return finish(work)
    for _ in range(stop_after):
        next(work)
    return work.close()


def test_learns_what_is_in_the_recordings(recordings: RecordingCache, tmp_path: Path) -> None:
    model: SupervisedModel = train(recordings, tmp_path / "s.pt")
    test = LabelledSplit.of(N).test
    found = model.predict(recordings.batch(test))
    assert [spec.name for spec in model.specs] == ["height", "tall"]
    assert np.corrcoef(found[:, 0], height()[test])[0, 1] > 0.95
    assert np.mean(np.abs(found[:, 0] - (50 + 10 * height()[test]))) < 4  # mm
    is_tall = height()[test] > 2.5
    assert found[is_tall, 1].mean() > found[~is_tall, 1].mean() + 1
    assert model.embed(recordings.batch(test)).shape == (len(test), 8)


def test_a_stopped_training_ends_with_the_same_weights(recordings: RecordingCache, tmp_path: Path) -> None:
    whole = train(recordings, tmp_path / "whole.pt", 3)
    train(recordings, tmp_path / "stopped.pt", 3, stop_after=12)
    assert (tmp_path / "stopped.pt").is_file()
    again = train(recordings, tmp_path / "stopped.pt", 3)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name])


def test_time_ends_it_after_an_epoch_at_least(recordings: RecordingCache, tmp_path: Path) -> None:
    work = train_supervised(
        CODER, 8, recordings, outcomes(), SPECS, LabelledSplit.of(N), tmp_path / "s.pt", max_minutes=1e-9
    )
    assert finish(work).epochs == 1


def test_a_loss_that_is_no_number_is_said(recordings: RecordingCache, tmp_path: Path) -> None:
    broken = RecordingCache("ecg", np.full_like(recordings.values, np.nan))
    with pytest.raises(TrainingError, match="supervised ecg network is not finite in epoch 1"):
        train(broken, tmp_path / "s.pt")


def test_cached_recordings_are_the_prepared_ones_and_filling_goes_on(tmp_path: Path) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 3, 5, stored=False))
    ids = study.cohort().participant_ids
    work = fill_cache(study, "mri", ids, tmp_path / "cache")
    next(work)
    work.close()
    for modality in ("mri", "ecg"):
        cache = finish(fill_cache(study, modality, ids, tmp_path / "cache"))
        expected = np.stack([prepare_study_tensor(study, str(one), modality) for one in ids])
        tolerance = 0.02 if modality == "mri" else 0.0
        np.testing.assert_allclose(cache.batch(np.arange(3)).numpy(), expected, atol=tolerance)
