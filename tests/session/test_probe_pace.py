"""When the place of the probe is shown: after hearts, by turns, and on its own when they are slow."""

from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from psygnal import Signal

from napari_latent_explorer.session.probe import LatentProbe
from napari_latent_explorer.session.probe_pace import PATIENCE_S, ProbePace


class Decoding:
    """Takes as long as the test wants."""

    decoded, failed = Signal(object), Signal(Exception)
    is_idle = False


class Window:
    """Hands calls on at once, and paints when the test wants."""

    def __init__(self):
        self.waiting = []

    def __call__(self, call):
        call()

    def after_painting(self, call):
        self.waiting.append(call)

    def paint(self):
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


@pytest.fixture
def followed():
    probe, decode, window, time_s = LatentProbe(), Decoding(), Window(), [10.0]
    pace = ProbePace(probe, decode, window, lambda: time_s[0])
    told = []
    pace.due.connect(lambda: told.append("due"))
    pace.due_in_turn.connect(lambda: told.append("in turn"))
    yield SimpleNamespace(probe=probe, decode=decode, window=window, time_s=time_s, told=told, pace=pace)
    pace.close()


def heart_at(vector):
    return SimpleNamespace(vector=np.asarray(vector, np.float32))


def test_while_the_probe_moves_hearts_come_first_and_what_follows_takes_turns(followed):
    followed.probe.set_origin(np.zeros(4), "a mean")
    followed.told.clear()
    for value in range(1, 5):
        for step in range(10):
            followed.probe.move(0, value + step / 10)
        followed.decode.decoded.emit(heart_at(np.zeros(4)))
        assert len(followed.told) == value - 1, "not before the heart is painted"
        followed.window.paint()
    assert followed.told == ["due", "in turn", "due", "in turn"]


def test_after_the_last_heart_all_is_told_in_two_repaints(followed):
    followed.probe.set_origin(np.zeros(4), "a mean")
    followed.told.clear()
    followed.probe.move(0, 1.0)
    followed.decode.decoded.emit(heart_at(followed.probe.vector))
    followed.window.paint()
    assert followed.told == ["due"]
    followed.window.paint()
    assert followed.told == ["due", "in turn"]


def test_while_hearts_are_slow_it_is_told_on_its_own(followed):
    followed.probe.set_origin(np.zeros(4), "a mean")
    followed.told.clear()
    for number in range(1, 101):
        followed.time_s[0] += PATIENCE_S / 10
        followed.probe.move(0, number)
    assert followed.told.count("due") == pytest.approx(10, abs=1)
    assert followed.told.count("in turn") == followed.told.count("due")


def test_without_a_decoder_each_move_is_told(followed):
    followed.decode.is_idle = True
    followed.probe.set_origin(np.zeros(4), "a mean")
    for number in range(1, 6):
        followed.probe.move(0, number)
    assert followed.told == ["due", "in turn"] * 6


def test_it_rests_once_after_the_last_move_and_what_was_late_is_told(followed):
    probe, rested, is_there = followed.probe, [], Event()
    followed.pace.rested.connect(lambda: (rested.append(float(probe.vector[0])), is_there.set()))
    probe.set_origin(np.zeros(4), "a mean")
    followed.told.clear()
    probe.move(0, 1.0)
    probe.move(0, 2.0)
    assert not followed.pace.is_resting
    assert is_there.wait(5.0)
    assert followed.pace.wait(5.0)
    assert (rested, followed.pace.is_resting, followed.told) == ([2.0], True, ["due", "in turn"])
