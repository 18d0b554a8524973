"""Images that claim more than anybody has, unpack to more than they are, or bury what they hold."""

import gzip
import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pydicom
import pytest
from reading_server import ReadingServer
from seeds import dicom_image, dicom_stack, enhanced_dicom, ml4h_hdf5

EXPLICIT, DEFLATED, RLE, JPEG_2000 = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90",
)  # fmt: skip


def write_stack(folder: Path, contents: list[bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for k, content in enumerate(contents):
        (folder / f"{k}.dcm").write_bytes(content)
    return folder


def edited(content: bytes, **values: object) -> bytes:
    """The same image with other values, however wrong."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    with pydicom.config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in values.items():
            setattr(dataset, name, value)
        stream = io.BytesIO()
        dataset.save_as(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "values",
    [
        {"Rows": 65535, "Columns": 65535}, {"Rows": 0}, {"Columns": 0}, {"BitsAllocated": 64, "BitsStored": 64},
        {"BitsAllocated": 0}, {"BitsAllocated": 1}, {"BitsAllocated": 7}, {"BitsStored": 0}, {"BitsStored": 40000},
        {"SamplesPerPixel": 3}, {"SamplesPerPixel": 0}, {"NumberOfFrames": 2**31 - 1}, {"NumberOfFrames": -1},
        {"NumberOfFrames": 0}, {"PixelSpacing": [0, 0]}, {"PixelSpacing": [-1, -1]},
        {"PixelSpacing": ["1e308", "1e308"]}, {"PixelSpacing": ["1e-320", "1e-320"]}, {"PixelSpacing": [1, 2, 3]},
        {"ImagePositionPatient": ["1e308", "-1e308", 0]}, {"ImagePositionPatient": [0, 0]},
        {"ImageOrientationPatient": [0] * 6}, {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 0, 1]}, {"RescaleSlope": 0}, {"RescaleSlope": "1e308"},
        {"RescaleIntercept": "-1e308"}, {"PhotometricInterpretation": "PALETTE COLOR"},
        {"PhotometricInterpretation": "\x1b[2J"}, {"PixelData": b""}, {"PixelData": bytes(2)},
        {"PixelRepresentation": 7}, {"TriggerTime": -100}, {"TriggerTime": "1e308"}, {"NominalInterval": -5},
        {"NominalInterval": 2**31 - 1}, {"SeriesInstanceUID": "1" * 64 + ".\x1b[31m"},
        {"SeriesDescription": "<script>\x1b]0;owned\x07\u202e" * 100}, {"SliceThickness": -8}, {"SliceThickness": 0},
        {"SpacingBetweenSlices": "-10"}, {"SpecificCharacterSet": "ISO_IR 999"},
    ],
    ids=lambda values: " ".join(f"{name}={value!r}"[:40] for name, value in values.items()),
)  # fmt: skip
def test_hostile_values_end_in_one_message(values: dict[str, object], server: ReadingServer, tmp_path: Path) -> None:
    for which in ("one", "all"):
        stack = [
            edited(content, **values) if which == "all" or k == 1 else content
            for k, content in enumerate(dicom_stack())
        ]
        verdict = server.ask("DICOM cine MRI", write_stack(tmp_path / which, stack))
        assert verdict.is_fine, (which, verdict)


@pytest.mark.parametrize(
    "values",
    [{"NumberOfFrames": 2**31 - 1}, {"NumberOfFrames": -1}, {"NumberOfFrames": 5}, {"Rows": 65535, "Columns": 65535},
     {"PerFrameFunctionalGroupsSequence": []}, {"SharedFunctionalGroupsSequence": []}],
)  # fmt: skip
def test_multi_frame_objects_are_checked_too(
    values: dict[str, object], refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(edited(enhanced_dicom(), **values))
    refusal(path, "enhanced.dcm", "DICOM cine MRI")


def _sequence(depth: int) -> bytes:
    """A private sequence in a sequence in a sequence, all of undefined length."""
    opened = struct.pack("<HH2sHL", 0x0009, 0x1010, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closed = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return opened * depth + closed * depth


def _with_elements(content: bytes, elements: bytes) -> bytes:
    """Elements of group 9 put in after the file's own head."""
    meta_length = struct.unpack_from("<L", content, 140)[0]
    body = 144 + meta_length
    first_of_later_group = content.index(struct.pack("<HH", 0x0010, 0x0020), body)
    return content[:first_of_later_group] + elements + content[first_of_later_group:]


@pytest.mark.parametrize("depth", [100, 10_000])
def test_sequences_may_not_be_nested_without_end(depth: int, server: ReadingServer, tmp_path: Path) -> None:
    stack = [_with_elements(content, _sequence(depth)) for content in dicom_stack()]
    verdict = server.ask("DICOM cine MRI", write_stack(tmp_path / "stack", stack))
    assert verdict.is_fine, verdict


def test_a_million_elements_cost_little(server: ReadingServer, tmp_path: Path) -> None:
    element = b"".join(
        struct.pack("<HH2sH", 0x0009, 0x1000 + k % 200, b"UN", 0) + struct.pack("<L", 0) for k in range(300_000)
    )
    stack = [_with_elements(content, element if k == 0 else b"") for k, content in enumerate(dicom_stack())]
    verdict = server.ask("DICOM cine MRI", write_stack(tmp_path / "stack", stack))
    assert verdict.is_fine, verdict


def _deflated_bomb(n_bytes: int, frame: int = 0) -> bytes:
    whole = dicom_image(EXPLICIT, 16, 0, frame)
    body = 144 + struct.unpack_from("<L", whole, 140)[0]
    head = whole[:body].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    head = head[:140] + struct.pack("<L", len(head) - 144) + head[144:]
    where = head.index(b"1.2.840.10008.1.2.1.99") - 2
    head = head[:where] + struct.pack("<H", 22) + head[where + 2 :]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = whole.index(struct.pack("<HH", 0x7FE0, 0x0010))
    packed = packer.compress(whole[body:start] + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, n_bytes))
    packed += b"".join(packer.compress(bytes(1_000_000)) for _ in range(n_bytes // 1_000_000)) + packer.flush()
    return head + packed


def test_a_deflated_file_does_not_inflate_without_bound(refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(_deflated_bomb(600_000_000))
    assert path.stat().st_size < 1_000_000
    refusal(path, "bomb.dcm", "DICOM cine MRI")


@pytest.mark.parametrize("syntax", [RLE, JPEG_2000])
@pytest.mark.parametrize("damage", ["offsets", "no fragment", "long fragment", "many fragments", "rows"])
def test_fragments_that_lie(syntax: str, damage: str, server: ReadingServer, tmp_path: Path) -> None:
    content = dicom_image(syntax, 64)
    start = content.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OB")) + 12
    (table,) = struct.unpack_from("<L", content, start + 4)
    fragments = content[start + 8 + table :]
    if damage == "offsets":
        offsets = struct.pack("<HHL", 0xFFFE, 0xE000, 400) + struct.pack("<L", 0xFFFFFFF0) * 100
        content = content[:start] + offsets + fragments
    elif damage == "no fragment":
        content = content[: start + 8 + table] + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    elif damage == "long fragment":
        content = content[: start + 8 + table] + fragments[:4] + struct.pack("<L", 0xFFFFFFF0) + fragments[8:]
    elif damage == "many fragments":
        content = content[: start + 8 + table] + struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 200_000 + fragments
    else:
        content = edited(content, Rows=4096, Columns=4096)
    stack = [content, *(dicom_image(syntax, 64, 0, frame) for frame in (1, 2))]
    verdict = server.ask("DICOM cine MRI", write_stack(tmp_path / "stack", stack))
    assert verdict.is_fine, verdict


def test_a_run_length_bomb_is_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    """Rows and columns as large as are read, from a few bytes each."""
    run = b"\x81\x00" * 40_000
    header = struct.pack("<16L", 2, 64, 64 + len(run), *[0] * 13)
    fragment = header + run * 2
    content = edited(dicom_image(RLE, 64), Rows=4096, Columns=4096)
    start = content.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OB")) + 12
    pixels = struct.pack("<HHL", 0xFFFE, 0xE000, 0) + struct.pack("<HHL", 0xFFFE, 0xE000, len(fragment)) + fragment
    bomb = content[:start] + pixels + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    frames = [edited(bomb, TriggerTime=10 * k) for k in range(30)]
    refusal(write_stack(tmp_path / "stack", frames), "MB|GB|bytes|pixels", "DICOM cine MRI")


@pytest.mark.parametrize("size", [2**14, 2**20, 2**31 - 1])
def test_a_codestream_that_claims_to_be_larger_than_its_image(size: int, server: ReadingServer, tmp_path: Path) -> None:
    content = dicom_image(JPEG_2000, 64)
    where = content.index(b"\xff\x4f\xff\x51")
    for offset in (8, 12, 24, 28):  # image and tile size
        content = content[: where + offset] + struct.pack(">L", size) + content[where + offset + 4 :]
    stack = [content, *(dicom_image(JPEG_2000, 64, 0, frame) for frame in (1, 2))]
    verdict = server.ask("DICOM cine MRI", write_stack(tmp_path / "stack", stack))
    assert verdict.kind == "refused", verdict


# ------------------------------------------------------------------------------------------------------------ NIfTI


def _nifti(shape: tuple[int, ...] = (8, 8, 2, 5), **fields: object) -> bytes:
    image = nibabel.Nifti1Image(np.zeros(shape, np.int16), np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "msec")
    for name, value in fields.items():
        if isinstance(value, dict):
            for index, part in value.items():
                image.header[name][index] = part
        else:
            image.header[name] = value
    return bytes(image.header.binaryblock) + bytes(4) + bytes(np.prod(shape) * 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"dim": {1: 30000, 2: 30000, 3: 30000, 4: 30000}}, {"dim": {0: 7, 5: 32767, 6: 32767, 7: 32767}},
        {"dim": {1: -1}}, {"dim": {1: 0}}, {"dim": {0: 0}}, {"dim": {0: 99}}, {"dim": {0: -4}}, {"pixdim": {1: 0}},
        {"pixdim": {1: -1.5}}, {"pixdim": {1: np.nan}}, {"pixdim": {4: np.inf}}, {"pixdim": {4: -1}},
        {"pixdim": {4: 0}}, {"pixdim": {0: np.nan}}, {"vox_offset": -1e9}, {"vox_offset": 1e30},
        {"vox_offset": np.nan}, {"vox_offset": 7.5}, {"scl_slope": np.inf}, {"scl_slope": 3e38, "scl_inter": 3e38},
        {"scl_slope": np.nan, "scl_inter": np.inf}, {"datatype": 0}, {"datatype": 9999}, {"datatype": 32},
        {"datatype": 128}, {"datatype": 1, "bitpix": 1}, {"bitpix": 64}, {"xyzt_units": 0}, {"xyzt_units": 255},
        {"sform_code": 2, "srow_x": np.nan}, {"sform_code": 2, "srow_x": 0, "srow_y": 0, "srow_z": 0},
        {"qform_code": 1, "sform_code": 0, "quatern_b": np.nan},
        {"qform_code": 1, "sform_code": 0, "quatern_b": 1e30}, {"sizeof_hdr": 0}, {"sizeof_hdr": 540},
        {"magic": b"n+2"}, {"sform_code": 30000, "qform_code": -5}, {"toffset": np.nan},
    ],
    ids=lambda fields: " ".join(f"{name}={value}"[:30] for name, value in fields.items()),
)  # fmt: skip
def test_nifti_headers_that_lie(fields: dict[str, object], server: ReadingServer, tmp_path: Path) -> None:
    content = _nifti(**fields)
    for name, written in (("cine.nii", content), ("cine.nii.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(written)
        verdict = server.ask("any recording", tmp_path / name)
        assert verdict.is_fine, (name, verdict)
        (tmp_path / name).unlink()


def _extended(size: int) -> bytes:
    content = _nifti(vox_offset=10_000.0)
    return content[:348] + b"\1\0\0\0" + struct.pack("<ll", size, 4) + bytes(20_000)


@pytest.mark.parametrize("size", [0, -16, 16, 2**31 - 1, 7])
def test_nifti_extensions_that_lie(size: int, server: ReadingServer, tmp_path: Path) -> None:
    (tmp_path / "cine.nii").write_bytes(_extended(size))
    verdict = server.ask("any recording", tmp_path / "cine.nii")
    assert verdict.is_fine, verdict


@pytest.mark.slow
def test_a_gzip_bomb_under_an_honest_header_is_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "cine.nii.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(_nifti(dim={1: 1000, 2: 1000, 3: 10, 4: 40}))
        for _ in range(800):
            stream.write(bytes(1_000_000))
    assert path.stat().st_size < 2_000_000
    refusal(path, "cine.nii.gz.*(bytes|MB|GB)")


@pytest.mark.slow
def test_what_follows_the_voxels_is_not_unpacked(server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "cine.nii.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(_nifti())
        for _ in range(1500):
            stream.write(bytes(1_000_000))
    verdict = server.ask("any recording", path)
    assert verdict.is_fine, verdict


# ------------------------------------------------------------------------------------------------------------- HDF5

CINE = "ukb_cardiac_mri/cine_segmented_lax_4ch/2/instance_0"


def write_hdf5(path: Path, name: str, make: Callable[[h5py.File, str], object]) -> Path:
    path.write_bytes(ml4h_hdf5())
    with h5py.File(path, "r+") as file:
        for kind in ("ukb_ecg_rest",):
            del file[kind]
        del file[name]
        make(file, name)
    return path


def _raw_outside(secret: Path) -> Callable[[h5py.File, str], object]:
    return lambda file, name: file.create_dataset(name, (10, 10, 50), "u1", external=[(str(secret), 0, 5000)])


def _virtual(secret: Path) -> Callable[[h5py.File, str], object]:
    def make(file: h5py.File, name: str) -> None:
        layout = h5py.VirtualLayout((10, 10, 50), "f4")
        layout[:] = h5py.VirtualSource(str(secret), "x", (10, 10, 50))
        file.create_virtual_dataset(name, layout)

    return make


def _hdf5_secret(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["x"] = np.ones((10, 10, 50), np.float32)
    return path


def test_hdf5_cannot_reach_other_files(refusal: Callable[..., str], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    secret, raw = _hdf5_secret(outside / "secret.h5"), outside / "raw.bin"
    raw.write_bytes(b"root:x:0:0" * 500)
    ways: dict[str, Callable[[h5py.File, str], object]] = {
        "link": lambda file, name: file.__setitem__(name, h5py.ExternalLink(str(secret), "x")),
        "raw": _raw_outside(raw),
        "virtual": _virtual(secret),
    }
    for way, make in ways.items():
        folder = tmp_path / way
        folder.mkdir()
        refusal(write_hdf5(folder / "1000001.hd5", CINE, make), "1000001.hd5")


NO_CINES: dict[str, Callable[[h5py.File, str], object]] = {
    "huge": lambda f, n: f.create_dataset(n, (2**20, 2**20, 50), "f4", chunks=(64, 64, 1), compression="gzip"),
    "line": lambda f, n: f.create_dataset(n, (2**40,), "f8", chunks=(1024,)),
    "empty": lambda f, n: f.create_dataset(n, (0, 0, 50), "f4"),
    "null": lambda f, n: f.create_dataset(n, data=h5py.Empty("f4")),
    "number": lambda f, n: f.create_dataset(n, data=7.0),
    "text": lambda f, n: f.create_dataset(n, data="text"),
    "ragged": lambda f, n: f.create_dataset(n, (5, 5, 50), h5py.vlen_dtype(np.int32)),
    "compound": lambda f, n: f.create_dataset(n, (5, 5, 50), [("a", "f4"), ("b", "i8")]),
    "references": lambda f, n: f.create_dataset(n, (5, 5, 50), h5py.ref_dtype),
    "complex": lambda f, n: f.create_dataset(n, (5, 5, 50), "c16"),
    "strings": lambda f, n: f.create_dataset(n, (5, 5, 50), "S100"),
    "nan": lambda f, n: f.create_dataset(n, data=np.full((5, 5, 50), np.nan)),
    "inf": lambda f, n: f.create_dataset(n, data=np.full((5, 5, 50), np.inf)),
    "13 axes": lambda f, n: f.create_dataset(n, (5,) * 12 + (50,), "u1", chunks=(1,) * 13),
    "link to itself": lambda f, n: f.__setitem__(n, h5py.SoftLink(f"/{n}")),
    "dangling": lambda f, n: f.__setitem__(n, h5py.SoftLink("/nowhere")),
    "loop": lambda f, n: f.create_group(n).__setitem__("again", f),
}


@pytest.mark.parametrize("kind", NO_CINES)
def test_hdf5_arrays_that_are_no_cine(kind: str, refusal: Callable[..., str], tmp_path: Path) -> None:
    refusal(write_hdf5(tmp_path / "1000001.hd5", CINE, NO_CINES[kind]), "1000001.hd5")


def test_a_compressed_array_is_no_bomb(refusal: Callable[..., str], tmp_path: Path) -> None:
    def zeros(file: h5py.File, name: str) -> None:
        made = file.create_dataset(name, (2000, 2000, 50), "f4", chunks=(200, 200, 50), compression="gzip")
        packed = zlib.compress(bytes(200 * 200 * 50 * 4), 9)
        for k in range(100):
            made.id.write_direct_chunk((k // 10 * 200, k % 10 * 200, 0), packed)

    path = write_hdf5(tmp_path / "1000001.hd5", CINE, zeros)
    assert path.stat().st_size < 3_000_000
    refusal(path, "1000001.hd5.*(bytes|MB|GB)")


@pytest.mark.slow
def test_one_chunk_larger_than_its_array_is_no_bomb(server: ReadingServer, tmp_path: Path) -> None:
    """A small array whose only chunk unpacks to 800 MB."""

    def one_chunk(file: h5py.File, name: str) -> None:
        made = file.create_dataset(
            name, (10, 10, 50), "f4", chunks=(2000, 2000, 50), maxshape=(None, None, None), compression="gzip"
        )
        made.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(800_000_000), 9))

    verdict = server.ask("any recording", write_hdf5(tmp_path / "1000001.hd5", CINE, one_chunk))
    assert verdict.is_fine, verdict
