"""What the header of a NIfTI file says: size, kind of numbers, place in the patient, time step.

| field | how it is taken |
|---|---|
| `dim` | (column, row, slice, frame); axes beyond the fourth must have length 1 |
| `datatype` | whole numbers and floats up to 64 bit; colours, complex numbers and 128 bit are refused |
| `xyzt_units` | metre, millimetre, micrometre (none: millimetre, with a note); second, milli- or microsecond |
| `sform`, `qform` | the first with a code above 0 whose steps equal `pixdim` within 1 %; see below |
| `scl_slope` | 0 or no number: the pixels are stored as they are |

The hard part is the place. By the standard the sform rules where its code is set, but files exist whose sform lost its
scale (ACDC's steps are 1 mm there, whatever the pixels); the volumes of such a heart would be wrong by a factor of 25.
So a form must agree with `pixdim` to be believed. If none does, an sform with steps of 1 keeps its directions and takes
`pixdim`'s steps, any other is followed as the standard says, with a note; with no form at all the axes are taken to be
the patient's (the standard's method 1), with a note that this is not known.

References
----------
NIfTI-1 data format: https://nifti.nimh.nih.gov/nifti-1; the scales of ACDC's sforms:
https://github.com/MIC-DKFZ/nnUNet/issues/2741.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.gzipped import opened
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES

Floats = NDArray[np.float64]

_MM_PER_UNIT = {1: 1e3, 2: 1.0, 3: 1e-3}
_MS_PER_UNIT = {8: 1e3, 16: 1.0, 24: 1e-3}
_MAX_OFFSET = 64 << 20
_SAME_STEP = 0.01
_FLATTEST = 1e-3
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_HEADER_BYTES = 540


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """Facts of one file.

    Attributes
    ----------
    path, data_path
        Header, and the file that holds the pixels (the same, but for ``.hdr``/``.img`` pairs).
    shape
        Number of frames, slices, rows and columns.
    dtype
        Kind of the stored numbers, with their byte order.
    offset
        Where the pixels begin.
    slope, intercept
        From stored numbers to signal.
    affine
        ``(4, 4)`` index ``(slice, row, column, 1)`` to patient mm (LPS).
    is_placed
        Whether the file says where it lies in the patient.
    time_step_ms, time_start_ms
        From frame to frame, and of the first frame, as the header has it, sensible or not; None without a unit of time.
    notes
        What its user should know.
    """

    path: Path
    data_path: Path
    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    affine: Floats
    is_placed: bool
    time_step_ms: float | None
    time_start_ms: float | None
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "affine", read_only(self.affine, np.float64))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between slices, rows and columns."""
        slices, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(slices), float(rows), float(columns)

    @property
    def n_bytes(self) -> int:
        """Size of the stored pixels."""
        return math.prod(self.shape) * self.dtype.itemsize


def is_nifti(path: Path) -> bool:
    """Whether a file (packed or not; either file of a pair) is NIfTI-1 or NIfTI-2, by its content."""
    try:
        with opened(header_path(path)) as stream:
            return _kind(stream.read(_HEADER_BYTES)) is not None
    except RecordingError:
        return False


