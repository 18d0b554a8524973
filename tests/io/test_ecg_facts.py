import json
from pathlib import Path

import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_facts import EcgFacts, facts_from, is_unit, mv_per_unit, read_sidecar, states_rate

PLACE = Path("ecg.npy")


@pytest.mark.parametrize(
    ("unit", "mv"),
    [
        ("mV", 1.0),
        ("uV", 1e-3),
        ("µV", 1e-3),
        ("μV", 1e-3),
        ("V", 1e3),
        ("nV", 1e-6),
        ("4.88 uV", 4.88e-3),
        ("5uV", 5e-3),
    ],
)
def test_units_become_millivolt(unit: str, mv: float) -> None:
    assert is_unit(unit)
    assert mv_per_unit(unit, PLACE) == pytest.approx(mv)


@pytest.mark.parametrize("unit", ["", "mmHg", "ADU", "-5 uV", "0 mV", "1e999 mV", "mV2", 5, None])
def test_what_is_no_voltage_is_refused(unit: object) -> None:
    assert not isinstance(unit, str) or not is_unit(unit)
    with pytest.raises(RecordingError, match=r"ecg\.npy states the unit"):
        mv_per_unit(unit, PLACE)


@pytest.mark.parametrize("name", ["sampling_rate_hz", "Sampling Rate (Hz)", "fs", "SamplingFrequency", "sample-rate"])
def test_facts_go_by_many_names(name: str) -> None:
    facts = facts_from({name: "500 Hz", "Leads": "I, II V1", "other": object()}, PLACE)
    assert (facts.sampling_rate_hz, facts.lead_names, facts.mv_per_unit) == (500.0, ("I", "II", "V1"), None)
    assert states_rate(["x", name])


def test_facts_complete_each_other() -> None:
    first, second = EcgFacts(sampling_rate_hz=500.0), EcgFacts(sampling_rate_hz=250.0, mv_per_unit=1.0)
    assert first.or_else(second) == EcgFacts(sampling_rate_hz=500.0, mv_per_unit=1.0)


def test_a_sidecar_is_found_under_either_name(tmp_path: Path) -> None:
    place = tmp_path / "a.npy"
    assert read_sidecar(place) == EcgFacts()
    (tmp_path / "a.json").write_text(json.dumps({"fs": 500}))
    assert read_sidecar(place).sampling_rate_hz == 500
    (tmp_path / "a.npy.json").write_text(json.dumps({"fs": 250}))
    assert read_sidecar(place).sampling_rate_hz == 250
    (tmp_path / "a.npy.json").write_text(json.dumps(["of another kind"]))
    assert read_sidecar(place) == EcgFacts()


@pytest.mark.parametrize("rate", [0, -1, "fast", float("nan"), float("inf"), [500], {}, True and 1e9])
def test_impossible_rates_are_refused(rate: object) -> None:
    with pytest.raises(RecordingError, match="states sampling_rate_hz"):
        facts_from({"fs": rate}, PLACE)
