"""One multiplex group of a DICOM waveform: channels sampled together, from stored integers to millivolt.

Voltage is ``integer x sensitivity x correction + baseline`` in the channel's unit (PS3.3 C.10.9.1.4). The hard part is
what stands for "no sample": devices declare a padding value of 0, which blanks true zeros, and leave undeclared holes
of -32768. So the most negative number is always a hole; a declared value is one only where all channels hold it at
once, and never when it is 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.lead_names import standard_lead_name
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES

_STORED = {
    (8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4", (32, "UL"): "u4",
    (64, "SV"): "i8", (64, "UV"): "u8",
}  # fmt: skip
_UV_PER_UNIT = {
    "uv": 1.0, "µv": 1.0, "μv": 1.0, "microvolt": 1.0, "mv": 1e3, "millivolt": 1e3, "v": 1e6, "volt": 1e6, "nv": 1e-3,
}  # fmt: skip
_LONGEST_MEDIAN_MS = 3000.0
_CHEST_LEADS, _LIMB_LEADS = frozenset(LEAD_NAMES[6:]), frozenset(LEAD_NAMES[:6])


@dataclass(frozen=True, slots=True, eq=False)
class WaveformGroup:
    """What a multiplex group says of itself; its samples are decoded when they are asked for.

    Attributes
    ----------
    number
        Its place in the file, from 1, as annotations count.
    label
        What the device calls it.
    is_derived
        Whether the device computed it from other samples.
    sampling_rate_hz, n_samples, offset_ms
        Grid in time, and when it begins.
    lead_names
        Standard names of the channels that are voltages.
    notes
        What was left out.
    item
        The DICOM item.
    channels
        Index of each of those channels, microvolt per unit step, microvolt at 0, and its delay in samples.
    """

    number: int
    label: str
    is_derived: bool
    sampling_rate_hz: float
    n_samples: int
    offset_ms: float
    lead_names: tuple[str, ...]
    notes: tuple[str, ...]
    item: Any
    channels: tuple[tuple[int, float, float, int], ...]

    @property
    def is_median(self) -> bool:
        """Whether it is one representative beat."""
        duration_ms = 1000.0 * self.n_samples / self.sampling_rate_hz
        says_so = re.search(r"median|average|representative|template", self.label, re.IGNORECASE) is not None
        is_strip = "rhythm" in self.label.lower()
        return duration_ms < _LONGEST_MEDIAN_MS and (says_so or self.is_derived) and not is_strip

    @property
    def has_twelve_leads(self) -> bool:
        """Whether all twelve are there or can be computed."""
        leads = set(self.lead_names)
        return leads >= _CHEST_LEADS and len(leads & _LIMB_LEADS) >= 2

    def signal_mv(self, is_little_endian: bool) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Voltages ``(n_leads, n_samples)`` in mV, NaN where there is no sample, and what is to be said of them.

        Raises
        ------
        RecordingError
            When it is too large, of an unknown kind, or shorter than it claims.
        """
        stored = self._stored(is_little_endian)  # (sample, channel)
        missing = _holes(stored, self.item.get("WaveformPaddingValue"))
        leads = []
        for channel, step_uv, zero_uv, _ in self.channels:
            lead_mv = (stored[:, channel].astype(np.float64) * step_uv + zero_uv) / 1000.0
            leads.append(np.where(missing[:, channel], np.nan, lead_mv))
        return _aligned(np.stack(leads), [delay for *_, delay in self.channels])

    def _stored(self, is_little_endian: bool) -> NDArray[Any]:
        bits, kind = int(self.item.WaveformBitsAllocated), str(self.item.WaveformSampleInterpretation)
        n_channels = int(self.item.NumberOfWaveformChannels)
        if (bits, kind) not in _STORED:
            raise RecordingError(f"its samples are {bits} bits of kind {kind!r}, which is not read")
        dtype = np.dtype(_STORED[bits, kind]).newbyteorder("<" if is_little_endian else ">")
        content = self.item.WaveformData
        if 8 * n_channels * self.n_samples > MAX_RECORDING_BYTES:
            raise RecordingError(f"it claims {n_channels} x {self.n_samples} samples, which are too many")
        n_expected = n_channels * self.n_samples * dtype.itemsize
        if len(content) < n_expected:
            raise RecordingError(
                f"it claims {n_channels} x {self.n_samples} samples in {n_expected} bytes and holds {len(content)}"
            )
        return np.frombuffer(content[:n_expected], dtype).reshape(self.n_samples, n_channels)


