from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.analysis.projection import fit_pca
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.session import explorer as explorer_module
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.opening import read_encoded


@pytest.fixture
def folder(tmp_path: Path, bundle: Any) -> Path:
    """Make a study of 30 simulated people on disk, encoded by the bundle, with a map of the MRI latents."""
    study = finish(create_simulated_study(tmp_path / "study", 30, seed=0, stored=False, n_workers=1))
    ids = study.cohort().participant_ids
    values = np.random.default_rng(0).normal(size=(30, bundle.latent_dim))
    for modality in ("mri", "ecg"):
        latents = LatentSpace(values, ids, modality, bundle.fingerprint)
        study.save_latents(latents)
    study.save_projection("mri", bundle.fingerprint, *fit_pca(latents).to_arrays())
    return tmp_path / "study"


def test_a_stored_map_is_read_and_a_missing_one_made(folder: Path, bundle: Any) -> None:
    study = Study.open(folder)
    encoded = read_encoded(study, bundle)
    assert set(encoded.latents) == {"mri", "ecg"}
    assert set(encoded.maps) == {"mri_pca", "ecg_pca"}
    assert encoded.problems == ()
    np.testing.assert_allclose(encoded.maps["mri_pca"].coordinates, encoded.maps["ecg_pca"].coordinates)


def test_without_a_bundle_the_newest_latents_are_read(folder: Path, bundle: Any) -> None:
    assert set(read_encoded(Study.open(folder), None).latents) == {"mri", "ecg"}


def test_damaged_latents_are_named_and_the_rest_is_read(folder: Path, bundle: Any) -> None:
    (folder / "latents" / bundle.fingerprint / "ecg.npz").write_bytes(b"damaged")
    encoded = read_encoded(Study.open(folder), bundle)
    assert set(encoded.latents) == {"mri"}
    assert len(encoded.problems) == 1
    assert "ecg.npz is damaged" in encoded.problems[0]


def test_a_damaged_map_leaves_the_principal_components(folder: Path, bundle: Any) -> None:
    (folder / "projections" / bundle.fingerprint / "mri.npz").write_bytes(b"damaged")
    encoded = read_encoded(Study.open(folder), bundle)
    assert encoded.maps["mri_pca"].method == "pca"
    assert "mri.npz is damaged" in encoded.problems[0]


def test_a_folder_shows_its_maps_first_and_decodes_when_the_model_has_come(
    empty_explorer: Explorer, folder: Path, bundle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_bundle(path: Path) -> Generator[Progress, None, Any]:
        yield Progress(0, 1, f"Loading {path.name}")
        return bundle

    monkeypatch.setattr(explorer_module, "load_bundle", load_bundle)
    heard: list[str] = []
    empty_explorer.projections_changed.connect(lambda: heard.append("maps"))
    empty_explorer.bundle_changed.connect(lambda: heard.append("bundle"))
    empty_explorer.decode.decoded.connect(lambda _: heard.append("decoded"))
    empty_explorer.open_folder(folder, "model")
    assert empty_explorer.jobs.wait(30.0)
    assert empty_explorer.decode.wait(30.0)
    assert heard[:3] == ["maps", "bundle", "decoded"]
    assert len(empty_explorer.latents) == 2
    assert empty_explorer.study is not None
    assert empty_explorer.study.name == "study"


def test_a_folder_with_newer_latents_of_another_model_is_opened_with_those_of_the_one_asked_for(
    empty_explorer: Explorer, folder: Path, bundle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study.open(folder)
    ids = study.cohort().participant_ids
    study.save_latents(LatentSpace(np.ones((30, 3)), ids, "mri", "newer00"))

    def load_bundle(path: Path) -> Generator[Progress, None, Any]:
        yield Progress(0, 1)
        return bundle

    monkeypatch.setattr(explorer_module, "load_bundle", load_bundle)
    empty_explorer.open_folder(folder, "model")
    assert empty_explorer.jobs.wait(30.0)
    assert {space.bundle_fingerprint for space in empty_explorer.latents.values()} == {bundle.fingerprint}
    assert empty_explorer.bundle is bundle


def test_a_folder_that_is_no_study_is_told_as_a_failure(empty_explorer: Explorer, tmp_path: Path) -> None:
    errors: list[Exception] = []
    empty_explorer.failed.connect(errors.append)
    empty_explorer.open_folder(tmp_path / "nowhere")
    assert empty_explorer.jobs.wait(30.0)
    assert [type(error) for error in errors] == [StudyError]
    assert empty_explorer.study is None
