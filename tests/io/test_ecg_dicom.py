from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HemodynamicWaveformStorage,
    ImplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
    generate_uid,
)

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io import ecg_dicom
from napari_latent_explorer.io.ecg_dicom import is_ecg_dicom, read_ecg_dicom
from napari_latent_explorer.io.reading import Reading, ReadOptions

RHYTHM, MEDIAN = ReadOptions(ecg_kind="rhythm"), ReadOptions(ecg_kind="median")
STORED = np.random.default_rng(0).integers(-400, 400, size=(200, 3))


def code(value: str, meaning: str = "") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "X", meaning
    return Sequence([item])


def channel(name: str, unit: str = "uV", **facts: Any) -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = code(name)
    item.ChannelSensitivity, item.ChannelSensitivityUnitsSequence = "2.5", code(unit)
    for key, value in facts.items():
        setattr(item, key, value)
    return item


def group(stored: np.ndarray, channels: list[Dataset], rate_hz: float = 500.0, **facts: Any) -> Dataset:
    item = Dataset()
    item.WaveformOriginality = "ORIGINAL"
    item.NumberOfWaveformSamples, item.NumberOfWaveformChannels = stored.shape
    item.SamplingFrequency = str(rate_hz)
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = 16, "SS"
    item.ChannelDefinitionSequence = Sequence(channels)
    item.WaveformData = stored.astype("<i2").tobytes()
    item["WaveformData"].VR = "OW"
    for key, value in facts.items():
        setattr(item, key, value)
    return item


def write(
    path: Path,
    groups: list[Dataset],
    sop_class: str = TwelveLeadECGWaveformStorage,
    syntax: str = ExplicitVRLittleEndian,
    **facts: Any,
) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(entropy_srcs=["ecg"])
    dataset.Modality = "ECG"
    for key, value in facts.items():
        setattr(dataset, key, value)
    dataset.WaveformSequence = Sequence(groups)
    dataset.save_as(path, enforce_file_format=True)
    return path


def three(unit: str = "uV", **facts: Any) -> list[Dataset]:
    return [channel(name, unit, **facts) for name in ("V1", "V2", "V3")]


def read(path: Path, options: ReadOptions = RHYTHM) -> tuple[ECG, Reading]:
    reading = read_ecg_dicom(path, options)
    assert isinstance(reading.recording, ECG)
    return reading.recording, reading


@pytest.mark.parametrize(("unit", "per_uv"), [("uV", 1.0), ("mV", 1e3), ("V", 1e6), ("nV", 1e-3), ("µV", 1.0)])
def test_sensitivity_correction_baseline_and_unit_make_the_voltage(tmp_path: Path, unit: str, per_uv: float) -> None:
    step = 2.5 / per_uv
    channels = three(unit, ChannelSensitivity=f"{step:g}", ChannelSensitivityCorrectionFactor="0.5")
    channels[1].ChannelBaseline = f"{7 / per_uv:g}"
    ecg, _ = read(write(tmp_path / "a.dcm", [group(STORED, channels)], SpecificCharacterSet="ISO_IR 192"))
    expected_uv = STORED.T * 1.25 + np.array([[0], [7], [0]])
    np.testing.assert_allclose(ecg.signal_mv, expected_uv / 1000, rtol=1e-6)
    assert (ecg.lead_names, ecg.sampling_rate_hz, ecg.kind) == (("V1", "V2", "V3"), 500, "rhythm")


@pytest.mark.parametrize(
    ("bits", "kind", "dtype"),
    [(8, "SB", "i1"), (8, "UB", "u1"), (16, "SS", "<i2"), (16, "US", "<u2"), (32, "SL", "<i4"), (32, "UL", "<u4")],
)
def test_every_kind_of_integer_is_read_as_pydicom_reads_it(tmp_path: Path, bits: int, kind: str, dtype: str) -> None:
    stored = STORED.astype(dtype)
    item = group(STORED, three(), WaveformBitsAllocated=bits, WaveformSampleInterpretation=kind)
    item.WaveformData = stored.tobytes()
    path = write(tmp_path / "a.dcm", [item])
    with_scale = pydicom.dcmread(path).waveform_array(0)
    if dtype in ("<u2", "<u4"):
        item.ChannelDefinitionSequence[0].ChannelSensitivity = "1e-6"
        for one in item.ChannelDefinitionSequence:
            one.ChannelSensitivity = "1e-6"
        with_scale = with_scale / 2.5 * 1e-6
        path = write(tmp_path / "a.dcm", [item])
    ecg, _ = read(path)
    np.testing.assert_allclose(ecg.signal_mv, with_scale.T / 1000, rtol=1e-5)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_any_transfer_syntax_gives_the_same_voltages(tmp_path: Path, syntax: str) -> None:
    item = group(STORED, three())
    if syntax == ExplicitVRBigEndian:
        item.WaveformData = STORED.astype(">i2").tobytes()
    path = write(tmp_path / "a.dcm", [item], syntax=syntax)
    assert is_ecg_dicom(path)
    np.testing.assert_allclose(read(path)[0].signal_mv, STORED.T * 0.0025, rtol=1e-6)


