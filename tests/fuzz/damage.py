"""How inputs are damaged: edits of bytes that know what kind of file they are in, drawn by Hypothesis.

An edit is a name and its arguments, so that a failure can be printed, repeated and made smaller. Positions wrap around,
so any edit fits any file; an edit that finds nothing to change leaves the file as it is.
"""

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Files = dict[str, bytes]

HOSTILE_TEXTS = (
    "0", "-1", "1", "2", "32767", "65535", "2147483647", "-2147483648", "4294967296", "9" * 30, "1" * 400, "1e308",
    "-1e308", "1e-320", "nan", "NaN", "inf", "-inf", "Infinity", "", " ", "abc", "0x10", "1,5", "-0", "0.0000001",
    "true", "null", "٣", "é", "\x00", "\x1b[2J", "\u202e", "\ud800", "../../../etc/passwd", "/etc/passwd",
    "|cat /etc/passwd", "file:///etc/passwd", "%s%n", "A" * 5000, "<img src=x onerror=alert(1)>", "&xxe;", "]]>",
    "=1+1", "1\\2\\3", "[0]", "{}", "\n", "II", "avr", "mV", "500",
)  # fmt: skip
"""Texts put where a number, a name or a path is expected."""

_INTEGERS = (0, 1, 2, 127, 255, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
_FLOATS = (float("nan"), float("inf"), float("-inf"), 1e30, -1e30, 0.0, 1e-38)


def _hostile_numbers() -> tuple[bytes, ...]:
    integers = [
        (number % (1 << (8 * size))).to_bytes(size, order)  # type: ignore[arg-type]
        for number in _INTEGERS
        for size in (1, 2, 4, 8)
        for order in ("little", "big")
    ]
    floats = [struct.pack(order + code, number) for number in _FLOATS for order in "<>" for code in "fd"]
    return tuple(dict.fromkeys(integers + floats))


HOSTILE_NUMBERS = _hostile_numbers()
"""Extreme integers and floats in all sizes and byte orders."""


@dataclass(frozen=True)
class Edit:
    """One change of one file: ``do(content, *arguments)``."""

    file: str
    do: Callable[..., bytes]
    arguments: tuple[Any, ...]

    def __repr__(self) -> str:
        shown = ", ".join(repr(argument)[:60] for argument in self.arguments)
        return f"{self.do.__name__}({self.file}: {shown})"


def damaged(files: Mapping[str, bytes], edits: tuple[Edit, ...]) -> Files:
    """Copy of `files` after all edits; a file that an edit makes None is gone."""
    changed = dict(files)
    for edit in edits:
        if edit.file in changed:
            changed[edit.file] = edit.do(changed[edit.file], *edit.arguments)
    return changed


# ------------------------------------------------------------------------------------------------------- any bytes


def flip(content: bytes, position: int, bit: int) -> bytes:
    """Turn one bit."""
    return put(content, position, bytes([content[position % len(content)] ^ (1 << bit)])) if content else content


def put(content: bytes, position: int, value: bytes) -> bytes:
    """Write `value` over what is there."""
    start = position % max(len(content), 1)
    return (content[:start] + value + content[start + len(value) :])[: len(content)]


def cut(content: bytes, n_bytes: int) -> bytes:
    """Keep the beginning."""
    return content[: n_bytes % max(len(content), 1)]


def cut_end(content: bytes, n_bytes: int) -> bytes:
    """Lose a few bytes at the end."""
    return content[: max(len(content) - n_bytes, 0)]


def drop(content: bytes, position: int, n_bytes: int) -> bytes:
    """Take a block out."""
    start = position % max(len(content), 1)
    return content[:start] + content[start + n_bytes :]


def repeat(content: bytes, position: int, n_bytes: int, times: int) -> bytes:
    """Have a block several times."""
    start = position % max(len(content), 1)
    block = content[start : start + n_bytes]
    return content[:start] + block * times + content[start + n_bytes :]


def insert(content: bytes, position: int, value: bytes) -> bytes:
    """Put bytes in between."""
    start = position % max(len(content), 1)
    return content[:start] + value + content[start:]


def blank(content: bytes, position: int, n_bytes: int) -> bytes:
    """Set a block to zero."""
    return put(content, position, bytes(min(n_bytes, len(content))))


def swap(content: bytes, first: int, second: int, n_bytes: int) -> bytes:
    """Exchange two blocks."""
    a, b = sorted((first % max(len(content), 1), second % max(len(content), 1)))
    n = min(n_bytes, b - a, len(content) - b)
    return content[:a] + content[b : b + n] + content[a + n : b] + content[a : a + n] + content[b + n :]


def replace(content: bytes, value: bytes) -> bytes:
    """Be another file."""
    return value


# ----------------------------------------------------------------------------------------------------------- texts

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(r"""[^\s,;"'<>=:/\[\]{}()]+""")
_XML_TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
_XML_ATTRIBUTE = re.compile(r'(?<==")[^"<>]*(?=")')
_XML_NAME = re.compile(r"(?<=<)/?[A-Za-z_][\w:.-]*")
_XML_TAG = re.compile(r"<[^<>]*>")
_LINE = re.compile(r"[^\n]*\n")
_CELL = re.compile(r"[^,\t\n;]+")
_PATTERNS = {
    "number": _NUMBER, "token": _TOKEN, "text": _XML_TEXT, "attribute": _XML_ATTRIBUTE, "name": _XML_NAME,
    "tag": _XML_TAG, "line": _LINE, "cell": _CELL,
}  # fmt: skip


def reword(content: bytes, pattern: str, index: int, text: str) -> bytes:
    """Replace the `index`-th number, word, cell, line, tag, attribute or text of an element."""
    written, encoding = _as_text(content)
    found = [match.span() for match in _PATTERNS[pattern].finditer(written[:200_000])]
    if not found:
        return content
    start, stop = found[index % len(found)]
    return (written[:start] + text + written[stop:]).encode(encoding, "surrogatepass")


def say_again(content: bytes, pattern: str, index: int, times: int) -> bytes:
    """Repeat the `index`-th of them; 0 takes it out."""
    written, encoding = _as_text(content)
    found = [match.span() for match in _PATTERNS[pattern].finditer(written[:200_000])]
    if not found:
        return content
    start, stop = found[index % len(found)]
    return (written[:start] + written[start:stop] * times + written[stop:]).encode(encoding, "surrogatepass")


def _as_text(content: bytes) -> tuple[str, str]:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    try:
        written = content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        written, encoding = content.decode("latin-1"), "latin-1"
    if encoding == "latin-1":  # hostile texts may be any Unicode
        return content.decode("utf-8", "surrogateescape"), "utf-8"
    return written, encoding


# ----------------------------------------------------------------------------------------------------------- DICOM

_LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")


def dicom_elements(content: bytes) -> list[tuple[int, int, int]]:
    """Start, length of the head and length of the value of each element of an explicit little-endian file."""
    elements, start = [], 132
    while start + 8 <= len(content):
        vr = content[start + 4 : start + 6]
        if not (vr.isalpha() and vr.isupper()):
            break
        head = 12 if vr in _LONG_VRS else 8
        code, where = ("<I", start + 8) if head == 12 else ("<H", start + 6)
        if where + struct.calcsize(code) > len(content):
            break
        (length,) = struct.unpack_from(code, content, where)
        elements.append((start, head, length))
        if length == 0xFFFFFFFF:
            break
        start += head + length
    return elements


def dicom_value(content: bytes, index: int, value: bytes) -> bytes:
    """Give an element another value, with its length."""
    elements = dicom_elements(content)
    if not elements:
        return content
    start, head, length = elements[index % len(elements)]
    value = (value + b" " if len(value) % 2 else value)[:60_000]
    code, where = ("<I", 8) if head == 12 else ("<H", 6)
    new_head = bytearray(content[start : start + head])
    struct.pack_into(code, new_head, where, len(value))
    return content[:start] + bytes(new_head) + value + content[start + head + min(length, len(content)) :]


def dicom_length(content: bytes, index: int, length: int) -> bytes:
    """Have an element lie about its length."""
    elements = dicom_elements(content)
    if not elements:
        return content
    start, head, _ = elements[index % len(elements)]
    code, where = ("<I", 8) if head == 12 else ("<H", 6)
    return put(content, start + where, struct.pack(code, length % (1 << (8 * struct.calcsize(code)))))


def dicom_element(content: bytes, index: int, times: int) -> bytes:
    """Have an element several times, or not at all."""
    elements = dicom_elements(content)
    if not elements:
        return content
    start, head, length = elements[index % len(elements)]
    return repeat(content, start, head + length, times)


def dicom_tag(content: bytes, index: int, other: int, n_bytes: int) -> bytes:
    """Give an element the tag (4) or the tag and type (6 bytes) of another."""
    elements = dicom_elements(content)
    if not elements:
        return content
    start, goal = elements[index % len(elements)][0], elements[other % len(elements)][0]
    return put(content, goal, content[start : start + n_bytes])


# ----------------------------------------------------------------------------------------------- NIfTI, gzip, zip, HDF5

NIFTI_FIELDS = {
    "sizeof_hdr": (0, "i"), "ndim": (40, "h"), "dim1": (42, "h"), "dim2": (44, "h"), "dim3": (46, "h"),
    "dim4": (48, "h"), "dim5": (50, "h"), "dim7": (54, "h"), "datatype": (70, "h"), "bitpix": (72, "h"),
    "qfac": (76, "f"), "pixdim1": (80, "f"), "pixdim2": (84, "f"), "pixdim3": (88, "f"), "pixdim4": (92, "f"),
    "vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f"), "xyzt_units": (123, "b"),
    "toffset": (136, "f"), "qform_code": (252, "h"), "sform_code": (254, "h"), "quatern_b": (256, "f"),
    "qoffset_x": (268, "f"), "srow_x0": (280, "f"), "srow_y1": (300, "f"), "magic": (344, "i"),
}  # fmt: skip


