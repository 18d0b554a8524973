"""What a file is that no reader knows, so that the refusal says more than "unknown".

It is told by the file's first bytes where these say it, else by the form of its text; a name alone is not believed. No
answer here means that a file can be read, and nothing but its beginning is looked at.
"""

import json
import os
from itertools import islice
from pathlib import Path

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.source_file import SourceFile

_HEAD_BYTES = 4096
_MAX_FILES = 200

_GENOTYPES = "genotypes, not a recording"
_TABLE = "a table; give it as the table of phenotypes"
_PICTURE = "picture without geometry or time, not a recording"
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x6c\x1b\x00", f"a PLINK bed file (sample-major): {_GENOTYPES}"),
    (0, b"\x6c\x1b\x01", f"a PLINK bed file: {_GENOTYPES}"),
    (0, b"\x6c\x1b", f"a PLINK 2 pgen file: {_GENOTYPES}"),
    (16, b"bgen", f"a BGEN file: {_GENOTYPES}"),
    (0, b"##fileformat=VCF", f"a VCF file: {_GENOTYPES}"),
    (0, b"BCF\x02", f"a BCF file: {_GENOTYPES}"),
    (0, b"%PDF", "a PDF document, not a recording; export the device's data instead of its report"),
    (0, b"\x89PNG\r\n\x1a\n", f"a PNG {_PICTURE}"),
    (0, b"\xff\xd8\xff", f"a JPEG {_PICTURE}"),
    (0, b"GIF8", f"a GIF {_PICTURE}"),
    (0, b"II*\x00", f"a TIFF {_PICTURE}"),
    (0, b"MM\x00*", f"a TIFF {_PICTURE}"),
    (4, b"ftyp", "a video without geometry, not a recording"),
    (0, b"RIFF", "a video or sound, not a recording"),
    (0, b"NRRD", "an NRRD file, which is not read; convert it to NIfTI with its time axis"),
    (0, b"ObjectType = Image", "a MetaImage file, which is not read; convert it to NIfTI with its time axis"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file without the groups of ml4h (ukb_cardiac_mri, ukb_ecg_rest)"),
    (0, b"MATLAB 5.0", "a MATLAB file without a WFDB header (.hea) beside it"),
    (0, b"PAR1", f"a Parquet file: {_TABLE}"),
    (0, b"$FL2", f"an SPSS file: {_TABLE}"),
    (0, b"<stata_dta>", f"a Stata file: {_TABLE}"),
    (0, b"SQLite format 3", "an SQLite database, not a recording"),
    (128, b"DICM", "DICOM, but no series that could be a cine and no ECG"),
    (0, b"version https://git-lfs", "a pointer of git-lfs instead of the file; fetch the file itself (git lfs pull)"),
    (0, b"\x1f\x8b", "packed by gzip and no NIfTI file; unpack it to see what it is"),
    (0, b"7z\xbc\xaf", "a 7z archive; unpack it, or make it a zip archive"),
    (0, b"Rar!", "a RAR archive; unpack it, or make it a zip archive"),
    (257, b"ustar", "a tar archive; unpack it, or make it a zip archive"),
    (0, b"\x80\x02", "a Python pickle, which is not read because it could run code"),
)
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_HTML_MARKS = (b"<!doctype html", b"<html")
_PLINK_TEXT = {
    "#CHROM": f"a PLINK 2 pvar file: variants of {_GENOTYPES}",
    "#FID": f"a PLINK 2 psam file: people of {_GENOTYPES}",
    "#IID": f"a PLINK 2 psam file: people of {_GENOTYPES}",
    "CHROM": "summary statistics of an association, not a recording",
}
_PLINK_SUFFIXES = {
    ".bim": f"a PLINK bim file: variants of {_GENOTYPES}",
    ".fam": f"a PLINK fam file: people of {_GENOTYPES}",
}
_BINARY_SUFFIXES = {
    ".bed": "PLINK bed", ".pgen": "PLINK 2 pgen", ".dcm": "DICOM", ".ima": "DICOM", ".nii": "NIfTI", ".gz": "gzip",
    ".png": "PNG", ".pdf": "PDF", ".zip": "zip", ".hd5": "HDF5", ".h5": "HDF5", ".hdf5": "HDF5", ".parquet": "Parquet",
}  # fmt: skip


def describe_foreign(path: Path) -> str:
    """Say what lies at a path that no reader knows, as the end of a sentence; never raises."""
    try:
        if path.is_dir():
            return _describe_folder(path)
        head = SourceFile(path).head(_HEAD_BYTES)
    except (OSError, ValueError, RecordingError) as refusal:
        return f"it cannot be looked at ({refusal})"
    if not head:
        return "it is empty (0 bytes)"
    known = next((text for position, mark, text in _MARKS if head.startswith(mark, position)), None)
    if known is not None:
        return f"it is {known}"
    if head.startswith(_ZIP_MARKS):
        is_office = b"[Content_Types].xml" in head
        return f"it is an Office file: {_TABLE}" if is_office else "it is a zip archive without DICOM files"
    return _describe_text(path, head)


def _describe_folder(folder: Path) -> str:
    walk = (Path(parent, name) for parent, _, names in os.walk(folder) for name in sorted(names))
    files = [file for file in islice(walk, _MAX_FILES) if not file.name.startswith(".")]
    if not files:
        return "it is an empty folder"
    number = {1: "one file", _MAX_FILES: f"at least {_MAX_FILES} files"}.get(len(files), f"{len(files)} files")
    return f"it is a folder with {number} and no recording in them; of {files[0].name}, {describe_foreign(files[0])}"


def _describe_text(path: Path, head: bytes) -> str:
    wanted = _BINARY_SUFFIXES.get(path.suffix.lower())
    named = f"; it is named like {wanted} and does not begin like it" if wanted else ""
    text = _as_text(head)
    if text is None:
        return f"it is of no known format{named}"
    if text.lstrip().lower().startswith(tuple(mark.decode() for mark in _HTML_MARKS)):
        return f"it is a web page, perhaps instead of a download that needed a login{named}"
    if text.lstrip().startswith(("{", "[")) and (len(head) == _HEAD_BYTES or _is_json(text)):
        return f"it is JSON, not a recording{named}"
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return f"it is blank{named}"
    cells = [max((line.split(mark) for mark in ("\t", ",", ";", None)), key=len) for line in lines[:5]]
    first = cells[0][0].strip('"')
    suffix = path.suffix.lower()
    if first in _PLINK_TEXT and len(cells[0]) > 1:
        return f"it is {_PLINK_TEXT[first]}"
    if suffix in _PLINK_SUFFIXES and {len(row) for row in cells} == {6}:
        return f"it is {_PLINK_SUFFIXES[suffix]}"
    if len(cells) > 1 and len({len(row) for row in cells[:-1]}) == 1 and len(cells[0]) > 1:
        return f"it is {_TABLE}{named}"
    return f"it is a text of no known format{named}"


def _as_text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as damage:
        return head[: damage.start].decode("utf-8-sig") if damage.start > len(head) - 4 else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
