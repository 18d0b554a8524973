from pathlib import Path

import numpy as np
import pytest
import wfdb

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_wfdb import read_ecg_wfdb
from napari_latent_explorer.io.reading import ReadOptions
from napari_latent_explorer.io.wfdb_header import is_wfdb

EIGHT = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]


def ecg_at(path: Path) -> ECG:
    recording = read_ecg_wfdb(path).recording
    assert isinstance(recording, ECG)
    return recording


def write_record(folder: Path, units: list[str], names: list[str], signal: np.ndarray, name: str = "r1") -> Path:
    wfdb.wrsamp(
        name, fs=500, units=units, sig_name=names, p_signal=signal, fmt=["32"] * len(names), write_dir=str(folder)
    )
    return folder / f"{name}.hea"


def write_digital(folder: Path, stored: np.ndarray, fmt: str, name: str = "r1", gain: float = 200.0) -> Path:
    n_leads = stored.shape[1]
    wfdb.wrsamp(
        name, fs=500, units=["mV"] * n_leads, sig_name=EIGHT[:n_leads], d_signal=stored, fmt=[fmt] * n_leads,
        adc_gain=[gain] * n_leads, baseline=[0] * n_leads, write_dir=str(folder),
    )  # fmt: skip
    return folder / f"{name}.hea"


def write_by_hand(folder: Path, header: str, stored: np.ndarray) -> Path:
    """Record whose header is given, over ``r1.dat`` with 16-bit samples."""
    (folder / "r1.hea").write_text(header, encoding="utf-8")
    (folder / "r1.dat").write_bytes(stored.astype("<i2").tobytes())
    return folder / "r1.hea"


def test_units_become_millivolt_and_other_channels_are_left_out(tmp_path: Path) -> None:
    signal = np.random.default_rng(0).normal(size=(200, 4)) * [1, 1000, 1e-3, 80]
    reading = read_ecg_wfdb(write_record(tmp_path, ["mV", "uV", "V", "mmHg"], ["v1", "LEAD V2", "V3", "ABP"], signal))
    ecg = reading.recording
    assert isinstance(ecg, ECG)
    assert ecg.lead_names == ("V1", "V2", "V3")
    assert (ecg.sampling_rate_hz, ecg.kind) == (500, "rhythm")
    np.testing.assert_allclose(ecg.signal_mv, (signal[:, :3] * [1, 1e-3, 1e3]).T, atol=1e-4)
    assert reading.notes == ("ABP is not a voltage and is left out.",)
    assert [(Path(one.file).name, one.is_used) for one in reading.outcomes] == [("r1.hea", True), ("r1.dat", True)]


def test_a_microvolt_with_a_greek_letter_is_no_volt(tmp_path: Path) -> None:
    stored = np.arange(100)
    path = write_by_hand(tmp_path, "r1 1 500 100\nr1.dat 16 2(0)/µV 16 0 0 4950 0 V1\n", stored)
    np.testing.assert_allclose(ecg_at(path).signal_mv[0], stored / 2 / 1000)
    content = path.read_text(encoding="utf-8").encode("latin-1")
    path.write_bytes(content)
    np.testing.assert_allclose(ecg_at(path).signal_mv[0], stored / 2 / 1000)


@pytest.mark.parametrize("gain", ["", "0", "0/mV", "0(0)/mV"])
def test_a_record_without_gain_takes_200_per_millivolt_and_says_so(tmp_path: Path, gain: str) -> None:
    rest = " 16 0 0 4950 0 V1" if gain else ""
    reading = read_ecg_wfdb(write_by_hand(tmp_path, f"r1 1 500 100\nr1.dat 16 {gain}{rest}\n", np.arange(100)))
    np.testing.assert_allclose(reading.recording.signal_mv[0], np.arange(100) / 200, rtol=1e-6)
    assert any("states no gain; 200 per mV is assumed" in note for note in reading.notes)


