from pathlib import Path

import h5py
import numpy as np
import pytest
from ml4h_files import put, put_ecg

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_ml4h import is_cine_ml4h
from napari_latent_explorer.io.ecg_ml4h import read_ecg_ml4h
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.population import simulate_population

PERSON = simulate_population(1, seed=4).factors[0]


def test_the_median_beat_comes_back_in_millivolt(tmp_path: Path) -> None:
    ecg = simulate_ecg(PERSON)
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        put_ecg(root, ecg)
        put(root, "ukb_ecg_rest/QOnset/instance_0", [436.0])
        put(root, "ukb_ecg_rest/ecg_rest_text/instance_0", "Normal sinus rhythm")
    reading = read_ecg_ml4h(path)
    found = reading.recording
    assert (found.kind, found.sampling_rate_hz, found.qrs_onset_ms, found.lead_names) == (
        "median",
        500,
        436,
        LEAD_NAMES,
    )
    np.testing.assert_allclose(found.signal_mv, ecg.leads(), atol=0.0026)
    assert "Units of 5 uV and 500 Hz are taken for granted" in reading.notes[0]
    assert not is_cine_ml4h(path)


def test_the_kind_is_the_wanted_one_or_the_median_of_twelve_leads(tmp_path: Path) -> None:
    ecg = simulate_ecg(PERSON)
    path = tmp_path / "a.hd5"
    strip = ECG(np.tile(ecg.leads(), 8), LEAD_NAMES, 500.0, "rhythm")
    with h5py.File(path, "w") as root:
        put_ecg(root, strip, "strip")
        put_ecg(root, ecg)
    assert read_ecg_ml4h(path).recording.kind == "median"
    assert read_ecg_ml4h(path, ReadOptions(ecg_kind="rhythm")).recording.signal_mv.shape == (12, 4800)
    with h5py.File(path, "a") as root:
        del root["ukb_ecg_rest/median_V4"]
    assert read_ecg_ml4h(path).recording.kind == "rhythm"
    assert len(read_ecg_ml4h(path, ReadOptions(ecg_kind="median")).recording.lead_names) == 11
    with h5py.File(path, "a") as root:
        for lead in LEAD_NAMES:
            del root[f"ukb_ecg_rest/strip_{lead}"]
    with pytest.raises(RecordingError, match="holds a median beat, not a rhythm strip"):
        read_ecg_ml4h(path, ReadOptions(ecg_kind="rhythm"))


def test_leads_of_one_visit_are_taken_together_and_limb_leads_computed(tmp_path: Path) -> None:
    ecg = simulate_ecg(PERSON)
    path = tmp_path / "a.hd5"
    with h5py.File(path, "w") as root:
        put_ecg(root, ecg, place="instance_3")
        put_ecg(root, ECG(ecg.leads(("I", "II")) * 0, ("I", "II"), 500.0, "median"), place="instance_2")
        for lead in ("III", "aVR", "aVL", "aVF"):
            del root[f"ukb_ecg_rest/median_{lead}"]
        put(root, "ukb_ecg_rest/QOnset/instance_3", [9000.0])  # outside the beat
    reading = read_ecg_ml4h(path)
    np.testing.assert_allclose(reading.recording.signal_mv, ecg.leads(), atol=0.01)
    assert reading.recording.qrs_onset_ms is None
    assert "III, aVR, aVL, aVF are computed from I and II" in " ".join(reading.notes)
    assert reading.outcomes[0].reason == "median ECG of instance_3"


def test_voltages_that_are_not_in_the_devices_units_are_doubted(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.hd5", "w") as root:
        for lead in LEAD_NAMES:
            root[f"ukb_ecg_rest/median_{lead}/instance_0"] = np.sin(np.arange(600.0))  # mV, by another writer
    assert "would then be 0.005 mV, so they may be wrong" in read_ecg_ml4h(tmp_path / "a.hd5").notes[0]
