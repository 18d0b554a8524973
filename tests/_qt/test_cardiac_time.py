"""The cursor of the ECG goes with the cine: R peak to R peak."""

import numpy as np
import pytest

from napari_latent_explorer._qt.cardiac_time import r_peak_ms, to_cine_time_ms, to_ecg_time_ms


def test_the_r_peak_is_where_all_leads_deflect_most():
    times = np.arange(600) * 2.0
    spike = np.exp(-0.5 * np.square((times - 470) / 10)) + 0.3 * np.exp(-0.5 * np.square((times - 760) / 40))
    signal = np.linspace(-1, 1, 12)[:, None] * spike
    assert r_peak_ms(signal.astype(np.float32), 500.0) == pytest.approx(470.0)


def test_the_cine_begins_at_the_r_peak():
    assert to_ecg_time_ms(0.0, 900.0, 475.0, 1200.0) == 475.0


def test_atrial_filling_is_drawn_before_the_r_peak():
    assert to_ecg_time_ms(850.0, 900.0, 475.0, 1200.0) == 425.0


@pytest.mark.parametrize("rr_interval_ms", [500.0, 900.0, 1150.0])
def test_there_and_back(rr_interval_ms):
    for cine_time_ms in np.linspace(0, rr_interval_ms, 20, endpoint=False):
        there = to_ecg_time_ms(cine_time_ms, rr_interval_ms, 475.0, 1200.0)
        assert 0.0 <= there <= 1200.0
        assert to_cine_time_ms(there, rr_interval_ms, 475.0) == pytest.approx(cine_time_ms)
