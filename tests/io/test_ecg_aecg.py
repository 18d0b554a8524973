import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_aecg import is_ecg_aecg, read_ecg_aecg
from napari_latent_explorer.io.ecg_dicom import read_ecg_dicom
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

RHYTHM, MEDIAN = ReadOptions(ecg_kind="rhythm"), ReadOptions(ecg_kind="median")
MDC_CODES = tuple(f"MDC_ECG_LEAD_{name.upper()}" for name in LEAD_NAMES)


@pytest.mark.parametrize(("options", "kind", "n_samples"), [(RHYTHM, "rhythm", 5000), (ANY, "median", 599)])
def test_a_real_file_agrees_with_its_text_and_to_the_bit_with_its_dicom(
    realdata: Path, options: ReadOptions, kind: str, n_samples: int
) -> None:
    path = realdata / "ecg" / "hl7_aecg" / "Example.xml"
    assert is_ecg_aecg(path)
    ecg = read_ecg_aecg(path, options).recording
    assert isinstance(ecg, ECG)
    assert (ecg.kind, ecg.signal_mv.shape, ecg.sampling_rate_hz) == (kind, (12, n_samples), 500)
    assert ecg.lead_names == LEAD_NAMES
    texts = re.findall(r'"MDC_ECG_LEAD_(\w+)"[^>]*/>\s*<value.*?<digits>([^<]*)<', path.read_text("utf-8"), re.DOTALL)
    by_hand = dict(texts[:12] if kind == "rhythm" else texts[12:])
    for name, lead in zip(LEAD_NAMES, ecg.signal_mv, strict=True):
        expected = np.array(by_hand[name.upper()].split(), dtype=float) * 2.5 / 1000
        np.testing.assert_array_equal(lead, expected.astype(np.float32))
    dicom = read_ecg_dicom(realdata / "ecg" / "dicom" / "Example.dcm", options).recording
    assert isinstance(dicom, ECG)
    np.testing.assert_array_equal(ecg.signal_mv, dicom.signal_mv)
    assert (ecg.lead_names, ecg.sampling_rate_hz) == (dicom.lead_names, dicom.sampling_rate_hz)


def test_recorded_limb_leads_of_a_real_file_fit_each_other(realdata: Path) -> None:
    ecg = read_ecg_aecg(realdata / "ecg" / "hl7_aecg" / "Example.xml", RHYTHM).recording
    assert isinstance(ecg, ECG)
    one, two, three, avr, avl, avf = ecg.leads()[:6]
    np.testing.assert_allclose(one + three, two, atol=0.0051)
    np.testing.assert_allclose(avr + avl + avf, 0, atol=0.0076)


def test_the_onset_of_a_real_median_is_the_annotated_one(realdata: Path) -> None:
    ecg = read_ecg_aecg(realdata / "ecg" / "hl7_aecg" / "Example.xml", MEDIAN).recording
    assert isinstance(ecg, ECG)
    assert ecg.qrs_onset_ms == 434
    speed = np.abs(np.diff(ecg.signal_mv, axis=1)).sum(axis=0)
    assert speed[200:212].max() < 0.25 * speed[217:240].max()


