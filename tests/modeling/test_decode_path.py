import sys
import time
from typing import Any

import numpy as np
import pytest
import torch
from test_bundle import make_bundle

from napari_latent_explorer.modeling import decode_path
from napari_latent_explorer.modeling.bundle import Decoded, ModelBundle
from napari_latent_explorer.modeling.decode_path import FastDecoder, best_batch, choose_path
from napari_latent_explorer.modeling.decoding import DecodeRequest, decode


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return make_bundle()


@pytest.fixture
def vector(bundle: ModelBundle) -> np.ndarray:
    return np.random.default_rng(4).normal(size=bundle.latent_dim).astype(np.float32)


class Candidate:
    """Decodes as the bundle does, less exactly or not at all."""

    def __init__(self, bundle: ModelBundle, factor: float = 1.0, error: Exception | None = None) -> None:
        self.bundle, self.factor, self.error = bundle, factor, error

    def decode(self, latents: np.ndarray, **wanted: Any) -> Decoded:
        if self.error is not None:
            raise self.error
        decoded = self.bundle.decode(latents, **wanted)
        assert decoded.cine is not None
        return Decoded(decoded.cine * np.float32(self.factor), decoded.labels, decoded.ecg_mv)


def offer(monkeypatch: pytest.MonkeyPatch, durations_ms: dict[str, float], **candidates: Candidate) -> None:
    """Let these be the ways to choose from, with such durations."""
    names = {id(candidate): name for name, candidate in candidates.items()}
    makers = [(name, lambda candidate=candidate: candidate) for name, candidate in candidates.items()]
    monkeypatch.setattr(decode_path, "_candidates", lambda _: makers)
    monkeypatch.setattr(decode_path, "_duration_ms", lambda drawer, vectors: durations_ms[names[id(drawer)]])


def test_every_way_draws_the_same(bundle: ModelBundle, vector: np.ndarray) -> None:
    reference = decode(bundle, DecodeRequest(vector))
    for name, make in decode_path._candidates(bundle):
        found = decode(bundle, DecodeRequest(vector), make())
        rtol = 1e-5 if "float32" in name else 0.02
        assert found.cine is not None
        assert found.labels is not None
        assert reference.cine is not None
        assert np.abs(found.cine - reference.cine).max() < rtol * np.abs(reference.cine).max(), name
        assert np.abs(found.ecg_mv - reference.ecg_mv).max() < rtol * np.abs(reference.ecg_mv).max(), name
        assert (found.labels != reference.labels).mean() < 0.02
        assert found.cine.dtype == np.float32
        assert found.bundle_fingerprint == bundle.fingerprint


def test_what_is_seen_is_not_rounded_to_a_short_format(bundle: ModelBundle, vector: np.ndarray) -> None:
    short = dict(decode_path._candidates(bundle))["bfloat16 on the CPU"]().network
    z = torch.from_numpy(vector[None]).bfloat16()
    last = bundle.network.decoders["mri"].output
    with torch.inference_mode():
        features = short.cine_feature_maps(z)[-1]
        cine, signals = short.decode("mri", z), short.decode("ecg", z)
        expected = last(features.float())
    assert features.dtype is torch.bfloat16
    torch.testing.assert_close(cine, expected, rtol=1e-5, atol=1e-6)
    for drawn in (cine, signals):
        assert drawn.dtype is torch.float32
        assert not torch.equal(drawn, drawn.bfloat16().float())


