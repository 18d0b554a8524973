import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicom_writer import content, enhanced, image, pixels_of, save, stack
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.reading import Reading
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population

RLE, JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, HTJ2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"


@pytest.fixture(scope="module")
def heart() -> NDArray[np.uint16]:
    """Make three frames of a simulated heart with 12 bits, (3, 64, 64)."""
    cine, _ = simulate_cine(simulate_population(1, seed=2).factors[0], n_frames=3, size=64, spacing_mm=2.7)
    return (cine.frames[:, 0].astype(np.uint16) * 16 + np.arange(64, dtype=np.uint16)) % 4096


def read(place: Path) -> tuple[NDArray[Any], Reading]:
    reading = read_cine_dicom(place)
    assert isinstance(reading.recording, CineMRI)
    return reading.recording.frames, reading


def timed(pixels: list[NDArray[Any]], **facts: Any) -> list[Dataset]:
    usual = [{"TriggerTime": 300 * frame, "NominalInterval": 900} for frame in range(len(pixels))]
    return [image(one, **{**times, **facts}) for one, times in zip(pixels, usual, strict=True)]


def compressed(path: Path, dataset: Dataset, syntax: str) -> None:
    """Write with pydicom's encoders where it has them, else with GDCM."""
    if syntax in (RLE, JPEG_2000):
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        dataset.compress(syntax, generate_instance_uid=False)
        path.write_bytes(content(dataset, syntax))
        return
    gdcm = pytest.importorskip("gdcm")
    path.write_bytes(content(dataset))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    kinds = {JPEG_LOSSLESS: "JPEGLosslessProcess14_1", JPEG_LS: "JPEGLSLossless"}
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kinds[syntax])))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


@pytest.mark.parametrize(
    "syntax", [RLE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000], ids=["RLE", "JPEG", "JPEG-LS", "JPEG 2000"]
)
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_compressed_pixels_are_equal_to_what_was_compressed(
    tmp_path: Path, heart: NDArray[np.uint16], syntax: str, is_signed: bool
) -> None:
    wanted = heart.astype(np.int16) - 2048 if is_signed else heart
    facts = {"BitsStored": 12, "HighBit": 11}
    for number, dataset in enumerate(timed(list(wanted), **facts)):
        compressed(tmp_path / f"{number}.dcm", dataset, syntax)
        assert str(pydicom.dcmread(tmp_path / f"{number}.dcm").file_meta.TransferSyntaxUID) == syntax
    frames, _ = read(tmp_path)
    np.testing.assert_array_equal(frames[:, 0], wanted)


