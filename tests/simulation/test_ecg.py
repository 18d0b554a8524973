"""The ECG must say what the factors say, measured on the signal as one measures an ECG."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.simulation.dipole import LEAD_FIELD
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg, twelve_leads
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.population import simulate_population

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
HEALTHY = dict.fromkeys(("hypertension", "diabetes", "coronary_artery_disease", "atrial_fibrillation"), 0.0)


@pytest.fixture(scope="module")
def healthy() -> list[ParticipantFactors]:
    """People without disease, block or bad electrodes."""
    people = simulate_population(300, seed=2, prevalence={**HEALTHY, "hypertrophic_cardiomyopathy": 0.0}).factors
    return [person for person in people if person.conduction == "normal" and person.ecg_quality == "good"]


@pytest.fixture(scope="module")
def typical(healthy: list[ParticipantFactors]) -> ParticipantFactors:
    return next(
        person
        for person in healthy
        if abs(person.frontal_axis_deg - 35.0) < 12.0 and abs(person.lvm_g - 90.0) < 12.0 and person.age_years > 55.0
    )


def times_ms(ecg: ECG) -> NDArray[np.float64]:
    assert ecg.qrs_onset_ms is not None
    return np.asarray(np.arange(ecg.signal_mv.shape[1]) * 1000.0 / ecg.sampling_rate_hz - ecg.qrs_onset_ms)


def magnitude(ecg: ECG) -> NDArray[np.float64]:
    """Length of the dipole that Dower's matrix would need to make these leads."""
    dipole = np.linalg.pinv(LEAD_FIELD) @ ecg.leads(INDEPENDENT)
    return np.asarray(np.linalg.norm(dipole, axis=0))


def mean_beat(people: list[ParticipantFactors]) -> dict[str, NDArray[np.float64]]:
    signals = np.mean([simulate_ecg(person).signal_mv for person in people], axis=0)
    return dict(zip(LEAD_NAMES, signals, strict=True))


TIME_MS = np.arange(600) * 2.0 - 435.0


def test_a_median_beat_has_the_agreed_form(typical: ParticipantFactors) -> None:
    ecg = simulate_ecg(typical)
    assert ecg.signal_mv.shape == (12, 600)
    assert ecg.signal_mv.dtype == np.float32
    assert (ecg.lead_names, ecg.sampling_rate_hz, ecg.kind) == (LEAD_NAMES, 500.0, "median")
    assert ecg.qrs_onset_ms == 435.0
    assert typical.participant_id in ecg.source


@pytest.mark.parametrize("simulate", [simulate_ecg, simulate_rhythm_ecg])
def test_limb_leads_obey_einthoven_and_goldberger(typical: ParticipantFactors, simulate: object) -> None:
    ecg = simulate_ecg(typical) if simulate is simulate_ecg else simulate_rhythm_ecg(typical)
    one, two, three, right, left, foot = ecg.signal_mv[:6].astype(np.float64)
    np.testing.assert_allclose(three, two - one, atol=1e-6)
    np.testing.assert_allclose(right + left + foot, 0.0, atol=1e-6)
    np.testing.assert_allclose(foot, (two + three) / 2.0, atol=1e-6)
    np.testing.assert_allclose(right, -(one + two) / 2.0, atol=1e-6)


def test_twelve_leads_of_a_dipole_pointing_left_are_positive_on_the_left() -> None:
    leads = dict(zip(LEAD_NAMES, twelve_leads(LEAD_FIELD @ np.array([[1.0], [0.0], [0.0]]))[:, 0], strict=True))
    assert leads["I"] > 0 > leads["aVR"]
    assert leads["V6"] > 0 > leads["V1"]


def test_qrs_begins_and_ends_when_the_factors_say(healthy: list[ParticipantFactors]) -> None:
    for person in healthy[:60]:
        ecg = simulate_ecg(person)
        time, length = times_ms(ecg), magnitude(ecg)
        onset = time[np.flatnonzero((length > 0.05) & (time > -30.0))[0]]
        assert 0.0 <= onset < 13.0
        # the ST segment is not quite zero, so the offset is where the vector stops moving fast
        speed = np.abs(np.gradient(length, time)) * 1000.0
        offset = time[np.flatnonzero((speed > 4.0) & (time < person.qrs_duration_ms + 60.0))[-1]]
        assert offset == pytest.approx(person.qrs_duration_ms, abs=14.0)


