from collections.abc import Callable

import numpy as np
import pytest
import torch
from test_bundle import make_bundle

from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling import decode_path
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.decode_path import FastDecoder
from napari_latent_explorer.modeling.recorded_decoder import Drawn, RecordedDecoder

BUNDLE = make_bundle()
VECTORS = np.random.default_rng(3).normal(size=(3, BUNDLE.latent_dim)).astype(np.float32)


def record_on_cpu(draw: Callable[[], Drawn]) -> tuple[Drawn, Callable[[], object]]:
    """Do what a graph does: draw into the same memory each time."""
    drawn = tuple(None if one is None else one.clone() for one in draw())

    def replay() -> None:
        for place, again in zip(drawn, draw(), strict=True):
            if place is not None:
                place.copy_(again)

    return drawn, replay


def check_same(found: Decoded, expected: Decoded) -> None:
    for name in ("cine", "labels", "ecg_mv"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_each_vector_is_drawn_anew_and_stays_what_it_was() -> None:
    recorded = RecordedDecoder(BUNDLE, record_on_cpu)
    found = [recorded.decode(vector[None], with_labels=True) for vector in VECTORS]
    for decoded, vector in zip(found, VECTORS, strict=True):
        check_same(decoded, BUNDLE.decode(vector[None], with_labels=True))
    assert not np.array_equal(found[0].cine, found[1].cine)


def test_what_is_not_asked_for_is_not_given() -> None:
    recorded = RecordedDecoder(BUNDLE, record_on_cpu)
    decoded = recorded.decode(VECTORS[:1], with_labels=False, with_ecg=False)
    assert decoded.cine is not None
    assert decoded.labels is None
    assert decoded.ecg_mv is None


def test_several_vectors_and_a_wrong_one_go_to_the_networks() -> None:
    recorded = RecordedDecoder(BUNDLE, record_on_cpu)
    check_same(recorded.decode(VECTORS, with_labels=True), BUNDLE.decode(VECTORS, with_labels=True))
    with pytest.raises(BundleError, match="expects"):
        recorded.decode(VECTORS[:1, :-1])


def test_a_card_that_is_lost_between_two_hearts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    is_lost = False

    def record(draw: Callable[[], Drawn]) -> tuple[Drawn, Callable[[], object]]:
        drawn, replay = record_on_cpu(draw)

        def replay_while_there() -> None:
            if is_lost:
                raise RuntimeError("CUDA error: device lost")
            replay()

        return drawn, replay_while_there

    makers = [("the card", lambda: RecordedDecoder(BUNDLE, record))]
    monkeypatch.setattr(decode_path, "_candidates", lambda _: makers)
    decoder = FastDecoder()
    assert decoder(BUNDLE, list(VECTORS[:1]))[0].path.startswith("the card, ")
    is_lost = True
    (result,) = decoder(BUNDLE, list(VECTORS[1:2]))
    np.testing.assert_array_equal(result.cine, BUNDLE.decode(VECTORS[1:2]).cine[0])
    assert "device lost" in decoder.failure


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA card")
def test_a_graph_on_a_card_draws_what_the_networks_draw() -> None:
    on_card = make_bundle()
    on_card.network.to("cuda")
    recorded = RecordedDecoder(on_card)
    for vector in VECTORS:
        found, expected = (one.decode(vector[None], with_labels=True) for one in (recorded, BUNDLE))
        np.testing.assert_allclose(found.cine, expected.cine, atol=1e-2 * np.abs(expected.cine).max())
        np.testing.assert_allclose(found.ecg_mv, expected.ecg_mv, atol=1e-2 * np.abs(expected.ecg_mv).max())
        assert (found.labels != expected.labels).mean() < 0.01
