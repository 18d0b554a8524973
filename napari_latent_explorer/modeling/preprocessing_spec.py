"""What a model says its inputs must be, as one value that the preparing of recordings follows.

What a bundle states (``preprocessing.json``, or ``preprocessing`` in the metadata of networks in ONNX):

| entry | what is followed |
|---|---|
| ``mri.crop`` | ``centred`` or ``published``; absent: as each heart box says, and centred without one |
| ``mri.spacing_mm`` | size of the square pixels, 0.2 to 10 mm; null with ``published``: as recorded |
| ``mri.intensity`` | z-scored, or 0 to 1, per participant over all frames and pixels |
| ``mri.imaging_plane`` | of the cines trained on; others are encoded with a warning |
| ``mri.first_frame``, ``mri.cycle`` | at the R peak, evenly over one RR interval; ``published``: as recorded |
| ``mri.box``, ``.placement``, ``.pixels`` | the published rule in words |
| ``ecg.kind`` | ``median beat`` |
| ``ecg.sampling_rate_hz`` | 50 to 5000 Hz |
| ``ecg.qrs_onset_ms`` | within the beat |
| ``ecg.unit_uv`` | uV of one unit of the network: 1000 for mV |
| ``ecg.lead_names`` | the twelve leads, or the eight from which the others follow |

The hard idea is that a statement is followed or refused, and never half read: an entry that is not in this table would
change what the network is fed, and nobody would see it. Numbers of frames, pixels, leads and samples are those of the
networks themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from napari_latent_explorer.data.cine import ImagingPlane
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.data.heart_box import BoxRule
from napari_latent_explorer.errors import BundleError, shown_text

PIXEL_SPACING_MM = 1.8
SAMPLING_RATE_HZ = 500.0
ECG_UNIT_UV = 50.0
QRS_ONSET_MS = 435.0

INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""Leads from which the other four follow."""

Intensity = Literal["z-score", "0 to 1"]
Found = tuple[str, object, str]
"""Entry, what was found, what was expected."""

_ALL = "per participant over all frames and pixels"
INTENSITIES: Mapping[str, Intensity] = MappingProxyType(
    {
        f"z-scored {_ALL}": "z-score",
        f"z-scored {_ALL}, the zeros around the box included": "z-score",
        f"0 to 1 {_ALL}": "0 to 1",
    }
)
"""What may be stated of the signal, and which rule it is."""

PUBLISHED_WORDS: Mapping[str, Any] = MappingProxyType(
    {
        "box": "around all structures of the heart, both aortas too, segmented in the first frame",
        "placement": "the box lies in the upper left of the 96 x 96 pixels, 0 around it; larger ones are cut off",
        "pixels": "as recorded, neither turned nor resampled",
        "first_frame": "the first of the recording",
        "cycle": "the 50 frames of the recording",
    }
)
"""The published rule in words."""

_CENTRED_WORDS = {"first_frame": "R peak", "cycle": "frames spread evenly over one RR interval"}
_MRI_ENTRIES = ("crop", "spacing_mm", "intensity", "imaging_plane", *PUBLISHED_WORDS)
_ECG_ENTRIES = ("kind", "lead_names", "sampling_rate_hz", "unit_uv", "qrs_onset_ms")
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class CineSpec:
    """What the cines of a model are.

    Attributes
    ----------
    n_frames, n_rows, n_columns
        Of the grid.
    spacing_mm
        Of its square pixels; None for those of the recording.
    crop
        Rule of the heart crop; None where each heart box says it.
    intensity
        How the network takes the signal. Prepared cines are always z-scored; the model itself turns that into 0 to 1.
    imaging_plane
        That the model has seen.
    """

    n_frames: int = 50
    n_rows: int = 96
    n_columns: int = 96
    spacing_mm: float | None = PIXEL_SPACING_MM
    crop: BoxRule | None = None
    intensity: Intensity = "z-score"
    imaging_plane: ImagingPlane = "la_4ch"

    @property
    def space(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_rows, self.n_columns


@dataclass(frozen=True, slots=True)
class EcgSpec:
    """What the median beats of a model are; in uV of one unit, in Hz, and in ms after the first sample.

    Prepared ECGs always have twelve leads in units of 50 uV; the model itself takes the leads and the unit stated.
    """

    n_samples: int = 600
    sampling_rate_hz: float = SAMPLING_RATE_HZ
    qrs_onset_ms: float = QRS_ONSET_MS
    unit_uv: float = ECG_UNIT_UV
    lead_names: tuple[str, ...] = LEAD_NAMES


@dataclass(frozen=True, slots=True)
class PreprocessingSpec:
    """What recordings must be brought to; the standard one for a modality that the model does not take."""

    mri: CineSpec = CineSpec()
    ecg: EcgSpec = EcgSpec()


STANDARD = PreprocessingSpec()
"""What this program trains on."""


def read_spec(
    stated: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    source: str,
    *,
    lead_names: Sequence[str] = LEAD_NAMES,
    is_native: bool = False,
) -> PreprocessingSpec:
    """Read what a model states about its inputs.

    Parameters
    ----------
    stated
        By modality, see the table above.
    shapes
        Of each modality's tensors in the network: ``(n_frames, n_rows, n_columns)``, ``(n_leads, n_samples)``.
    source
        File of the statement, for people.
    lead_names
        Leads that the ECG network takes, in its order.
    is_native
        Whether the network takes z-scored cines, clinical leads and units of 50 uV only.

    Raises
    ------
    BundleError
        When it states something that cannot be followed; all such entries are named.
    """
    for modality, n_axes in (("mri", 3), ("ecg", 2)):
        if modality in shapes and len(shapes[modality]) != n_axes:
            raise BundleError(
                f"Recordings cannot be prepared as {source} states: its network takes {modality} tensors of "
                f"{len(shapes[modality])} axes, expected {n_axes}."
            )
    problems: list[Found] = []
    mri = _read_cine(_part(stated, "mri", problems), shapes["mri"], problems) if "mri" in shapes else CineSpec()
    ecg = _read_ecg(_part(stated, "ecg", problems), shapes["ecg"], lead_names, problems) if "ecg" in shapes else None
    ecg = ecg or EcgSpec()
    if is_native and not problems:
        if mri.intensity != "z-score":
            problems.append(("mri.intensity", mri.intensity, f"'z-scored {_ALL}'"))
        if ecg.unit_uv != ECG_UNIT_UV:
            problems.append(("ecg.unit_uv", ecg.unit_uv, f"{ECG_UNIT_UV:g}"))
        if ecg.lead_names != LEAD_NAMES:
            problems.append(("ecg.lead_names", list(ecg.lead_names), ", ".join(LEAD_NAMES)))
    if problems:
        named = "; ".join(
            f"{name} is {_shown(found)}, expected {wanted}" for name, found, wanted in problems[:_MOST_NAMED]
        )
        more = f"; and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        raise BundleError(
            f"Recordings cannot be prepared as {source} states: {named}{more}. Correct the statement, or put the "
            "missing step into the network."
        )
    return PreprocessingSpec(mri, ecg)


