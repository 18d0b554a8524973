import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError


def test_leads_come_in_the_order_asked_for() -> None:
    ecg = ECG(np.arange(12)[:, None] * np.ones((12, 5)), tuple(reversed(LEAD_NAMES)), 500.0, "rhythm")
    np.testing.assert_array_equal(ecg.leads()[:, 0], np.arange(11, -1, -1))
    np.testing.assert_array_equal(ecg.leads(("V6", "I"))[:, 0], [0, 11])
    assert ecg.duration_ms == 10
    assert ecg.signal_mv.dtype == np.float32


def test_absent_leads_are_all_named() -> None:
    ecg = ECG(np.zeros((2, 5)), ("I", "II"), 500.0, "rhythm", source="a file")
    with pytest.raises(RecordingError, match=r"a file lacks lead V1, V2; it has I, II"):
        ecg.leads(("I", "V1", "V2"))


@pytest.mark.parametrize(
    ("signal", "leads", "rate_hz", "message"),
    [
        (np.zeros(5), ("I",), 500.0, r"shape \(5,\)"),
        (np.zeros((2, 0)), ("I", "II"), 500.0, r"shape \(2, 0\)"),
        (np.zeros((2, 5)), ("I",), 500.0, "1 lead names for 2 leads"),
        (np.zeros((1, 5)), ("I",), 0.0, "sampling rate is 0"),
    ],
)
def test_what_does_not_fit_is_refused(signal: np.ndarray, leads: tuple[str, ...], rate_hz: float, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        ECG(signal, leads, rate_hz, "median")