@pytest.mark.parametrize(
    "syntax", [RLE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000], ids=["RLE", "JPEG", "JPEG-LS", "JPEG 2000"]
)
def test_a_compressed_stream_that_ends_early_is_refused(tmp_path: Path, heart: NDArray[np.uint16], syntax: str) -> None:
    for number, dataset in enumerate(timed(list(heart))):
        compressed(tmp_path / f"{number}.dcm", dataset, syntax)
    whole = pydicom.dcmread(tmp_path / "1.dcm")
    stream = next(pydicom.encaps.generate_frames(whole.PixelData, number_of_frames=1))
    whole.PixelData = encapsulate([stream[: len(stream) // 2]])
    whole.save_as(tmp_path / "1.dcm")
    with pytest.raises(RecordingError, match=r"1\.dcm"):
        read_cine_dicom(tmp_path)


def test_an_enhanced_file_with_compressed_frames(tmp_path: Path, heart: NDArray[np.uint16]) -> None:
    whole = enhanced(timed(list(heart)))
    whole.file_meta = pydicom.dataset.FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    whole.compress(RLE, generate_instance_uid=False)
    (tmp_path / "a.dcm").write_bytes(content(whole, RLE))
    np.testing.assert_array_equal(read(tmp_path)[0][:, 0], heart)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]
)
@pytest.mark.parametrize("has_meta", [True, False], ids=["with meta information", "without"])
def test_every_plain_way_of_writing(tmp_path: Path, heart: NDArray[np.uint16], syntax: str, has_meta: bool) -> None:
    if syntax.endswith("99") and not has_meta:
        pytest.skip("a deflated dataset says so in its meta information")
    for number, dataset in enumerate(timed(list(heart))):
        if syntax == "1.2.840.10008.1.2.2":
            dataset.PixelData = heart[number].astype(">u2").tobytes()
        (tmp_path / f"{number}.dcm").write_bytes(content(dataset, syntax, has_meta))
    np.testing.assert_array_equal(read(tmp_path)[0][:, 0], heart)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
def test_every_type_of_number(tmp_path: Path, dtype: type[np.integer[Any]]) -> None:
    limits = np.iinfo(dtype)
    pixels = np.linspace(limits.min, limits.max, 12).astype(dtype).reshape(3, 4)
    save(tmp_path, timed([pixels, pixels[::-1], pixels]))
    frames, _ = read(tmp_path)
    assert frames.dtype == dtype
    np.testing.assert_array_equal(frames[:, 0], [pixels, pixels[::-1], pixels])


@pytest.mark.parametrize(("is_signed", "wanted"), [(0, [1, 4095, 2048, 5]), (1, [1, -1, -2048, 5])])
def test_bits_that_are_not_used_are_masked(tmp_path: Path, is_signed: int, wanted: list[int]) -> None:
    stored = np.array([[0xF001, 0x0FFF, 0x5800, 0x8005]], np.uint16)
    save(tmp_path, timed([stored] * 3, BitsStored=12, HighBit=11, PixelRepresentation=is_signed))
    np.testing.assert_array_equal(read(tmp_path)[0][0, 0, 0], wanted)


def test_inverted_images_are_inverted_back_and_noted(tmp_path: Path) -> None:
    stored = np.array([[0, 1, 4095]], np.uint16)
    save(tmp_path, timed([stored] * 3, BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1"))
    frames, reading = read(tmp_path)
    np.testing.assert_array_equal(frames[0, 0, 0], [4095, 4094, 0])
    assert any("MONOCHROME1" in note for note in reading.notes)


def test_padding_gets_the_lowest_signal_of_its_frame(tmp_path: Path) -> None:
    first, second = np.array([[-32768, 7, 5, 9]], np.int16), np.array([[3, -32768, -32768, 9]], np.int16)
    images = timed([first, second, second])
    for one in images:
        one.add_new("PixelPaddingValue", "SS", -32768)
    save(tmp_path, images)
    frames, reading = read(tmp_path)
    np.testing.assert_array_equal(frames[:2, 0, 0], [[5, 7, 5, 9], [3, 3, 3, 9]])
    assert any("padding value -32768" in note for note in reading.notes)


def test_rescale_may_differ_from_image_to_image(tmp_path: Path) -> None:
    images = timed([np.full((2, 2), 10, np.uint16)] * 3)
    images[1].RescaleSlope, images[1].RescaleIntercept = 2.5, -3
    save(tmp_path, images)
    frames, _ = read(tmp_path)
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames[:, 0, 0, 0], [10, 22, 10])


def test_overlays_and_windows_are_ignored(tmp_path: Path) -> None:
    images = stack(1)
    for one in images:
        one.WindowCenter, one.WindowWidth = 100, 10
        one.add_new(0x60003000, "OW", bytes(2))
        one.add_new(0x60000010, "US", 3)
        one.add_new(0x60000011, "US", 4)
    save(tmp_path, images)
    np.testing.assert_array_equal(read(tmp_path)[0][2, 0], pixels_of(0, 2))


def as_float(pixels: NDArray[np.float32]) -> list[Dataset]:
    images = timed([np.zeros(pixels.shape, np.uint32)] * 3)
    for one in images:
        for name in ("PixelData", "PixelRepresentation", "HighBit", "BitsStored"):
            delattr(one, name)
        one.FloatPixelData = pixels.tobytes()
    return images


def test_floating_point_is_read(tmp_path: Path) -> None:
    pixels = np.array([[0.5, 1.5], [2.5, 3.5]], np.float32)
    save(tmp_path, as_float(pixels))
    np.testing.assert_array_equal(read(tmp_path)[0][1, 0], pixels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_number_are_counted_and_refused(tmp_path: Path, value: float) -> None:
    save(tmp_path, as_float(np.array([[0.5, value], [value, 3.5]], np.float32)))
    with pytest.raises(RecordingError, match=r"0000\.dcm holds 2 pixels that are no number"):
        read_cine_dicom(tmp_path)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"Rows": 60000, "Columns": 60000}, "claims 60000 rows, 60000 columns"),
        ({"Rows": 0}, "claims 0 rows"),
        ({"NumberOfFrames": 0}, "and 0 frames"),
        ({"NumberOfFrames": -3}, "and -3 frames"),
        ({"Rows": 4000, "Columns": 4000, "NumberOfFrames": 10**6}, r"would take 32000\.0 GB"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, r"in colour \(RGB\)"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, r"in colour \(PALETTE COLOR\)"),
        ({"BitsAllocated": 12}, "in 12; 8, 16 or 32"),
        ({"BitsStored": 17}, "stores 17 bits"),
        ({"HighBit": 3}, "the highest 3"),
        ({"PixelData": b"\0\0"}, "2 of 24 bytes of pixels are there"),
        ({"PixelData": None}, "holds no pixels"),
        ({"RescaleSlope": 0}, "RescaleSlope of 0"),
        ({"PixelSpacing": [0, 1]}, "expected two positive numbers"),
        ({"PixelSpacing": [-1, 1]}, "expected two positive numbers"),
        ({"SliceThickness": 1e9}, "slice thickness is"),
        ({"ImagePositionPatient": ["0", "0", "1e300"]}, "ImagePositionPatient is"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "two unit vectors at a right angle"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "two unit vectors at a right angle"),
    ],
)
def test_claims_that_cannot_be_true_are_refused(tmp_path: Path, facts: dict[str, Any], found: str) -> None:
    save(tmp_path, stack(1, **facts))
    with pytest.raises(RecordingError, match=found):
        read_cine_dicom(tmp_path)


