import threading
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.decode_service import DecodeService


class Bundle:
    fingerprint, latent_dim, warning, input_spec = "b", 2, "", STANDARD


class Result:
    def __init__(self, bundle: Any, vector: Any) -> None:
        self.bundle, self.vector, self.thread = bundle, vector, threading.current_thread()


class Predictors:
    def predict(self, vectors: Any) -> Any:
        return {name: vector.sum() for name, vector in vectors.items()}


@pytest.fixture
def service() -> Any:
    service = DecodeService(Result)
    yield service
    service.close()


def outcomes_of(service: DecodeService) -> list[Any]:
    outcomes: list[Any] = []
    service.decoded.connect(outcomes.append)
    return outcomes


def test_nothing_is_decoded_without_a_bundle(service: DecodeService) -> None:
    outcomes = outcomes_of(service)
    service.request([1.0, 2.0])
    assert service.is_idle
    assert outcomes == []


def test_an_outcome_holds_recordings_and_predictions_of_the_same_vector(service: DecodeService) -> None:
    outcomes = outcomes_of(service)
    service.set_bundle(Bundle())
    service.set_predictors(Predictors())  # type: ignore[arg-type]
    service.request([1.0, 2.0])
    assert service.wait(5.0)
    assert outcomes[0].vector.tolist() == [1.0, 2.0]
    assert outcomes[0].predictions == {"mri": 3.0, "ecg": 3.0}


def test_a_request_keeps_the_vector_of_its_moment_and_the_worker_cannot_write_it(service: DecodeService) -> None:
    outcomes = outcomes_of(service)
    service.set_bundle(Bundle())
    vector = np.array([1.0, 2.0], np.float32)
    service.request(vector)
    vector[:] = 9.0
    assert service.wait(5.0)
    assert outcomes[0].vector.tolist() == [1.0, 2.0]
    assert not outcomes[0].vector.flags.writeable


def test_all_work_is_done_on_one_thread_that_close_stops() -> None:
    before = set(threading.enumerate())
    service = DecodeService(Result)
    outcomes = outcomes_of(service)
    service.set_bundle(Bundle())
    for number in range(5):
        service.request([number, 0.0])
        assert service.wait(5.0)
    workers = {outcome.result.thread for outcome in outcomes}
    assert len(workers) == 1
    assert threading.current_thread() not in workers
    service.close()
    assert set(threading.enumerate()) == before


def test_predictors_of_a_former_bundle_are_forgotten_with_it(service: DecodeService) -> None:
    outcomes = outcomes_of(service)
    service.set_bundle(Bundle())
    service.set_predictors(Predictors())  # type: ignore[arg-type]
    service.set_bundle(Bundle())
    service.request([1.0, 2.0])
    assert service.wait(5.0)
    assert outcomes[0].predictions is None


class Batches:
    """Decodes two at once, and notes which."""

    def __init__(self) -> None:
        self.parts: list[list[list[float]]] = []
        self.description = self.failure = ""

    def n_together(self, bundle: Any) -> int:
        return 2

    def __call__(self, bundle: Any, vectors: Any) -> list[Any]:
        self.parts.append([vector.tolist() for vector in vectors])
        return [Result(bundle, vector) for vector in vectors]


@pytest.fixture
def batches(service: DecodeService) -> Batches:
    service._decoder = batches = Batches()
    service.set_bundle(Bundle())
    return batches


VECTORS = [np.array([number, 0.0], np.float32) for number in range(5)]


def test_vectors_wanted_together_are_decoded_in_parts_and_told_of_in_order(
    service: DecodeService, batches: Batches
) -> None:
    told: list[Any] = []
    service.together_decoded.connect(told.append)
    service.set_predictors(Predictors())  # type: ignore[arg-type]
    service.request_together([(vector, lambda vector=vector: {"mri": vector}) for vector in VECTORS])
    assert service.wait(5.0)
    assert [len(part) for part in batches.parts] == [2, 2, 1]
    (outcomes,) = told
    assert [outcome.vector[0] for outcome in outcomes] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [outcome.predictions for outcome in outcomes] == [{"mri": number} for number in range(5)]


def test_a_job_gets_each_heart_as_it_is_there_and_the_probe_goes_between(
    service: DecodeService, batches: Batches
) -> None:
    found = service.decode_all_and_wait(VECTORS, Bundle())
    assert next(found).vector[0] == 0.0
    service.request([9.0, 0.0])
    assert service.wait(5.0)
    assert [outcome.vector[0] for outcome in found] == [1.0, 2.0, 3.0, 4.0]
    firsts = [part[0][0] for part in batches.parts]
    assert firsts == [0.0, 9.0, 2.0, 4.0]


def test_a_slower_way_is_told_of_once(service: DecodeService, batches: Batches) -> None:
    told: list[str] = []
    service.slowed.connect(told.append)
    for failure in ("", "the card is gone", "the card is gone", "", "another card is gone"):
        batches.failure = failure
        service.request([1.0, 2.0])
        assert service.wait(5.0)
    assert told == ["the card is gone", "another card is gone"]
    assert service.failure == "another card is gone"
