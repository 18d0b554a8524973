import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from xli_writer import walk, xli_chunk

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_philips import is_ecg_philips, read_ecg_philips
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

RHYTHM, MEDIAN = ReadOptions(ecg_kind="rhythm"), ReadOptions(ecg_kind="median")
PUBLISHED_MIDPOINTS = {
    "129DYPRG.XML": [-9, -17, -7, 13, -1, -12, 0, -1, -3, -4, -7, -6],
    "2020-5-18_15-48-11.xml": [-12, 78, 90, -33, -51, 84, 14, 3, -24, -20, -13, -21],
}
"""Sample 2750 of each lead in steps of 5 uV, from the tests of pysierraecg (sierra-ecg-tools)."""


@pytest.mark.parametrize("name", PUBLISHED_MIDPOINTS)
def test_real_strips_have_the_published_samples(realdata: Path, name: str) -> None:
    path = realdata / "ecg" / "philips" / name
    assert is_ecg_philips(path)
    reading = read_ecg_philips(path, RHYTHM)
    ecg = reading.recording
    assert isinstance(ecg, ECG)
    assert (ecg.lead_names, ecg.sampling_rate_hz) == (LEAD_NAMES, 500)
    np.testing.assert_allclose(ecg.signal_mv[:, 2750] / 0.005, PUBLISHED_MIDPOINTS[name], atol=1e-3)


@pytest.mark.parametrize("name", PUBLISHED_MIDPOINTS)
def test_the_calibration_pulse_of_real_strips_is_cut_off(realdata: Path, name: str) -> None:
    reading = read_ecg_philips(realdata / "ecg" / "philips" / name, RHYTHM)
    assert reading.recording.signal_mv.shape == (12, 5000)
    is_pulse = (np.abs(reading.recording.signal_mv - 1) < 1e-6).all(axis=0)
    assert not is_pulse.any()
    assert "calibration pulse of 1 mV is cut off" in reading.notes[0]


@pytest.mark.parametrize("name", PUBLISHED_MIDPOINTS)
def test_limb_leads_of_real_strips_fit_each_other_within_their_steps(realdata: Path, name: str) -> None:
    ecg = read_ecg_philips(realdata / "ecg" / "philips" / name, RHYTHM).recording
    assert isinstance(ecg, ECG)
    one, two, three, avr, avl, avf = np.rint(ecg.leads()[:6].astype(np.float64) / 0.005)
    assert np.abs(one + three - two).max() <= 2
    assert np.abs(avr + (one + two) / 2).max() <= 1.5
    assert np.abs(avl - (one - three) / 2).max() <= 1.5
    assert np.abs(avf - (two + three) / 2).max() <= 1.5
    assert np.abs(avr + avl + avf).max() <= 2


def test_limb_leads_are_predicted_with_rounding_towards_zero(realdata: Path) -> None:
    """A wrong rounding would add noise of one step; the recovered leads are as smooth as the recorded ones."""
    ecg = read_ecg_philips(realdata / "ecg" / "philips" / "129DYPRG.XML", RHYTHM).recording
    assert isinstance(ecg, ECG)
    steps = np.rint(ecg.leads()[:6].astype(np.float64) / 0.005)
    one, two, three, *augmented = steps
    predictions = (one + two, one - three, two + three)
    signs = (-1, 1, 1)
    for lead, prediction, sign in zip(augmented, predictions, signs, strict=True):
        left_over = sign * np.trunc(prediction / 2) - lead
        other = sign * np.floor(prediction / 2) - left_over
        assert np.abs(np.diff(lead, 2)).mean() < 0.75 * np.abs(np.diff(other, 2)).mean()


def test_a_real_representative_beat_has_its_own_rate_and_onset(realdata: Path) -> None:
    path = realdata / "ecg" / "philips" / "2020-5-18_15-48-11.xml"
    ecg = read_ecg_philips(path).recording
    assert isinstance(ecg, ECG)
    assert (ecg.kind, ecg.signal_mv.shape, ecg.sampling_rate_hz, ecg.qrs_onset_ms) == ("median", (12, 1200), 1000, 505)
    beats = re.findall(r'<repbeat leadname="(\w+)">.*?<waveform[^>]*>([^<]*)<', path.read_text("utf-16"), re.DOTALL)
    for name, data in beats:
        by_hand = np.frombuffer(base64.b64decode(data), dtype="<i2") / 1000
        np.testing.assert_allclose(ecg.leads((name,))[0], by_hand, rtol=1e-6)
    speed = np.abs(np.diff(ecg.signal_mv, axis=1)).sum(axis=0)
    assert speed[450:500].max() < 0.03 < speed[510:520].min()
    rhythm = read_ecg_philips(path, RHYTHM).recording  # the beat is an average of the strip's beats
    assert isinstance(rhythm, ECG)
    for name in ("I", "II", "V1", "V5"):
        peak_mv, strip_mv = np.ptp(ecg.leads((name,))), np.ptp(rhythm.leads((name,)))
        assert 0.7 * strip_mv < peak_mv <= 1.1 * strip_mv


