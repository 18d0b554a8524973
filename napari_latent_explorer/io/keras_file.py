"""Networks in HDF5 files of Keras 2, read without Keras: the graph of layers, and the weights of each.

The hard idea is that names in such a file say nothing about order. Layers are numbered as they were created, which is
not how data pass them, and HDF5 lists them by the alphabet (``conv1d_10`` before ``conv1d_2``). So the graph is
followed from the input on by its connections, networks inside networks are laid flat, and out comes a chain of `Step`,
each of which knows what it is computed from. A name serves for one thing only: to find a layer's own numbers.

| in the file | here |
|---|---|
| ``model_config``: Functional, nested ones | laid flat, in the order of ``inbound_nodes`` |
| Conv1D, Conv2D, Dense, LayerNormalization, pooling, upsampling, Flatten, Reshape, Add, Concatenate | steps |
| an activation inside a layer | a step of its own; ``linear`` and dropout are no step |
| concatenations of concatenations | one concatenation |
| any other layer (Lambda among them) | a step that fits nothing; nothing in the file is executed |
| links to other files, packed or typed unusually, absurdly large | refused, see `hdf5_numbers` |

References
----------
Keras 2 ``Functional.get_config`` and ``hdf5_format``; a network inside a network carries a node of its own making,
which its configuration leaves out, so that references to it count from 1.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.hdf5_numbers import child_of, is_numbers, names_in, opened_hdf5, read_numbers
from napari_latent_explorer.io.source_file import SourceFile

_LFS_POINTER = b"version https://git-lfs"
_MAX_CONFIG_CHARS = 16 << 20
_MAX_LAYERS = 2000
_MAX_NETWORKS = 64
_MAX_DEPTH = 8
_MAX_STEPS = 20_000
_MAX_PARTS = 256
_MAX_OUTPUTS = 16
_NETWORKS = ("Functional", "Model")
_NO_STEP = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "InputLayer")
_POOLING = {"MaxPooling": "max pooling", "AveragePooling": "average pooling"}

_MISFITS = (KeyError, TypeError, ValueError, IndexError, AttributeError, CycleError, RecursionError)

Reference = tuple[str, int]
"""Layer and number of its call."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One computation.

    Attributes
    ----------
    kind
        In words, such as ``convolution``.
    settings
        All that settles the result besides inputs and weights.
    inputs
        What it is computed from, in this order.
    layer
        Names of the networks around the layer and of the layer itself, from the outermost on.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple["Step", ...] = ()
    layer: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the layer, for people."""
        return self.layer[-1] if self.layer else self.kind


@dataclass(frozen=True, slots=True, eq=False)
class KerasNetwork:
    """A network with one input and one output in a file: the whole, or one inside it."""

    name: str
    output: Step
    is_whole: bool


class KerasFile:
    """An open file; made by `opened_keras`."""

    def __init__(self, path: Path, root: Any, config: Mapping[str, Any]) -> None:
        self.path = path
        self._weights = child_of(root, "model_weights")
        self._config = config

    def networks(self) -> list[KerasNetwork]:
        """Every network with one input and one output, the outermost first.

        Raises
        ------
        RecordingError
            When the graph contradicts itself.
        """
        found: list[KerasNetwork] = []
        wrong: Exception | None = None
        try:
            configs = _networks_in(self._config)
        except _MISFITS as damage:
            configs, wrong = [], damage
        for config, around in configs:
            try:
                if len(_ends(config["input_layers"])) == len(_ends(config["output_layers"])) == 1:
                    output = _run(config, around, [Step("input")], iter(range(_MAX_STEPS)))[0]
                    found.append(KerasNetwork(str(config.get("name", "network")), output, is_whole=not around))
            except _MISFITS as damage:  # the losses of a whole model are beyond this; the halves inside it are not
                wrong = damage
        if wrong is not None and not found:
            raise RecordingError(
                f"The network in {self.path} is not described as Keras 2 does it: {reason_of(wrong)}. Export it with "
                "Keras 2, or copy the file again."
            ) from wrong
        return found

    def dataset(self, layer: tuple[str, ...], name: str) -> Any:
        """Numbers of a layer by their name, such as ``kernel``; None where there are none.

        Raises
        ------
        RecordingError
            When several layers go by that name.
        """
        found = [] if self._weights is None else list(_datasets(child_of(self._weights, layer[0]), layer[-1], name))
        kept = [dataset for path, dataset in found if set(layer[1:-1]) <= set(path)] or [each for _, each in found]
        if len(kept) > 1:
            raise RecordingError(
                f"{self.path} holds {len(kept)} layers called {layer[-1]!r} in {layer[0]!r}, so nobody can tell whose "
                f"{name} is whose. Give the halves as files of their own."
            )
        return kept[0] if kept else None

    def read(self, dataset: Any) -> NDArray[np.float32]:
        """Numbers as float32, in the shape that the file gives.

        Raises
        ------
        RecordingError
            When they are no plain numbers or some are not finite.
        """
        values = read_numbers(dataset, max(4096, int(np.prod(dataset.shape, dtype=np.float64)) * 8))
        numbers = np.asarray(values, dtype=np.float32)
        if not np.isfinite(numbers).all():
            raise RecordingError(f"{dataset.name} of {self.path} holds values that are no finite numbers.")
        return numbers


@contextmanager
def opened_keras(path: Path) -> Iterator[KerasFile]:
    """Open a model file.

    Raises
    ------
    RecordingError
        When it is a git-LFS pointer, no HDF5 file, damaged, or holds weights without their network.
    """
    if not path.is_file():
        raise RecordingError(f"There is no file {path}. Check the path.")
    if SourceFile(path).head(len(_LFS_POINTER)) == _LFS_POINTER:
        raise RecordingError(
            f"{path} is a git-LFS pointer of {path.stat().st_size} bytes, not the weights. Run `git lfs pull` in the "
            "repository that it is from."
        )
    with opened_hdf5(path) as root:
        yield KerasFile(path, root, _read_config(path, root))


def _read_config(path: Path, root: Any) -> Mapping[str, Any]:
    text = root.attrs.get("model_config")
    if text is None:
        found = ", ".join(names_in(root)[:8]) or "nothing"
        raise RecordingError(
            f"{path} has no 'model_config', so it does not say what network its numbers belong to (it holds {found}). "
            "Choose a file of a whole Keras model."
        )
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if not isinstance(text, str) or len(text) > _MAX_CONFIG_CHARS:
        raise RecordingError(f"The 'model_config' of {path} is no text of sensible length. Copy the file again.")
    try:
        model = json.loads(text)
        if model["class_name"] in _NETWORKS and isinstance(model["config"]["layers"], list):
            config: Mapping[str, Any] = model["config"]
            return config
        found = repr(model["class_name"])
    except (ValueError, RecursionError, KeyError, TypeError) as damage:
        found = reason_of(damage)
    raise RecordingError(f"The 'model_config' of {path} describes no Functional network of Keras ({found}).")


# ------------------------------------------------------------------------------------------------------------- graph


def _networks_in(config: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """List the configurations with the names of the networks around their layers, breadth first."""
    found: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(config, ())]
    for outer, around in found:
        if len(around) > _MAX_DEPTH or len(found) > _MAX_NETWORKS:
            raise ValueError(f"more than {_MAX_NETWORKS} networks, or {_MAX_DEPTH} inside each other")
        for layer in outer["layers"]:
            if layer["class_name"] in _NETWORKS:
                found.append((layer["config"], (*around, layer["name"])))
    return found


def _ends(value: Any) -> list[Any]:
    """List references in ``input_layers`` or a node; some leave the brackets around a single one out."""
    return [value] if value and isinstance(value[0], str) else list(value)


def _run(config: Mapping[str, Any], around: tuple[str, ...], inputs: list[Step], budget: Iterator[int]) -> list[Step]:
    """Follow a network from the steps that go in to those that come out."""
    if len(around) > _MAX_DEPTH or len(config["layers"]) > _MAX_LAYERS:
        raise ValueError(f"more than {_MAX_LAYERS} layers, or {_MAX_DEPTH} networks inside each other")
    layers = {layer["name"]: layer for layer in config["layers"]}
    if len(layers) != len(config["layers"]):
        raise ValueError("two layers of one network have the same name")
    entries = {reference[0]: step for reference, step in zip(_ends(config["input_layers"]), inputs, strict=True)}
    calls: dict[Reference, list[tuple[Reference, int]]] = {}
    for name, layer in layers.items():
        nodes = layer["inbound_nodes"] or ([[]] if name in entries else [])
        for number, node in enumerate(nodes):
            calls[name, number] = [_referred(layers, each) for each in _ends(node) if each[0] != "_CONSTANT_VALUE"]
    made: dict[Reference, list[Step]] = {}
    sources = {call: [source for source, _ in parts] for call, parts in calls.items()}
    for call in TopologicalSorter(sources).static_order():
        if next(budget, None) is None:
            raise ValueError(f"more than {_MAX_STEPS} steps")
        steps = [made[source][output] for source, output in calls[call]]
        layer = layers[call[0]]
        if call[0] in entries:
            made[call] = [_entry(entries[call[0]], layer)]
        elif layer["class_name"] in _NETWORKS:
            made[call] = _run(layer["config"], (*around, call[0]), steps, budget)
        else:
            made[call] = [_step(layer, steps, (*around, call[0]))] * _MAX_OUTPUTS
    outputs = (_referred(layers, each) for each in _ends(config["output_layers"]))
    return [made[source][output] for source, output in outputs]


def _referred(layers: Mapping[str, Any], reference: Any) -> tuple[Reference, int]:
    name, number, output = str(reference[0]), int(reference[1]), int(reference[2])
    layer = layers[name]
    if layer["class_name"] in _NETWORKS:  # its first node is not written, see the references above
        number = number - 1 if len(layer["inbound_nodes"]) > 1 else 0
    if number < 0 or output < 0:
        raise ValueError(f"a connection to call {number} of {name}")
    return (name, number), output


def _entry(step: Step, layer: Mapping[str, Any]) -> Step:
    """Input of a network: what goes in, or, for the outermost, the shape that is asked for."""
    if step.kind != "input" or step.settings:
        return step
    shape = layer["config"].get("batch_input_shape") or layer["config"].get("batch_shape") or ()
    return Step("input", {"shape": tuple(shape[1:])}, (), (layer["name"],))


def _step(layer: Mapping[str, Any], inputs: list[Step], path: tuple[str, ...]) -> Step:
    settings = layer["config"]
    kind, facts = _described(str(layer["class_name"]), settings)
    if kind in ("", "activation") and facts.get("function", "linear") == "linear":
        return inputs[0]
    if kind == "concatenation":
        inputs = [part for each in inputs for part in (each.inputs if each.kind == "concatenation" else (each,))]
        if len(inputs) > _MAX_PARTS:
            raise ValueError(f"a concatenation of {len(inputs)} parts")
    step = Step(kind, facts, tuple(inputs), path)
    function = _function(settings.get("activation", "linear")) if kind in ("convolution", "dense") else "linear"
    return step if function == "linear" else Step("activation", {"function": function}, (step,), path)


def _described(class_name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Kind and settings of a layer; an empty kind for one that passes on what it gets."""
    base = class_name[:-2]
    if class_name in _NO_STEP:
        return "", {}
    if class_name == "Activation":
        return "activation", {"function": _function(config["activation"])}
    if class_name == "Add":
        return "sum", {}
    if class_name == "Flatten":
        return "flattening", _plain(config, data_format="channels_last")
    if class_name == "Concatenate":
        return "concatenation", _plain(config, axis=-1)
    if class_name == "Reshape":
        return "reshaping", {"target_shape": tuple(config["target_shape"])}
    if class_name == "Dense":
        return "dense", _plain(config, units=None, use_bias=True)
    if class_name == "LayerNormalization":
        axis = config.get("axis", -1)
        is_last = tuple(axis if isinstance(axis, list) else [axis]) in ((-1,), (1,))  # 1, as Keras counts flat inputs
        return "layer normalization", {"over_last_axis": is_last} | _plain(
            config, epsilon=1e-3, center=True, scale=True
        )
    if class_name in ("Conv1D", "Conv2D"):
        facts = _plain(
            config, filters=None, kernel_size=None, use_bias=True, padding="valid", strides=1, dilation_rate=1,
            groups=1, data_format="channels_last",
        )  # fmt: skip
        return "convolution", facts | ({"padding": "same"} if facts["kernel_size"] == 1 else {})
    if base in _POOLING and class_name.endswith(("1D", "2D")):
        facts = _plain(config, pool_size=2, strides=None, padding="valid", data_format="channels_last")
        return _POOLING[base], facts | {"strides": facts["strides"] or facts["pool_size"]}
    if class_name in ("UpSampling1D", "UpSampling2D"):
        return "upsampling", _plain(config, size=2, interpolation="nearest", data_format="channels_last")
    return f"a layer of the class {class_name}", {}


