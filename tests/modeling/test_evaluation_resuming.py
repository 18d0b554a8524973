"""A stopped evaluation does not read again what it has encoded."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.modeling import evaluation
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD

IDS = np.array([f"P{i}" for i in range(80)])


class Model:
    """Its latents are the sums of the recordings."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint, self.input_spec = fingerprint, STANDARD

    def encode(self, modality: str, values: np.ndarray) -> np.ndarray:
        return values.sum(axis=1, keepdims=True)


def test_kept_latents_are_taken_for_the_same_people_and_models_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def read_tensors(study: object, ids: list[str], spec: object) -> SimpleNamespace:
        read.extend(ids)
        numbers = np.array([int(one[1:]) for one in ids], dtype=np.float32)
        return SimpleNamespace(of=lambda modality: np.stack([numbers, numbers], axis=1))

    monkeypatch.setattr(evaluation, "read_tensors", read_tensors)
    study = SimpleNamespace(fingerprint="s")

    def encode(fingerprint: str, ids: np.ndarray = IDS) -> np.ndarray:
        models = {("cross-modal", "ecg"): Model(fingerprint)}
        latents = finish(evaluation._encode(study, models, ids, Progress(0, 1), None, tmp_path))
        return latents["cross-modal", "ecg"].ravel()

    work = evaluation._encode(study, {("cross-modal", "ecg"): Model("a")}, IDS, Progress(0, 1), None, tmp_path)
    next(work)
    work.close()
    assert len(read) == evaluation.CHUNK
    np.testing.assert_array_equal(encode("a"), 2 * np.arange(80))
    assert len(read) == 80
    next(iter((tmp_path / "latents").glob("*.npz"))).write_bytes(b"damaged")
    np.testing.assert_array_equal(encode("a"), 2 * np.arange(80))
    assert 80 < len(read) <= 80 + evaluation.CHUNK
    read.clear()
    encode("b")
    np.testing.assert_array_equal(encode("a", IDS[::-1]), 2 * np.arange(80)[::-1])
    assert len(read) == 160