def nifti_field(content: bytes, name: str, value: float) -> bytes:
    """Set one field of a NIfTI-1 header."""
    position, code = NIFTI_FIELDS[name]
    if len(content) < 348:
        return content
    if code == "f":
        return put(content, position, struct.pack("<f", max(min(value, 3e38), -3e38) if value == value else value))
    size = struct.calcsize(code)
    number = 0 if value != value else int(max(min(value, 2**63), -(2**63)))
    return put(content, position, (number % (1 << (8 * size))).to_bytes(size, "little"))


def in_gzip(content: bytes, do: Callable[..., bytes], *arguments: Any) -> bytes:
    """Unpack, edit, pack."""
    try:
        return gzip.compress(do(gzip.decompress(content), *arguments), 1, mtime=0)
    except (OSError, EOFError, zlib.error):  # an earlier edit has damaged it
        return content


def in_zip(content: bytes, index: int, do: Callable[..., bytes], *arguments: Any) -> bytes:
    """Edit one member, and make the archive again with right checksums."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    except Exception:
        return content
    if not members:
        return content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for k, (name, member) in enumerate(members):
            archive.writestr(name, do(member, *arguments) if k == index % len(members) else member)
    return packed.getvalue()


_ZIP_RECORDS = {
    b"PK\x01\x02": (6, 8, 10, 16, 20, 24, 28, 30, 38, 42, 46),
    b"PK\x03\x04": (6, 8, 14, 18, 22, 26, 28, 30),
}
_ZIP_END = (8, 10, 12, 16, 20)


def zip_field(content: bytes, record: int, field_index: int, value: bytes) -> bytes:
    """Set a field of a local header, of the central directory, or of its end."""
    places = [
        (match.start(), _ZIP_RECORDS[match.group()]) for match in re.finditer(rb"PK(?:\x01\x02|\x03\x04)", content)
    ]
    end = content.rfind(b"PK\x05\x06")
    places += [(end, _ZIP_END)] if end >= 0 else []
    if not places:
        return content
    start, fields = places[record % len(places)]
    return put(content, start + fields[field_index % len(fields)], value)


HDF5_ACTIONS = (
    "delete",
    "nan",
    "negative",
    "empty",
    "scalar",
    "text",
    "huge",
    "other shape",
    "soft link",
    "external",
    "group",
)


def hdf5_node(content: bytes, index: int, action: str) -> bytes:
    """Change one dataset or attribute of a whole HDF5 file, with the library's own writer."""
    import h5py
    import numpy as np

    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None)
        if not names:
            return content
        name = names[index % len(names)]
        old = file[name][()]
        del file[name]
        number = np.asarray(old, dtype=np.float64) if np.asarray(old).dtype.kind in "iuf" else np.zeros(3)
        made = {
            "nan": lambda: file.create_dataset(name, data=np.full_like(number, np.nan)),
            "negative": lambda: file.create_dataset(name, data=-np.abs(number) - 1),
            "empty": lambda: file.create_dataset(name, data=np.empty(0)),
            "scalar": lambda: file.create_dataset(name, data=-1),
            "text": lambda: file.create_dataset(name, data="not a number \x1b[2J"),
            "huge": lambda: file.create_dataset(
                name, shape=(2**31, 2**12), dtype="f4", chunks=(64, 64), compression="gzip"
            ),
            "other shape": lambda: file.create_dataset(name, data=number.reshape(-1)[: max(number.size - 1, 0)]),
            "soft link": lambda: file.__setitem__(name, h5py.SoftLink("/" + name)),
            "external": lambda: file.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/x")),
            "group": lambda: file.create_group(name),
        }
        made.get(action, lambda: None)()
    return stream.getvalue()


