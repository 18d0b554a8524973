import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_text import is_ecg_text, read_ecg_text
from napari_latent_explorer.io.reading import ReadOptions

RNG = np.random.default_rng(0)
SIGNAL = np.round(RNG.normal(size=(1500, 8)), 4)
EIGHT = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]


def write(path: Path, content: str, encoding: str = "utf-8", **facts: object) -> Path:
    path.write_text(content, encoding=encoding)
    if facts:
        path.with_suffix(".json").write_text(json.dumps(facts))
    return path


def table(names: list[str] = EIGHT, sep: str = ",", decimal: str = ".", signal: np.ndarray = SIGNAL) -> str:
    return str(pd.DataFrame(signal, columns=names).to_csv(sep=sep, decimal=decimal, index=False))


def ecg_at(path: Path) -> ECG:
    assert is_ecg_text(path)
    recording = read_ecg_text(path).recording
    assert isinstance(recording, ECG)
    return recording


@pytest.mark.parametrize(("sep", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")])
def test_separators_and_decimal_commas(tmp_path: Path, sep: str, decimal: str) -> None:
    content = "# sampling_rate_hz: 500\n# unit = mV\n" + table(sep=sep, decimal=decimal)
    ecg = ecg_at(write(tmp_path / "a.txt", content))
    assert (ecg.sampling_rate_hz, ecg.kind, ecg.lead_names) == (500, "rhythm", LEAD_NAMES)
    np.testing.assert_allclose(ecg.leads(tuple(EIGHT)), SIGNAL.T, rtol=1e-6)
    np.testing.assert_allclose(ecg.leads(("III",))[0], SIGNAL[:, 1] - SIGNAL[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "per_ms", "rate_hz"),
    [("time_ms", 1.0, 500), ("Time [s]", 1e-3, 500), ("time_s", 1e-3, 300), ("ms", 1.0, 360), ("time (ms)", 1.0, 128)],
)
def test_the_rate_comes_from_a_column_of_times(tmp_path: Path, name: str, per_ms: float, rate_hz: float) -> None:
    times = np.round(np.arange(1500) * 1000 / rate_hz, 0 if rate_hz == 500 else 3) * per_ms
    names = [name, *(f"{lead} (uV)" for lead in EIGHT)]
    ecg = ecg_at(write(tmp_path / "a.csv", table(names, signal=np.column_stack([times, SIGNAL * 1000]))))
    assert ecg.sampling_rate_hz == pytest.approx(rate_hz)
    np.testing.assert_allclose(ecg.leads(tuple(EIGHT)), SIGNAL.T, rtol=1e-5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_units_of_columns_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    names = ["i [µV]", "ii_mV", "Lead V1 (V)", "V2", "V3", "V4", "V5", "V6"]
    content = "# fs: 500 Hz\n# unit: 5 uV\n" + table(names, signal=SIGNAL / 100)
    ecg = ecg_at(write(tmp_path / "a.csv", content, encoding))
    scale = np.array([1e-3, 1, 1e3, 5e-3, 5e-3, 5e-3, 5e-3, 5e-3])[:, None]
    np.testing.assert_allclose(ecg.leads(tuple(EIGHT)), SIGNAL.T / 100 * scale, rtol=1e-5)


def test_facts_may_lie_beside_the_table(tmp_path: Path) -> None:
    facts = {"sampling_rate_hz": 500, "unit": "uV", "kind": "median", "qrs_onset_ms": 435}
    path = write(tmp_path / "a.csv", table(["I", "II", *EIGHT[2:]], signal=SIGNAL[:600]), **facts)
    reading = read_ecg_text(path)
    ecg = reading.recording
    assert (ecg.kind, ecg.qrs_onset_ms, ecg.sampling_rate_hz) == ("median", 435, 500)
    np.testing.assert_allclose(ecg.leads(("V6",))[0], SIGNAL[:600, 7] / 1000, rtol=1e-5)
    assert [Path(one.file).name for one in reading.outcomes] == ["a.csv", "a.json"]
    with pytest.raises(RecordingError, match="holds a median beat, not a rhythm strip"):
        read_ecg_text(path, ReadOptions(ecg_kind="rhythm"))


def test_what_is_stated_nowhere_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", table())
    assert is_ecg_text(path)
    with pytest.raises(
        RecordingError, match=r'a\.json, with the true values: \{"sampling_rate_hz": 500, "unit": "mV"\}'
    ):
        read_ecg_text(path)
    path = write(tmp_path / "b.csv", "# unit: mV\n" + table())
    with pytest.raises(RecordingError, match=r'true values: \{"sampling_rate_hz": 500\}'):
        read_ecg_text(path)
    path = write(tmp_path / "c.csv", "# unit: mV\n# fs: 500\n" + table(signal=SIGNAL[:600]))
    with pytest.raises(RecordingError, match="lasts 1200 ms; it may be a strip or a median beat"):
        read_ecg_text(path)


def test_empty_cells_are_missing_samples(tmp_path: Path) -> None:
    signal = SIGNAL.copy()
    signal[700:705, 3] = np.nan
    content = "# fs: 500\n# unit: mV\n" + table(signal=signal)
    reading = read_ecg_text(write(tmp_path / "a.csv", content))
    assert "Missing samples are bridged by straight lines: V2 5." in reading.notes


TABLES = [
    "eid,sex,age,I,II\n1,0,45,2,3\n2,1,50,1,2\n",
    "V1,V2,V3,V4\n1,2,3,4\n2,3,4,5\n",  # a table of R without names
    "time,status,V1,V2,V3\n1,0,2,3,4\n",
    "participant,I (mV),II (mV)\n1,0.1,0.2\n",
    "time_ms,lvef\n0,55\n2,56\n",
    "I,II,V1,V2,V3,V4,V5,V6\nyes,no,yes,no,yes,no,yes,no\n",
    "I,II,V1,V2,V3,V4,V5,V6\n",
    "31-0.0,21003-2.0\n1,45\n",
    "",
    "\n\n\n",
    "# only a comment\n",
]


@pytest.mark.parametrize("content", TABLES)
def test_tables_of_other_things_are_no_ecg(tmp_path: Path, content: str) -> None:
    path = write(tmp_path / "a.csv", content)
    assert not is_ecg_text(path)
    with pytest.raises(RecordingError, match=r"a\.csv"):
        read_ecg_text(path)


GOOD = "# fs: 500\n# unit: mV\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + table() + "1,2,3,4,5,6,7,8,9\n", "not a table of numbers"),
        (GOOD + table() + "1,2,3,4,five,6,7,8\n", "not a table of numbers"),
        (GOOD + table(["I", "I", *EIGHT[2:]]), "Lead I occurs more than once"),
        (GOOD.replace("500", "-1") + table(), "states sampling_rate_hz = '-1'"),
        (GOOD.replace("500", "nan") + table(), "states sampling_rate_hz = 'nan'"),
        (GOOD.replace("mV", "furlong") + table(), "states the unit 'furlong'"),
        (GOOD.replace("mV", "V") + table(), "reaches .* mV; an ECG stays under"),
        (GOOD + "# kind: both\n" + table(), "states kind = 'both'"),
        (GOOD + table(["time_ms", *EIGHT[1:]]), "do not go on in even steps"),
        (
            GOOD + table(["time_s", *EIGHT[:7]], signal=np.column_stack([np.arange(1500) / 250, SIGNAL[:, :7]])),
            "states 500 Hz, its times give 250 Hz",
        ),
        (GOOD + table(signal=np.where(SIGNAL > 0, np.inf, SIGNAL)), "Too many samples .* missing"),
        (GOOD + table(["id", *EIGHT[1:]]), r"\['id'\] are none"),
    ],
)
def test_damaged_tables_are_explained(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(RecordingError, match=message):
        read_ecg_text(path)


@pytest.mark.parametrize("facts", ["[1, 2", "[" * 100_000, "\x00", '{"sampling_rate_hz": [500]}', '{"leads": [1, 2]}'])
def test_a_damaged_sidecar_is_named(tmp_path: Path, facts: str) -> None:
    path = write(tmp_path / "a.csv", table())
    (tmp_path / "a.json").write_text(facts)
    with pytest.raises(RecordingError, match=r"a\.json"):
        read_ecg_text(path)


def test_bytes_that_are_no_text_are_no_ecg(tmp_path: Path) -> None:
    for content in (bytes(range(256)) * 100, b"\xff\xfe\x00", b"I,II\xff\n1,2", b"\x00" * 20_000):
        (tmp_path / "a.csv").write_bytes(content)
        assert not is_ecg_text(tmp_path / "a.csv")
        with pytest.raises(RecordingError, match=r"a\.csv"):
            read_ecg_text(tmp_path / "a.csv")
    for place in (tmp_path, tmp_path / "none.csv", Path("\0"), Path("y" * 5000)):
        assert not is_ecg_text(place)
        with pytest.raises(RecordingError):
            read_ecg_text(place)