def test_p_begins_one_pr_interval_before_qrs_and_leaves_a_flat_segment(healthy: list[ParticipantFactors]) -> None:
    errors = []
    for person in healthy[:60]:
        ecg = simulate_ecg(person)
        time, length = times_ms(ecg), magnitude(ecg)
        before = time < -14.0
        onset = time[np.flatnonzero(before & (length > 0.15 * length[before].max()))[0]]
        errors.append(-onset - person.pr_interval_ms)
        assert length[(time > -10.0) & (time < -2.0)].max() < 0.035
    assert -14.0 < np.median(errors) < 2.0
    assert np.ptp(errors) < 25.0


def test_t_ends_by_the_tangent_when_qt_does(healthy: list[ParticipantFactors]) -> None:
    errors = []
    for person in healthy[:60]:
        ecg = simulate_ecg(person)
        time, length = times_ms(ecg), magnitude(ecg)
        peak = int(np.argmax(np.where(time > person.qrs_duration_ms + 80.0, length, 0.0)))
        slope = np.gradient(length, time)
        steepest = peak + int(np.argmin(slope[peak : peak + 60]))
        errors.append(time[steepest] - length[steepest] / slope[steepest] - person.qt_interval_ms)
    assert abs(np.median(errors)) < 5.0
    assert np.percentile(np.abs(errors), 90) < 12.0


def test_the_frontal_axis_is_the_one_asked_for(typical: ParticipantFactors) -> None:
    for axis in (-60.0, -20.0, 30.0, 80.0, 115.0):
        ecg = simulate_ecg(replace(typical, frontal_axis_deg=axis))
        time = times_ms(ecg)
        areas = ecg.leads(("I", "aVF"))[:, (time >= 0) & (time <= typical.qrs_duration_ms)].sum(axis=1)
        measured = np.degrees(np.arctan2(2.0 * areas[1] / np.sqrt(3.0), areas[0]))
        assert measured == pytest.approx(axis, abs=14.0)


def test_a_healthy_beat_reads_like_one(healthy: list[ParticipantFactors]) -> None:
    leads = mean_beat(healthy)
    qrs = (TIME_MS > -5.0) & (TIME_MS < 110.0)
    t_wave = (TIME_MS > 280.0) & (TIME_MS < 350.0)
    p_wave = (TIME_MS > -130.0) & (TIME_MS < -60.0)
    r_to_s = [leads[f"V{n}"][qrs].max() / -leads[f"V{n}"][qrs].min() for n in range(1, 7)]
    assert np.all(np.diff(r_to_s[:5]) > 0)
    assert r_to_s[0] < 0.5 < 1.0 < r_to_s[3]
    assert np.abs(leads["aVR"][qrs]).max() == -leads["aVR"][qrs].min()
    assert leads["V6"][(TIME_MS > 5.0) & (TIME_MS < 22.0)].min() < -0.02
    for name in ("I", "II", "V2", "V3", "V4", "V5", "V6"):
        assert leads[name][t_wave].mean() > 0.04
    assert leads["aVR"][t_wave].mean() < -0.05
    assert 0.06 < leads["II"][p_wave].max() < 0.16
    assert 0.7 < leads["V5"][qrs].max() < 1.6


def test_a_fibrillating_heart_has_no_p_wave(healthy: list[ParticipantFactors]) -> None:
    atrial = (TIME_MS > -350.0) & (TIME_MS < -10.0)
    sinus = np.mean([np.ptp(simulate_ecg(person).signal_mv[1, atrial]) for person in healthy[:40]])
    ill = [replace(person, has_atrial_fibrillation=True) for person in healthy[:40]]
    residue = np.mean([np.ptp(simulate_ecg(person).signal_mv[1, atrial]) for person in ill])
    assert residue < 0.35 * sinus


