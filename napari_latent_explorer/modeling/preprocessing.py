"""From a recording as it was made to what the networks take, by the rule that a bundle states.

What our own bundles state, and what is done without a bundle:

Cine
    One slice, turned as 4-chamber pictures are looked at, cropped around the heart to 96 x 96 pixels of 1.8 mm (linear
    interpolation, 0 outside the picture), 50 frames over one RR interval from the R peak (periodic linear
    interpolation), z-scored over all frames and pixels.
ECG
    A median beat (made from a rhythm strip if need be) of twelve leads at 500 Hz, 600 samples, QRS onset at 435 ms, in
    units of 50 uV.

Another grid, another crop and another rate are followed where a bundle states them (`preprocessing_spec`). Whatever it
states, a tensor made here holds a z-scored cine, or twelve leads in the clinical order and units of 50 uV.

What is on the model's grid already, as simulated recordings are, is taken exactly as it is. A cine may come with a box
around the heart (`data.heart_box`), which then says where to crop; the published rule neither turns nor resamples it.

References
----------
The z-score is ml4h's ``ZeroMeanStd1`` (``(x - mean) / (std + 1e-7)`` per participant), the ECG's unit and the place of
its QRS onset are those of the UK Biobank's median beats as ml4h reads them: https://github.com/broadinstitute/ml4h.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.heart_position import (
    box_from_labels,
    center_from_labels,
    center_from_motion,
    find_heart_box,
    middle_slice,
)
from napari_latent_explorer.modeling.inputs import Z_SCORE_EPSILON
from napari_latent_explorer.modeling.median_beat import beat_around, make_median_beat
from napari_latent_explorer.modeling.orientation import turn_to_usual
from napari_latent_explorer.modeling.preprocessing_spec import (
    ECG_UNIT_UV,
    PIXEL_SPACING_MM,
    STANDARD,
    CineSpec,
    EcgSpec,
)
from napari_latent_explorer.modeling.published_crop import crop_as_published
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset
from napari_latent_explorer.modeling.resampling import cycle_matrix, nearest_samples, picked_labels, space_matrix

_SPACING_TOLERANCE_MM = 0.01
_TIME_TOLERANCE_MS = 0.5
_ONSET_TOLERANCE_MS = 1.5
_MISSING_CYCLE_STEPS = 1.6
_BOX_WORDS = {"labels": "around the labels", "motion": "around what moves", "by hand": "drawn by hand"}
_MV_PER_UNIT = ECG_UNIT_UV / 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCine:
    """A cine as the model takes it.

    Attributes
    ----------
    tensor
        ``(n_frames, n_rows, n_columns)`` float32, z-scored; (50, 96, 96) by the standard.
    mean, std
        Of the signal before z-scoring.
    rule
        What was done, in words, with the warnings.
    cine
        The same pixels before z-scoring, with their place in the patient.
    labels
        Label map on the same grid, if one was given.
    warnings
        What may make the model's answer worthless, in words.
    """

    tensor: NDArray[np.float32]
    mean: float
    std: float
    rule: str
    cine: CineMRI
    labels: CineLabels | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensor", read_only(self.tensor, np.float32))

    def to_signal(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo the z-score of a tensor of the same shape, for instance of the reconstruction."""
        signal: NDArray[np.float32] = tensor * np.float32(self.std + Z_SCORE_EPSILON) + np.float32(self.mean)
        return signal


@dataclass(frozen=True, slots=True, eq=False)
class PreparedECG:
    """An ECG as the model takes it.

    Attributes
    ----------
    tensor
        ``(12, n_samples)`` float32 in units of 50 uV, leads in the clinical order; (12, 600) by the standard.
    rule
        What was done, in words.
    ecg_mv
        The same median beat in mV.
    """

    tensor: NDArray[np.float32]
    rule: str
    ecg_mv: ECG

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensor", read_only(self.tensor, np.float32))


