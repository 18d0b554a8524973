"""Beats that are put in come out again: error in uV against a known beat, under everything that befalls an ECG."""

from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.modeling.median_beat import beat_around, make_median_beat
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg
from napari_latent_explorer.simulation.population import simulate_population

POPULATION = simulate_population(40, seed=1)
GAINS = np.array([1.0, 1.2, 0.2, -1.1, 0.4, 0.7, -0.8, 0.5, 1.3, 1.5, 1.1, 0.8])[:, None]
EVERY_SECOND = [400.0 + 1000 * k for k in range(10)]


def wave(time_ms: np.ndarray, center_ms: float, width_ms: float) -> np.ndarray:
    return np.exp(-0.5 * ((time_ms - center_ms) / width_ms) ** 2)


def beat(time_ms: np.ndarray, rr_ms: float = 1000.0) -> np.ndarray:
    """P, QRS (a half sine from 0 to 90 ms) and T of one beat, QRS onset at 0 ms; exactly 0 just before it."""
    qrs = np.where((time_ms >= 0) & (time_ms <= 90), np.sin(np.pi * time_ms / 90), 0.0)
    pace = np.sqrt(rr_ms / 1000.0)
    return GAINS * (0.1 * wave(time_ms, -110, 20) + qrs + 0.25 * wave(time_ms, 280 * pace, 40 * pace))


def extrasystole(time_ms: np.ndarray) -> np.ndarray:
    """Wide beat of another shape without P wave."""
    return GAINS[::-1] * (2.0 * wave(time_ms, 80, 35) - 1.0 * wave(time_ms, 320, 60))


def strip(
    onsets_ms: list[float], ectopic: tuple[int, ...] = (), rate_hz: float = 500.0, duration_ms: float = 10_000
) -> np.ndarray:
    time_ms = np.arange(round(duration_ms * rate_hz / 1000)) * 1000.0 / rate_hz
    signal = np.zeros((12, len(time_ms)))
    for index, onset_ms in enumerate(onsets_ms):
        signal += extrasystole(time_ms - onset_ms) if index in ectopic else beat(time_ms - onset_ms)
    return signal


def as_ecg(signal: np.ndarray, rate_hz: float = 500.0) -> ECG:
    return ECG(signal, LEAD_NAMES, rate_hz, "rhythm", source="a strip")


EXPECTED = beat(np.arange(600) * 2.0 - 436.0)
BEAT = slice(215 - 70, 215 + 200)
"""From the P wave to the end of the T wave."""


def misfit_uv(
    median: ECG, samples: slice = BEAT, leads: list[int] | None = None, expected: np.ndarray = EXPECTED
) -> float:
    """Root mean square difference in uV from the beat that was put in, the onset being free by two samples of 2 ms."""
    chosen = leads or list(range(12))
    turned = [np.roll(median.signal_mv, lag, axis=1) - expected for lag in (-2, -1, 0, 1, 2)]
    return min(1000 * float(np.sqrt(np.mean(error[chosen][:, samples] ** 2))) for error in turned)


def test_identical_beats_with_one_ectopic_give_the_beat_itself() -> None:
    onsets = [*EVERY_SECOND[:5], EVERY_SECOND[5] - 300, *EVERY_SECOND[6:]]
    median = make_median_beat(as_ecg(strip(onsets, ectopic=(5,))))
    assert (median.kind, median.sampling_rate_hz, median.signal_mv.shape) == ("median", 500.0, (12, 600))
    assert median.qrs_onset_ms == 436
    assert misfit_uv(median, slice(2, -2)) < 3
    assert median.source == "9 of 10 beats of a strip (left out: 1 of another shape)"


def test_a_premature_beat_of_the_same_shape_is_left_out() -> None:
    onsets = [*EVERY_SECOND[:5], EVERY_SECOND[5] - 350, *EVERY_SECOND[6:]]
    assert make_median_beat(as_ecg(strip(onsets))).source == "9 of 10 beats of a strip (left out: 1 premature)"