def packed(flat: np.ndarray, fmt: str) -> bytes:
    """Bytes of formats that the wfdb package does not write, as the WFDB specification lays them out."""
    if fmt == "61":
        return flat.astype(">i2").tobytes()
    if fmt == "160":
        return (flat + 32768).astype("<u2").tobytes()
    first, second, third = np.pad(flat, (0, -len(flat) % 3)).reshape(-1, 3).T & 0x3FF
    if fmt == "311":
        return (first | second << 10 | third << 20).astype("<u4").tobytes()
    halves = [(first << 1) | (third & 0x1F) << 11, (second << 1) | (third >> 5) << 11]
    return np.stack(halves, axis=1).astype("<u2").tobytes()


@pytest.mark.parametrize("fmt", ["80", "212", "310", "311", "16", "61", "160", "24", "32", "508", "516", "524"])
def test_every_storage_format_gives_the_numbers_that_were_stored(tmp_path: Path, fmt: str) -> None:
    bits = {"80": 8, "508": 8, "310": 10, "311": 10, "212": 12, "24": 24, "524": 24, "32": 24}.get(fmt, 16)
    limit = 2 ** (bits - 1) - 1
    stored = np.random.default_rng(1).integers(-limit, limit + 1, size=(301, 2))
    if fmt in ("310", "311", "61", "160"):
        lines = [f"r1.dat {fmt} {limit}(0)/mV {bits} 0 0 {cs & 0xFFFF} 0 V{i}" for i, cs in enumerate(stored.sum(0), 1)]
        (tmp_path / "r1.hea").write_text("\n".join(["r1 2 500 301", *lines]))
        (tmp_path / "r1.dat").write_bytes(packed(stored.ravel(), fmt))
    else:
        write_digital(tmp_path, stored, fmt, gain=float(limit))
    reading = read_ecg_wfdb(tmp_path / "r1.hea")
    np.testing.assert_allclose(reading.recording.signal_mv[:2], stored.T / limit, rtol=1e-6)
    assert not any("checksum" in note for note in reading.notes)


def test_differences_of_format_8_add_up(tmp_path: Path) -> None:
    steps = np.random.default_rng(2).integers(-100, 100, size=200)
    (tmp_path / "r1.hea").write_text("r1 1 500 200\nr1.dat 8 200(0)/mV 12 0 17 0 0 V1\n")
    (tmp_path / "r1.dat").write_bytes(steps.astype("i1").tobytes())
    np.testing.assert_allclose(ecg_at(tmp_path / "r1.hea").signal_mv[0], (17 + np.cumsum(steps)) / 200, rtol=1e-6)


@pytest.mark.parametrize(("fmt", "bits"), [("80", 8), ("212", 12), ("16", 16), ("24", 24), ("32", 32)])
def test_the_invalid_number_of_a_format_is_a_missing_sample(tmp_path: Path, fmt: str, bits: int) -> None:
    stored = np.arange(100)[:, None]
    with_gap = stored.copy()
    with_gap[50:53] = -(2 ** (bits - 1))
    reading = read_ecg_wfdb(write_digital(tmp_path, with_gap, fmt))
    np.testing.assert_allclose(reading.recording.signal_mv[0], stored[:, 0] / 200, rtol=1e-6)
    assert reading.notes == ("Missing samples are bridged by straight lines: I 3.",)


def test_short_gaps_are_bridged_and_long_ones_refused(tmp_path: Path) -> None:
    signal = np.tile(np.linspace(-1, 1, 400)[:, None], 2)
    gaps = signal.copy()
    gaps[100:110, 0] = np.nan
    ecg = ecg_at(write_record(tmp_path, ["mV", "mV"], ["V1", "V2"], gaps))
    np.testing.assert_allclose(ecg.signal_mv, signal.T, atol=1e-4)
    gaps[100:300, 1] = np.nan
    with pytest.raises(RecordingError, match=r"missing: lead V2 50 %; at most 5 %"):
        ecg_at(write_record(tmp_path, ["mV", "mV"], ["V1", "V2"], gaps, "r2"))


def test_a_limb_lead_that_fell_off_is_computed_from_the_others(tmp_path: Path) -> None:
    one, two = np.random.default_rng(3).normal(size=(2, 500))
    signal = np.stack([one, two, np.full(500, np.nan)], axis=1)
    signal[7, 2] = 0.0
    reading = read_ecg_wfdb(write_record(tmp_path, ["mV"] * 3, ["I", "II", "III"], signal))
    np.testing.assert_allclose(reading.recording.leads(("III",))[0], two - one, atol=1e-4)
    assert "Lead III has too many missing samples and is not taken from the file." in reading.notes