# ------------------------------------------------------------------------------------------------- drawing of edits


def edits_of(files: Mapping[str, bytes]) -> st.SearchStrategy[tuple[Edit, ...]]:
    """One to five edits that suit the files; about one in eight inputs loses, doubles or mixes up whole files."""
    names = sorted(files)
    in_file = {name: _edit(name, _kind(files[name]), files) for name in names}
    in_files = st.sampled_from(names).flatmap(in_file.__getitem__)
    several = st.lists(in_files, min_size=1, max_size=5).map(tuple)
    hdf5 = [name for name in names if _kind(files[name]) == "hdf5"]
    if not hdf5:
        return several
    by_library = st.builds(
        lambda name, index, action: (Edit(name, hdf5_node, (index, action)),),
        st.sampled_from(hdf5), _INDEX, st.sampled_from(HDF5_ACTIONS),
    )  # fmt: skip
    return st.one_of(several, by_library)


_INDEX = st.integers(0, 5000)
_POSITION = st.one_of(st.integers(0, 600), st.integers(0, 2**24))
_SIZE = st.one_of(st.integers(1, 16), st.integers(1, 5000))
_TEXT = st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=12))
_VALUE = st.one_of(st.sampled_from(HOSTILE_NUMBERS), st.binary(min_size=1, max_size=16))
_NUMBER_VALUE = st.sampled_from(
    (0, 1, -1, 2, 4, 16, 512, 32767, -32768, 2**31 - 1, 1e30, -1e30, float("nan"), 0.5, 8, 64)
)
_TIMES = st.sampled_from((0, 2, 3, 50))

