import base64
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_muse import is_ecg_muse, read_ecg_muse
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

MEDIAN, RHYTHM = ReadOptions(ecg_kind="median"), ReadOptions(ecg_kind="rhythm")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def steps(n_leads: int, n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-300, 300, size=(n_leads, n_samples)).astype("<i2")


def lead_xml(name: str, samples: np.ndarray) -> str:
    data = base64.encodebytes(samples.tobytes()).decode()
    return f"""<LeadData><LeadByteCountTotal>{samples.nbytes}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset>
<LeadSampleCountTotal>{len(samples)}</LeadSampleCountTotal><LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>
<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{name}</LeadID>
<LeadOffsetFirstSample>0</LeadOffsetFirstSample><FirstSampleBaseline>0</FirstSampleBaseline>
<LeadSampleSize>2</LeadSampleSize><LeadDataCRC32>{zlib.crc32(samples.tobytes())}</LeadDataCRC32>
<WaveFormData>
{data}   </WaveFormData></LeadData>"""


def waveform_xml(kind: str, samples: np.ndarray, names: tuple[str, ...] = EIGHT) -> str:
    leads = "".join(lead_xml(name, row) for name, row in zip(names, samples, strict=True))
    return f"""<Waveform><WaveformType>{kind}</WaveformType><NumberofLeads>{len(names)}</NumberofLeads>
<SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>{leads}</Waveform>"""