def test_left_bundle_branch_block_has_its_shape(healthy: list[ParticipantFactors]) -> None:
    leads = mean_beat([replace(p, conduction="lbbb", qrs_duration_ms=150.0) for p in healthy[:60]])
    qrs, t_wave = (TIME_MS > 0) & (TIME_MS < 150), (TIME_MS > 260.0) & (TIME_MS < 340.0)
    assert leads["V1"][qrs].min() < -0.7
    assert leads["V1"][qrs].max() < 0.15
    assert leads["V6"][qrs].min() > -0.05
    assert (leads["V6"][qrs] > 0.5 * leads["V6"][qrs].max()).sum() * 2.0 > 60.0
    assert leads["V1"][t_wave].mean() > 0.1
    assert leads["V6"][t_wave].mean() < -0.05


def test_right_bundle_branch_block_has_its_shape(healthy: list[ParticipantFactors]) -> None:
    leads = mean_beat([replace(p, conduction="rbbb", qrs_duration_ms=140.0) for p in healthy[:60]])
    first, middle, last = (np.abs(TIME_MS - centre) < half for centre, half in ((15, 15), (50, 20), (108, 33)))
    assert leads["V1"][first].max() > 0.1
    assert leads["V1"][middle].min() < -0.2
    assert leads["V1"][last].max() > 0.35
    assert leads["V1"][(TIME_MS > 250.0) & (TIME_MS < 350.0)].mean() < -0.05
    for lateral in ("I", "V6"):
        assert leads[lateral][last].min() < -0.2


def test_hypertrophic_cardiomyopathy_inverts_t_deeply(healthy: list[ParticipantFactors]) -> None:
    thick = [replace(p, has_hypertrophic_cardiomyopathy=True, lvm_g=160.0, septal_asymmetry=0.9) for p in healthy[:60]]
    leads = mean_beat(thick)
    t_wave = (TIME_MS > 200.0) & (TIME_MS < 400.0)
    for name in ("I", "V3", "V4", "V5", "V6"):
        assert leads[name][t_wave].min() < -0.15
    assert leads["V4"][t_wave].min() < -0.35
    q_wave = (TIME_MS > 0) & (TIME_MS < 25)
    assert leads["V6"][q_wave].min() < 1.3 * mean_beat(healthy[:60])["V6"][q_wave].min()


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        ({"lvm_g": 180.0}, 1.3, 1.7),
        ({"chest_wall_mm": 45.0}, 0.6, 0.9),
        ({"pericardial_fat_mm": 14.0}, 0.75, 0.95),
        ({"voltage_scale": 0.5}, 0.35, 0.65),
        ({"has_diabetes": True}, 0.93, 0.97),
    ],
)
def test_voltage_follows_muscle_and_what_covers_it(
    typical: ParticipantFactors, change: dict[str, Any], low: float, high: float
) -> None:
    plain = replace(typical, lvm_g=90.0, chest_wall_mm=24.0, pericardial_fat_mm=5.0, voltage_scale=1.0)
    ratio = magnitude(simulate_ecg(replace(plain, **change))).max() / magnitude(simulate_ecg(plain)).max()
    assert low < ratio < high


def test_strain_and_coronary_disease_flatten_t(healthy: list[ParticipantFactors]) -> None:
    t_wave = (TIME_MS > 280.0) & (TIME_MS < 350.0)
    plain = mean_beat(healthy[:60])["V5"][t_wave].mean()
    coronary = [replace(person, has_coronary_artery_disease=True) for person in healthy[:60]]
    heavy = [replace(person, has_hypertension=True, lvm_g=180.0) for person in healthy[:60]]
    assert mean_beat(coronary)["V5"][t_wave].mean() < 0.85 * plain
    assert mean_beat(heavy)["V5"][t_wave].mean() < 0.3 * plain


def test_the_ecg_knows_part_of_the_hearts_mass() -> None:
    population = simulate_population(1200, seed=9)
    signals = np.array([simulate_ecg(person).signal_mv[:, ::4].ravel() for person in population.factors])
    good = np.array([person.ecg_quality == "good" for person in population.factors])
    signals, mass = signals[good], population.cohort().values("lvm")[good]
    train = np.arange(len(mass)) % 3 > 0
    centre = signals[train].mean(axis=0)
    directions = np.linalg.svd(signals[train] - centre, full_matrices=False)[2][:40]
    features = np.column_stack([(signals - centre) @ directions.T, np.ones(len(mass))])
    weights = np.linalg.lstsq(features[train], mass[train], rcond=None)[0]
    left = mass[~train] - features[~train] @ weights
    assert 0.30 < 1.0 - left.var() / mass[~train].var() < 0.65