@pytest.mark.parametrize(("pattern", "least"), [("NNNE", 7), ("NNE", 6), ("NE", 5), ("NNEE", 4)])
def test_extrasystoles_never_win_over_the_hearts_own_beats(pattern: str, least: int) -> None:
    kinds = (pattern * 6)[:12]
    onsets, now_ms = [], 200.0
    for kind, following in zip(kinds, kinds[1:] + "N", strict=True):
        onsets.append(now_ms)
        now_ms += 600 if following == "E" else 1100 if kind == "E" else 850
    median = make_median_beat(as_ecg(strip(onsets, tuple(i for i, kind in enumerate(kinds) if kind == "E"))))
    assert int(median.source.split()[0]) >= least
    assert misfit_uv(median, slice(215 - 30, 215 + 190)) < 15


def test_an_irregular_rhythm_keeps_its_beats() -> None:
    onsets = np.cumsum([400.0, 650, 1100, 700, 1250, 600, 1150, 640, 1300, 720])
    median = make_median_beat(as_ecg(strip(onsets.tolist())))
    assert int(median.source.split()[0]) >= 5
    assert misfit_uv(median, slice(200, 450)) < 8


def hum(time_s: np.ndarray, hz: float) -> np.ndarray:
    return 0.3 * np.linspace(0.5, 1.5, 12)[:, None] * np.sin(2 * np.pi * hz * time_s + np.arange(12)[:, None])


@pytest.mark.parametrize(
    ("what", "most_uv"),
    [("muscle", 12), ("muscle strong", 35), ("wander", 6), ("hum 50", 4), ("hum 60", 4), ("hum 49.93", 4), ("step", 8)],
)
def test_noise_of_every_kind_is_taken_away(what: str, most_uv: float) -> None:
    signal = strip(EVERY_SECOND)
    rng = np.random.default_rng(0)
    time_s = np.arange(signal.shape[1]) / 500
    if what.startswith("muscle"):
        signal += rng.normal(0, 0.02 if what == "muscle" else 0.06, signal.shape)
    elif what == "wander":
        signal += 0.5 * np.sin(2 * np.pi * 0.25 * time_s + rng.uniform(0, 6, (12, 1))) + rng.uniform(-300, 300, (12, 1))
    elif what.startswith("hum"):
        signal += hum(time_s, float(what.split()[1]))
    else:
        signal[:, 2600:] += rng.normal(0, 1, (12, 1))
    assert misfit_uv(make_median_beat(as_ecg(signal))) < most_uv


@pytest.mark.parametrize(
    ("delay_ms", "rate_hz", "width_ms"), [(-6, 500, 2), (-6, 1000, 0.5), (-160, 500, 2), (-160, 1000, 1)]
)
def test_pacing_spikes_are_bridged(delay_ms: float, rate_hz: float, width_ms: float) -> None:
    signal = strip(EVERY_SECOND, rate_hz=rate_hz)
    time_ms = np.arange(signal.shape[1]) * 1000 / rate_hz
    for onset_ms in EVERY_SECOND:
        begin = onset_ms + delay_ms
        signal[:, (time_ms >= begin) & (time_ms < begin + max(width_ms, 1000 / rate_hz))] += 3 * GAINS
    median = make_median_beat(as_ecg(signal, rate_hz))
    assert misfit_uv(median) < 10
    assert median.source == "10 of 10 beats of a strip (10 pacing spikes bridged)"


@pytest.mark.parametrize("fault", ["flat", "noise", "saturated"])
def test_a_lead_that_is_off_does_not_spoil_the_others(fault: str) -> None:
    signal = strip(EVERY_SECOND) + np.random.default_rng(1).normal(0, 0.005, (12, 5000))
    n_samples = signal.shape[1]
    faults = {
        "flat": np.zeros(n_samples),
        "noise": np.random.default_rng(0).normal(0, 2, n_samples),
        "saturated": 30 * np.sign(np.sin(np.arange(n_samples) / 150)),
    }
    signal[8] = faults[fault]
    median = make_median_beat(as_ecg(signal))
    assert misfit_uv(median, leads=[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]) < 8
    assert median.source.endswith("(beats found without lead V3, which is flat or noisy)")


def test_a_noisy_beat_is_left_out() -> None:
    signal = strip(EVERY_SECOND) + np.random.default_rng(1).normal(0, 0.005, (12, 5000))
    signal[:, 2700:2760] += np.random.default_rng(2).normal(0, 1.0, (12, 60)).cumsum(axis=1)
    signal[:, 2760:2860] += 3 * np.hanning(100)
    median = make_median_beat(as_ecg(signal))
    assert median.source.startswith("9 of 10 beats")
    assert misfit_uv(median) < 5