_ANYWHERE: tuple[tuple[Callable[..., bytes], st.SearchStrategy[Any]], ...] = (
    (flip, st.tuples(_POSITION, st.integers(0, 7))),
    (put, st.tuples(_POSITION, _VALUE)),
    (cut, st.tuples(st.integers(0, 2**24))),
    (cut_end, st.tuples(st.integers(1, 64))),
    (drop, st.tuples(_POSITION, _SIZE)),
    (repeat, st.tuples(_POSITION, _SIZE, st.integers(2, 5))),
    (insert, st.tuples(_POSITION, _VALUE)),
    (blank, st.tuples(_POSITION, _SIZE)),
    (swap, st.tuples(_POSITION, _POSITION, _SIZE)),
)
_BY_KIND: dict[str, tuple[tuple[Callable[..., bytes], st.SearchStrategy[Any]], ...]] = {
    "dicom": (
        (
            dicom_value,
            st.tuples(_INDEX, st.one_of(_VALUE, _TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))),
        ),
        (dicom_value, st.tuples(_INDEX, _VALUE)),
        (dicom_length, st.tuples(_INDEX, st.sampled_from(_INTEGERS))),
        (dicom_element, st.tuples(_INDEX, _TIMES)),
        (dicom_tag, st.tuples(_INDEX, _INDEX, st.sampled_from((4, 6)))),
    ),
    "nifti": ((nifti_field, st.tuples(st.sampled_from(sorted(NIFTI_FIELDS)), _NUMBER_VALUE)),) * 3,
    "zip": ((zip_field, st.tuples(_INDEX, _INDEX, _VALUE)),) * 2,
    "xml": (
        *((reword, st.tuples(st.just(name), _INDEX, _TEXT)) for name in ("text", "attribute", "name", "number", "tag")),
        (say_again, st.tuples(st.sampled_from(("tag", "text", "line")), _INDEX, _TIMES)),
    ),
    "text": (
        *((reword, st.tuples(st.just(name), _INDEX, _TEXT)) for name in ("number", "token", "cell", "line")),
        (say_again, st.tuples(st.sampled_from(("line", "token", "cell")), _INDEX, _TIMES)),
    ),
}