def test_the_fastest_accurate_way_is_chosen(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {"plain": Candidate(bundle), "fast": Candidate(bundle, 1.005), "wrong": Candidate(bundle, 1.02)}
    offer(monkeypatch, {"plain": 30.0, "fast": 10.0, "wrong": 1.0}, **ways)
    path = choose_path(bundle)
    assert path.drawer is ways["fast"]
    assert path.description == "fast, 10 ms"
    assert [trial.name for trial in path.trials] == ["fast", "plain", "wrong"]
    errors = {trial.name: trial.error for trial in path.trials}
    assert errors["plain"] == 0.0
    assert errors["fast"] == pytest.approx(0.005, rel=0.01)


def test_what_is_no_number_is_not_accurate(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {"plain": Candidate(bundle), "overflowing": Candidate(bundle, float("nan"))}
    offer(monkeypatch, {"plain": 30.0, "overflowing": 1.0}, **ways)
    assert choose_path(bundle).drawer is ways["plain"]


def test_a_way_that_fails_is_left_out(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Candidate(bundle, error=torch.OutOfMemoryError("no memory left on the card"))
    offer(monkeypatch, {"plain": 30.0, "broken": 1.0}, plain=Candidate(bundle), broken=broken)
    assert [trial.name for trial in choose_path(bundle).trials] == ["plain"]


def test_a_way_that_cannot_be_made_or_fails_while_it_is_timed_is_left_out(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmakeable() -> Any:
        raise ValueError("this card records no graphs")

    passing, seen = Candidate(bundle), []

    def decode_twice(latents: np.ndarray, **wanted: Any) -> Decoded:
        seen.append(latents)
        if len(seen) > decode_path.N_WARM_UP:
            raise torch.OutOfMemoryError("no memory left on the card")
        return bundle.decode(latents, **wanted)

    monkeypatch.setattr(passing, "decode", decode_twice)
    plain = Candidate(bundle)
    makers = [("unmakeable", unmakeable), ("passing", lambda: passing), ("plain", lambda: plain)]
    monkeypatch.setattr(decode_path, "_candidates", lambda _: makers)
    path = choose_path(bundle)
    assert path.drawer is plain
    assert [(trial.name, trial.is_usable) for trial in path.trials] == [("plain", True), ("passing", False)]


def test_without_any_other_way_the_model_itself_decodes(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, {"wrong": 1.0}, wrong=Candidate(bundle, 1.02))
    path = choose_path(bundle)
    assert path.drawer is bundle
    assert path.description == ""


@pytest.mark.parametrize(
    ("ms_of", "expected"),
    [
        ({1: 30.0, 2: 58.0, 4: 99.0, 8: 180.0}, 4),  # eight keep the probe waiting
        ({1: 30.0, 2: 56.0, 4: 112.0}, 1),  # too little gained
        ({1: 1.0, 2: 2.4, 4: 2.6, 8: 3.0, 16: 3.5}, 16),  # two do not pay, sixteen do
        ({1: 1.0, 2: 1.1, 4: float("inf")}, 2),  # no memory for four
    ],
    ids=["two cores", "one core", "a card", "a small card"],
)
def test_so_many_are_decoded_together_as_pays(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch, ms_of: dict[int, float], expected: int
) -> None:
    monkeypatch.setattr(decode_path, "_duration_ms", lambda _, vectors: ms_of[len(vectors)])
    assert best_batch(bundle, Candidate(bundle)) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="its clock of threads is too coarse")
def test_what_other_programs_take_does_not_count(bundle: ModelBundle, vector: np.ndarray) -> None:
    class Delayed(ModelBundle):
        def decode(self, latents: np.ndarray, **wanted: Any) -> Decoded:
            time.sleep(0.5)  # as if the processor were taken
            return super().decode(latents, **wanted)

    delayed = Delayed(bundle.network, bundle.metadata, bundle.preprocessing)
    assert decode_path._duration_ms(delayed, vector[None]) < 250.0


def test_a_batch_keeps_within_the_memory(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_path, "_duration_ms", lambda _, vectors: 1.0)
    cine = bundle.decode(np.zeros((1, bundle.latent_dim), np.float32)).cine
    assert cine is not None
    monkeypatch.setattr(decode_path, "MAX_BATCH_BYTES", 4 * cine.nbytes * (1 + len(bundle.label_names)))
    assert best_batch(bundle, Candidate(bundle)) == 4


def test_a_device_that_fails_later_is_given_up_and_told_of(
    bundle: ModelBundle, vector: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Candidate(bundle, 1.001)
    offer(monkeypatch, {"plain": 30.0, "card": 1.0}, plain=Candidate(bundle), card=card)
    decoder = FastDecoder()
    (first,) = decoder(bundle, [vector])
    assert (first.path, decoder.failure) == ("card, 1 ms", "")
    card.error = torch.OutOfMemoryError("no memory left on the card")
    (fallen_back,) = decoder(bundle, [vector])
    np.testing.assert_array_equal(fallen_back.cine, decode(bundle, DecodeRequest(vector)).cine)
    assert "in card (no memory left on the card)" in decoder.failure
    assert fallen_back.path == ""
    card.error = None
    np.testing.assert_array_equal(decoder(bundle, [vector])[0].cine, fallen_back.cine)  # it is not tried again
    other = make_bundle(seed=7)
    assert decoder(other, [vector])[0].path == ""  # the card is tried anew, and does not know this one
    assert decoder.failure == ""


def test_vectors_decoded_together_are_those_decoded_alone(bundle: ModelBundle) -> None:
    vectors = np.random.default_rng(5).normal(size=(3, bundle.latent_dim)).astype(np.float32)
    decoder = FastDecoder()
    together = decoder(bundle, list(vectors))
    for result, vector in zip(together, vectors, strict=True):
        (alone,) = decoder(bundle, [vector])
        np.testing.assert_array_equal(result.vector, vector)
        for name in ("cine", "ecg_mv"):
            expected = getattr(alone, name)
            np.testing.assert_allclose(getattr(result, name), expected, atol=0.02 * np.abs(expected).max())
        assert (result.labels != alone.labels).mean() < 0.02


def test_another_model_is_decoded_by_its_own_networks(bundle: ModelBundle, vector: np.ndarray) -> None:
    other = make_bundle(seed=7)
    decoder = FastDecoder()
    results = [decoder(model, [vector])[0] for model in (bundle, other, bundle)]
    for model, result in zip((bundle, other, bundle), results, strict=True):
        expected = decode(model, DecodeRequest(vector))
        np.testing.assert_allclose(result.cine, expected.cine, atol=0.02 * np.abs(expected.cine).max())
        assert result.bundle_fingerprint == model.fingerprint
        assert result.path