def muse_xml(*waveforms: str) -> str:
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE RestingECG SYSTEM "restecg.dtd">
<RestingECG><PatientDemographics><PatientLastName>M\xfcller</PatientLastName></PatientDemographics>
<RestingECGMeasurements><QOnset>219</QOnset><ECGSampleBase>500</ECGSampleBase>
<ECGSampleExponent>0</ECGSampleExponent></RestingECGMeasurements>{"".join(waveforms)}</RestingECG>"""


def read(tmp_path: Path, text: str, options: ReadOptions = ANY) -> Reading:
    path = tmp_path / "muse.xml"
    path.write_bytes(text.encode("iso-8859-1"))
    assert is_ecg_muse(path)
    return read_ecg_muse(path, options)


@pytest.mark.parametrize(("options", "kind", "n_samples"), [(RHYTHM, "Rhythm", 5000), (ANY, "Median", 600)])
def test_a_real_file_agrees_with_a_decoding_by_hand(
    realdata: Path, options: ReadOptions, kind: str, n_samples: int
) -> None:
    path = realdata / "ecg" / "ge_muse" / "musePHI_ecg1.xml"
    reading = read_ecg_muse(path, options)
    ecg = reading.recording
    assert isinstance(ecg, ECG)
    assert (ecg.signal_mv.shape, ecg.sampling_rate_hz, ecg.lead_names) == ((12, n_samples), 500, LEAD_NAMES)
    text = path.read_text("iso-8859-1").partition(f"<WaveformType>{kind}<")[2].partition("</Waveform>")[0]
    names = re.findall(r"<LeadID>(\w+)<", text)
    assert names == list(EIGHT)
    for name, data in zip(names, re.findall(r"<WaveFormData>([^<]*)<", text), strict=True):
        by_hand = np.frombuffer(base64.b64decode(data), dtype="<i2") * 4.88e-3
        np.testing.assert_allclose(ecg.leads((name,))[0], by_hand, rtol=1e-6)
    one, two, three, avr, avl, avf = ecg.leads()[:6].astype(np.float64)
    np.testing.assert_allclose(one + three, two, atol=1e-6)
    np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-6)
    np.testing.assert_allclose(avr, -(one + two) / 2, atol=1e-6)
    assert reading.notes == ("Leads III, aVR, aVL, aVF are computed from I and II.",)


def test_the_onset_of_a_real_median_is_where_its_qrs_complex_begins(realdata: Path) -> None:
    ecg = read_ecg_muse(realdata / "ecg" / "ge_muse" / "musePHI_ecg1.xml").recording
    assert isinstance(ecg, ECG)
    assert ecg.qrs_onset_ms == 438.0  # sample 219 of 500 per second
    speed = np.abs(np.diff(ecg.signal_mv, axis=1)).sum(axis=0)
    assert speed[200:214].max() < 0.03 < speed[219:224].min()


def test_median_and_rhythm_are_told_apart_in_any_order(tmp_path: Path) -> None:
    median, rhythm = steps(8, 600), steps(8, 5000, seed=1)
    for waveforms in (("Median", median, "Rhythm", rhythm), ("Rhythm", rhythm, "Median", median)):
        text = muse_xml(waveform_xml(*waveforms[:2]), waveform_xml(*waveforms[2:]))
        for options, truth, onset_ms in ((ANY, median, 438.0), (MEDIAN, median, 438.0), (RHYTHM, rhythm, None)):
            ecg = read(tmp_path, text, options).recording
            np.testing.assert_allclose(ecg.leads(EIGHT), truth * 4.88e-3, rtol=1e-6)
            assert ecg.qrs_onset_ms == onset_ms


def test_a_file_without_a_median_gives_its_rhythm(tmp_path: Path) -> None:
    text = muse_xml(waveform_xml("Rhythm", steps(8, 5000)))
    assert read(tmp_path, text).recording.kind == "rhythm"
    with pytest.raises(RecordingError, match="not a median beat"):
        read(tmp_path, text, MEDIAN)


def test_stored_limb_leads_are_not_computed(tmp_path: Path) -> None:
    names = ("I", "II", "III", "AVR", "aVL", "aVF", *EIGHT[2:], "V3R")
    samples = steps(13, 500)
    reading = read(tmp_path, muse_xml(waveform_xml("Rhythm", samples, names)))
    np.testing.assert_allclose(reading.recording.leads((*LEAD_NAMES, "V3R")), samples * 4.88e-3, rtol=1e-6)
    assert reading.notes == ()


def test_missing_samples_are_the_lowest_number(tmp_path: Path) -> None:
    samples = steps(8, 500)
    samples[:, -7:] = -32768
    samples[2, 100:102] = -32768
    reading = read(tmp_path, muse_xml(waveform_xml("Rhythm", samples)))
    assert reading.recording.signal_mv.shape == (12, 493)
    assert np.abs(reading.recording.signal_mv).max() < 10
    assert any("V1" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("old", "new", "scale"),
    [
        ("<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>", "", 1.0),
        ("4.88", "4,88", 1.0),
        (">MICROVOLTS<", ">MILLIVOLTS<", 1000.0),
        ("4.88", "2.44", 0.5),
    ],
)
def test_the_unit_is_the_stated_one(tmp_path: Path, old: str, new: str, scale: float) -> None:
    samples = steps(8, 500) // 10
    ecg = read(tmp_path, muse_xml(waveform_xml("Rhythm", samples)).replace(old, new)).recording
    np.testing.assert_allclose(ecg.leads(EIGHT), samples * 4.88e-3 * scale, rtol=1e-6)


def test_rates_with_an_exponent(tmp_path: Path) -> None:
    text = muse_xml(waveform_xml("Median", steps(8, 600)))
    text = text.replace(
        "<SampleBase>500</SampleBase><SampleExponent>0<", "<SampleBase>5</SampleBase><SampleExponent>2<"
    )
    assert read(tmp_path, text).recording.sampling_rate_hz == 500
    slow = text.replace("<ECGSampleBase>500<", "<ECGSampleBase>250<")
    assert read(tmp_path, slow).recording.qrs_onset_ms == 876


def test_a_checksum_that_does_not_fit_is_noted(tmp_path: Path) -> None:
    text = re.sub(r"<LeadDataCRC32>\d+", "<LeadDataCRC32>5", muse_xml(waveform_xml("Rhythm", steps(8, 500))), count=1)
    assert "The checksum of lead I does not fit" in " ".join(read(tmp_path, text).notes)


def test_offsets_of_all_leads_alike_are_noted_and_different_ones_refused(tmp_path: Path) -> None:
    text = muse_xml(waveform_xml("Rhythm", steps(8, 500)))
    shifted = text.replace("<LeadTimeOffset>0", "<LeadTimeOffset>250")
    assert "LeadTimeOffset is 250 for every lead" in " ".join(read(tmp_path, shifted).notes)
    with pytest.raises(RecordingError, match="different values of LeadTimeOffset"):
        read(tmp_path, text.replace("<LeadTimeOffset>0", "<LeadTimeOffset>250", 1))


@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (lambda text: text.replace("<WaveFormData>\n", "<WaveFormData>\n!"), "base64"),
        (lambda text: text.replace("<LeadSampleSize>2", "<LeadSampleSize>3"), "base64"),
        (lambda text: text.replace("<LeadSampleSize>2", "<LeadSampleSize>1e300"), "base64"),
        (lambda text: text.replace("CountTotal>500", "CountTotal>501"), "announces 501"),
        (lambda text: text.replace("4.88", "many"), "MICROVOLTS"),
        (lambda text: text.replace("4.88", "-4.88"), "MICROVOLTS"),
        (lambda text: text.replace("MICROVOLTS", "PARSECS"), "PARSEC"),
        (lambda text: text.replace("<SampleBase>500", "<SampleBase>"), "SampleBase"),
        (lambda text: text.replace("<SampleBase>500", "<SampleBase>0"), "samples per second"),
        (lambda text: text.replace("<SampleExponent>0", "<SampleExponent>9"), "samples per second"),
        (lambda text: text.replace("<LeadID>II<", "<LeadID>I<"), "twice"),
        (lambda text: text.replace("<LeadID>II<", "<LeadID><"), "without a name"),
        (lambda text: text.replace("<LeadID>II<", "<LeadID>i<"), "more than once"),
        (lambda text: re.sub("<WaveFormData>[^<]*", "<WaveFormData>", text), "empty"),
        (lambda text: re.sub("<Waveform>.*</Waveform>", "", text, flags=re.DOTALL), "no waveform"),
        (lambda text: text.replace("4.88", "4e9"), "mV"),
        (lambda text: text[:3000], "not XML"),
        (lambda text: text.replace("RestingECG", "Sapphire"), "document type"),
        (
            lambda text: text.replace('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', "").replace("RestingECG", "X"),
            "root X,",
        ),
    ],
)
def test_each_damage_ends_in_one_error_that_names_the_file(
    tmp_path: Path, breakage: Callable[[str], str], reason: str
) -> None:
    path = tmp_path / "broken.xml"
    path.write_bytes(breakage(muse_xml(waveform_xml("Rhythm", steps(8, 500)))).encode("iso-8859-1"))
    with pytest.raises(RecordingError, match=r"broken\.xml") as refusal:
        read_ecg_muse(path)
    assert reason in str(refusal.value)
