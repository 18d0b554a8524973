import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from cardiosoft_writer import as_written, write_cardiosoft_xml

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_cardiosoft import is_ecg_cardiosoft, read_ecg_cardiosoft
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

MEDIAN, RHYTHM = ReadOptions(ecg_kind="median"), ReadOptions(ecg_kind="rhythm")


def heart(n_samples: int, seed: int = 0) -> np.ndarray:
    """Twelve leads in mV that obey Einthoven and Goldberger, whole steps of 5 uV in I and II, even ones."""
    noise = np.random.default_rng(seed).normal(size=(8, n_samples)).cumsum(axis=1)
    one, two, *chest = np.rint(noise * 20) * 0.01
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.stack([*limbs, *chest]).astype(np.float32)


@pytest.fixture(scope="module")
def median() -> ECG:
    return ECG(heart(600), LEAD_NAMES, 500.0, "median", 437.0)


@pytest.fixture(scope="module")
def rhythm() -> ECG:
    return ECG(heart(5000, seed=1), LEAD_NAMES, 500.0, "rhythm")


def read(tmp_path: Path, content: bytes, options: ReadOptions = ANY) -> Reading:
    path = tmp_path / "1000001_20205_2_0.xml"
    path.write_bytes(content)
    assert is_ecg_cardiosoft(path)
    return read_ecg_cardiosoft(path, options)


def test_both_parts_come_back_equal(tmp_path: Path, median: ECG, rhythm: ECG) -> None:
    content = write_cardiosoft_xml(median, rhythm)
    for wish, truth in ((ANY, median), (MEDIAN, median), (RHYTHM, rhythm)):
        reading = read(tmp_path, content, wish)
        ecg = reading.recording
        assert isinstance(ecg, ECG)
        np.testing.assert_array_equal(ecg.signal_mv, as_written(truth).signal_mv)
        np.testing.assert_allclose(ecg.signal_mv, truth.signal_mv, atol=0.0026)
        assert (ecg.kind, ecg.qrs_onset_ms, ecg.lead_names) == (truth.kind, truth.qrs_onset_ms, LEAD_NAMES)
        assert ecg.sampling_rate_hz == 500
        assert [outcome.is_used for outcome in reading.outcomes] == [True]


def test_the_writer_writes_what_the_format_asks_for(median: ECG, rhythm: ECG) -> None:
    content = write_cardiosoft_xml(median, rhythm, participant_id="<7>")
    assert content.startswith(b'<?xml version="1.0" encoding="ISO8859-1"?>')
    root = ElementTree.fromstring(content.replace(b"ISO8859-1", b"ISO-8859-1"))
    assert root.findtext("PatientInfo/PID") == "<7>"
    assert root.findtext("RestingECGMeasurements/QOnset") == "437"
    block = root.find("RestingECGMeasurements/MedianSamples")
    assert block is not None
    assert [data.attrib["lead"] for data in block.iter("WaveformData")] == list(LEAD_NAMES)
    texts = [data.text or "" for data in root.iter("WaveformData")]
    assert all(text.startswith("\t") and "\n" in text and "." not in text for text in texts)
    steps = np.array(texts[0].split(","), dtype=np.int64)  # numpy and Python pass over white space around a number
    np.testing.assert_allclose(steps * 0.005, median.signal_mv[0], atol=0.0026)


def test_samples_that_the_device_calls_invalid_stay_and_are_noted(tmp_path: Path, median: ECG) -> None:
    reading = read(tmp_path, write_cardiosoft_xml(median))
    assert reading.recording.signal_mv.shape == (12, 600)
    assert "samples 0 to 593 of 600 valid" in reading.notes[0]
    assert read(tmp_path, write_cardiosoft_xml(median, last_valid=599)).notes == ()