def _plain(config: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """Chosen settings; a size that is the same along all axes as one number, so that 1-D and 2-D look alike."""
    facts = {name: config.get(name, default) for name, default in defaults.items()}
    return {name: _one(value) if isinstance(value, list) else value for name, value in facts.items()}


def _one(sizes: list[Any]) -> Any:
    return sizes[0] if sizes and all(size == sizes[0] for size in sizes) else tuple(sizes)


def _function(value: Any) -> str:
    """Name of an activation; TensorFlow Addons' GELU is the tanh approximation, Keras' own the exact one."""
    name = value if isinstance(value, str) else str(value.get("class_name", value.get("config", value)))
    known = {"Addons>gelu": "gelu (tanh)", "gelu": "gelu (exact)", "Addons>mish": "mish"}
    return known.get(name, name)


# ----------------------------------------------------------------------------------------------------------- weights


def _datasets(group: Any, layer: str, name: str, depth: int = 0) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Find data sets called `name` whose group is called `layer`, with the names of the groups on the way."""
    if group is None or is_numbers(group) or depth > _MAX_DEPTH:
        return
    for key in names_in(group):
        child = child_of(group, key)
        if is_numbers(child):
            if key.partition(":")[0] == name and str(group.name).rpartition("/")[2] == layer:
                yield (), child
        else:
            for path, dataset in _datasets(child, layer, name, depth + 1):
                yield (key, *path), dataset