@pytest.mark.parametrize("scale", [0.15, 1.0, 5.0])
def test_low_and_high_voltage(scale: float) -> None:
    signal = strip(EVERY_SECOND) + np.random.default_rng(1).normal(0, 0.01, (12, 5000))
    median = make_median_beat(as_ecg(signal * scale))
    restored = ECG(median.signal_mv / np.float32(scale), LEAD_NAMES, 500, "median", 436, "")
    assert misfit_uv(restored) < 6


@pytest.mark.parametrize("rate_hz", [100.0, 125.0, 250.0, 360.0, 512.0, 997.0, 1000.0, 2000.0])
def test_any_sampling_rate_gives_the_same_beat(rate_hz: float) -> None:
    median = make_median_beat(as_ecg(strip(EVERY_SECOND, rate_hz=rate_hz), rate_hz))
    assert misfit_uv(median) < (20 if rate_hz < 200 else 8)


@pytest.mark.parametrize("heart_rate_bpm", [35, 45, 60, 90, 120, 150, 180])
def test_any_heart_rate_shows_one_beat_alone(heart_rate_bpm: int) -> None:
    rr_ms = 60_000 / heart_rate_bpm
    time_ms = np.arange(5000) * 2.0
    signal = sum(beat(time_ms - onset_ms, rr_ms) for onset_ms in np.arange(300 - rr_ms, 10_500, rr_ms))
    signal += np.random.default_rng(0).normal(0, 0.005, signal.shape)
    median = make_median_beat(as_ecg(signal))
    n_good, n_found = int(median.source.split()[0]), int(median.source.split()[2])
    assert abs(n_found - 10_000 / rr_ms) <= 2
    assert n_good >= n_found - 1
    end = 215 + round(min(400, rr_ms - 160) / 2)
    expected = beat(np.arange(600) * 2.0 - 436.0, rr_ms)
    assert misfit_uv(median, slice(215 - 40, end), expected=expected) < 20
    if heart_rate_bpm >= 90:
        assert np.abs(median.signal_mv[:, :70]).max() < 0.01
        assert np.abs(median.signal_mv[:, -60:]).max() < 0.02


def test_of_a_long_strip_the_middle_minute_is_taken() -> None:
    onsets = [400.0 + 1000 * k for k in range(120)]
    signal = strip(onsets, duration_ms=120_000)
    signal[:, :15_000] = 0.0
    median = make_median_beat(as_ecg(signal))
    assert median.source == "60 of 60 beats of a strip (from the middle minute)"
    assert misfit_uv(median) < 3


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (strip([400.0, 1400.0], duration_ms=2_400), "beats"),
        (strip([400.0], duration_ms=10_000), "beats"),
        (np.zeros((12, 5000)), "beats"),
        (np.full((12, 5000), 7.0), "beats"),
        (np.random.default_rng(0).normal(size=(12, 5000)), "beats"),
        (np.sin(np.arange(5000) / 20) * np.ones((12, 1)), "beats|beat"),
        (np.ones((12, 3)), "lasts under 1 s"),
        (np.ones((12, 1)), "lasts under 1 s"),
    ],
)
def test_strips_without_enough_beats_are_refused(signal: np.ndarray, message: str) -> None:
    with pytest.raises(RecordingError, match=f"Cannot make a median beat of a strip: .*({message})"):
        make_median_beat(as_ecg(signal))


@pytest.mark.parametrize("rate_hz", [1.0, 50.0, 1e6])
def test_impossible_sampling_rates_are_refused(rate_hz: float) -> None:
    with pytest.raises(RecordingError, match="samples per second; expected are 80 to 100000"):
        make_median_beat(as_ecg(strip(EVERY_SECOND), rate_hz))


def test_a_missing_lead_is_named() -> None:
    with pytest.raises(RecordingError, match="lacks lead V6"):
        make_median_beat(ECG(strip(EVERY_SECOND)[:11], LEAD_NAMES[:11], 500, "rhythm"))


