"""Whole recordings, tables, studies and bundles that the fuzz run damages.

Small ones, in as many formats as there are writers for: the shipped samples, files made by other people's writers
(pydicom, nibabel, h5py, wfdb, SciPy, pandas), and the first files of the real recordings where they are present. Which
reader a recording is for is asked of the readers themselves.
"""

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cardiosoft_writer import write_cardiosoft_xml
from damage import Files
from test_ecg_philips import heart, philips_xml, stored, xli_base64

import napari_latent_explorer
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

SAMPLES = Path(napari_latent_explorer.__file__).parent / "sample_data"
_MAX_SEED_BYTES = 700_000


@dataclass(frozen=True)
class Seed:
    """One whole input.

    Attributes
    ----------
    name
        Name for people.
    files
        Content of each file, by its path.
    place
        What is read, relative to the folder of the files; empty for that folder.
    beside
        Files that are needed and never damaged.
    """

    name: str
    files: Files
    place: str = ""
    beside: Files = field(default_factory=dict)

    def write(self, folder: Path, files: Files | None = None) -> Path:
        """Write the files (or damaged ones) into an empty folder and return the place to read."""
        for name, content in {**self.beside, **(self.files if files is None else files)}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.place


def recordings(realdata: Path | None) -> list[Seed]:
    """All recordings."""
    return [*_cines(), *_ecgs(), *(_real(realdata) if realdata is not None else ())]


def make_ecg(kind: str = "rhythm", n_samples: int = 1000) -> ECG:
    """Twelve leads with a spike each second; Einthoven's and Goldberger's laws hold."""
    times_s = np.arange(n_samples) / 500
    beat = np.exp(-0.5 * np.square((times_s % 1.0 - 0.45) / 0.01))
    free = np.linspace(0.5, 1.5, 8)[:, None] * beat + 0.05 * np.sin(2 * np.pi * times_s)
    i, ii = free[0], free[1]
    limb = np.array([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2])
    return ECG(np.vstack([limb, free[2:]]).astype(np.float32), LEAD_NAMES, 500.0, kind, None)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ cines


def _cines() -> Iterator[Seed]:
    shipped = {path.name: path.read_bytes() for path in sorted((SAMPLES / "recordings" / "cine_dicom").iterdir())[::17]}
    yield Seed("shipped DICOM", shipped)
    stack = {f"{k}.dcm": content for k, content in enumerate(dicom_stack())}
    yield Seed("DICOM folder", stack)
    yield Seed("DICOM file", stack, "0.dcm")
    yield Seed("DICOM zip", {"1000001_20208_2_0.zip": zipped(stack)}, "1000001_20208_2_0.zip")
    for name, syntax in (("deflated", "1.2.840.10008.1.2.1.99"), ("RLE", "1.2.840.10008.1.2.5"),
                         ("JPEG 2000", "1.2.840.10008.1.2.4.90"), ("implicit", "1.2.840.10008.1.2")):  # fmt: skip
        yield Seed(f"DICOM {name}", {f"{k}.dcm": content for k, content in enumerate(dicom_stack(syntax, 1, 3, 64))})
    for name in ("JPEGLosslessProcess14_1", "JPEGLSLossless"):
        packed = {
            f"{k}.dcm": packed_by_gdcm(content, name) for k, content in enumerate(dicom_stack(n_slices=1, side=64))
        }
        yield Seed(f"DICOM {name}", packed)
    yield Seed("enhanced DICOM", {"enhanced.dcm": enhanced_dicom()}, "enhanced.dcm")
    yield from _niftis()
    yield Seed("ml4h HDF5", {"1000001.hd5": ml4h_hdf5()}, "1000001.hd5")


def dicom_stack(
    syntax: str = "1.2.840.10008.1.2.1", n_slices: int = 2, n_frames: int = 3, side: int = 16
) -> list[bytes]:
    """Write one short-axis stack of single-frame images with pydicom."""
    return [
        dicom_image(syntax, side, slice_index, frame) for slice_index in range(n_slices) for frame in range(n_frames)
    ]


