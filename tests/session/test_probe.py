import numpy as np
import pytest
from psygnal.testing import assert_emitted_once, assert_not_emitted

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.probe import LatentProbe


@pytest.fixture
def probe() -> LatentProbe:
    probe = LatentProbe()
    probe.set_origin([1.0, 2.0, 3.0], "mean")
    return probe


def test_it_begins_nowhere() -> None:
    probe = LatentProbe()
    assert not probe.is_set
    with pytest.raises(LatentExplorerError, match="no latent dimension 0"):
        probe.move(0, 1.0)


def test_moving_takes_one_dimension_to_a_value(probe: LatentProbe) -> None:
    with assert_emitted_once(probe.vector_changed):
        probe.move(1, 5.0)
    assert probe.vector.tolist() == [1.0, 5.0, 3.0]
    assert probe.offsets.tolist() == [0.0, 3.0, 0.0]
    assert probe.moved_dims.tolist() == [1]
    assert probe.origin.tolist() == [1.0, 2.0, 3.0]


def test_moving_to_where_it_is_tells_nothing(probe: LatentProbe) -> None:
    with assert_not_emitted(probe.vector_changed):
        probe.move(1, 2.0)
        probe.reset()


def test_reset_takes_one_dimension_or_all_back(probe: LatentProbe) -> None:
    probe.move(0, 9.0)
    probe.move(2, 9.0)
    probe.reset(0)
    assert probe.vector.tolist() == [1.0, 2.0, 9.0]
    probe.reset()
    assert probe.moved_dims.size == 0


def test_a_new_origin_forgets_the_offsets_and_tells_origin_then_vector(probe: LatentProbe) -> None:
    probe.move(0, 9.0)
    heard: list[str] = []
    probe.origin_changed.connect(lambda: heard.append("origin"))
    probe.vector_changed.connect(lambda: heard.append("vector"))
    probe.set_origin([0.0, 0.0, 0.0], "P07")
    assert heard == ["origin", "vector"]
    assert probe.label == "P07"
    assert not probe.offsets.any()


def test_vectors_are_snapshots_that_cannot_be_written(probe: LatentProbe) -> None:
    before = probe.vector
    probe.move(0, 9.0)
    assert before.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="read-only"):
        probe.vector[0] = 0.0


def test_the_origin_is_a_copy() -> None:
    own, probe = np.zeros(2), LatentProbe()
    probe.set_origin(own, "")
    own[:] = 7.0
    assert not probe.origin.any()


@pytest.mark.parametrize("vector", [[], [[1.0]], [np.nan]])
def test_an_origin_must_be_one_finite_vector(vector: list[float]) -> None:
    with pytest.raises(LatentExplorerError, match="one finite latent vector"):
        LatentProbe().set_origin(vector, "")


@pytest.mark.parametrize(("dim", "value"), [(3, 0.0), (-1, 0.0), (0, np.inf)])
def test_moves_that_make_no_sense_are_refused(probe: LatentProbe, dim: int, value: float) -> None:
    with pytest.raises(LatentExplorerError):
        probe.move(dim, value)


def test_all_dimensions_can_move_at_once(probe: LatentProbe) -> None:
    with assert_emitted_once(probe.vector_changed):
        probe.move_to([4.0, 5.0, 6.0])
    assert probe.offsets.tolist() == [3.0, 3.0, 3.0]
    with pytest.raises(LatentExplorerError, match="3 dimensions"):
        probe.move_to([1.0])


def test_clearing_tells_once_that_there_is_no_origin(probe: LatentProbe) -> None:
    with assert_emitted_once(probe.origin_changed), assert_not_emitted(probe.vector_changed):
        probe.clear()
        probe.clear()
    assert not probe.is_set
