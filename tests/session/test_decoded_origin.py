"""What was decoded where the probe began is known without asking, or by asking once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.session.decoded_origin import JOB_NAME, DecodedOrigin
from napari_latent_explorer.session.explorer import Explorer


class CountingDecoder:
    """Decodes shapes, and remembers which vectors."""

    def __init__(self, decode: Any) -> None:
        self._decode = decode
        self.vectors: list[np.ndarray] = []

    def __call__(self, bundle: Any, vector: np.ndarray) -> Any:
        self.vectors.append(vector)
        return self._decode(bundle, vector)


@pytest.fixture
def decoder(shapes_decoder: Any) -> CountingDecoder:
    return CountingDecoder(shapes_decoder)


@pytest.fixture
def explorer(decoder: CountingDecoder, shapes_study: Any, shapes_bundle: Any) -> Iterator[Explorer]:
    explorer = Explorer(decode_fn=decoder)
    explorer.open(shapes_study, shapes_bundle)
    explorer.jobs.cancel_all()
    rest(explorer)
    yield explorer
    explorer.close()


def rest(explorer: Explorer) -> None:
    assert explorer.jobs.wait(20.0)
    assert explorer.decode.wait(20.0)


def jobs_of(explorer: Explorer) -> list[str]:
    names: list[str] = []
    explorer.jobs.started.connect(lambda job: names.append(job.name))
    return names


def test_a_probe_that_rests_where_it_begins_has_its_origin_for_nothing(explorer, decoder):
    origin, jobs = DecodedOrigin(explorer), jobs_of(explorer)
    told: list[Any] = []
    origin.changed.connect(told.append)
    explorer.probe_participant(explorer.cohort.participant_ids[3])
    rest(explorer)
    n_decoded = len(decoder.vectors)
    explorer.probe.move(0, 1.5)
    rest(explorer)
    origin.find()
    assert origin.outcome is told[-1]
    np.testing.assert_array_equal(origin.outcome.vector, explorer.probe.origin)
    assert jobs == []
    assert len(decoder.vectors) == n_decoded + 1


def test_one_who_comes_late_asks_once_and_is_told(explorer, decoder):
    explorer.probe.move(0, 1.5)
    rest(explorer)
    origin, jobs = DecodedOrigin(explorer), jobs_of(explorer)
    assert origin.outcome is None
    n_decoded = len(decoder.vectors)
    origin.find()
    origin.find()
    rest(explorer)
    origin.find()
    assert jobs == [JOB_NAME]
    assert len(decoder.vectors) == n_decoded + 1
    np.testing.assert_array_equal(origin.outcome.vector, explorer.probe.origin)


def test_nothing_is_asked_while_the_probe_is_where_it_began(explorer):
    origin, jobs = DecodedOrigin(explorer), jobs_of(explorer)
    origin.find()
    assert jobs == []
    explorer.decode_probe()
    rest(explorer)
    assert origin.outcome is not None


def test_another_origin_is_another_heart(explorer):
    origin = DecodedOrigin(explorer)
    explorer.decode_probe()
    rest(explorer)
    first = origin.outcome
    with explorer.batch():
        explorer.probe.set_origin(explorer.probe.origin + 1.0, "elsewhere")
        assert origin.outcome is None
    rest(explorer)
    assert origin.outcome is not first
    np.testing.assert_array_equal(origin.outcome.vector, explorer.probe.origin)


def test_a_heart_of_another_model_is_forgotten(explorer):
    origin = DecodedOrigin(explorer)
    explorer.decode_probe()
    rest(explorer)
    assert origin.outcome is not None
    explorer.set_bundle(None)
    assert origin.outcome is None
    origin.find()  # and nobody is asked without a model
    assert origin.outcome is None