def test_eight_leads_are_completed_to_twelve(tmp_path: Path) -> None:
    signal = np.random.default_rng(4).normal(size=(300, 8))
    reading = read_ecg_wfdb(write_record(tmp_path, ["mV"] * 8, EIGHT, signal))
    ecg = reading.recording
    assert ecg.lead_names == LEAD_NAMES
    np.testing.assert_allclose(ecg.leads(("aVF",))[0], signal[:, 1] - signal[:, 0] / 2, atol=1e-4)
    assert reading.notes == ("Leads III, aVR, aVL, aVF are computed from I and II.",)


def test_one_header_over_several_files_gives_all_their_leads(tmp_path: Path) -> None:
    stored = np.random.default_rng(5).integers(-500, 500, size=(4, 100))
    lines = [f"part{index // 2}.dat 16 1000(0)/mV 16 0 0 0 0 V{index + 1}" for index in range(4)]
    (tmp_path / "r1.hea").write_text("\n".join(["r1 4 250 100", *lines]))
    for part in (0, 1):
        (tmp_path / f"part{part}.dat").write_bytes(stored[2 * part : 2 * part + 2].T.astype("<i2").tobytes())
    np.testing.assert_allclose(ecg_at(tmp_path / "r1.hea").signal_mv, stored / 1000, rtol=1e-6)


def test_an_ecg_at_several_samples_per_frame_keeps_its_rate(tmp_path: Path) -> None:
    fast, slow = np.arange(400), np.arange(100)
    frames = np.concatenate([fast.reshape(100, 4), slow[:, None]], axis=1)
    header = "r1 2 125 100\nr1.dat 16x4 100(0)/mV 16 0 0 0 0 V1\nr1.dat 16 100(0)/mV 16 0 0 0 0 slow\n"
    reading = read_ecg_wfdb(write_by_hand(tmp_path, header, frames))
    assert reading.recording.sampling_rate_hz == 500
    np.testing.assert_allclose(reading.recording.signal_mv, fast[None] / 100, rtol=1e-6)
    assert "slow is stored at a lower rate and is left out." in reading.notes


def test_a_checksum_that_does_not_fit_is_noted(tmp_path: Path) -> None:
    path = write_digital(tmp_path, np.arange(100)[:, None], "16")
    samples = tmp_path / "r1.dat"
    content = bytearray(samples.read_bytes())
    assert not read_ecg_wfdb(path).notes
    content[100] ^= 4
    samples.write_bytes(bytes(content))
    assert read_ecg_wfdb(path).notes == ("I does not fit its checksum; the file may be damaged.",)


def test_samples_beyond_the_announced_ones_are_noted(tmp_path: Path) -> None:
    header = "r1 1 500 100\nr1.dat 16 200(0)/mV 16 0 0 4950 0 V1\n"
    reading = read_ecg_wfdb(write_by_hand(tmp_path, header, np.arange(150)))
    assert reading.notes == ("r1.dat holds more samples than announced; only those are read.",)
    assert reading.recording.signal_mv.shape == (1, 100)


def write_pieces(folder: Path, lines: list[str], n_samples: int) -> np.ndarray:
    stored = np.random.default_rng(6).integers(-400, 400, size=(200, 2))
    write_digital(folder, stored[:120], "16", "first")
    write_digital(folder, stored[120:], "16", "second")
    (folder / "whole.hea").write_text("\n".join([f"whole/{len(lines)} 2 500 {n_samples}", *lines]))
    return stored


def test_pieces_of_a_record_are_joined(tmp_path: Path) -> None:
    stored = write_pieces(tmp_path, ["first 120", "second 80"], 200)
    reading = read_ecg_wfdb(tmp_path / "whole.hea")
    np.testing.assert_allclose(reading.recording.leads(("I", "II")), stored.T / 200, rtol=1e-6)
    files = [Path(one.file).name for one in reading.outcomes]
    assert files == ["whole.hea", "first.hea", "first.dat", "second.hea", "second.dat"]