def heart(n_samples: int, n_chest: int = 6) -> dict[str, np.ndarray]:
    """Leads in steps, limb leads one step off what I and II predict here and there."""
    one, two = walk(n_samples, 1), walk(n_samples, 2)
    rounding = np.random.default_rng(0).integers(-1, 2, size=(4, n_samples))
    three = two - one + rounding[0]
    limbs = (three, -(one + two) // 2 + rounding[1], (one - three) // 2 + rounding[2], (two + three) // 2 + rounding[3])
    chest = {f"V{index + 1}": walk(n_samples, 10 + index) for index in range(n_chest)}
    return dict(zip(LEAD_NAMES[:6], (one, two, *limbs), strict=True)) | chest


def with_pulse(lead: np.ndarray) -> np.ndarray:
    """A second more: quiet, 200 ms at 1 mV, quiet."""
    return np.concatenate([lead, np.zeros(350, int), np.full(100, 200), np.zeros(50, int)])


def stored(leads: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What Philips keeps of each lead."""
    one, two, three = leads["I"], leads["II"], leads["III"]
    left_over = {
        "III": two - one - three,
        "aVR": -np.trunc((one + two) / 2) - leads["aVR"],
        "aVL": np.trunc((one - three) / 2) - leads["aVL"],
        "aVF": np.trunc((two + three) / 2) - leads["aVF"],
    }
    return [left_over.get(name, lead).astype(np.int64) for name, lead in leads.items()]


def xli_base64(leads: list[np.ndarray]) -> str:
    return base64.encodebytes(b"".join(map(xli_chunk, leads))).decode()


def philips_xml(
    data: str, n_samples: int = 1500, attributes: str = 'dataencoding="Base64" compression="XLI"', beats: str = ""
) -> str:
    labels = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documenttype>PhilipsECG</documenttype>
<documentversion>1.04</documentversion></documentinfo><dataacquisition><signalcharacteristics>
<samplingrate>500</samplingrate><resolution>5</resolution><acquisitiontype>STD-12</acquisitiontype>
<numberchannelsallocated>12</numberchannelsallocated></signalcharacteristics></dataacquisition><waveforms>
<parsedwaveforms {attributes} numberofleads="12" leadlabels="{labels}" durationperchannel="{n_samples * 2}">{data}
</parsedwaveforms>{beats}</waveforms></restingecgdata>"""


def read(tmp_path: Path, text: str, options: ReadOptions = ANY) -> Reading:
    path = tmp_path / "philips.xml"
    path.write_text(text, "utf-16")
    assert is_ecg_philips(path)
    return read_ecg_philips(path, options)


def test_packed_leads_come_back(tmp_path: Path) -> None:
    leads = heart(1500)
    reading = read(tmp_path, philips_xml(xli_base64(stored(leads))))
    np.testing.assert_allclose(reading.recording.signal_mv, np.stack(list(leads.values())) * 0.005, rtol=1e-6)
    assert reading.notes == ()  # ten seconds without a pulse are left whole


def test_version_1_03_names_things_otherwise_and_carries_empty_channels(tmp_path: Path) -> None:
    leads = {name: with_pulse(lead) for name, lead in heart(1500).items()}
    empty = with_pulse(np.zeros(1500, int))
    text = philips_xml(xli_base64([*stored(leads), *[empty] * 4]), 2000)
    old = re.sub(r'numberofleads="12" leadlabels="[^"]*"', "", text.replace("PhilipsECG", "SierraECG"))
    old = old.replace("1.04<", "1.03<").replace("resolution>", "signalresolution>")
    old = old.replace('compression="XLI"', 'compressflag="True" compressmethod="XLI"')
    for version in (text, old):
        reading = read(tmp_path, version)
        ecg = reading.recording
        assert ecg.lead_names == LEAD_NAMES
        truth = np.stack([lead[:1500] for lead in leads.values()]) * 0.005
        np.testing.assert_allclose(ecg.signal_mv, truth, rtol=1e-6)
        assert "all after 3 s" in reading.notes[0]


def test_a_heart_beat_of_1_mv_is_no_calibration_pulse(tmp_path: Path) -> None:
    leads = heart(1500)
    leads["V3"][1200:1400] = leads["V4"][1200:1400] = 200
    assert read(tmp_path, philips_xml(xli_base64(stored(leads)))).recording.signal_mv.shape == (12, 1500)


def test_packing_without_a_method_is_xli_and_whole_limb_leads_stay_whole(tmp_path: Path) -> None:
    leads = heart(1500)
    text = philips_xml(xli_base64(list(leads.values())), attributes='dataencoding="Base64" compressflag="True"')
    ecg = read(tmp_path, text).recording
    np.testing.assert_allclose(ecg.signal_mv, np.stack(list(leads.values())) * 0.005, rtol=1e-6)


@pytest.mark.parametrize("encoding", ["Plain", "Base64"])
@pytest.mark.parametrize("are_whole", [True, False], ids=["whole limb leads", "limb leads left over"])
def test_files_without_packing(tmp_path: Path, encoding: str, are_whole: bool) -> None:
    leads = heart(1500)
    numbers = np.concatenate(list(leads.values()) if are_whole else stored(leads))
    text = (
        " ".join(map(str, numbers))
        if encoding == "Plain"
        else base64.encodebytes(numbers.astype("<i2").tobytes()).decode()
    )
    for attributes in ('compressflag="False" compressmethod="XLI"', 'compression="Uncompressed"', ""):
        ecg = read(tmp_path, philips_xml(text, attributes=f'dataencoding="{encoding}" {attributes}')).recording
        np.testing.assert_allclose(ecg.signal_mv, np.stack(list(leads.values())) * 0.005, rtol=1e-6)


def test_more_leads_than_twelve(tmp_path: Path) -> None:
    leads = heart(1500) | {name: walk(1500, seed) for seed, name in enumerate(("V7", "V8", "V3R", "V4R"), 50)}
    text = philips_xml(xli_base64(stored(leads))).replace('numberofleads="12"', 'numberofleads="16"')
    ecg = read(tmp_path, text.replace("V5 V6", "V5 V6 V7 V8 V3R V4R")).recording
    assert isinstance(ecg, ECG)
    np.testing.assert_allclose(ecg.leads(tuple(leads)), np.stack(list(leads.values())) * 0.005, rtol=1e-6)


def test_both_spellings_of_representative_beats(tmp_path: Path) -> None:
    beat = {name: walk(1200, 70 + seed).astype("<i2") for seed, name in enumerate(LEAD_NAMES)}
    data = {name: base64.encodebytes(lead.tobytes()).decode() for name, lead in beat.items()}
    short = "".join(
        f'<repbeat leadname="{name}" duration="1200" qonset="505">{text}</repbeat>' for name, text in data.items()
    )
    long = "".join(
        f'<repbeat leadname="{name}"><qonset>505</qonset><waveform duration="1200">{text}</waveform></repbeat>'
        for name, text in data.items()
    )
    for beats in (short, long):
        block = f'<repbeats dataencoding="Base64" samplespersec="1000" resolution="1.0">{beats}</repbeats>'
        ecg = read(tmp_path, philips_xml(xli_base64(stored(heart(1500))), beats=block)).recording
        assert isinstance(ecg, ECG)
        assert (ecg.kind, ecg.qrs_onset_ms, ecg.sampling_rate_hz) == ("median", 505.0, 1000.0)
        np.testing.assert_allclose(ecg.leads(), np.stack(list(beat.values())) / 1000, rtol=1e-6)


BREAKAGES: list[tuple[str, Callable[[str], str], str]] = [
    ("of another vendor", lambda text: text.replace("PhilipsECG", "MortaraECG"), "type MortaraECG, version 1.04"),
    ("of another version", lambda text: text.replace("1.04<", "2.0<"), "version 2.0"),
    ("packed otherwise", lambda text: text.replace('"XLI"', '"Huffman"'), "huffman"),
    ("encoded otherwise", lambda text: text.replace('"Base64"', '"Hex"'), "hex"),
    ("no base64", lambda text: text.replace('12000">', '12000">?'), "damaged"),
    ("flipped", lambda text: text.replace('12000">', '12000">////'), "damaged"),
    ("longer than it is", lambda text: text.replace('"12000"', '"24000"'), "cut short"),
    ("hours long", lambda text: text.replace('"12000"', '"1e15"'), "more than"),
    ("without duration", lambda text: text.replace('"12000"', '""'), "duration"),
    ("at no rate", lambda text: text.replace("samplingrate>500", "samplingrate>0"), "sampling rate"),
    ("at a negative rate", lambda text: text.replace("samplingrate>500", "samplingrate>-1"), "sampling rate"),
    ("at an absurd rate", lambda text: text.replace("samplingrate>500", "samplingrate>0.25"), "more than|per second"),
    ("without resolution", lambda text: text.replace("<resolution>5", "<resolution>"), "resolution"),
    (
        "of nameless leads",
        lambda text: text.replace("leadlabels", "x").replace("STD-12", "MASON"),
        "does not name its leads",
    ),
    ("with a lead twice", lambda text: text.replace("V5 V6", "V5 V5"), "does not name its leads"),
    ("without waveforms", lambda text: text.replace("parsedwaveforms", "waves"), "no waveform"),
    ("cut off", lambda text: text[: len(text) // 2], "not XML"),
    ("another document", lambda text: text.replace("restingecgdata", "resting"), "root resting,"),
    ("a million volts", lambda text: text.replace("<resolution>5", "<resolution>5e9"), "mV"),
]


@pytest.mark.parametrize(("breakage", "reason"), [row[1:] for row in BREAKAGES], ids=[row[0] for row in BREAKAGES])
def test_each_damage_ends_in_one_error_that_names_the_file(
    tmp_path: Path, breakage: Callable[[str], str], reason: str
) -> None:
    path = tmp_path / "broken.xml"
    whole = philips_xml(xli_base64(stored(heart(6000))), 6000)
    path.write_text(breakage(whole), "utf-16")
    with pytest.raises(RecordingError, match=r"broken\.xml") as refusal:
        read_ecg_philips(path)
    assert re.search(reason, str(refusal.value))
