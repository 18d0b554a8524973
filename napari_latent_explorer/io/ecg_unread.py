"""Files that hold an ECG and are not read: they are recognised, so that the answer is what they are and how to convert.

| format | recognised by | why it is not read |
|---|---|---|
| SCP-ECG (EN 1064) | ``SCPECG`` in the header of section 0 | no maintained Python library but bindings to libbiosig |
| EDF, BDF, GDF | its magic numbers | no library among the dependencies |
| ISHNE Holter | ``ISHNE1.0`` | Holters hold two or three leads |
| MFER (ISO 22077) | preamble ``MFR`` | no library |

Why not libbiosig, which reads them all: it needs a system library, its licence (GPL-3) is not this package's, and it
tells formats apart by content and has had memory errors in several of its parsers (CVE-2024-23313, CVE-2025-66046,
CVE-2026-20777, CVE-2026-22891), so that a file could run code.
"""

from pathlib import Path

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions

_HEAD_BYTES = 256
_CART = "from the cart or archive as DICOM, HL7 aECG or the device's XML"
_EDF = "as DICOM or HL7 aECG, or convert it to WFDB (`edf2mit` of PhysioNet's WFDB software)"
_OTHER = "as WFDB, DICOM or HL7 aECG"
_FORMATS = (
    (16, b"SCPECG", "SCP-ECG (EN 1064)", _CART),
    (0, b"0       ", "EDF", _EDF),
    (0, b"\xffBIOSEMI", "BDF", _OTHER),
    (0, b"GDF ", "GDF", _OTHER),
    (0, b"ISHNE1.0", "ISHNE Holter", f"{_OTHER}; a twelve-lead strip at rest is needed"),
    (0, b"@\x20MFR", "MFER (ISO 22077)", _CART),
)


def is_unread_ecg(path: Path) -> bool:
    """Whether it is an ECG in one of these formats; never raises."""
    return _found(path) is not None


def refuse_unread_ecg(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Say what it is and how to convert it.

    Raises
    ------
    RecordingError
        Always.
    """
    found = _found(Path(path))
    if found is None:
        raise RecordingError(f"Cannot read {path}: it is no ECG in a known format.")
    raise RecordingError(f"Cannot read {path}: it is {found[0]}, which is not read. Export it {found[1]}.")


def _found(path: Path) -> tuple[str, str] | None:
    """Name of the format and what to do, if it is one of these."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return None
    for position, mark, name, advice in _FORMATS:
        if head[position : position + len(mark)] == mark and (name != "EDF" or _is_edf(head)):
            return name, advice
    return None


def _is_edf(head: bytes) -> bool:
    """Whether the fields of numbers in an EDF header are numbers: bytes of the header, and how many signals."""
    return head[184:192].strip().isdigit() and head[252:256].strip().isdigit()
