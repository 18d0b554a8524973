from pathlib import Path

import numpy as np
import pytest
import wfdb

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_wfdb import canonical_lead, read_ecg_wfdb


def write_record(folder: Path, units: list[str], names: list[str], signal: np.ndarray, name: str = "r1") -> Path:
    wfdb.wrsamp(
        name, fs=500, units=units, sig_name=names, p_signal=signal, fmt=["32"] * len(names), write_dir=str(folder)
    )
    return folder / f"{name}.hea"


def test_units_become_millivolt_and_other_channels_are_left_out(tmp_path: Path) -> None:
    signal = np.random.default_rng(0).normal(size=(200, 4)) * [1, 1000, 1e-3, 80]
    path = write_record(tmp_path, ["mV", "uV", "V", "mmHg"], ["i", "LEAD II", "AVR", "ABP"], signal)
    ecg = read_ecg_wfdb(path)
    assert ecg.lead_names == ("I", "II", "aVR")
    assert ecg.sampling_rate_hz == 500
    assert ecg.kind == "rhythm"
    np.testing.assert_allclose(ecg.signal_mv, (signal[:, :3] * [1, 1e-3, 1e3]).T, atol=1e-4)


def test_short_gaps_are_bridged_and_long_ones_refused(tmp_path: Path) -> None:
    signal = np.tile(np.linspace(-1, 1, 400)[:, None], 2)
    gaps = signal.copy()
    gaps[100:110, 0] = np.nan
    ecg = read_ecg_wfdb(write_record(tmp_path, ["mV", "mV"], ["I", "II"], gaps))
    np.testing.assert_allclose(ecg.signal_mv, signal.T, atol=1e-4)
    gaps[100:300, 1] = np.nan
    with pytest.raises(RecordingError, match=r"Lead II .* has 50 % invalid samples; at most 5 %"):
        read_ecg_wfdb(write_record(tmp_path, ["mV", "mV"], ["I", "II"], gaps, "r2"))


def test_no_voltage_is_no_ecg(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"No channel .* is a voltage; its units are mmHg"):
        read_ecg_wfdb(write_record(tmp_path, ["mmHg"], ["ABP"], np.arange(100.0)[:, None]))


def test_any_file_of_a_record_or_its_folder_will_do(tmp_path: Path) -> None:
    write_record(tmp_path, ["mV"], ["I"], np.arange(100.0)[:, None])
    for path in (tmp_path, tmp_path / "r1", tmp_path / "r1.dat", tmp_path / "r1.hea"):
        assert read_ecg_wfdb(path).signal_mv.shape == (1, 100)


@pytest.mark.parametrize(
    ("written", "standard"),
    [("avr", "aVR"), ("AVL", "aVL"), ("aVF", "aVF"), ("Lead_III", "III"), ("v4", "V4"), ("vx", "X"), ("MLII", "MLII")],
)
def test_leads_get_their_standard_spelling(written: str, standard: str) -> None:
    assert canonical_lead(written) == standard


def test_missing_empty_and_truncated_samples_are_named(tmp_path: Path) -> None:
    path = write_record(tmp_path, ["mV"], ["I"], np.sin(np.arange(1000.0))[:, None])
    samples = tmp_path / "r1.dat"
    content = samples.read_bytes()
    for damaged, message in ((content[:1001], "do not fit|announces"), (b"", r"r1\.dat .*is empty")):
        samples.write_bytes(damaged)
        with pytest.raises(RecordingError, match=message):
            read_ecg_wfdb(path)
    samples.unlink()
    with pytest.raises(RecordingError, match=r"r1\.dat is missing beside .*r1\.hea"):
        read_ecg_wfdb(path)
    with pytest.raises(RecordingError, match="There is no WFDB header"):
        read_ecg_wfdb(tmp_path / "r2.hea")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\n\n",
        "this is a letter to a friend\nnot a header",
        "r1 1 500 100\n../secret.dat 16 200(0)/mV 16 0 0 0 0 I\n",
        "r1 1 500 100\n/etc/hostname 16 200(0)/mV 16 0 0 0 0 I\n",
        "r1 1 500 99999999999\nr1.dat 16 200(0)/mV 16 0 0 0 0 I\n",
        "r1 1 500 100\nr1.dat 999 200(0)/mV 16 0 0 0 0 I\n",
        "r1 1 0 100\nr1.dat 16 200(0)/mV 16 0 0 0 0 I\n",
        "r1 1 500 100\n",
        "r1/2 1 500 100\na 50\nb 50\n",
        "\x00\x01\x02",
    ],
)
def test_a_hostile_header_gives_an_error_for_people(tmp_path: Path, header: str) -> None:
    (tmp_path / "r1.hea").write_text(header)
    (tmp_path / "r1.dat").write_bytes(bytes(200))
    with pytest.raises(RecordingError):
        read_ecg_wfdb(tmp_path / "r1.hea")


def test_a_recording_of_the_ptb_database(realdata: Path) -> None:
    ecg = read_ecg_wfdb(realdata / "ecg" / "ptb_s0010_re" / "s0010_re")
    assert ecg.lead_names == (*LEAD_NAMES, "X", "Y", "Z")
    assert ecg.signal_mv.shape == (15, 38400)
    assert ecg.sampling_rate_hz == 1000
    one, two, three = ecg.leads(("I", "II", "III"))
    np.testing.assert_allclose(two - one, three, atol=2e-3)  # Einthoven: the units agree between leads
    assert 1 < np.abs(ecg.signal_mv).max() < 3


def test_recordings_of_ptb_xl_and_of_the_2021_challenge(realdata: Path) -> None:
    low_rate = read_ecg_wfdb(realdata / "ecg" / "ptbxl_00001_lr" / "00001_lr.hea")
    assert (low_rate.sampling_rate_hz, low_rate.signal_mv.shape, low_rate.lead_names) == (100, (12, 1000), LEAD_NAMES)
    challenge = read_ecg_wfdb(realdata / "ecg" / "cinc2021" / "HR06000.mat")
    assert (challenge.sampling_rate_hz, challenge.signal_mv.shape) == (500, (12, 5000))
    for ecg in (low_rate, challenge):
        one, two, three, avr = ecg.leads(("I", "II", "III", "aVR"))
        np.testing.assert_allclose(two - one, three, atol=0.011)
        np.testing.assert_allclose(avr, -(one + two) / 2, atol=0.011)