def digits(n_samples: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {code: rng.integers(-400, 400, size=n_samples) for code in MDC_CODES}


def sequence(code: str, values: np.ndarray, scale: str = '<scale value="2.5" unit="uV"/>') -> str:
    return f"""<component><sequence><code code="{code}" codeSystem="2.16.840.1.113883.6.24"/>
<value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/>{scale}<digits>
{" ".join(map(str, values))}</digits></value></sequence></component>"""


def sequence_set(
    leads: dict[str, np.ndarray], increment: str = 'value="0.002" unit="s"', head: str = 'value="20021122091000.000"'
) -> str:
    time = f"""<component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS"><head {head}/>
<increment {increment}/></value></sequence></component>"""
    return (
        f"<component><sequenceSet>{time}{''.join(sequence(*lead) for lead in leads.items())}</sequenceSet></component>"
    )


def onset(code: str, low: str, boundary: str = "TIME_RELATIVE", more: str = "") -> str:
    return f"""<component><annotation><code code="MDC_ECG_WAVC"/><value xsi:type="CE" code="{code}"/><support>
<supportingROI classCode="ROIBND"><component><boundary><code code="{boundary}"/><value xsi:type="IVL_PQ">
<low value="{low}" unit="ms"/></value></boundary></component>{more}</supportingROI></support></annotation>
</component>"""


def derived(leads: dict[str, np.ndarray], annotations: str = "", head: str = 'value="0" unit="s"') -> str:
    return f"""<derivation><derivedSeries><code code="REPRESENTATIVE_BEAT"/>{sequence_set(leads, head=head)}<subjectOf>
<annotationSet>{annotations}</annotationSet></subjectOf></derivedSeries></derivation>"""


def aecg_xml(sets: str, derivation: str = "", code: str = "RHYTHM") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="Observation">
<component><series><code code="{code}"/>{sets}{derivation}</series></component></AnnotatedECG>"""


def read(tmp_path: Path, text: str, options: ReadOptions = ANY) -> Reading:
    path = tmp_path / "annotated.xml"
    path.write_text(text, "utf-8")
    assert is_ecg_aecg(path)
    return read_ecg_aecg(path, options)


def in_mv(leads: dict[str, np.ndarray], uv_per_digit: float = 2.5) -> np.ndarray:
    return np.stack(list(leads.values())) * uv_per_digit / 1000


def test_rhythm_and_representative_beat(tmp_path: Path) -> None:
    strip, beat = digits(2000), digits(600, seed=1)
    text = aecg_xml(sequence_set(strip), derived(beat))
    for options, truth, kind in ((RHYTHM, strip, "rhythm"), (ANY, beat, "median")):
        ecg = read(tmp_path, text, options).recording
        np.testing.assert_allclose(ecg.signal_mv, in_mv(truth), rtol=1e-6)
        assert (ecg.kind, ecg.lead_names, ecg.sampling_rate_hz) == (kind, LEAD_NAMES, 500)


def test_a_derived_strip_is_a_rhythm_and_a_series_may_be_a_beat(tmp_path: Path) -> None:
    filtered = derived(digits(5000)).replace("REPRESENTATIVE_BEAT", "FILTERED")
    assert read(tmp_path, aecg_xml("", filtered)).recording.kind == "rhythm"
    assert read(tmp_path, aecg_xml(sequence_set(digits(600)), code="MEDIAN_BEAT")).recording.kind == "median"


def test_prefixes_of_any_kind(tmp_path: Path) -> None:
    strip = digits(1000)
    tree = ElementTree.fromstring(aecg_xml(sequence_set(strip)))
    prefixed = ElementTree.tostring(tree, encoding="unicode")
    assert "<ns0:AnnotatedECG" in prefixed
    np.testing.assert_allclose(read(tmp_path, prefixed).recording.signal_mv, in_mv(strip), rtol=1e-6)


@pytest.mark.parametrize(
    ("increment", "rate_hz"),
    [
        ('value="0.002" unit="s"', 500),
        ('value="2" unit="ms"', 500),
        ('value="1000" unit="us"', 1000),
        ('value="3906.25" unit="µs"', 256),
        ('value="0.004"', 250),
    ],
)
def test_time_steps_of_every_unit(tmp_path: Path, increment: str, rate_hz: float) -> None:
    assert read(tmp_path, aecg_xml(sequence_set(digits(2000), increment))).recording.sampling_rate_hz == rate_hz


@pytest.mark.parametrize(
    ("scale", "uv_per_digit"),
    [
        ('value="5" unit="uV"', 5),
        ('value="0.005" unit="mV"', 5),
        ('value="4880" unit="nV"', 4.88),
        ('value="1" unit="µV"', 1),
    ],
)
def test_voltages_of_every_unit(tmp_path: Path, scale: str, uv_per_digit: float) -> None:
    strip = digits(1000)
    text = aecg_xml(sequence_set(strip)).replace('value="2.5" unit="uV"', scale)
    np.testing.assert_allclose(read(tmp_path, text).recording.signal_mv, in_mv(strip, uv_per_digit), rtol=1e-6)


def test_the_origin_is_added_in_its_own_unit(tmp_path: Path) -> None:
    strip = digits(1000)
    text = aecg_xml(sequence_set(strip)).replace('<origin value="0" unit="uV"/>', '<origin value="0.5" unit="mV"/>')
    np.testing.assert_allclose(read(tmp_path, text).recording.signal_mv, in_mv(strip) + 0.5, rtol=1e-5, atol=1e-7)
    none = aecg_xml(sequence_set(strip)).replace('<origin value="0" unit="uV"/>', "")
    np.testing.assert_allclose(read(tmp_path, none).recording.signal_mv, in_mv(strip), rtol=1e-6)


def test_what_is_no_voltage_is_left_out(tmp_path: Path) -> None:
    strip = digits(1000)
    extra = sequence("MORTARA_ECG_LEAD_TEA", np.arange(1000), '<scale value="1"/>')
    text = aecg_xml(sequence_set(strip).replace("</sequenceSet>", f"{extra}</sequenceSet>"))
    reading = read(tmp_path, text)
    assert reading.recording.lead_names == LEAD_NAMES
    assert "TEA has no voltage" in reading.notes[0]


def test_an_inverted_avr_and_other_spellings(tmp_path: Path) -> None:
    strip = digits(1000)
    text = aecg_xml(sequence_set(strip)).replace("LEAD_AVL", "LEAD_aVL").replace("LEAD_AVR", "LEAD_AVRneg")
    ecg = read(tmp_path, text).recording
    assert isinstance(ecg, ECG)
    np.testing.assert_allclose(ecg.leads(("aVR",))[0], -strip["MDC_ECG_LEAD_AVR"] * 0.0025, rtol=1e-6)
    np.testing.assert_allclose(ecg.leads(("aVL",))[0], strip["MDC_ECG_LEAD_AVL"] * 0.0025, rtol=1e-6)


def test_sets_of_the_same_moments_are_put_together_and_others_are_not(tmp_path: Path) -> None:
    strip = list(digits(1000).items())
    halves = [dict(strip[:6]), dict(strip[6:])]
    together = aecg_xml("".join(sequence_set(half) for half in halves))
    np.testing.assert_allclose(read(tmp_path, together).recording.signal_mv, in_mv(dict(strip)), rtol=1e-6)
    later = aecg_xml(sequence_set(halves[0]) + sequence_set(halves[1], head='value="20021122091002.500"'))
    reading = read(tmp_path, later)
    assert reading.recording.lead_names == LEAD_NAMES[:6]
    assert {
        "The file lacks lead V1, V2, V3, V4, V5, V6.",
        "The file holds 2 rhythm strips; one of them is read.",
    } <= set(reading.notes)


def test_a_lead_that_is_written_twice_alike_is_taken_once(tmp_path: Path) -> None:
    strip = digits(1000)
    again = sequence(MDC_CODES[0], strip[MDC_CODES[0]])
    text = aecg_xml(sequence_set(strip).replace("</sequenceSet>", f"{again}</sequenceSet>"))
    assert read(tmp_path, text).recording.signal_mv.shape == (12, 1000)


@pytest.mark.parametrize(
    ("annotations", "head", "onset_ms"),
    [
        (onset("MDC_ECG_WAVC_QRSWAVE", "434"), 'value="0" unit="s"', 434.0),
        (onset("MDC_ECG_WAVC_QRSWAVE", "434"), 'value="0.1" unit="s"', 334.0),
        (onset("MDC_ECG_WAVC_QRSWAVE", "434"), 'value="-100" unit="ms"', 534.0),
        (onset("MDC_ECG_WAVC_PWAVE", "286") + onset("MDC_ECG_WAVC_QRSWAVE", "434"), "", 434.0),
        (onset("MDC_ECG_WAVC_QRSWAVE", "5000"), "", None),
        (onset("MDC_ECG_WAVC_QRSWAVE", "434", boundary="TIME_ABSOLUTE"), "", None),
        (
            onset(
                "MDC_ECG_WAVC_QRSWAVE",
                "440",
                more='<component><boundary><code code="MDC_ECG_LEAD_V1"/></boundary></component>',
            ),
            "",
            None,
        ),
        ("", "", None),
    ],
)
def test_the_onset_is_the_annotated_begin_of_the_qrs_complex(
    tmp_path: Path, annotations: str, head: str, onset_ms: float | None
) -> None:
    ecg = read(tmp_path, aecg_xml("", derived(digits(600), annotations, head))).recording
    assert ecg.qrs_onset_ms == onset_ms


@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (lambda text: re.sub("<increment[^>]*>", "", text), "time between two samples"),
        (lambda text: text.replace('value="0.002" unit="s"', 'value="0.002" unit="tick"'), "time between two samples"),
        (lambda text: text.replace('value="0.002"', 'value="0"'), "time between two samples"),
        (lambda text: text.replace('value="0.002"', 'value="-0.002"'), "time between two samples"),
        (lambda text: text.replace('value="0.002"', 'value="1e-300"'), "samples per second"),
        (lambda text: text.replace('value="0.002"', 'value="2"'), "samples per second"),
        (lambda text: text.replace("TIME_ABSOLUTE", "SPACE"), "without a time sequence"),
        (lambda text: text.replace('value="2.5" unit="uV"', 'value="2.5"'), "no scale and origin"),
        (lambda text: text.replace('value="2.5" unit="uV"', 'value="2.5" unit="mmHg"'), "no scale and origin"),
        (lambda text: text.replace("<digits>\n", "<digits>\nx "), "not all numbers"),
        (lambda text: text.replace("<digits>\n", "<digits>\n0 ", 1), "differ in length"),
        (lambda text: text.replace("LEAD_II<", "LEAD_I<").replace('LEAD_II"', 'LEAD_I"'), "twice"),
        (lambda text: re.sub("<digits>[^<]*", "<digits>", text), "no samples"),
        (lambda text: text.replace("<digits>", "<numbers>").replace("</digits>", "</numbers>"), "no waveform"),
        (lambda text: text.replace('value="2.5"', 'value="1e9"'), "mV"),
        (lambda text: text[:2000], "not XML"),
        (lambda text: text.replace("AnnotatedECG", "ClinicalDocument"), "root ClinicalDocument,"),
    ],
)
def test_each_damage_ends_in_one_error_that_names_the_file(
    tmp_path: Path, breakage: Callable[[str], str], reason: str
) -> None:
    path = tmp_path / "broken.xml"
    path.write_text(breakage(aecg_xml(sequence_set(digits(1000)))), "utf-8")
    with pytest.raises(RecordingError, match=r"broken\.xml") as refusal:
        read_ecg_aecg(path)
    assert reason in str(refusal.value)