def test_everything_follows_from_the_factors(typical: ParticipantFactors) -> None:
    for simulate in (simulate_ecg, simulate_rhythm_ecg):
        np.testing.assert_array_equal(simulate(typical).signal_mv, simulate(typical).signal_mv)
        other = simulate(replace(typical, seed=typical.seed + 1)).signal_mv
        assert np.abs(simulate(typical).signal_mv - other).max() > 0.01


def test_spikes_are_in_the_bad_ecg_only(typical: ParticipantFactors) -> None:
    for simulate in (simulate_ecg, simulate_rhythm_ecg):
        good, bad = (simulate(replace(typical, ecg_quality=quality)).signal_mv for quality in ("good", "spikes"))
        assert np.abs(bad - good).max() > 0.8
        assert np.abs(np.diff(bad - good, axis=1)).max() > 0.2


def beat_times_ms(ecg: ECG) -> NDArray[np.float64]:
    """Where the dipole begins to change fastest, once per beat."""
    speed = np.abs(np.gradient(magnitude(ecg)))
    is_beat = speed > 0.4 * speed.max()
    starts = np.flatnonzero(is_beat & ~np.roll(is_beat, 1)) * 1000.0 / ecg.sampling_rate_hz
    return np.asarray(starts[np.diff(starts, prepend=-1000.0) > 250.0])


def test_a_strip_beats_at_its_rate_and_only_fibrillation_is_irregular(healthy: list[ParticipantFactors]) -> None:
    for person in healthy[:10]:
        strip = simulate_rhythm_ecg(person, duration_s=20.0)
        assert strip.kind == "rhythm"
        assert strip.qrs_onset_ms is None
        assert strip.duration_ms == 20_000.0
        cycles = np.diff(beat_times_ms(strip))
        assert 60_000.0 / cycles.mean() == pytest.approx(person.heart_rate_bpm, rel=0.04)
        assert cycles.std() < 0.05 * cycles.mean()
        irregular = np.diff(beat_times_ms(simulate_rhythm_ecg(replace(person, has_atrial_fibrillation=True), 20.0)))
        assert irregular.std() > 0.08 * irregular.mean()


def test_the_beats_of_a_strip_are_the_median_beat(typical: ParticipantFactors) -> None:
    strip, median = simulate_rhythm_ecg(typical, 20.0), simulate_ecg(typical)
    peak = int(np.argmax(median.signal_mv[10]))
    found = [
        start + int(np.argmax(strip.signal_mv[10, start : start + 60]))
        for start in (beat_times_ms(strip) / 2.0 - 10).astype(int)
    ]
    beats = [strip.signal_mv[:, at - peak : at - peak + 600] for at in found if peak <= at < 10_000 - 600]
    cut = slice(60, 450)
    averaged = np.median(beats, axis=0)[:, cut]
    averaged = averaged - averaged[:, :10].mean(axis=1, keepdims=True)
    correlation = [np.corrcoef(averaged[n], median.signal_mv[n, cut])[0, 1] for n in (0, 1, 6, 7, 8, 9, 10, 11)]
    assert min(correlation) > 0.97


def test_a_real_ecg_would_not_stand_out_by_its_voltages(healthy: list[ParticipantFactors], realdata: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    record = wfdb.rdrecord(str(realdata / "ecg" / "ptbxl_00001_lr" / "00001_lr"))
    names = [name.lower() for name in record.sig_name]
    real = np.array([np.ptp(record.p_signal[:, names.index(name.lower())]) for name in LEAD_NAMES])
    simulated = np.array([np.ptp(simulate_ecg(person).signal_mv, axis=1) for person in healthy])
    low, high = np.percentile(simulated, [1, 99], axis=0)
    assert ((real > 0.8 * low) & (real < 1.2 * high)).all()