def prepare_cine(
    cine: CineMRI,
    labels: CineLabels | None = None,
    center: tuple[float, float, float] | None = None,
    heart_box: HeartBox | None = None,
    spec: CineSpec = STANDARD.mri,
) -> PreparedCine:
    """Bring a cine to a model's grid.

    Parameters
    ----------
    cine
        Any cine over one heart cycle.
    labels
        Its label map, which then says where the heart is.
    center
        Where the heart is, in patient mm (LPS), when that is known better.
    heart_box
        Box around the heart in the cine's own pixels, which counts before labels and motion. One that was found by
        labels or motion for the centred rule is not needed where the cine is on the model's grid already.
    spec
        What the model takes. Where it states a rule of the crop, that counts before the box's own.

    Raises
    ------
    RecordingError
        When the cine is blank, holds values that are no numbers, or nothing in it moves.
    """
    _refuse_unusable(cine)
    if (spec.crop or (heart_box.rule if heart_box is not None else "centred")) == "published":
        box, doubts = _published_box(cine, labels, heart_box)
        cropped, cropped_labels, rule, cut_off = crop_as_published(cine, labels, box, spec.n_frames, spec.space)
        warnings = (*_plane_warnings(cine, spec), *doubts, *cut_off, *_coverage_warnings(cine, 0.0))
        return _scored(cropped, cropped_labels, rule, warnings)
    if is_on_model_grid(cine, spec) and (heart_box is None or heart_box.source != "by hand"):
        return _scored(cine, labels, "Taken as it is: it lies on the model's grid.", _plane_warnings(cine, spec))
    slice_index = middle_slice(cine)
    turned, turned_labels, what_turned = turn_to_usual(cine, labels)
    middle, how_found = _heart_center(cine, turned, turned_labels, center, heart_box)
    resampled, resampled_labels, outside = _resampled(turned, turned_labels, slice_index, middle, spec)
    rows_mm, columns_mm = turned.spacing_mm[1:]
    rule = (
        f"Cropped around row {middle[0]:.0f}, column {middle[1]:.0f} ({how_found}); {what_turned}; resampled from "
        f"{rows_mm:.2f} x {columns_mm:.2f} mm to {spec.n_rows} x {spec.n_columns} pixels of {spec.spacing_mm} mm "
        f"and from {len(cine.frames)} to {spec.n_frames} frames over {cine.rr_interval_ms:.0f} ms from the R peak "
        "(linear); z-scored over all frames and pixels."
    )
    warnings = (*_plane_warnings(cine, spec), *_coverage_warnings(cine, outside))
    return _scored(resampled, resampled_labels, rule, warnings)


def prepare_ecg(ecg: ECG, spec: EcgSpec = STANDARD.ecg) -> PreparedECG:
    """Bring an ECG to the median beat that a model takes.

    Raises
    ------
    RecordingError
        When one of the twelve leads is missing, or a rhythm strip has too few good beats.
    """
    if ecg.kind == "rhythm":
        median = make_median_beat(ecg)
        rule = f"Median beat of {median.source}"
        if median.qrs_onset_ms is not None and not is_model_beat(median, spec):
            median = beat_around(median, median.qrs_onset_ms, spec)
    elif is_model_beat(ecg, spec):
        median = ECG(ecg.leads(), LEAD_NAMES, ecg.sampling_rate_hz, "median", ecg.qrs_onset_ms, ecg.source)
        rule = "Median beat taken as it is"
    else:
        known = ecg.qrs_onset_ms is not None
        onset_ms = (
            ecg.qrs_onset_ms if ecg.qrs_onset_ms is not None else find_qrs_onset(ecg.leads(), ecg.sampling_rate_hz)
        )
        median = beat_around(ecg, onset_ms, spec)
        rule = f"Median beat moved so that its QRS onset ({'given' if known else 'found'} at {onset_ms:.0f} ms) fits"
    rule += (
        f"; {spec.n_samples} samples at {spec.sampling_rate_hz:g} Hz, QRS onset at {spec.qrs_onset_ms:.0f} ms, mV x "
        f"{1000.0 / spec.unit_uv:g}."
    )
    return PreparedECG(median.signal_mv / np.float32(_MV_PER_UNIT), rule, median)