def test_a_short_gap_between_pieces_is_bridged_and_a_long_one_refused(tmp_path: Path) -> None:
    stored = write_pieces(tmp_path, ["first 120", "~ 5", "second 80"], 205)
    ecg = ecg_at(tmp_path / "whole.hea")
    np.testing.assert_allclose(ecg.leads(("II",))[0, 125:], stored[120:, 1] / 200, rtol=1e-6)
    write_pieces(tmp_path, ["first 120", "~ 500", "second 80"], 700)
    with pytest.raises(RecordingError, match="lead I 71 %, lead II 71 %"):
        ecg_at(tmp_path / "whole.hea")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["first 120", "second 90"], "announces 90 samples in its segment second, which holds 80"),
        (["first 120", "third 80"], r"no WFDB header .*third\.hea"),
        (["first 120", "whole 80"], "itself in segments"),
        (["~ 500"], "names no segment with samples"),
        (["first 120", "~ 900000000000"], "at most .* are read"),
        (["first 120", "../second 80"], "WFDB header"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    write_pieces(tmp_path, lines, 200)
    with pytest.raises(RecordingError, match=message):
        ecg_at(tmp_path / "whole.hea")


def test_no_voltage_is_no_ecg(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"No channel .* is a voltage; its units are mmHg"):
        ecg_at(write_record(tmp_path, ["mmHg"], ["ABP"], np.arange(100.0)[:, None]))


def test_a_median_beat_is_not_in_a_record(tmp_path: Path) -> None:
    path = write_record(tmp_path, ["mV"], ["V1"], np.arange(100.0)[:, None])
    with pytest.raises(RecordingError, match="holds a rhythm strip, not a median beat"):
        read_ecg_wfdb(path, ReadOptions(ecg_kind="median"))


def test_any_file_of_a_record_or_its_folder_will_do(tmp_path: Path) -> None:
    write_record(tmp_path, ["mV"], ["V1"], np.arange(100.0)[:, None])
    (tmp_path / "notes.txt").write_text("not of the record")
    (tmp_path / "r1.csv").write_text("not of the record")
    for path in (tmp_path, tmp_path / "r1", tmp_path / "r1.dat", tmp_path / "r1.hea"):
        assert is_wfdb(path)
        assert ecg_at(path).signal_mv.shape == (1, 100)
    for path in (tmp_path / "notes.txt", tmp_path / "r1.csv", tmp_path / "r2", tmp_path / ("x" * 5000), Path("\0")):
        assert not is_wfdb(path)


def test_missing_empty_and_truncated_samples_are_named(tmp_path: Path) -> None:
    path = write_record(tmp_path, ["mV"], ["I"], np.sin(np.arange(1000.0))[:, None])
    samples = tmp_path / "r1.dat"
    content = samples.read_bytes()
    truncated = r"announces 1000 samples per signal, for which r1\.dat needs 4000 bytes; it holds 1001"
    for damaged, message in ((content[:1001], truncated), (b"", r"r1\.dat .*is empty")):
        samples.write_bytes(damaged)
        with pytest.raises(RecordingError, match=message):
            ecg_at(path)
    samples.rename(tmp_path / "r1.dat.gz")
    with pytest.raises(RecordingError, match=r"r1\.dat is missing beside .*r1\.hea.* Unpack r1\.dat\.gz"):
        ecg_at(path)
    with pytest.raises(RecordingError, match="There is no WFDB header"):
        ecg_at(tmp_path / "r2.hea")


SIGNAL = "16 200(0)/mV 16 0 0 0 0 I\n"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "not a WFDB header"),
        ("\n\n", "not a WFDB header"),
        ("this is a letter to a friend\nnot a header", "not a WFDB header"),
        (f"r1 1 500 100\n../secret.dat {SIGNAL}", "not a WFDB header"),
        (f"r1 1 500 100\n/etc/hostname {SIGNAL}", "not a WFDB header"),
        (f"r1 1 500 100\nhttp://x.y/r1.dat {SIGNAL}", "not a WFDB header"),
        (f"r1 1 500 100\n..\\r1.dat {SIGNAL}", "not a WFDB header"),
        (f"r1 1 500 99999999999\nr1.dat {SIGNAL}", "at most .* are read"),
        (f"r1 1 500 101\nr1.dat {SIGNAL}", "needs 202 bytes; it holds 200"),
        ("r1 1 500 10\nr1.dat 16x99999999 200/mV\n", "at most .* are read"),
        ("r1 1 500 10\nr1.dat 16:999999999999 200/mV\n", "at most .* are read"),
        ("r1 1 500 10\nr1.dat 16+1000 200/mV\n", "needs 1020 bytes; it holds 200"),
        ("r1 1 500 100\nr1.dat 999 200(0)/mV 16 0 0 0 0 I\n", "sample format 999"),
        ("r1 1 500 99\nr1.dat 16 1e-300(0)/mV 16 0 0 0 0 I\n", "reaches .* mV|missing"),
        (f"r1 1 0 100\nr1.dat {SIGNAL}", "sampling rate of 0"),
        (f"r1 1 500 0\nr1.dat {SIGNAL}", "nothing to read"),
        ("r1 0 500 100\n", "nothing to read"),
        ("r1 1 500 100\n", "announces 1 signals and describes 0"),
        (f"r1 3 500 33\nr1.dat {SIGNAL}", "announces 3 signals and describes 1"),
        (f"r1 2 500 50\nr1.dat {SIGNAL}r1.dat {SIGNAL}", "Lead I occurs more than once"),
        ("r1/2 1 500 100\na 50\nb 50\n", "There is no WFDB header"),
        ("r1/0 1 500 100\n", "."),
        ("\x00\x01\x02", "not a WFDB header"),
    ],
)
def test_a_hostile_header_gives_an_error_for_people(tmp_path: Path, header: str, message: str) -> None:
    (tmp_path / "r1.hea").write_text(header)
    (tmp_path / "r1.dat").write_bytes(bytes(range(200)))
    is_wfdb(tmp_path / "r1.hea")
    with pytest.raises(RecordingError, match=message) as refusal:
        ecg_at(tmp_path / "r1.hea")
    assert str(tmp_path) in str(refusal.value)