def test_leads_are_known_by_code_meaning_or_label(tmp_path: Path) -> None:
    channels = [channel("5.6.3-9-62"), channel("2:3"), channel("?")]
    channels[2].ChannelSourceSequence = code("999", "Lead V5 (modified)")
    assert read(write(tmp_path / "a.dcm", [group(STORED, channels)]))[0].lead_names == ("aVR", "V1", "V5")
    channels[2].ChannelSourceSequence = code("999", "elsewhere")
    channels[2].ChannelLabel = "v6"
    assert read(write(tmp_path / "a.dcm", [group(STORED, channels)]))[0].lead_names == ("aVR", "V1", "V6")
    del channels[2].ChannelSourceSequence
    channels[2].ChannelLabel = "chest"
    assert read(write(tmp_path / "a.dcm", [group(STORED, channels)]))[0].lead_names == ("aVR", "V1", "chest")


def test_a_padding_value_of_zero_blanks_nothing(tmp_path: Path) -> None:
    stored = STORED.copy()
    stored[50] = 0
    path = write(tmp_path / "a.dcm", [group(stored, three(), WaveformPaddingValue=b"\0\0")])
    ecg, reading = read(path)
    np.testing.assert_allclose(ecg.signal_mv, stored.T * 0.0025, rtol=1e-6)
    assert not reading.notes


def test_the_most_negative_number_is_a_hole_even_if_nobody_says_so(tmp_path: Path) -> None:
    stored = STORED.copy()
    stored[-1] = -32768
    stored[100, 1] = -32768
    ecg, reading = read(write(tmp_path / "a.dcm", [group(stored, three())]))
    assert np.abs(ecg.signal_mv).max() < 1.1
    assert ecg.leads(("V2",))[0, 100] == pytest.approx(0.0025 * (STORED[99, 1] + STORED[101, 1]) / 2)
    assert ecg.signal_mv.shape == (3, 199)
    assert reading.notes == (
        "1 samples without a value at the ends are cut off.",
        "Missing samples are bridged by straight lines: V2 1.",
    )


def test_another_padding_value_counts_only_where_all_channels_hold_it(tmp_path: Path) -> None:
    stored = STORED.copy()
    stored[10] = stored[20, 0] = 399
    path = write(tmp_path / "a.dcm", [group(stored, three(), WaveformPaddingValue=np.int16(399).tobytes())])
    ecg, reading = read(path)
    assert reading.notes == ("Missing samples are bridged by straight lines: 1 in each of V1, V2, V3.",)
    assert ecg.signal_mv[0, 20] == pytest.approx(399 * 0.0025)


@pytest.mark.parametrize("how", ["ChannelSampleSkew", "ChannelTimeSkew", "ChannelOffset"])
def test_channels_that_begin_later_are_brought_together(tmp_path: Path, how: str) -> None:
    truth = np.random.default_rng(1).integers(-400, 400, size=205)
    stored = np.stack([truth[:200], truth[5:], truth[:200]], axis=1)
    channels = three()
    setattr(channels[1], how, "5" if how == "ChannelSampleSkew" else "0.010")
    ecg, reading = read(write(tmp_path / "a.dcm", [group(stored, channels)]))
    np.testing.assert_allclose(ecg.signal_mv, np.tile(truth[5:200] * 0.0025, (3, 1)), rtol=1e-6)
    assert "cut to the time that they share" in reading.notes[0]


def twelve(rng: np.random.Generator, n_samples: int) -> tuple[np.ndarray, list[Dataset]]:
    names = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    return rng.integers(-400, 400, size=(n_samples, 8)), [channel(name) for name in names]


