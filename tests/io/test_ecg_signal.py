from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_signal import choose_kind, distinct_lead_names, explained, finish_ecg
from napari_latent_explorer.io.reading import ReadOptions

PLACE = Path("folder/ecg.x")
SIGNAL = np.random.default_rng(0).normal(size=(3, 200))
NAMES = ("V1", "V2", "V3")


def test_a_whole_signal_passes_as_it_is() -> None:
    ecg, notes = finish_ecg(SIGNAL, NAMES, 500.0, "median", PLACE, 100.0)
    np.testing.assert_array_equal(ecg.signal_mv, SIGNAL.astype(np.float32))
    assert (ecg.kind, ecg.qrs_onset_ms, ecg.source, notes) == ("median", 100.0, str(PLACE), ())


def test_gaps_become_straight_lines_and_are_counted() -> None:
    signal = np.tile(np.arange(200.0), (3, 1))
    gaps = signal.copy()
    gaps[1, 50:60], gaps[2, 7] = np.nan, np.inf
    ecg, notes = finish_ecg(gaps, NAMES, 500.0, "rhythm", PLACE)
    np.testing.assert_allclose(ecg.signal_mv, signal)
    assert notes == ("Missing samples are bridged by straight lines: V2 10, V3 1.",)


def test_ends_without_any_lead_are_cut_off_and_the_onset_moves_along() -> None:
    gaps = SIGNAL.copy()
    gaps[:, :25], gaps[:, -60:] = np.nan, np.nan
    ecg, notes = finish_ecg(gaps, NAMES, 500.0, "median", PLACE, 100.0)
    np.testing.assert_array_equal(ecg.signal_mv, SIGNAL[:, 25:-60].astype(np.float32))
    assert ecg.qrs_onset_ms == 50.0
    assert notes == ("85 samples without a value at the ends are cut off.",)


@pytest.mark.parametrize("lost", LEAD_NAMES[:6])
def test_a_lost_limb_lead_is_computed_and_a_lost_chest_lead_is_not(lost: str) -> None:
    one, two = np.random.default_rng(1).normal(size=(2, 200))
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    signal = np.stack([*limbs, *np.random.default_rng(2).normal(size=(6, 200))])
    broken = signal.copy()
    broken[LEAD_NAMES.index(lost), :30] = np.nan
    ecg, notes = finish_ecg(broken, LEAD_NAMES, 500.0, "rhythm", PLACE)
    np.testing.assert_allclose(ecg.signal_mv, signal, atol=1e-6)
    assert any(f"Lead {lost} has too many missing samples" in note for note in notes)
    broken[8, :30] = np.nan
    with pytest.raises(RecordingError, match=r"folder/ecg\.x are missing: lead .*lead V3 15 %; at most 5 %"):
        finish_ecg(broken, LEAD_NAMES, 500.0, "rhythm", PLACE)


def test_a_broken_lead_that_is_none_of_the_twelve_is_left_out() -> None:
    signal = np.vstack([SIGNAL, np.full((1, 200), np.nan)])
    ecg, notes = finish_ecg(signal, (*NAMES, "X"), 500.0, "rhythm", PLACE)
    assert ecg.lead_names == NAMES
    assert notes == ("Lead X has too many missing samples and is not taken from the file.",)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (np.zeros((3, 0)), "holds no samples"),
        (np.full((3, 200), np.nan), "holds no samples"),
        (SIGNAL * 1e6, r"Lead V\d of .* reaches .* mV; an ECG stays under 1000 mV"),
        (np.where(SIGNAL > 2, 1e300, SIGNAL), "an ECG stays under 1000 mV"),
    ],
)
def test_what_is_no_heart_is_refused(signal: np.ndarray, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        finish_ecg(signal, NAMES, 500.0, "rhythm", PLACE)


def test_names_are_made_distinct_but_no_standard_lead_twice() -> None:
    assert distinct_lead_names(["ECG", "ecg", "ECG", "", "avr"], PLACE) == ("ECG", "ecg", "ECG 2", "signal 4", "aVR")
    with pytest.raises(RecordingError, match=r"Lead aVR occurs more than once in folder/ecg\.x"):
        distinct_lead_names(["avr", "Lead aVR"], PLACE)


def test_the_first_kind_is_read_unless_another_is_wanted() -> None:
    assert choose_kind(ReadOptions(), ("median", "rhythm"), PLACE) == "median"
    assert choose_kind(ReadOptions(ecg_kind="rhythm"), ("median", "rhythm"), PLACE) == "rhythm"
    with pytest.raises(RecordingError, match="holds a rhythm strip, not a median beat"):
        choose_kind(ReadOptions(ecg_kind="median"), ("rhythm",), PLACE)


@pytest.mark.parametrize(
    "refusal", [PermissionError(13, "Permission denied"), ValueError("embedded null"), MemoryError()]
)
def test_refusals_of_the_system_are_explained(refusal: Exception) -> None:
    with pytest.raises(RecordingError, match=r"Cannot read folder/ecg\.x: \w"), explained(PLACE):
        raise refusal