def _part(stated: Mapping[str, Any], modality: str, problems: list[Found]) -> Mapping[str, Any]:
    part = stated.get(modality)
    if isinstance(part, Mapping):
        return part
    problems.append((modality, part, "an object with the entries of its preparation"))
    return {}


def _read_cine(part: Mapping[str, Any], shape: tuple[int, ...], problems: list[Found]) -> CineSpec:
    _check_entries("mri", part, _MRI_ENTRIES, problems)
    crop, plane = part.get("crop"), part.get("imaging_plane", "la_4ch")
    if crop is not None and crop not in get_args(BoxRule):
        problems.append(("mri.crop", crop, f"one of {', '.join(get_args(BoxRule))}"))
    if plane not in get_args(ImagingPlane):
        problems.append(("mri.imaging_plane", plane, f"one of {', '.join(get_args(ImagingPlane))}"))
    if crop == "published":
        spacing_mm, words = None, dict(PUBLISHED_WORDS) | {"cycle": f"the {shape[0]} frames of the recording"}
        words["placement"] = words["placement"].replace("96 x 96", f"{shape[1]} x {shape[2]}")
        if part.get("spacing_mm") is not None:
            problems.append(
                ("mri.spacing_mm", part["spacing_mm"], "null, as pixels of the recording are not resampled")
            )
    else:
        spacing_mm, words = _number("mri.spacing_mm", part, 0.2, 10.0, problems), _CENTRED_WORDS
    for name in PUBLISHED_WORDS:
        if name in part and part[name] != words.get(name):
            expected = repr(words[name]) if name in words else "nothing, where the crop is centred"
            problems.append((f"mri.{name}", part[name], expected))
    intensity = part.get("intensity")
    if not isinstance(intensity, str) or intensity not in INTENSITIES:
        problems.append(("mri.intensity", intensity, f"'z-scored {_ALL}' or '0 to 1 {_ALL}'"))
        return CineSpec()
    n_frames, n_rows, n_columns = shape
    return CineSpec(n_frames, n_rows, n_columns, spacing_mm, crop, INTENSITIES[intensity], plane)


def _read_ecg(
    part: Mapping[str, Any], shape: tuple[int, ...], lead_names: Sequence[str], problems: list[Found]
) -> EcgSpec:
    _check_entries("ecg", part, _ECG_ENTRIES, problems)
    leads = part.get("lead_names", list(lead_names))
    if leads != list(lead_names) or len(leads) != shape[0]:
        problems.append(("ecg.lead_names", leads, f"the {shape[0]} leads of the network, {', '.join(lead_names)}"))
    elif not any(sorted(lead_names) == sorted(known) for known in (LEAD_NAMES, INDEPENDENT_LEADS)):
        expected = f"the leads {', '.join(LEAD_NAMES)} in any order, or without III, aVR, aVL and aVF"
        problems.append(("ecg.lead_names", leads, expected))
    if part.get("kind") != "median beat":
        problems.append(("ecg.kind", part.get("kind"), "'median beat'"))
    rate_hz = _number("ecg.sampling_rate_hz", part, 50.0, 5000.0, problems)
    onset_ms = _number("ecg.qrs_onset_ms", part, 0.0, 1000.0 * shape[1] / (rate_hz or SAMPLING_RATE_HZ), problems)
    unit_uv = _number("ecg.unit_uv", part, 1e-4, 1e7, problems)
    return EcgSpec(shape[1], rate_hz, onset_ms, unit_uv, tuple(lead_names))


def _check_entries(modality: str, part: Mapping[str, Any], known: Sequence[str], problems: list[Found]) -> None:
    problems += [
        (f"{modality}.{shown_text(str(name), 60)}", part[name], f"one of the entries {', '.join(known)}")
        for name in part
        if part and name not in known
    ]


def _number(name: str, part: Mapping[str, Any], low: float, high: float, problems: list[Found]) -> float:
    value = part.get(name.partition(".")[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        problems.append((name, value, f"a number from {low:g} to {high:g}"))
        return low
    return float(value)


def _shown(found: object) -> str:
    return "missing" if found is None else shown_text(repr(found), 60)