def dicom_image(syntax: str, side: int, slice_index: int = 0, frame: int = 0) -> bytes:
    """One image of it."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(
        "1.2.840.10008.1.2" if syntax == "1.2.840.10008.1.2" else "1.2.840.10008.1.2.1"
    )
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.4")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(
        f"1.2.3.4.{slice_index + 1}.{frame + 1}"
    )
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "1.2.3.4", "1.2.3"
    dataset.Modality, dataset.SeriesDescription, dataset.PatientID = "MR", "CINE SAX", "nobody"
    dataset.Rows = dataset.Columns = side
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.ImageOrientationPatient, dataset.PixelSpacing = [1, 0, 0, 0, 1, 0], [1.5, 1.5]
    dataset.ImagePositionPatient, dataset.SliceThickness = [0, 0, 10 * slice_index], 8
    dataset.TriggerTime, dataset.NominalInterval, dataset.InstanceNumber = 100 * frame, 300, frame + 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1
    rows, columns = np.mgrid[:side, :side]
    dataset.PixelData = ((rows * 17 + columns * 3 + frame * 100) % 4096).astype("<u2").tobytes()
    if syntax in ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"):
        dataset.compress(UID(syntax))
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return _saved(lambda stream: dataset.save_as(stream, enforce_file_format=True))


def packed_by_gdcm(content: bytes, syntax: str) -> bytes:
    """Pack the pixels of an image as another program would."""
    import gdcm
    from pydicom import dcmread

    with tempfile.TemporaryDirectory() as folder:
        whole, packed = f"{folder}/whole.dcm", f"{folder}/packed.dcm"
        Path(whole).write_bytes(content)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(whole)
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(packed)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        dataset, other = dcmread(io.BytesIO(content)), dcmread(packed)
    dataset.PixelData = other.PixelData  # the writer made it an enhanced image, for the sake of its rescale
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
    return _saved(lambda stream: dataset.save_as(stream, enforce_file_format=True))


def enhanced_dicom(n_frames: int = 4, side: int = 16) -> bytes:
    """Write an enhanced multi-frame cine of one slice with pydicom."""
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    dataset = dcmread(io.BytesIO(dicom_image("1.2.840.10008.1.2.1", side)))
    for name in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "TriggerTime", "SliceThickness"):
        del dataset[name]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.4.1")
    dataset.NumberOfFrames, dataset.PixelData = n_frames, dataset.PixelData * n_frames

    def item(**values: object) -> Dataset:
        made = Dataset()
        for name, value in values.items():
            setattr(made, name, value)
        return made

    dataset.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[1.5, 1.5], SliceThickness=8, SpacingBetweenSlices=10)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 0])],
            FrameContentSequence=[item(StackID="1", InStackPositionNumber=1, TemporalPositionIndex=k + 1)],
            CardiacSynchronizationSequence=[
                item(NominalCardiacTriggerDelayTime=100.0 * k, RRIntervalTimeNominal=400.0)
            ],
        )
        for k in range(n_frames)
    ]
    return _saved(lambda stream: dataset.save_as(stream, enforce_file_format=True))


def _niftis() -> Iterator[Seed]:
    import nibabel

    def written(shape: tuple[int, ...], dtype: str, name: str) -> bytes:
        image = nibabel.Nifti1Image(np.arange(np.prod(shape)).reshape(shape).astype(dtype), np.diag([1.5, 1.5, 10, 1]))
        image.header.set_xyzt_units("mm", "sec")
        if len(shape) == 4:
            image.header["pixdim"][4] = 0.04
        with tempfile.TemporaryDirectory() as folder:
            nibabel.save(image, Path(folder, "image.nii"))
            content = Path(folder, "image.nii").read_bytes()
            return gzip.compress(content, mtime=0) if name.endswith(".gz") else content

    yield Seed("NIfTI 4-D", {"cine.nii": written((12, 10, 2, 5), "int16", "cine.nii")}, "cine.nii")
    yield Seed("NIfTI 4-D gz", {"cine.nii.gz": written((12, 10, 2, 5), "float32", "cine.nii.gz")}, "cine.nii.gz")
    info = b"ED: 1\nES: 7\nGroup: DCM\nHeight: 160.0\nNbFrame: 12\nWeight: 60.0\n"
    acdc = {
        f"patient001_frame{frame}{ending}.nii.gz": written((12, 10, 3), dtype, "image.nii.gz")
        for frame in ("01", "07")
        for ending, dtype in (("", "int16"), ("_gt", "uint8"))
    }
    yield Seed(
        "ACDC", {f"patient001/{name}": content for name, content in {**acdc, "Info.cfg": info}.items()}, "patient001"
    )


def ml4h_hdf5() -> bytes:
    """One participant as ml4h writes them: cine and both ECGs."""
    import h5py

    stream, ecg = io.BytesIO(), make_ecg()
    with h5py.File(stream, "w") as file:
        cine = np.random.default_rng(0).integers(0, 300, (20, 16, 50)).astype(np.float32)
        file.create_dataset("ukb_cardiac_mri/cine_segmented_lax_4ch/2/instance_0", data=cine, compression="gzip")
        for name, value in (("width", 1.8), ("height", 1.8)):
            file[f"mri_pixel_{name}_cine_segmented_lax_4ch"] = value
        file["mri_slice_thickness_cine_segmented_lax_4ch"] = 6.0
        file["mri_patient_orientation_cine_segmented_lax_4ch"] = np.array([1.0, 0, 0, 0, 1, 0])
        file["mri_patient_position_cine_segmented_lax_4ch"] = np.zeros(3)
        for k in range(1, 4):
            name = f"ukb_cardiac_mri/cine_segmented_lax_4ch_annotated_{k}/instance_0"
            file.create_dataset(name, data=np.zeros((256, 256), np.float32), compression="gzip")
        for name, signal in zip(ecg.lead_names, np.rint(ecg.signal_mv * 200), strict=True):
            file.create_dataset(f"ukb_ecg_rest/strip_{name}/instance_0", data=np.tile(signal, 5).astype(np.float32))
            file.create_dataset(f"ukb_ecg_rest/median_{name}/instance_0", data=signal[:600].astype(np.float32))
    return stream.getvalue()


# ------------------------------------------------------------------------------------------------------------- ECGs


def _ecgs() -> Iterator[Seed]:
    folder = SAMPLES / "recordings" / "ecg_wfdb"
    yield Seed("shipped WFDB", {path.name: path.read_bytes() for path in folder.iterdir()}, "ecg.hea")
    yield Seed("WFDB .mat", wfdb_mat(), "A0001.hea")
    rhythm, median = make_ecg(n_samples=5000), make_ecg("median", 600)
    yield Seed("CardioSoft XML", {"1_20205_2_0.xml": write_cardiosoft_xml(median, rhythm)}, "1_20205_2_0.xml")
    short = write_cardiosoft_xml(median, None)
    yield Seed("CardioSoft median", {"1_20205_2_0.xml": short}, "1_20205_2_0.xml")
    yield Seed("DICOM ECG", {"ecg.dcm": dicom_ecg()}, "ecg.dcm")
    table = pd.DataFrame(make_ecg().signal_mv.T, columns=LEAD_NAMES).round(4)
    facts = b'{"sampling_rate_hz": 500, "unit": "mV"}'
    yield Seed("ECG CSV", {"ecg.csv": table.to_csv(index=False).encode(), "ecg.json": facts}, "ecg.csv")
    timed = table.set_index(np.arange(len(table)) * 2.0).rename_axis("time_ms")
    yield Seed("ECG CSV with times", {"ecg.csv": timed.to_csv().encode(), "ecg.json": facts}, "ecg.csv")
    array = _saved(lambda stream: np.save(stream, make_ecg().signal_mv))
    yield Seed("ECG NPY", {"ecg.npy": array, "ecg.json": facts}, "ecg.npy")
    named = {"signal_mv": make_ecg().signal_mv, "lead_names": np.array(LEAD_NAMES), "sampling_rate_hz": np.array(500.0)}
    yield Seed("ECG NPZ", {"ecg.npz": _saved(lambda stream: np.savez_compressed(stream, **named))}, "ecg.npz")
    for name, data in (("packed", xli_base64(stored(heart(1500)))), ("pulse", xli_base64(stored(heart(2000))))):
        sierra = philips_xml(data, 1500 if name == "packed" else 2000).encode("utf-16")
        yield Seed(f"Philips {name}", {"ecg.xml": sierra}, "ecg.xml")
    scp = bytes(16) + b"SCPECG" + bytes(500)
    yield Seed("SCP-ECG", {"ecg.scp": scp}, "ecg.scp")
    yield Seed("small aECG", {"ecg.xml": hl7_aecg(make_ecg(n_samples=300))}, "ecg.xml")
    yield Seed("small MUSE", {"ecg.xml": muse_xml(make_ecg(n_samples=300))}, "ecg.xml")


def wfdb_mat() -> Files:
    """Write a record of the CinC challenges: a header over a MATLAB 4 matrix."""
    from scipy.io import savemat

    stored = np.rint(make_ecg().signal_mv * 1000).astype(np.int16)
    lines = [f"A0001 12 500 {stored.shape[1]}"]
    lines += [f"A0001.mat 16+24 1000/mv 16 0 {row[0]} 0 0 {name}" for name, row in zip(LEAD_NAMES, stored, strict=True)]
    matrix = _saved(lambda stream: savemat(stream, {"val": stored}, format="4"))
    return {"A0001.hea": ("\n".join(lines) + "\n#Age: 60\n").encode(), "A0001.mat": matrix}


def dicom_ecg() -> bytes:
    """Write a 12-lead waveform with pydicom."""
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    dataset = dcmread(io.BytesIO(dicom_image("1.2.840.10008.1.2.1", 4)))
    for name in ("PixelData", "Rows", "Columns", "ImageOrientationPatient", "PixelSpacing", "ImagePositionPatient"):
        del dataset[name]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.9.1.1")
    dataset.Modality, ecg, group = "ECG", make_ecg(), Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels = "ORIGINAL", 12
    group.NumberOfWaveformSamples, group.SamplingFrequency = ecg.signal_mv.shape[1], "500"
    group.MultiplexGroupLabel, group.ChannelDefinitionSequence = "RHYTHM", []
    for name in ecg.lead_names:
        channel, source, unit = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = (
            f"MDC_ECG_LEAD_{name.upper()}",
            "MDC",
            f"Lead {name}",
        )
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "1", "0"
        channel.WaveformBitsStored = 16
        group.ChannelDefinitionSequence.append(channel)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = np.rint(ecg.signal_mv.T * 1000).astype("<i2").tobytes()
    dataset.WaveformSequence = [group]
    return _saved(lambda stream: dataset.save_as(stream, enforce_file_format=True))


def hl7_aecg(ecg: ECG) -> bytes:
    """Write an annotated ECG by hand, as the HL7 implementation guide lays it out."""
    leads = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{name.upper()}" codeSystem="2.16.840.1.113883.6.24"/>'
        '<value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="2.5" unit="uV"/><digits>'
        f"{' '.join(str(round(value * 400)) for value in signal)}</digits></value></sequence></component>"
        for name, signal in zip(ecg.lead_names, ecg.signal_mv.tolist(), strict=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.3"/><code code="93000"/>'
        '<effectiveTime><low value="20200101120000.000"/></effectiveTime><component><series>'
        '<code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/><component><sequenceSet>'
        '<component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>'
        '<value xsi:type="GLIST_TS"><head value="20200101120000.000"/><increment value="0.002" unit="s"/></value>'
        f"</sequence></component>{leads}</sequenceSet></component></series></component></AnnotatedECG>"
    ).encode()


def muse_xml(ecg: ECG) -> bytes:
    """Write a resting ECG by hand, as GE's MUSE exports it: 8 leads, base64 of 16 bit."""
    import base64

    leads = ""
    for name in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"):
        stored = np.rint(ecg.leads((name,))[0] / 0.00488).astype("<i2")
        leads += (
            f"<LeadData><LeadByteCountTotal>{stored.nbytes}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset>"
            f"<LeadSampleCountTotal>{stored.size}</LeadSampleCountTotal><LeadAmplitudeUnitsPerBit>4.88"
            "</LeadAmplitudeUnitsPerBit><LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadHighLimit>32767"
            "</LeadHighLimit><LeadLowLimit>-32768</LeadLowLimit><LeadSampleSize>2</LeadSampleSize>"
            f"<LeadID>{name}</LeadID><LeadOffsetFirstSample>0</LeadOffsetFirstSample><FirstSampleBaseline>0"
            "</FirstSampleBaseline><LeadOff>FALSE</LeadOff><BaselineSway>FALSE</BaselineSway>"
            f"<WaveFormData>{base64.b64encode(stored.tobytes()).decode()}</WaveFormData></LeadData>"
        )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG>'
        "<MuseInfo><MuseVersion>9.0</MuseVersion></MuseInfo><Waveform><WaveformType>Rhythm</WaveformType><NumberofLeads>8"
        "</NumberofLeads><SampleType>CONTINUOUS_SAMPLES</SampleType><SampleBase>500</SampleBase><SampleExponent>0"
        f"</SampleExponent><HighPassFilter>5</HighPassFilter>{leads}</Waveform></RestingECG>"
    ).encode("iso-8859-1")