@pytest.mark.parametrize(
    ("resolution", "scale"),
    [('"uVperLsb">5', 1.0), ('"uVperLsb">2.5', 0.5), ('"UVPERLSB">5', 1.0), ('"mVperLsb">0.01', 2.0)],
)
def test_the_size_of_a_step_is_the_stated_one(tmp_path: Path, median: ECG, resolution: str, scale: float) -> None:
    content = write_cardiosoft_xml(median).replace(b'"uVperLsb">5', resolution.encode())
    expected = as_written(median).signal_mv * np.float32(scale)
    np.testing.assert_allclose(read(tmp_path, content).recording.signal_mv, expected, rtol=1e-6)


def test_leads_in_capitals_and_in_any_order(tmp_path: Path, median: ECG) -> None:
    shuffled = tuple(reversed(LEAD_NAMES))
    content = write_cardiosoft_xml(median, lead_names=shuffled).replace(b'"aV', b'"AV')
    ecg = read(tmp_path, content).recording
    np.testing.assert_array_equal(ecg.signal_mv, as_written(median).signal_mv)


def test_missing_limb_leads_are_computed_and_missing_chest_leads_named(
    tmp_path: Path, median: ECG, rhythm: ECG
) -> None:
    eight = tuple(name for name in LEAD_NAMES if name not in ("III", "aVR", "aVL", "aVF"))
    reading = read(tmp_path, write_cardiosoft_xml(median, lead_names=eight))
    assert isinstance(reading.recording, ECG)
    np.testing.assert_allclose(reading.recording.leads(), median.signal_mv, atol=0.008)
    assert "III, aVR, aVL, aVF are computed from I and II" in " ".join(reading.notes)
    lacking = read(tmp_path, write_cardiosoft_xml(median, rhythm, lead_names=LEAD_NAMES[:-1]))
    assert "lacks lead V6" in " ".join(lacking.notes)


def test_an_empty_lead_makes_way_for_the_strip(tmp_path: Path, median: ECG, rhythm: ECG) -> None:
    content = write_cardiosoft_xml(median, rhythm)
    emptied = re.sub(rb'(<WaveformData lead="V2">)[^<]*', rb"\1\t", content, count=1)
    assert read(tmp_path, emptied).recording.kind == "rhythm"
    asked = read(tmp_path, emptied, MEDIAN)
    assert asked.recording.signal_mv.shape == (11, 600)
    assert {"Lead V2 is empty in the file.", "The file lacks lead V2."} <= set(asked.notes)
    limb = re.sub(rb'(<WaveformData lead="aVL">)[^<]*', rb"\1", content, count=1)
    assert read(tmp_path, limb).recording.signal_mv.shape == (12, 600)


def test_old_versions_hold_a_strip_only_and_put_it_deeper(tmp_path: Path, rhythm: ECG) -> None:
    content = write_cardiosoft_xml(None, rhythm)
    deeper = content.replace(b"<StripData>", b"<Strip><StripData>").replace(b"</StripData>", b"</StripData></Strip>")
    for version in (content, deeper):
        ecg = read(tmp_path, version).recording
        assert ecg.kind == "rhythm"
        np.testing.assert_array_equal(ecg.signal_mv, as_written(rhythm).signal_mv)
    with pytest.raises(RecordingError, match="holds a rhythm strip, not a median beat"):
        read(tmp_path, content, MEDIAN)


@pytest.mark.parametrize("order", ["second by second", "sample by sample"])
def test_full_disclosure_alone_is_read_in_the_order_in_which_it_makes_sense(
    tmp_path: Path, rhythm: ECG, order: str
) -> None:
    steps = np.rint(as_written(rhythm).signal_mv * 200).astype(int)
    listed = steps.reshape(12, 10, 500).transpose(1, 0, 2) if order == "second by second" else steps.T
    text = "\t" + ",\n\t\t".join(",".join(map(str, row)) for row in listed.reshape(-1, 500)) + ","
    full = f"""<FullDisclosure><StartTime><Minute>0</Minute></StartTime><NumberOfChannels>12</NumberOfChannels>
<SampleRate units="Hz">500</SampleRate><Resolution units="uVperLsb">5</Resolution>
<LeadOrder>{",".join(LEAD_NAMES)}</LeadOrder><FullDisclosureData>{text}</FullDisclosureData></FullDisclosure>"""
    content = write_cardiosoft_xml(None).replace(b"</CardiologyXML>", full.encode() + b"</CardiologyXML>")
    reading = read(tmp_path, content)
    np.testing.assert_array_equal(reading.recording.signal_mv, as_written(rhythm).signal_mv)
    assert "full disclosure" in reading.notes[0]


