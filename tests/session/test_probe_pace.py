"""When the place of the probe is shown: with hearts, and on its own when they are slow."""

from threading import Event

import numpy as np
import pytest
from psygnal import Signal

from napari_latent_explorer.session.probe import LatentProbe
from napari_latent_explorer.session.probe_pace import PATIENCE_S, ProbePace


class Decoding:
    """Takes as long as the test wants."""

    decoded, failed = Signal(object), Signal(Exception)
    is_idle = False


@pytest.fixture
def followed():
    probe, decode, time_s = LatentProbe(), Decoding(), [10.0]
    pace = ProbePace(probe, decode, clock=lambda: time_s[0])
    told = []
    pace.due.connect(lambda: told.append(time_s[0]))
    yield probe, decode, time_s, told, pace
    pace.close()


def test_many_moves_are_told_once_at_once_and_then_with_the_heart(followed):
    probe, decode, _, told, _ = followed
    probe.set_origin(np.zeros(4), "a mean")
    assert len(told) == 1
    for value in range(1, 20):
        probe.move(0, value)
    assert len(told) == 1
    decode.decoded.emit(None)
    assert len(told) == 2
    decode.decoded.emit(None)
    assert len(told) == 2, "nothing has moved since"


def test_while_hearts_are_slow_it_is_told_on_its_own(followed):
    probe, _, time_s, told, _ = followed
    probe.set_origin(np.zeros(4), "a mean")
    for number in range(1, 101):
        time_s[0] += PATIENCE_S / 10
        probe.move(0, number)
    assert len(told) == pytest.approx(11, abs=1)


def test_without_a_decoder_each_move_is_told(followed):
    probe, decode, _, told, _ = followed
    decode.is_idle = True
    probe.set_origin(np.zeros(4), "a mean")
    for number in range(1, 6):
        probe.move(0, number)
    assert len(told) == 6


def test_it_rests_once_after_the_last_move(followed):
    probe, _, _, _, pace = followed
    rested = []
    is_there = Event()
    pace.rested.connect(lambda: (rested.append(float(probe.vector[0])), is_there.set()))
    probe.set_origin(np.zeros(4), "a mean")
    probe.move(0, 1.0)
    probe.move(0, 2.0)
    assert not pace.is_resting
    assert is_there.wait(5.0)
    assert pace.wait(5.0)
    assert (rested, pace.is_resting) == ([2.0], True)