def test_a_folder_that_could_be_taken_for_an_address_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "http::x"
    folder.mkdir()
    path = write_record(tmp_path, ["mV"], ["V1"], np.arange(100.0)[:, None])
    for file in (path, tmp_path / "r1.dat"):
        file.rename(folder / file.name)
    with pytest.raises(RecordingError, match="contains '::'"):
        ecg_at(folder / "r1.hea")


def test_a_recording_of_the_ptb_database(realdata: Path) -> None:
    path = realdata / "ecg" / "ptb_s0010_re" / "s0010_re"
    reading = read_ecg_wfdb(path)
    ecg = reading.recording
    assert ecg.lead_names == (*LEAD_NAMES, "X", "Y", "Z")
    assert ecg.signal_mv.shape == (15, 38400)
    assert ecg.sampling_rate_hz == 1000
    assert not reading.notes
    assert len(reading.outcomes) == 3
    np.testing.assert_array_equal(ecg.signal_mv, wfdb.rdrecord(str(path)).p_signal.T.astype(np.float32))
    one, two, three = ecg.leads(("I", "II", "III"))
    np.testing.assert_allclose(two - one, three, atol=2e-3)  # Einthoven: the units agree between leads
    assert 1 < np.abs(ecg.signal_mv).max() < 3


def test_recordings_of_ptb_xl_and_of_the_2021_challenge(realdata: Path) -> None:
    low_rate = ecg_at(realdata / "ecg" / "ptbxl_00001_lr" / "00001_lr.hea")
    assert (low_rate.sampling_rate_hz, low_rate.signal_mv.shape, low_rate.lead_names) == (100, (12, 1000), LEAD_NAMES)
    challenge = ecg_at(realdata / "ecg" / "cinc2021" / "HR06000.mat")
    assert (challenge.sampling_rate_hz, challenge.signal_mv.shape) == (500, (12, 5000))
    for ecg, name in ((low_rate, "ptbxl_00001_lr/00001_lr"), (challenge, "cinc2021/HR06000")):
        stored = wfdb.rdrecord(str(realdata / "ecg" / name)).p_signal
        np.testing.assert_array_equal(ecg.signal_mv, stored.T.astype(np.float32))
        one, two, three, avr = ecg.leads(("I", "II", "III", "aVR"))
        np.testing.assert_allclose(two - one, three, atol=0.011)
        np.testing.assert_allclose(avr, -(one + two) / 2, atol=0.011)