@pytest.mark.parametrize(
    ("tag", "vr", "text"),
    [
        (0x00280030, "DS", b"nan\\1 "),
        (0x00200032, "DS", b"inf\\0\\0 "),
        (0x00181060, "DS", b"soon"),
        (0x00280030, "DS", b"\xff\xfe"),
    ],
)
def test_numbers_that_are_none_are_named(tmp_path: Path, tag: int, vr: str, text: bytes) -> None:
    whole = content(image(pixels_of(0, 0), TriggerTime=1))
    at = whole.index(struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode()))
    length = struct.unpack("<H", whole[at + 6 : at + 8])[0]
    bad = whole[: at + 6] + struct.pack("<H", len(text)) + text + whole[at + 8 + length :]
    (tmp_path / "bad.dcm").write_bytes(bad)
    with pytest.raises(RecordingError, match=r"bad\.dcm is not a whole DICOM file: its \w+ is .*, expected numbers"):
        read_cine_dicom(tmp_path)


def test_a_compressed_stream_that_claims_another_size_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    siz = b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIIIIIH", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1)
    sof = b"\xff\xd8" + b"\xff\xc3" + struct.pack(">HBHHB", 11, 12, 60000, 60000, 1) + b"\1\x11\0"
    for syntax, stream in ((JPEG_2000, siz), (JPEG_LOSSLESS, sof), (JPEG_LS, sof.replace(b"\xc3", b"\xf7"))):
        for frame in range(3):
            dataset = image(pixels_of(0, frame), TriggerTime=300 * frame)
            dataset.PixelData = encapsulate([stream + bytes(60)])
            dataset["PixelData"].VR = "OB"
            dataset["PixelData"].is_undefined_length = True
            (tmp_path / f"{frame}.dcm").write_bytes(content(dataset, syntax))
        with pytest.raises(
            RecordingError, match=r"claims 3 rows and 4 columns, its compressed pixels \(60000, 60000\)"
        ):
            read_cine_dicom(tmp_path)


@pytest.mark.parametrize(
    ("syntax", "found"),
    [
        (JPEG_2000, r"nothing that is installed unpacks JPEG 2000.*`pip install pylibjpeg-openjpeg`"),
        (HTJ2K, r"unpacks High-Throughput JPEG 2000.*`pip install pylibjpeg-openjpeg`"),
        (JPEG_LS, r"unpacks JPEG-LS.*`pip install python-gdcm`"),
        (JPEG_LOSSLESS, r"unpacks JPEG Lossless.*`pip install python-gdcm`"),
    ],
)
def test_a_missing_plugin_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: str, found: str) -> None:
    from pydicom.pixels.decoders.base import get_decoder

    monkeypatch.setattr(get_decoder(syntax), "_available", {})
    for frame in range(3):
        dataset = image(pixels_of(0, frame), TriggerTime=300 * frame)
        dataset.PixelData = encapsulate([bytes(60)])
        dataset["PixelData"].is_undefined_length = True
        (tmp_path / f"{frame}.dcm").write_bytes(content(dataset, syntax))
    with pytest.raises(RecordingError, match=found):
        read_cine_dicom(tmp_path)


def test_a_packing_that_is_not_known_is_named(tmp_path: Path) -> None:
    for frame in range(3):
        dataset = image(pixels_of(0, frame), TriggerTime=300 * frame)
        dataset.PixelData = encapsulate([bytes(60)])
        dataset["PixelData"].is_undefined_length = True
        (tmp_path / f"{frame}.dcm").write_bytes(content(dataset, "1.2.840.10008.1.2.4.102"))
    with pytest.raises(RecordingError, match=r"packing, .*MPEG-4.*, is not known"):
        read_cine_dicom(tmp_path)