def test_simulated_strips_give_the_simulated_median_beat() -> None:
    people = [one for one in POPULATION.factors if one.ecg_quality == "good" and not one.has_atrial_fibrillation]
    errors_uv, correlations = [], []
    for one in people[:12]:
        made, known = make_median_beat(simulate_rhythm_ecg(one)).signal_mv, simulate_ecg(one).signal_mv
        best = min(
            (np.roll(made, lag, axis=1) for lag in range(-3, 4)), key=lambda turned: np.abs(turned - known).mean()
        )
        errors_uv.append(1000 * np.sqrt(np.mean((best - known)[:, BEAT] ** 2)))
        correlations.append(np.corrcoef(best.ravel(), known.ravel())[0, 1])
    assert np.median(errors_uv) < 20
    assert max(errors_uv) < 30
    assert min(correlations) > 0.98


def test_fibrillation_keeps_the_beat_under_its_waves() -> None:
    people = [one for one in simulate_population(400, seed=1).factors if one.has_atrial_fibrillation][:4]
    for one in people:
        made, known = make_median_beat(simulate_rhythm_ecg(one)).signal_mv, simulate_ecg(one).signal_mv
        qrs = slice(200, 290)
        assert np.corrcoef(made[:, qrs].ravel(), known[:, qrs].ravel())[0, 1] > 0.97


def test_a_strip_with_spikes_in_the_augmented_leads_is_still_aligned() -> None:
    spiky = next(one for one in simulate_population(300, seed=1).factors if one.ecg_quality == "spikes")
    made, known = make_median_beat(simulate_rhythm_ecg(spiky)), simulate_ecg(spiky)
    chest = slice(6, 12)
    assert np.corrcoef(made.signal_mv[chest].ravel(), known.signal_mv[chest].ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("name", "n_beats"), [("ptb_s0010_re", 52), ("ptbxl_00001_lr", 10), ("cinc2021", 11)])
def test_real_strips(realdata: Path, name: str, n_beats: int) -> None:
    median = make_median_beat(read_recording(realdata / "ecg" / name))
    n_good, n_found = int(median.source.split()[0]), int(median.source.split()[2])
    assert n_found == n_beats
    assert n_good >= 0.8 * n_beats
    one, two, three, avr, avl, avf = median.leads(LEAD_NAMES[:6])
    np.testing.assert_allclose(two - one, three, atol=0.05)  # Einthoven and Goldberger hold for medians nearly too
    np.testing.assert_allclose(avr + avl + avf, 0, atol=0.05)
    assert 0.5 < np.abs(median.signal_mv).max() < 2.5
    onset_ms = find_qrs_onset(median.signal_mv, 500.0)
    assert abs(onset_ms - 435.0) <= 4
    before, qrs = np.abs(median.signal_mv[:, 190:214]).max(), np.abs(median.signal_mv[:, 218:270]).max()
    assert before < 0.3 * qrs


@pytest.mark.parametrize(
    "place",
    ["dicom/anonymous_ecg.dcm", "dicom/Example.dcm", "ge_muse/musePHI_ecg1.xml", "philips/2020-5-18_15-48-11.xml"],
)
def test_real_strips_give_their_devices_median_beats(realdata: Path, place: str) -> None:
    rhythm, device = (
        read_recording(realdata / "ecg" / place, ReadOptions(ecg_kind=kind)) for kind in ("rhythm", "median")
    )
    made = make_median_beat(rhythm).signal_mv
    level = made - made[:, 206:215].mean(axis=1, keepdims=True)
    chosen = slice(195, 440)  # from 45 ms before the QRS complex to the end of the T wave
    errors_uv, correlations = [], []
    for later_ms in range(-4, 11):  # where the device sees the QRS onset is its affair; at most 8 ms before ours
        known = beat_around(device, (device.qrs_onset_ms or 0.0) + later_ms).signal_mv
        known = known - known[:, 206:215].mean(axis=1, keepdims=True)
        errors_uv.append(1000 * np.sqrt(np.mean((level - known)[:, chosen] ** 2)))
        correlations.append(np.corrcoef(level[:, chosen].ravel(), known[:, chosen].ravel())[0, 1])
    best = int(np.argmin(errors_uv))
    assert errors_uv[best] < 12
    assert correlations[best] > 0.999
    assert abs(find_qrs_onset(device.leads(), device.sampling_rate_hz) - (device.qrs_onset_ms or 0.0)) <= 8
