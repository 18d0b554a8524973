"""How two beats differ, against a change that was put in."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.ecg_difference import EcgDifference
from napari_latent_explorer.data.ecg import LEAD_NAMES


def test_the_largest_change_of_each_lead_has_its_sign_place_and_millivolts():
    before = np.zeros((12, 600), np.float32)
    after = before.copy()
    after[1, 240], after[1, 300] = 0.3, -0.4  # lead II
    after[7, 100] = 0.25  # V2
    difference = EcgDifference.between(before, after, 500.0)
    assert difference.largest_mv[[1, 7, 0]] == pytest.approx([-0.4, 0.25, 0.0])
    assert difference.largest_at_ms[[1, 7]] == pytest.approx([600.0, 200.0])
    assert difference.lead == "II"
    assert str(difference) == "-0.40 mV in II at 600 ms"


def test_a_lead_that_is_not_there_did_not_change():
    before = np.zeros((12, 50), np.float32)
    after = np.full((12, 50), 0.1, np.float32)
    after[LEAD_NAMES.index("aVR")] = np.nan
    difference = EcgDifference.between(before, after, 500.0)
    assert difference.largest_mv[LEAD_NAMES.index("aVR")] == 0.0
    assert difference.largest_mv[0] == pytest.approx(0.1)
