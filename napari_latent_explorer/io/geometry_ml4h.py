"""Where the slices of an ml4h HDF5 file lie in the patient, as far as the file says it.

The layout keeps a few DICOM facts of each series at the root of the file; older files lack some or all of them. Beware
of their names: `mri_pixel_width` is DICOM's PixelSpacing[0], the distance between rows.

References
----------
Petersen et al., UK Biobank's cardiovascular magnetic resonance protocol, J. Cardiovasc. Magn. Reson. 18 (2016) 8, for
what is assumed where nothing is stored.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ml4h_layout import Tensor, read_facts

Floats = NDArray[np.float64]

_PIXEL_MM = 1.8
_LONG_AXIS_THICKNESS_MM, _SHORT_AXIS_STEP_MM = 6.0, 10.0
_SENSIBLE_MM = (0.1, 50.0)
_UNEVEN_MM = 0.5
_SAME_DIRECTION = 0.02
_USUAL_ROWS, _USUAL_COLUMNS = np.array([0.0, -0.57, -0.82]), np.array([1.0, 0.0, 0.0])
"""Where rows and columns of a 4-chamber picture usually grow to (LPS)."""


def place_slices(root: Any, slices: Sequence[Tensor]) -> tuple[list[Tensor], Floats, tuple[str, ...]]:
    """Order the slices of one cine in space.

    Parameters
    ----------
    root
        Root group of the file.
    slices
        One for a long-axis cine, several for a short-axis stack.

    Returns
    -------
    slices
        Along their normal.
    affine
        ``(4, 4)`` index ``(slice, row, column, 1)`` to patient mm (LPS).
    notes
        What is not known, in sentences.

    Raises
    ------
    RecordingError
        When the slices do not lie at even steps.
    """
    first, notes = slices[0].name, []
    rows_mm, columns_mm = (_sensible(root, f"mri_pixel_{side}_{first}") for side in ("width", "height"))
    if rows_mm is None or columns_mm is None:
        rows_mm = columns_mm = _PIXEL_MM
        notes.append(f"The file does not hold the pixel spacing; {_PIXEL_MM} mm, the protocol's, are assumed.")
    step_mm = _SHORT_AXIS_STEP_MM
    if len(slices) == 1:
        step_mm = _sensible(root, f"mri_slice_thickness_{first}") or _LONG_AXIS_THICKNESS_MM
    places = [(tensor, _directions(root, tensor.name)) for tensor in slices]
    known = [(tensor, place) for tensor, place in places if place is not None]
    if len(known) == len(places):
        ordered, affine = _known_place(root, known, step_mm)
    else:
        rows = _USUAL_ROWS / np.linalg.norm(_USUAL_ROWS)
        ordered, affine = list(slices), np.eye(4)
        affine[:3, :3] = np.stack([np.cross(_USUAL_COLUMNS, rows) * step_mm, rows, _USUAL_COLUMNS], axis=1)
        notes.append("The file does not say how the cine lies in the patient; it is taken to lie as usual.")
        if len(slices) > 1:
            notes.append(f"Its slices are taken in the order of their names, {step_mm:g} mm apart.")
    affine[:3, 1] *= rows_mm
    affine[:3, 2] *= columns_mm
    return ordered, affine, tuple(notes)


def _known_place(
    root: Any, places: Sequence[tuple[Tensor, tuple[Floats, Floats, Floats]]], step_mm: float
) -> tuple[list[Tensor], Floats]:
    """Slices along their normal, and the affine with rows and columns of 1 mm."""
    columns, rows, _ = places[0][1]
    normal = np.cross(columns, rows)
    ordered = sorted(places, key=lambda one: float(one[1][2] @ normal))
    corners = np.array([corner for _, (_, _, corner) in ordered])
    step = normal * step_mm
    if len(ordered) > 1:
        step = (corners[-1] - corners[0]) / (len(corners) - 1)
        even = corners[0] + np.arange(len(corners))[:, None] * step
        directions = np.array([[*other, *another] for _, (other, another, _) in ordered])
        is_parallel = np.abs(directions - directions[0]).max() < _SAME_DIRECTION
        if not is_parallel or np.abs(corners - even).max() > _UNEVEN_MM or np.linalg.norm(step) < _SENSIBLE_MM[0]:
            raise RecordingError(
                f"The short-axis slices in {root.file.filename} do not lie side by side at even steps: their "
                f"corners are {np.round(corners, 1).tolist()} mm (LPS). One is missing or of another stack; read one."
            )
    affine = np.eye(4)
    affine[:3] = np.stack([step, rows, columns, corners[0]], axis=1)
    return [tensor for tensor, _ in ordered], affine


def _directions(root: Any, series: str) -> tuple[Floats, Floats, Floats] | None:
    """Where columns and rows grow to, unit vectors, and the first pixel; None where the file does not say."""
    orientation = read_facts(root, f"mri_patient_orientation_{series}", 6)
    corner = read_facts(root, f"mri_patient_position_{series}", 3)
    if orientation is None or corner is None:
        return None
    columns, rows = orientation[:3], orientation[3:]
    if not np.allclose([columns @ columns, rows @ rows, columns @ rows], [1.0, 1.0, 0.0], atol=_SAME_DIRECTION):
        return None
    return columns / np.linalg.norm(columns), rows / np.linalg.norm(rows), corner


def _sensible(root: Any, name: str) -> float | None:
    values = read_facts(root, name, 1)
    return float(values[0]) if values is not None and _SENSIBLE_MM[0] <= values[0] <= _SENSIBLE_MM[1] else None
