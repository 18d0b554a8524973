"""What our encoder and decoder compute, written as the steps of a Keras graph, and how one graph is laid over another.

Two graphs are the same when their outputs are steps of the same kind and settings on inputs that are the same; each
pair of steps is compared once, so that the many shared inputs of dense blocks cost nothing.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

from napari_latent_explorer.io.keras_file import Step
from napari_latent_explorer.nn.blocks import LAYER_NORM_EPSILON
from napari_latent_explorer.nn.coder import CoderConfig

_FUNCTION = {"mish": "mish", "gelu": "gelu (tanh)"}
_POOLING = {"max": "max pooling", "average": "average pooling"}
_CHANNELS_LAST = {"data_format": "channels_last"}
_EPSILON_TOLERANCE = 1e-9


def encoder_steps(config: CoderConfig, latent_dim: int) -> Step:
    """Write down the steps of `nn.coder.Encoder`; the layers carry the names of its modules."""
    x = Step("input", {"shape": (*config.space, config.n_channels)})
    y = _activated(_convolution(x, config.stem, config.kernel, "features.0.first"), config)
    branch = _activated(_convolution(y, config.stem, config.kernel, "features.0.second"), config)
    x = Step("sum", {}, (y, _convolution(branch, config.stem, 1, "features.0.mix")))
    for number, filters in enumerate(config.encoder_blocks):
        size = {"pool_size": 2, "strides": 2, "padding": "valid"}
        x = Step(_POOLING[config.pooling], size | _CHANNELS_LAST, (x,))
        x = _dense_block(x, filters, config, f"features.{2 * number + 2}")
    flat = Step("flattening", _CHANNELS_LAST, (x,))
    z = _activated(_dense(flat, latent_dim, "head.linear"), config)
    settings = {"over_last_axis": True, "epsilon": LAYER_NORM_EPSILON, "center": True, "scale": True}
    return Step("layer normalization", settings, (z,), ("head.norm",))


def decoder_steps(config: CoderConfig, latent_dim: int) -> Step:
    """Write down the steps of `nn.coder.Decoder`; the layers carry the names of its modules."""
    z = Step("input", {"shape": (latent_dim,)})
    space = tuple(size // 2 ** len(config.decoder_blocks) for size in config.space)
    start = (*space, config.encoder_blocks[-1])
    h = _activated(_dense(z, prod(start), "linear"), config)
    x = Step("reshaping", {"target_shape": start}, (h,))
    for number, filters in enumerate(config.decoder_blocks):
        x = Step("upsampling", {"size": 2, "interpolation": "nearest"} | _CHANNELS_LAST, (x,))
        x = _dense_block(x, filters, config, f"blocks.{2 * number + 2}")
    return _convolution(x, config.n_channels, 1, "output")


def _dense_block(x: Step, filters: int, config: CoderConfig, name: str) -> Step:
    seen = [x]
    for number in range(config.block_size):
        source = x if number == 0 else Step("concatenation", {"axis": -1}, tuple(seen))
        seen.append(_activated(_convolution(source, filters, config.kernel, f"{name}.layers.{number}"), config))
    return seen[-1]


def _convolution(x: Step, filters: int, kernel: int, name: str) -> Step:
    settings = {
        "filters": filters, "kernel_size": kernel, "use_bias": True, "padding": "same", "strides": 1,
        "dilation_rate": 1, "groups": 1,
    }  # fmt: skip
    return Step("convolution", settings | _CHANNELS_LAST, (x,), (name,))


def _dense(x: Step, units: int, name: str) -> Step:
    return Step("dense", {"units": units, "use_bias": True}, (x,), (name,))


def _activated(x: Step, config: CoderConfig) -> Step:
    return Step("activation", {"function": _FUNCTION[config.activation]}, (x,))


def lay_over(expected: Step, found: Step) -> tuple[dict[str, Step], list[str]]:
    """Compare two graphs from their outputs on.

    Returns
    -------
    layers
        Layer found for each name of an expected one.
    differences
        In words; empty where the graphs are the same.
    """
    layers: dict[str, Step] = {}
    differences: list[str] = []
    pairs, seen = [(expected, found)], set()
    while pairs:
        wanted, here = pairs.pop()
        if (id(wanted), id(here)) in seen:
            continue
        seen.add((id(wanted), id(here)))
        differences += _differences(wanted, here)
        if wanted.layer and layers.setdefault(wanted.layer[0], here).layer != here.layer:
            differences.append(f"{here.name} stands where {layers[wanted.layer[0]].name} is expected a second time")
        if wanted.kind == here.kind and len(wanted.inputs) == len(here.inputs):
            pairs += zip(_ordered(wanted), _ordered(here), strict=True)
    return layers, differences


def _ordered(step: Step) -> tuple[Step, ...]:
    """Take the inputs as they are; those of a sum by their kind, for a sum is the same in any order."""
    return tuple(sorted(step.inputs, key=lambda each: each.kind)) if step.kind == "sum" else step.inputs


def _differences(wanted: Step, here: Step) -> list[str]:
    if wanted.kind != here.kind:
        return [f"{here.kind} ({here.name}) where {wanted.kind} is expected"]
    found = [
        f"{here.name} has {name.replace('_', ' ')} {here.settings.get(name)!r}, expected {value!r}"
        for name, value in wanted.settings.items()
        if not _equal(name, value, here.settings)
    ]
    if len(wanted.inputs) != len(here.inputs):
        found.append(f"{here.name} has {len(here.inputs)} inputs, expected {len(wanted.inputs)}")
    return found


def _equal(name: str, value: Any, settings: Mapping[str, Any]) -> bool:
    found = settings.get(name)
    if isinstance(value, float) and isinstance(found, int | float):
        return abs(found - value) < _EPSILON_TOLERANCE
    return bool(type(found) is type(value) and found == value)