def test_the_median_beat_is_preferred_if_it_has_twelve_leads(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    strip, beat = group(*twelve(rng, 5000)), group(*twelve(rng, 600), WaveformOriginality="DERIVED")
    path = write(tmp_path / "a.dcm", [strip, beat])
    for options, kind, n_samples in ((ReadOptions(), "median", 600), (MEDIAN, "median", 600), (RHYTHM, "rhythm", 5000)):
        ecg, reading = read(path, options)
        assert (ecg.kind, ecg.signal_mv.shape, ecg.lead_names) == (kind, (12, n_samples), LEAD_NAMES)
        assert reading.notes == ("Leads III, aVR, aVL, aVF are computed from I and II.",)
    path = write(tmp_path / "b.dcm", [strip, group(STORED, three(), MultiplexGroupLabel="MEDIAN BEAT")])
    assert read(path, ReadOptions())[0].kind == "rhythm"
    assert read(path, MEDIAN)[0].lead_names == ("V1", "V2", "V3")
    path = write(tmp_path / "c.dcm", [strip])
    with pytest.raises(RecordingError, match="holds a rhythm strip, not a median beat"):
        read(path, MEDIAN)


def test_groups_of_the_same_moments_are_put_together_and_others_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    stored, channels = twelve(rng, 1000)
    halves = [group(stored[:, :4], channels[:4]), group(stored[:, 4:], channels[4:])]
    ecg, reading = read(write(tmp_path / "a.dcm", halves))
    assert ecg.lead_names == LEAD_NAMES
    np.testing.assert_allclose(ecg.leads(("V6",))[0], stored[:, 7] * 0.0025, rtol=1e-6)
    assert reading.outcomes[0].reason == "rhythm strip, group 1, 2"
    halves[1].MultiplexGroupTimeOffset = "2500"
    ecg, reading = read(write(tmp_path / "b.dcm", halves))
    assert ecg.lead_names == (*LEAD_NAMES[:6], "V1", "V2")
    assert reading.notes[-1] == "Recorded at other times and left out: V3, V4, V5, V6."


def onset(position: int, number: int, at_group: int = 1) -> Dataset:
    annotation = Dataset()
    annotation.ConceptNameCodeSequence = code("5.10.3-3", "QRS Onset")
    annotation.ReferencedWaveformChannels = [at_group, 0]
    annotation.ReferencedSamplePositions, annotation.AnnotationGroupNumber = position, number
    return annotation


def test_the_onset_that_fits_the_median_beat_is_taken(tmp_path: Path) -> None:
    stored, channels = twelve(np.random.default_rng(4), 600)
    stored = np.where(np.abs(np.arange(600) - 230)[:, None] < 10, 300, 0) + stored // 100
    beat = group(stored, channels, WaveformOriginality="DERIVED")
    annotations = Sequence([onset(401, 100), onset(217, 2), onset(120, 1)])
    path = write(tmp_path / "a.dcm", [beat], WaveformAnnotationSequence=annotations)
    assert read(path, MEDIAN)[0].qrs_onset_ms == 432.0  # the first sample is number 1
    levelled = stored.copy()
    levelled[217] = 0
    beat_from_0 = group(levelled, channels, WaveformOriginality="DERIVED")
    path = write(tmp_path / "c.dcm", [beat_from_0], WaveformAnnotationSequence=Sequence([onset(217, 1)]))
    assert read(path, MEDIAN)[0].qrs_onset_ms == 434.0  # here the device counts from 0: its leads meet there
    path = write(tmp_path / "b.dcm", [beat], WaveformAnnotationSequence=Sequence([onset(401, 1)]))
    assert read(path, MEDIAN)[0].qrs_onset_ms is None


def test_channels_that_are_no_voltage_are_left_out(tmp_path: Path) -> None:
    channels = three()
    channels[0].ChannelSensitivityUnitsSequence = code("mm[Hg]")
    ecg, reading = read(write(tmp_path / "a.dcm", [group(STORED, channels)]))
    assert ecg.lead_names == ("V2", "V3")
    assert reading.notes == ("V1 is no calibrated voltage and is left out.",)
    for one in channels[1:]:
        del one.ChannelSensitivity
    with pytest.raises(RecordingError, match=r"none of its channels is a calibrated voltage \(V1, V2, V3\)"):
        read(write(tmp_path / "a.dcm", [group(STORED, channels)]))


def test_what_a_group_claims_is_held_against_its_bytes(tmp_path: Path) -> None:
    for facts, message in (
        ({"NumberOfWaveformSamples": 201}, r"claims 3 x 201 samples in 1206 bytes and holds 1200"),
        ({"NumberOfWaveformSamples": 4_000_000_000}, "which are too many"),
        ({"NumberOfWaveformSamples": 0}, "claims 0 samples"),
        ({"SamplingFrequency": "0"}, "at 0 Hz"),
        ({"NumberOfWaveformChannels": 12}, "claims 12 channels and describes 3"),
        ({"WaveformBitsAllocated": 8, "WaveformSampleInterpretation": "MB"}, "8 bits of kind 'MB', which is not read"),
        ({"SamplingFrequency": ""}, "lacks SamplingFrequency"),
    ):
        path = write(tmp_path / "a.dcm", [group(STORED, three(), **facts)])
        with pytest.raises(RecordingError, match=message) as refusal:
            read(path)
        assert str(path) in str(refusal.value)
    path = write(tmp_path / "a.dcm", [])
    with pytest.raises(RecordingError, match="it holds no waveform"):
        read(path)


def test_a_damaged_group_beside_a_whole_one_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(STORED, three()), group(STORED, three(), SamplingFrequency="0")])
    assert read(path)[1].notes == ("Group 2 is not read: it claims 200 samples at 0 Hz",)


