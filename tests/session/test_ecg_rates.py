"""The heart rate that a beat's QT is corrected by: the study's, the cine's, the predicted one, or none."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.ecg_rates import UNKNOWN_RATE, predicted_rate, recorded_rate
from napari_latent_explorer.session.originals import Original
from napari_latent_explorer.session.state import ExplorerState


@pytest.fixture
def state(shapes_study):
    return replace(ExplorerState(), cohort=shapes_study.cohort())


def test_a_participants_rate_is_that_of_the_table(state, shapes_study):
    one = str(state.cohort.participant_ids[3])
    rate = recorded_rate(state, Original(one, shapes_study.cine(one), None, None, ()))
    assert rate.rr_interval_ms == pytest.approx(60_000.0 / state.cohort.values("heart_rate")[3])
    assert "table" in rate.source


def test_a_recording_from_outside_beats_as_its_cine_or_at_no_known_rate(state, shapes_study):
    cine = shapes_study.cine("x")
    assert recorded_rate(state, Original("file.dcm", cine, None, None, ())).rr_interval_ms == cine.rr_interval_ms
    assert recorded_rate(state, Original("file.xml", None, None, None, ())) == UNKNOWN_RATE


def test_a_reconstruction_beats_as_predicted_from_all_that_is_known():
    targets = (SimpleNamespace(name="lvm"), SimpleNamespace(name="heart_rate"))
    table = SimpleNamespace(targets=targets, values=np.array([[80.0, 50.0], [90.0, 75.0], [np.nan, np.nan]]))
    assert predicted_rate(DecodeOutcome(None, table)).rr_interval_ms == pytest.approx(800.0)
    assert predicted_rate(DecodeOutcome(None, None)) == UNKNOWN_RATE
    without = SimpleNamespace(targets=targets[:1], values=table.values[:, :1])
    assert predicted_rate(DecodeOutcome(None, without)) == UNKNOWN_RATE
