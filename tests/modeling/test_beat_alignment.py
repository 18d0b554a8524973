import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.beat_alignment import find_beats

GAINS = np.linspace(-1, 1.5, 12)[:, None]


def strip(onsets: list[int], n_samples: int = 5000, t_wave: float = 0.3) -> np.ndarray:
    """Beats of a sharp QRS complex and a T wave at the given samples of a strip at 500 Hz."""
    time = np.arange(n_samples)
    signal = np.random.default_rng(0).normal(0, 0.003, (12, n_samples))
    for onset in onsets:
        signal += GAINS * np.exp(-0.5 * ((time - onset) / 6) ** 2)
        signal += t_wave * GAINS * np.exp(-0.5 * ((time - onset - 150) / 25) ** 2)
    return signal


def test_beats_are_aligned_to_the_sample() -> None:
    onsets = [300, 731, 1190, 1602, 2077, 2490, 2955, 3401, 3850, 4310, 4744]
    beats = find_beats(strip(onsets), 500.0)
    offsets = beats.samples - np.array(onsets)
    assert np.ptp(offsets) <= 1
    assert beats.is_good.all()
    assert beats.rr_interval_ms == pytest.approx(2 * np.median(np.diff(onsets)), abs=4)
    assert (beats.summary, beats.left_out_leads) == ("", ())


@pytest.mark.parametrize("t_wave", [0.8, 1.2])
def test_tall_t_waves_are_no_beats(t_wave: float) -> None:
    onsets = [300, 1150, 2020, 2860, 3730, 4580]
    assert len(find_beats(strip(onsets, t_wave=t_wave), 500.0).samples) == len(onsets)


def test_flaws_are_told_apart() -> None:
    onsets = [300, 750, 1200, 1450, 2100, 2550, 3000, 3450, 3900, 4350]
    signal = strip([onset for onset in onsets if onset != 3000])
    time = np.arange(5000)
    signal += 2 * GAINS[::-1] * np.exp(-0.5 * ((time - 3010) / 18) ** 2)
    beats = find_beats(signal, 500.0)
    assert beats.flaws == ("", "", "", "premature", "", "", "of another shape", "", "", "")
    assert beats.summary == "1 of another shape, 1 premature"


def test_leads_that_say_nothing_are_named() -> None:
    signal = strip(list(range(300, 4800, 450)))
    signal[7], signal[10] = 0.0, np.random.default_rng(1).normal(0, 1, 5000)
    beats = find_beats(signal, 500.0)
    assert beats.left_out_leads == (7, 10)
    assert beats.is_good.all()


@pytest.mark.parametrize("signal", [np.zeros((12, 5000)), np.ones((12, 5000)), np.zeros((12, 3)), strip([1000])])
def test_strips_without_beats_are_refused(signal: np.ndarray) -> None:
    with pytest.raises(RecordingError, match="beats"):
        find_beats(signal, 500.0)