# ------------------------------------------------------------------------------------------------- real recordings


def _real(root: Path) -> Iterator[Seed]:
    for name in ("cine/siemens_4ch", "cine/sunnybrook_sax/SCD0000101", "cine/sunnybrook_sax/SCD0000101_scout"):
        some = sorted((root / name).glob("*.dcm"), key=lambda path: (len(path.name), path.name))[:20:5]
        yield Seed(f"real {name}", {path.name: path.read_bytes() for path in some})
    for path in sorted((root / "dicom_other").iterdir()):
        yield Seed(f"real {path.name}", {path.name: path.read_bytes()}, path.name)
    for path in sorted((root / "ecg").rglob("*.*")):
        beside = {other.name: other.read_bytes() for other in path.parent.glob(f"{path.stem}.*")}
        if path.suffix.lower() in (".hea", ".dcm", ".xml") and sum(map(len, beside.values())) <= _MAX_SEED_BYTES:
            yield Seed(f"real {path.name}", beside, path.name)


# ------------------------------------------------------------------------------------------------ tables and folders


def tables() -> list[Seed]:
    """A table of phenotypes in each format."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "eid": np.arange(1_000_001, 1_000_031),
            "31-0.0": rng.integers(0, 2, 30),
            "21003-2.0": rng.integers(45, 80, 30),
            "p20116_i2": rng.choice([-3, 0, 1, 2], 30),
            "lvm": np.where(rng.random(30) < 0.1, np.nan, rng.normal(90, 20, 30).round(2)),
            "comment": rng.choice(["well", "not so", "höchst wohl"], 30),
        }
    )
    as_text = table.to_csv(index=False)
    written: dict[str, bytes] = {
        "table.csv": as_text.encode(),
        "table.tsv": table.to_csv(index=False, sep="\t").encode("utf-16"),
        "semicolon.csv": table.to_csv(index=False, sep=";", decimal=",").encode("latin-1"),
        "table.csv.gz": gzip.compress(as_text.encode(), mtime=0),
        "table.parquet": _saved(table.to_parquet),
        "table.xlsx": _saved(lambda stream: table.to_excel(stream, index=False)),
        **_statistics_files(table),
    }
    return [Seed(name, {name: content}, name) for name, content in written.items()]


def columns_files() -> list[Seed]:
    """What the columns of that table mean, as a file to correct."""
    from napari_latent_explorer.io.columns_file import write_columns_file
    from napari_latent_explorer.io.phenotype_columns import propose_columns
    from napari_latent_explorer.io.table_file import read_table_file

    with tempfile.TemporaryDirectory() as folder:
        table = tables()[0].write(Path(folder))
        write_columns_file(Path(folder, "columns.toml"), propose_columns(read_table_file(table), "eid", None))
        return [Seed("columns", {"columns.toml": Path(folder, "columns.toml").read_bytes()}, "columns.toml")]


def _statistics_files(table: pd.DataFrame) -> Files:
    import pyreadstat

    plain = table.rename(columns=lambda name: "c" + name.replace("-", "_").replace(".", "_"))
    with tempfile.TemporaryDirectory() as folder:
        pyreadstat.write_sav(plain, f"{folder}/table.sav")
        pyreadstat.write_dta(plain, f"{folder}/table.dta")
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def studies() -> list[Seed]:
    """A study of three people with stored recordings, latents and a map."""
    from napari_latent_explorer.data.cine import CineLabels, CineMRI
    from napari_latent_explorer.data.cohort import Cohort
    from napari_latent_explorer.data.heart_box import HeartBox
    from napari_latent_explorer.data.latents import LatentSpace
    from napari_latent_explorer.data.phenotype import PhenotypeSpec
    from napari_latent_explorer.io import heart_boxes
    from napari_latent_explorer.io.study_writer import StudyWriter

    specs = {
        "sex": PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        "lvm": PhenotypeSpec("lvm", "continuous", "LV mass", "g", missing_codes=("-9",)),
    }
    sex = pd.Categorical.from_codes([0, 1, 1], categories=["female", "male"])
    cohort = Cohort(np.array(["a", "b", "c"]), pd.DataFrame({"sex": sex, "lvm": [80.0, np.nan, 99.5]}), specs)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "study")
        writer = StudyWriter.create(root, cohort, "A study", factors=pd.DataFrame({"seed": [1, 2, 3]}))
        for row, participant_id in enumerate(cohort.participant_ids.tolist()):
            frames = np.full((5, 1, 12, 10), 10 * row, dtype=np.uint8)
            cine = CineMRI(frames, (8.0, 1.8, 1.8), np.arange(5) * 20.0, np.diag([8, 1.8, 1.8, 1]), "la_4ch", 800.0)
            labels = CineLabels(frames % 3, {0: "background", 1: "wall", 2: "cavity"})
            writer.add_participant(participant_id, cine, labels, make_ecg("median", 600))
        study = writer.finish()
        heart_boxes.write_box(root, 0, HeartBox(1, 1, 8, 8))
        values = np.arange(12, dtype=np.float32).reshape(3, 4)
        study.save_latents(LatentSpace(values, cohort.participant_ids, "mri", "0123456789abcdef"))
        study.save_projection("tsne", "0123456789abcdef", {"coordinates": values[:, :2]}, {"method": "t-SNE"})
        return [Seed("study", folder_contents(root))]


def latents() -> list[Seed]:
    """Latents as files that go from one program to another, beside the study that they are for."""
    from napari_latent_explorer.io.latent_tables import write_latent_h5ad, write_latent_tsv
    from napari_latent_explorer.io.study import Study

    (study,) = studies()
    with tempfile.TemporaryDirectory() as folder:
        opened, written = Study.open(study.write(Path(folder, "study"))), {}
        for name, write in (("latents.tsv", write_latent_tsv), ("latents.h5ad", write_latent_h5ad)):
            write(Path(folder, name), opened, "mri", "0123456789abcdef", with_ids=True)
            written[name] = Path(folder, name).read_bytes()
    beside = {f"study/{name}": content for name, content in study.files.items()}
    return [Seed(name, {name: content}, name, beside) for name, content in written.items()]


def bundles() -> list[Seed]:
    """A bundle of the smallest network."""
    with tempfile.TemporaryDirectory() as folder:
        _smallest_bundle().save(folder)
        return [Seed("bundle", folder_contents(Path(folder)))]


def onnx_folders() -> list[Seed]:
    """The same as networks in ONNX, with weights inside and beside them."""
    import onnx

    from napari_latent_explorer.modeling.onnx_export import export_onnx

    with tempfile.TemporaryDirectory() as folder:
        export_onnx(_smallest_bundle(), Path(folder))
        inside = folder_contents(Path(folder))
        for path in Path(folder).glob("*.onnx"):
            name = f"{path.stem}.bin"
            onnx.save(onnx.load(path), path, save_as_external_data=True, location=name, size_threshold=64)
        return [Seed("ONNX", inside), Seed("ONNX, weights beside", folder_contents(Path(folder)))]


def dropfuse_files() -> list[Seed]:
    """Halves as the release has them, of the smallest sizes."""
    from keras_writer import Sizes, make_decoder, make_encoder, write_half

    sizes = Sizes((256,), 12, 5, 3, 6, 1, 5, "mish", "max", 4)
    with tempfile.TemporaryDirectory() as folder:
        write_half(Path(folder, "encoder.h5"), make_encoder(sizes, 1))
        write_half(Path(folder, "decoder.h5"), make_decoder(sizes, 2))
        return [Seed("DropFuse", folder_contents(Path(folder)))]


def _smallest_bundle() -> Any:
    import torch

    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
    from napari_latent_explorer.nn.cine import LabelHeadConfig
    from napari_latent_explorer.nn.coder import CoderConfig

    config = AutoencoderConfig(
        latent_dim=4,
        mri=CoderConfig(4, (16, 16), 3, 4, (4,), (4,), 2, "gelu", "average"),
        ecg=CoderConfig(12, (32,), 5, 4, (4,), (4,), 2, "mish", "max"),
        labels=LabelHeadConfig((0, 3, 9), n_frames=4, filters=3),
    )
    torch.manual_seed(0)
    metadata = describe_model(config, is_simulated=True, data_source="a test", n_participants=3)
    preprocessing = {**PREPROCESSING, "ecg": {**PREPROCESSING["ecg"], "qrs_onset_ms": 20.0}}
    statistics = {"mri_mean": np.zeros(4, np.float32)}
    return ModelBundle(CrossModalAutoencoder(config), metadata, preprocessing, statistics, {"epochs": 2})


# ------------------------------------------------------------------------------------------------------------ bytes


def zipped(files: Files) -> bytes:
    """Pack files into a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def folder_contents(root: Path) -> Files:
    """All files below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    """What a writer writes."""
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()