def is_on_model_grid(cine: CineMRI, spec: CineSpec = STANDARD.mri) -> bool:
    """Whether a cine needs no turning, cropping and resampling."""
    if cine.frames.shape != (spec.n_frames, 1, *spec.space) or spec.spacing_mm is None:
        return False
    times_ms = np.arange(spec.n_frames) * cine.rr_interval_ms / spec.n_frames
    return (
        bool(np.allclose(cine.spacing_mm[1:], spec.spacing_mm, rtol=0.0, atol=_SPACING_TOLERANCE_MM))
        and bool(np.allclose(cine.frame_times_ms, times_ms, rtol=0.0, atol=_TIME_TOLERANCE_MS))
        and turn_to_usual(cine, None)[0] is cine
    )


def is_model_beat(ecg: ECG, spec: EcgSpec = STANDARD.ecg) -> bool:
    """Whether an ECG is a median beat of twelve leads that needs no resampling and no shift."""
    return (
        ecg.kind == "median"
        and ecg.sampling_rate_hz == spec.sampling_rate_hz
        and ecg.signal_mv.shape[1] == spec.n_samples
        and ecg.qrs_onset_ms is not None
        and abs(ecg.qrs_onset_ms - spec.qrs_onset_ms) <= _ONSET_TOLERANCE_MS
    )


def _scored(cine: CineMRI, labels: CineLabels | None, rule: str, warnings: tuple[str, ...]) -> PreparedCine:
    signal = cine.frames[:, 0].astype(np.float32)
    mean, std = float(signal.mean(dtype=np.float64)), float(signal.std(dtype=np.float64))
    tensor = (signal - np.float32(mean)) / np.float32(std + Z_SCORE_EPSILON)
    return PreparedCine(tensor, mean, std, " ".join((rule, *warnings)), cine, labels, warnings)


def _refuse_unusable(cine: CineMRI) -> None:
    n_bad = int(np.count_nonzero(~np.isfinite(cine.frames)))
    if n_bad:
        raise RecordingError(
            f"{n_bad} of {cine.frames.size} values of the cine {cine.source} are no finite numbers. Export it again."
        )
    if cine.frames.min() == cine.frames.max():
        raise RecordingError(f"The cine {cine.source} is blank: all its pixels are equal. Choose another recording.")


def _published_box(
    cine: CineMRI, labels: CineLabels | None, heart_box: HeartBox | None
) -> tuple[HeartBox, tuple[str, ...]]:
    """Box for the published rule: of this rule or by hand, else around the labels, else the one there is, or motion."""
    box = heart_box
    if box is not None and box.rule != "published" and box.source != "by hand":
        box = None
    if box is None and labels is not None:
        box = box_from_labels(labels, middle_slice(cine), "published")
    box = box or heart_box or find_heart_box(cine, None, "published")
    if box is None:
        raise RecordingError(
            f"Nothing moves in the cine {cine.source}: its frames are equal. Choose a cine of a heart."
        )
    doubt = "The heart box was found by what moves; the published rule takes boxes around segmented structures."
    return replace(box, rule="published"), (doubt,) if box.source == "motion" else ()


def _heart_center(
    cine: CineMRI,
    turned: CineMRI,
    labels: CineLabels | None,
    center: tuple[float, float, float] | None,
    heart_box: HeartBox | None,
) -> tuple[tuple[float, float], str]:
    """Row and column of the heart's middle in the turned cine, and how it was found."""
    how_given = "given"
    if center is None and heart_box is not None:
        center = tuple((cine.affine @ [middle_slice(cine), *heart_box.middle, 1.0])[:3].tolist())
        how_given = f"middle of the heart box {_BOX_WORDS[heart_box.source]}"
    if center is not None:
        _, row, column, _ = np.linalg.solve(turned.affine, [*center, 1.0])
        return (float(row), float(column)), how_given
    slice_index = middle_slice(turned)
    from_labels = None if labels is None else center_from_labels(labels, slice_index)
    if from_labels is not None:
        return from_labels, "middle of the labels of chambers and walls"
    rows_mm, columns_mm = turned.spacing_mm[1:]
    from_motion = center_from_motion(turned.frames[:, slice_index].astype(np.float32), (rows_mm, columns_mm))
    if from_motion is None:
        raise RecordingError(
            f"Nothing moves in the cine {cine.source}: its frames are equal. Choose a cine of a heart."
        )
    return from_motion, "middle of what moves, by the standard deviation over time"