def _edit(name: str, kind: str, files: Mapping[str, bytes]) -> st.SearchStrategy[Edit]:
    other = st.builds(lambda goal: Edit(name, replace, (files[goal],)), st.sampled_from(sorted(files)))
    emptied = st.just(Edit(name, replace, (b"",)))
    inner = _kind(_unpacked(files[name]))
    choices = [
        *([_one_of(name, _BY_KIND[kind])] * 2 if kind in _BY_KIND else []),
        _one_of(name, _ANYWHERE),
    ]
    if kind == "gzip":
        choices += [_packed(name, in_gzip, st.just(()), inner)] * 3
    if kind == "zip":
        choices += [_packed(name, in_zip, st.tuples(_INDEX), inner)] * 3
    choices += [st.one_of(other, emptied)] if len(files) > 1 else []
    return st.one_of(choices)


def _one_of(
    name: str, ways: tuple[tuple[Callable[..., bytes], st.SearchStrategy[Any]], ...]
) -> st.SearchStrategy[Edit]:
    return st.one_of([arguments.map(lambda drawn, do=do: Edit(name, do, drawn)) for do, arguments in ways])


def _packed(
    name: str, pack: Callable[..., bytes], before: st.SearchStrategy[Any], kind: str
) -> st.SearchStrategy[Edit]:
    ways = _ANYWHERE + _BY_KIND.get(kind, ()) * 2
    drawn = st.one_of([arguments.map(lambda values, do=do: (do, *values)) for do, arguments in ways])
    return st.builds(lambda first, rest: Edit(name, pack, (*first, *rest)), before, drawn)


def _kind(content: bytes) -> str:
    if content[128:132] == b"DICM":
        return "dicom"
    if content.startswith(b"\x1f\x8b"):
        return "gzip"
    if content.startswith(b"PK\x03\x04"):
        return "zip"
    if content.startswith(b"\x89HDF"):
        return "hdf5"
    if content[344:347] in (b"n+1", b"ni1"):
        return "nifti"
    head = content[:2000]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return "xml"
    return "text" if head and b"\x00" not in head and sum(byte < 128 for byte in head) > 0.8 * len(head) else "bytes"


def _unpacked(content: bytes) -> bytes:
    try:
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.read(archive.infolist()[0])
    except Exception:
        return b""
    return b""