def test_an_exercise_ecg_is_refused_for_what_it_is(tmp_path: Path, median: ECG) -> None:
    content = write_cardiosoft_xml(median).replace(b">RestECG<", b">ExerciseECG<")
    with pytest.raises(RecordingError, match=r"ExerciseECG.*field 6025.*field 20205"):
        read(tmp_path, content)
    untyped = content.replace(b"<ObservationType>ExerciseECG</ObservationType>", b"<ExerciseMeasurements/>")
    with pytest.raises(RecordingError, match="field 6025"):
        read(tmp_path, untyped)


@pytest.mark.parametrize("onset", ["", "-3", "1200", "2000", "soon"])
def test_an_onset_outside_the_beat_is_none(tmp_path: Path, median: ECG, onset: str) -> None:
    content = write_cardiosoft_xml(median).replace(b'QOnset units="ms">437', f'QOnset units="ms">{onset}'.encode())
    assert read(tmp_path, content).recording.qrs_onset_ms is None


BREAKAGES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("resolution in volts", lambda content: content.replace(b"uVperLsb", b"parsec"), "resolution"),
    ("no resolution", lambda content: content.replace(b"Resolution", b"Rs"), "resolution"),
    ("negative resolution", lambda content: content.replace(b'"uVperLsb">5', b'"uVperLsb">-5'), "resolution"),
    ("no rate", lambda content: content.replace(b"SampleRate", b"Sr"), "sampling rate"),
    ("rate in kHz", lambda content: content.replace(b'"Hz">500', b'"kHz">500'), "sampling rate"),
    ("zero rate", lambda content: content.replace(b'"Hz">500', b'"Hz">0'), "samples per second"),
    ("negative rate", lambda content: content.replace(b'"Hz">500', b'"Hz">-500'), "samples per second"),
    ("a letter", lambda content: content.replace(b'lead="I">\t', b'lead="I">\tx'), "numbers"),
    ("a blank", lambda content: content.replace(b",\n\t", b",,\n\t", 1), "numbers"),
    ("a sample too many", lambda content: content.replace(b'lead="I">\t', b'lead="I">\t0,'), "differ in length"),
    ("another count", lambda content: content.replace(b"Total>600", b"Total>601"), "announces 601"),
    ("a lead twice", lambda content: content.replace(b'lead="II"', b'lead="I"'), "twice"),
    ("a lead twice in two spellings", lambda content: content.replace(b'lead="II"', b'lead="i"'), "more than once"),
    ("a million volts", lambda content: content.replace(b'"uVperLsb">5', b'"uVperLsb">5e9'), "mV"),
    (
        "no waveforms",
        lambda content: re.sub(rb"<WaveformData.*?</WaveformData>", b"", content, flags=re.S),
        "no waveform",
    ),
    ("cut short", lambda content: content[: len(content) // 2], "not XML"),
    ("another document", lambda content: content.replace(b"CardiologyXML", b"Cardiology"), "root Cardiology,"),
]


@pytest.mark.parametrize(("breakage", "reason"), [row[1:] for row in BREAKAGES], ids=[row[0] for row in BREAKAGES])
def test_each_damage_ends_in_one_error_that_names_the_file(
    tmp_path: Path, median: ECG, breakage: Callable[[bytes], bytes], reason: str
) -> None:
    path = tmp_path / "broken.xml"
    path.write_bytes(breakage(write_cardiosoft_xml(median)))
    with pytest.raises(RecordingError, match=r"broken\.xml") as refusal:
        read_ecg_cardiosoft(path)
    assert reason in str(refusal.value)