def _resampled(
    cine: CineMRI, labels: CineLabels | None, slice_index: int, middle: tuple[float, float], spec: CineSpec
) -> tuple[CineMRI, CineLabels | None, float]:
    """Cine and labels on the model's grid, and which share of it lies outside the picture."""
    frames = cine.frames[:, slice_index]
    spacing_mm = spec.spacing_mm or PIXEL_SPACING_MM
    steps = [spacing_mm / spacing for spacing in cine.spacing_mm[1:]]
    axes = list(zip(frames.shape[1:], middle, steps, spec.space, strict=True))
    rows, columns = (space_matrix(*axis) for axis in axes)
    time = cycle_matrix(cine.frame_times_ms, cine.rr_interval_ms, spec.n_frames)
    # (frame, row, column): the two axes of space first, because there are fewer frames before than after
    small = rows.astype(np.float32) @ frames.astype(np.float32) @ columns.astype(np.float32).T
    signal = np.tensordot(time.astype(np.float32), small, axes=1)
    on_grid = CineMRI(
        signal[:, None],
        (cine.spacing_mm[0], spacing_mm, spacing_mm),
        np.arange(spec.n_frames) * cine.rr_interval_ms / spec.n_frames,
        cine.affine @ _grid_in_cine(slice_index, middle, steps, spec.space),
        cine.imaging_plane,
        cine.rr_interval_ms,
        cine.source,
    )
    picked = [nearest_samples(*axis) for axis in axes]
    is_inside = picked[0][1][:, None] & picked[1][1][None, :]
    outside = float(1.0 - is_inside.mean())
    if labels is None:
        return on_grid, None, outside
    nearest = time.argmax(axis=1)
    classes = labels.frames[nearest, slice_index][:, picked[0][0]][:, :, picked[1][0]] * is_inside
    return on_grid, picked_labels(labels, classes, nearest), outside


def _grid_in_cine(
    slice_index: int, middle: tuple[float, float], steps: list[float], space: tuple[int, int]
) -> NDArray[np.float64]:
    """``(4, 4)`` from an index (0, row, column, 1) of the model's grid to one of the cine."""
    matrix = np.diag([1.0, *steps, 1.0])
    corner = [center - step * (n - 1) / 2.0 for center, step, n in zip(middle, steps, space, strict=True)]
    matrix[:3, 3] = slice_index, *corner
    return matrix


def _plane_warnings(cine: CineMRI, spec: CineSpec) -> tuple[str, ...]:
    if spec.imaging_plane in (cine.imaging_plane, "unknown"):
        return ()
    names = {"sa": "the short axis", "unknown": "an unknown plane"}
    seen = {"la_4ch": "4-chamber long-axis cines", "sa": "short-axis cines"}
    shown = names.get(cine.imaging_plane, cine.imaging_plane)
    known = seen.get(spec.imaging_plane, f"cines of the plane {spec.imaging_plane}")
    return (f"The model has seen {known} only; this one shows {shown}.",)


def _coverage_warnings(cine: CineMRI, outside: float) -> tuple[str, ...]:
    warnings = []
    n_slices = cine.frames.shape[1]
    if n_slices > 1:
        warnings.append(f"The model takes one slice; number {middle_slice(cine) + 1} of {n_slices} is used.")
    first_ms, last_ms = float(cine.frame_times_ms[0]), float(cine.frame_times_ms[-1])
    gap_ms = cine.rr_interval_ms - (last_ms - first_ms)
    if len(cine.frames) > 1 and gap_ms > _MISSING_CYCLE_STEPS * float(np.median(np.diff(cine.frame_times_ms))):
        share = 100.0 * gap_ms / cine.rr_interval_ms
        warnings.append(f"The frames leave out {share:.0f} % of the heart cycle; those were interpolated.")
    if outside > 0:
        warnings.append(f"{100.0 * outside:.0f} % of the model's grid lies outside the picture and was filled with 0.")
    return tuple(warnings)