def describe_group(item: Any, number: int) -> WaveformGroup:
    """Read what one item of the WaveformSequence says of itself.

    Raises
    ------
    RecordingError
        When it lacks what is needed to read it, or no channel is a voltage.
    """
    needed = (
        "NumberOfWaveformChannels", "NumberOfWaveformSamples", "SamplingFrequency", "WaveformBitsAllocated",
        "WaveformSampleInterpretation", "WaveformData", "ChannelDefinitionSequence",
    )  # fmt: skip
    absent = [name for name in needed if item.get(name) in (None, "", b"")]
    if absent:
        raise RecordingError(f"it lacks {', '.join(absent)}")
    rate_hz, n_samples = float(item.SamplingFrequency), int(item.NumberOfWaveformSamples)
    definitions = item.ChannelDefinitionSequence
    if not 0 < rate_hz < 1e6 or n_samples < 1:
        raise RecordingError(f"it claims {n_samples} samples at {rate_hz:g} Hz")
    if len(definitions) != int(item.NumberOfWaveformChannels):
        raise RecordingError(f"it claims {item.NumberOfWaveformChannels} channels and describes {len(definitions)}")
    names, channels, others = [], [], []
    for index, definition in enumerate(definitions):
        scale = _scale_uv(definition)
        if scale is None:
            others.append(_lead_name(definition))
            continue
        names.append(_lead_name(definition))
        channels.append((index, *scale, _delay(definition, rate_hz)))
    if not channels:
        raise RecordingError(f"none of its channels is a calibrated voltage ({', '.join(others)})")
    notes = (f"{', '.join(others)} is no calibrated voltage and is left out.",) if others else ()
    return WaveformGroup(
        number=number,
        label=str(item.get("MultiplexGroupLabel", "") or ""),
        is_derived=str(item.get("WaveformOriginality", "")) == "DERIVED",
        sampling_rate_hz=rate_hz,
        n_samples=n_samples,
        offset_ms=float(item.get("MultiplexGroupTimeOffset") or 0.0),
        lead_names=tuple(names),
        notes=notes,
        item=item,
        channels=tuple(channels),
    )


def _lead_name(definition: Any) -> str:
    """Lead by its code, else by what the code means, else by its label."""
    sources = definition.get("ChannelSourceSequence") or ()
    coded = [str(source.get(key, "") or "") for source in sources[:1] for key in ("CodeValue", "CodeMeaning")]
    written = [text for text in (*coded, str(definition.get("ChannelLabel", "") or "")) if text]
    names = [standard_lead_name(text) for text in written]
    return next((name for name in names if name in LEAD_NAMES), next(reversed(names), "unnamed"))


def _scale_uv(definition: Any) -> tuple[float, float] | None:
    """Microvolt per unit step and at 0; None when the channel is no calibrated voltage."""
    units = definition.get("ChannelSensitivityUnitsSequence") or ()
    written = [
        str(unit.get(key, "") or "").strip().lower() for unit in units[:1] for key in ("CodeValue", "CodeMeaning")
    ]
    per_unit = next((_UV_PER_UNIT[text] for text in written if text in _UV_PER_UNIT), None)
    sensitivity = _number(definition, "ChannelSensitivity")
    if per_unit is None or not sensitivity:
        return None
    correction = _number(definition, "ChannelSensitivityCorrectionFactor")
    step = sensitivity * (1.0 if correction is None else correction)
    return step * per_unit, (_number(definition, "ChannelBaseline") or 0.0) * per_unit


def _delay(definition: Any, rate_hz: float) -> int:
    """Whole samples by which the channel's first sample is later than the group's beginning."""
    in_samples = _number(definition, "ChannelSampleSkew")
    if in_samples is None:
        in_samples = (_number(definition, "ChannelTimeSkew") or 0.0) * rate_hz
    return round(in_samples + (_number(definition, "ChannelOffset") or 0.0) * rate_hz)


def _number(definition: Any, name: str) -> float | None:
    value = definition.get(name)
    if value is None or value == "":
        return None
    number = float(value)
    if not np.isfinite(number):
        raise RecordingError(f"its {name} is {number}")
    return number


def _holes(stored: NDArray[Any], padding: Any) -> NDArray[np.bool_]:
    """Where ``(n_samples, n_channels)`` there is no sample."""
    missing = np.zeros(stored.shape, dtype=np.bool_)
    if stored.dtype.kind == "i" and stored.dtype.itemsize > 1:
        missing = stored == np.iinfo(stored.dtype).min
    if isinstance(padding, bytes):
        padding = int(np.frombuffer(padding, stored.dtype)[0]) if len(padding) == stored.dtype.itemsize else None
    if padding:
        missing |= (stored == int(padding)).all(axis=1, keepdims=True)
    return missing


def _aligned(signal_mv: NDArray[np.float64], delays: Sequence[int]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Leads ``(n_leads, n_samples)`` cut to the time that all of them cover."""
    begin, end = max(delays), min(delays) + signal_mv.shape[1]
    if begin == min(delays):
        return signal_mv, ()
    if begin >= end:
        raise RecordingError(f"its channels begin up to {begin - min(delays)} samples apart and share no time")
    shared = [lead[begin - delay : end - delay] for lead, delay in zip(signal_mv, delays, strict=True)]
    note = f"Channels that begin up to {begin - min(delays)} samples apart are cut to the time that they share."
    return np.stack(shared), (note,)