def test_other_waveforms_and_other_files_are_no_ecg(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(STORED, three())], HemodynamicWaveformStorage)
    with pytest.raises(RecordingError, match="it is Hemodynamic Waveform Storage"):
        read(path)
    for content in (b"", b"DICM", bytes(128) + b"DICM", bytes(200) + b"1.2.840.10008.5.1.4.1.1.9.1.1"):
        (tmp_path / "x").write_bytes(content)
        assert not is_ecg_dicom(tmp_path / "x")
        with pytest.raises(RecordingError, match="x"):
            read(tmp_path / "x")
    for place in (Path("\0"), Path("y" * 5000), tmp_path / "none"):
        assert not is_ecg_dicom(place)
        with pytest.raises(RecordingError):
            read(place)


def test_a_folder_with_one_waveform_stands_for_it(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", [group(STORED, three())], AmbulatoryECGWaveformStorage)
    assert is_ecg_dicom(tmp_path)
    assert read(tmp_path)[0].signal_mv.shape == (3, 200)
    (tmp_path / "b.txt").write_text("b")
    assert not is_ecg_dicom(tmp_path)


def test_a_deflated_object_is_not_unpacked_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = np.zeros((300_000, 3), dtype=np.int16)
    path = write(tmp_path / "a.dcm", [group(stored, three())], syntax=DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(ecg_dicom, "MAX_ECG_FILE_BYTES", 1_000_000)
    with pytest.raises(RecordingError, match="unpacks to more than 1000000 bytes"):
        read(path)


def test_no_damage_gives_another_kind_of_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(STORED[:20], three())])
    content = path.read_bytes()
    rng = np.random.default_rng(5)
    n_refused = 0
    for trial in range(300):
        damaged = bytearray(content)
        for position in rng.integers(128, len(content), size=4):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged[: len(content) - (trial % 3) * 40])
        is_ecg_dicom(path)
        try:
            read(path)
        except RecordingError:
            n_refused += 1
    assert n_refused > 100


def aecg_leads(path: Path, series: int) -> np.ndarray:
    """Leads of one series of an HL7 aECG, straight from its XML: digits x 2.5 uV."""
    name, leads = "{urn:hl7-org:v3}", {}
    for sequence in list(ElementTree.parse(path).iter(f"{name}sequenceSet"))[series].iter(f"{name}sequence"):
        lead, value = sequence.find(f"{name}code").attrib["code"], sequence.find(f"{name}value")
        if lead.startswith("MDC_ECG_LEAD_"):
            assert value.find(f"{name}scale").attrib == {"value": "2.5", "unit": "uV"}
            assert float(value.find(f"{name}origin").attrib["value"]) == 0
            leads[lead[13:]] = np.array(value.find(f"{name}digits").text.split(), dtype=np.float64) * 2.5 / 1000
    return np.stack([leads[name.upper()] for name in LEAD_NAMES]).astype(np.float32)


@pytest.mark.parametrize(("options", "series", "n_samples"), [(RHYTHM, 0, 5000), (MEDIAN, 1, 599)])
def test_a_recording_agrees_to_the_bit_with_its_aecg(
    realdata: Path, options: ReadOptions, series: int, n_samples: int
) -> None:
    ecg, _ = read(realdata / "ecg" / "dicom" / "Example.dcm", options)
    assert (ecg.signal_mv.shape, ecg.sampling_rate_hz, ecg.lead_names) == ((12, n_samples), 500, LEAD_NAMES)
    np.testing.assert_array_equal(ecg.signal_mv, aecg_leads(realdata / "ecg" / "hl7_aecg" / "Example.xml", series))


@pytest.mark.parametrize(
    ("name", "n_rhythm", "n_median", "rate_hz", "onset_ms"),
    [("anonymous_ecg", 10_000, 1200, 1000, 459.0), ("Example", 5000, 599, 500, 434.0)],
)
def test_groups_of_real_files(
    realdata: Path, name: str, n_rhythm: int, n_median: int, rate_hz: int, onset_ms: float
) -> None:
    path = realdata / "ecg" / "dicom" / f"{name}.dcm"
    assert is_ecg_dicom(path)
    known = pydicom.dcmread(path)
    for index, (options, n_samples) in enumerate(((RHYTHM, n_rhythm), (MEDIAN, n_median))):
        ecg, _ = read(path, options)
        assert (ecg.signal_mv.shape, ecg.sampling_rate_hz) == ((12, n_samples), rate_hz)
        known_mv = known.waveform_array(index).T / 1000
        np.testing.assert_allclose(ecg.signal_mv, known_mv[:, :n_samples], rtol=1e-6)
        assert (known_mv[:, n_samples:] == -81.92).all()
    assert read(path, ReadOptions())[0].qrs_onset_ms == onset_ms