def header_path(path: Path) -> Path:
    """Return the header that belongs to a file: the ``.hdr`` beside an ``.img``, else the file itself."""
    name = path.name
    for suffix in (".img", ".img.gz"):
        if name.lower().endswith(suffix):
            return path.with_name(f"{name[: -len(suffix)]}.hdr{name[len(name) - len(suffix) + 4 :]}")
    return path


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read and check the header of a file.

    Raises
    ------
    RecordingError
        When it is no NIfTI file, holds what no cine or label map holds, claims more than `MAX_RECORDING_BYTES`, or has
        no usable spacing.
    """
    place = header_path(path)
    with opened(place) as stream:
        head = stream.read(_HEADER_BYTES)
    kind = _kind(head)
    if kind is None:
        raise RecordingError(
            f"{place} is not a NIfTI file ({len(head)} bytes looked at). Analyze 7.5 and other formats have to be "
            "converted first."
        )
    try:
        return _facts(place, *kind, head)
    except RecordingError:
        raise
    except Exception as damage:  # nibabel raises several kinds for fields that make no sense
        raise RecordingError(
            f"The header of {place} makes no sense: {reason_of(damage)}. Convert it again."
        ) from damage


def _kind(head: bytes) -> tuple[int, str, bool] | None:
    """Version, byte order, and whether pixels follow in the same file."""
    for order, name in (("<", "little"), (">", "big")):
        size = int.from_bytes(head[:4], "little" if name == "little" else "big")
        if size == 348 and head[344:348] in (b"n+1\0", b"ni1\0"):
            return 1, order, head[345:346] == b"+"
        if size == 540 and head[4:12] in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n") and len(head) == _HEADER_BYTES:
            return 2, order, head[5:6] == b"+"
    return None


def _facts(path: Path, version: int, order: str, is_single: bool, head: bytes) -> NiftiHeader:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    header_class: Any = Nifti1Header if version == 1 else Nifti2Header
    header = header_class(head[: 348 if version == 1 else 540], order, check=False)
    n_columns, n_rows, n_slices, n_frames = _dimensions(path, header)
    units = int(header["xyzt_units"])
    affine, is_placed, notes = _affine_mm(path, header, units & 0x07)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        slope, intercept = 1.0, 0.0
    ms_per_unit = _MS_PER_UNIT.get(units & 0x38)
    facts = NiftiHeader(
        path=path,
        data_path=path if is_single else _image_of(path),
        shape=(n_frames, n_slices, n_rows, n_columns),
        dtype=_dtype(path, header),
        offset=_offset(path, float(header["vox_offset"]), is_single, 352 if version == 1 else 544),
        slope=slope,
        intercept=intercept,
        affine=affine,
        is_placed=is_placed,
        time_step_ms=None if ms_per_unit is None else round(float(header["pixdim"][4]) * ms_per_unit, 4),
        time_start_ms=None if ms_per_unit is None else round(float(header["toffset"]) * ms_per_unit, 4),
        notes=notes,
    )
    _refuse_unusable(facts)
    return facts


def _dimensions(path: Path, header: Any) -> tuple[int, ...]:
    n_axes, *sizes = (int(size) for size in header["dim"])
    if not 2 <= n_axes <= 7 or min(sizes[:n_axes]) < 1:
        raise RecordingError(f"{path} claims {n_axes} axes of sizes {sizes}; expected 2 to 7 of at least 1.")
    if any(size != 1 for size in sizes[4:n_axes]):
        raise RecordingError(
            f"{path} has axes beyond time ({' x '.join(map(str, sizes[:n_axes]))}), as vectors or several channels "
            "have; a cine is column x row x slice x frame. Extract one channel."
        )
    return tuple([*sizes[:n_axes], 1, 1][:4]) if n_axes < 4 else tuple(sizes[:4])


def _dtype(path: Path, header: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        held = "colours" if dtype.names else {"c": "complex numbers"}.get(dtype.kind, f"numbers of kind {dtype}")
        raise RecordingError(f"{path} holds {held}; expected whole numbers or floats of up to 64 bit. Convert it.")
    return dtype


def _offset(path: Path, claimed: float, is_single: bool, after_header: int) -> int:
    if claimed == 0:
        return after_header if is_single else 0
    least = after_header - 4 if is_single else 0
    if not (math.isfinite(claimed) and least <= claimed <= _MAX_OFFSET):
        raise RecordingError(f"{path} claims that its pixels begin at byte {claimed:g}. It is damaged; copy it again.")
    return int(claimed)


def _image_of(header: Path) -> Path:
    stem, packed = (header.name[:-3], header.name[-3:]) if header.name.lower().endswith(".gz") else (header.name, "")
    return header.with_name(f"{stem[:-4]}.{'IMG' if stem.endswith('.HDR') else 'img'}{packed}")


def _refuse_unusable(facts: NiftiHeader) -> None:
    size = " x ".join(map(str, reversed(facts.shape)))
    if facts.n_bytes > MAX_RECORDING_BYTES:
        raise RecordingError(
            f"{facts.path} claims {size} pixels, {facts.n_bytes / 1e9:.1f} GB; at most {MAX_RECORDING_BYTES / 1e9:.1f} "
            "GB are read. It is damaged, or no single cine."
        )
    if not math.isfinite(facts.intercept):
        raise RecordingError(f"{facts.path} adds {facts.intercept} to its pixels (scl_inter). Convert it again.")


def _affine_mm(path: Path, header: Any, unit: int) -> tuple[Floats, bool, tuple[str, ...]]:
    """Affine (LPS, mm) of index (slice, row, column), whether the file knows it, and notes."""
    notes = []
    if unit not in _MM_PER_UNIT:
        notes.append(f"{path.name} does not say its unit of length; millimetres are assumed.")
    pixdim = np.abs(np.array(header["pixdim"][1:4], dtype=np.float64))
    ras, is_placed, remark = _choose_form(path, _forms(header), pixdim)
    if remark:
        notes.append(f"{path.name} {remark}.")
    ras[:3] *= _MM_PER_UNIT.get(unit, 1.0)
    # (column, row, slice) -> (slice, row, column)
    return (_RAS_TO_LPS @ ras)[:, [2, 1, 0, 3]], is_placed, tuple(notes)


def _forms(header: Any) -> dict[str, Floats]:
    """Usable forms whose code is set, the sform first."""
    forms = {}
    if int(header["sform_code"]) > 0:
        forms["sform"] = np.asarray(header.get_sform(), dtype=np.float64)
    if int(header["qform_code"]) > 0:
        if float(header["pixdim"][0]) not in (-1.0, 1.0):
            header["pixdim"][0] = 1.0  # the standard: anything but -1 counts as 1
        with suppress(Exception):  # a quaternion longer than 1, negative steps: no form that could be followed
            forms["qform"] = np.asarray(header.get_qform(), dtype=np.float64)
    return {name: form for name, form in forms.items() if _is_usable(form)}


def _is_usable(form: Floats) -> bool:
    if not np.isfinite(form).all():
        return False
    steps = np.linalg.norm(form[:3, :3], axis=0)
    return bool(steps.min() > 0 and abs(np.linalg.det(form[:3, :3] / steps)) > _FLATTEST)


def _choose_form(path: Path, forms: dict[str, Floats], pixdim: Floats) -> tuple[Floats, bool, str]:
    is_given = bool(np.isfinite(pixdim).all() and pixdim.min() > 0)
    for name, form in forms.items():
        steps = np.linalg.norm(form[:3, :3], axis=0)
        if not is_given or np.allclose(steps, pixdim, rtol=_SAME_STEP, atol=0.0):
            is_first = name == next(iter(forms))
            return (
                form,
                True,
                "" if is_first else "has an sform whose steps are not its pixel spacing; its qform is used",
            )
    if forms:
        return _disagreeing(next(iter(forms.values())), pixdim)
    if not is_given:
        raise RecordingError(
            f"{path} has no usable spacing: pixdim {pixdim.tolist()}, and neither sform nor qform. Convert it again."
        )
    remark = "does not say how it lies in the patient; its axes are taken as they are, so it may be shown mirrored"
    return np.diag([*pixdim, 1.0]), False, remark


def _disagreeing(form: Floats, pixdim: Floats) -> tuple[Floats, bool, str]:
    steps = np.linalg.norm(form[:3, :3], axis=0)
    found = f"steps of {_listed(steps)} where its pixel spacing is {_listed(pixdim)}"
    if not np.allclose(steps, 1.0, rtol=_SAME_STEP):
        return form, True, f"has an sform with {found}; the sform is followed, as the format's standard says"
    scaled = form.copy()
    scaled[:3, :3] *= pixdim
    return scaled, True, f"has an sform that lost its scale, with {found}; the pixel spacing is used"


def _listed(steps: Floats) -> str:
    return " x ".join(f"{step:.4g}" for step in steps)
