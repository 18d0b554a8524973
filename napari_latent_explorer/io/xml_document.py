"""XML from anyone, as a tree of plain elements, or an error that names the file.

Nothing in a document makes the reader do anything: entities are refused where they are declared, nothing outside the
file is fetched, and what could become elements or attributes is counted before one of them is made.

| what | how |
|---|---|
| encoding | by byte order mark, else by the bytes (UTF-16 has zeros), else as declared; a declaration that lies loses |
| namespaces | prefixes are taken off names; which one a vendor chose says nothing |
| document type | refused, but for ``RestingECG SYSTEM "restecg.dtd"`` of GE MUSE, which is passed over, not looked up |
| size | at most 32 MiB, 600 000 elements, 64 of them inside each other |
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.source_file import SourceFile

MAX_XML_BYTES = 32 << 20
MAX_ELEMENTS = 600_000
MAX_DEPTH = 64
_LARGEST_NUMBER = 1e15
_LONGEST_NUMBER = 40
_HEAD_BYTES = 16 << 10
_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_SINGLE_BYTE = re.compile(r"^(ascii|iso8859-\d+|cp125\d|cp437|cp850|koi8-r)$")
_MULTI_BYTE = ("utf-8", "cp949", "euc_kr", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "cp932", "euc_jp")
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_NAME = re.compile(r"<([\w.-]+:)?([\w.-]+)[\s/>]")
_PASSED_OVER = ("RestingECG", "restecg.dtd")


def xml_root_name(path: Path) -> str | None:
    """Name of the root element without its prefix, from the first bytes; None for what is no XML. Never raises."""
    try:
        text = _decoded(SourceFile(path).head(_HEAD_BYTES), errors="ignore")
    except (RecordingError, OSError, ValueError):
        return None
    place = 0
    while piece := _PROLOG.match(text, place):
        place = piece.end()
    root = _NAME.match(text, place)
    return root.group(2) if root else None


def read_xml(path: Path) -> Element:
    """Root element of a document; names have no prefixes.

    Raises
    ------
    RecordingError
        When it is not XML, damaged, too large, or declares entities.
    """
    file = SourceFile(path)
    content = file.read(MAX_XML_BYTES)
    if not content.strip(b"\0 \t\r\n"):
        raise RecordingError(f"{file} is empty. Copy or export it again.")
    try:
        text = _decoded(content, errors="strict").strip("\0 \t\r\n")
    except UnicodeDecodeError as damage:
        raise RecordingError(f"{file} is not XML, or damaged: {damage.reason}. Copy or export it again.") from damage
    if max(text.count("<"), text.count("=")) > MAX_ELEMENTS:
        raise RecordingError(f"{file} has more than {MAX_ELEMENTS} elements or attributes; no ECG needs so many.")
    return _Tree(str(file)).built_from(text)


def text_of(element: Element | None, default: str = "") -> str:
    """Text directly inside an element, trimmed."""
    return default if element is None else (element.text or default).strip()


def number_of(text: str | None) -> float | None:
    """Read a number with a decimal point or a decimal comma; None for anything else, and for what is beyond 1e15."""
    plain = (text or "").strip()[: _LONGEST_NUMBER + 1].replace(",", ".")
    if len(plain) > _LONGEST_NUMBER or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", plain, re.ASCII):
        return None
    number = float(plain)
    return number if abs(number) <= _LARGEST_NUMBER else None


def children(element: Element, name: str) -> Iterator[Element]:
    """Direct children of that name in any case."""
    wanted = name.lower()
    return (child for child in element if child.tag.lower() == wanted)


def child(element: Element | None, *names: str) -> Element | None:
    """First element at the end of a path of names in any case; None where there is none."""
    for name in names:
        element = None if element is None else next(children(element, name), None)
    return element


def not_an_ecg(path: Path, root: Element, known: str) -> RecordingError:
    """Error for a document that is another one than `known`."""
    return RecordingError(
        f"{path} is an XML document of root {root.tag}, not {known}. Choose another file, or export the ECG in one of "
        "the formats that are read."
    )


def _decoded(content: bytes, errors: str) -> str:
    for mark, encoding in _UTF16_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors)
    content = content.removeprefix(codecs.BOM_UTF8)
    start = content[:64].lstrip(b" \t\r\n")
    if start[:2] == b"<\0":
        return content.decode("utf-16-le", errors)
    if start[:2] == b"\0<":
        return content.decode("utf-16-be", errors)
    try:
        return content.decode(_declared_encoding(content), errors)
    except UnicodeDecodeError:
        return content.decode("latin-1")  # only names of people can differ; tags and digits are ASCII


def _declared_encoding(content: bytes) -> str:
    declared = _DECLARED.match(content[:200])
    try:
        name = codecs.lookup(declared.group(1).decode("ascii")).name if declared else "utf-8"
    except LookupError:
        return "utf-8"
    return name if name in _MULTI_BYTE or _SINGLE_BYTE.match(name) else "utf-8"


class _Tree:
    """Builds elements from the parser's events, within limits."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._builder = TreeBuilder()
        self._depth = 0

    def built_from(self, text: str) -> Element:
        parser = expat.ParserCreate("utf-8")  # whatever the document declares
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        try:
            parser.Parse(text.encode("utf-8"), True)
        except (expat.ExpatError, UnicodeEncodeError) as damage:
            raise RecordingError(
                f"{self._file} is not XML, or damaged: {reason_of(damage)}. Copy or export it again."
            ) from damage
        return self._builder.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecordingError(
                f"{self._file} has elements more than {MAX_DEPTH} deep in each other; it is no ECG, and not read."
            )
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items() if ":" in key}
        plain |= {key: value for key, value in attributes.items() if ":" not in key}
        self._builder.start(name.rpartition(":")[2], plain)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(name.rpartition(":")[2])

    def _doctype(self, name: str, system_id: str | None, public_id: str | None, has_internal_subset: int) -> None:
        known_name, known_file = _PASSED_OVER
        is_passed_over = name == known_name and (system_id or "").lower().endswith(known_file)
        if has_internal_subset or not is_passed_over:
            raise RecordingError(
                f"{self._file} brings a document type of its own ({name}); it is not safe to read. Export the ECG "
                "again without one."
            )

    def _entity(self, *_: Any) -> Any:
        raise RecordingError(
            f"{self._file} declares or uses entities, with which a small file can fill the memory or fetch others; it "
            "is not read. Export the ECG again without them."
        )
