"""One network in an ONNX file that anyone may have made, checked before it is run.

| in the file | here |
|---|---|
| one input and one output of float32 (integers out of a label network) | run by onnxruntime on the CPU |
| a fixed batch of one | run once for each recording; other fixed batches are refused |
| weights in a file beside it | read, where that lies in the same folder; absolute paths, ``..`` and links are refused |
| operators of other domains than ONNX' own | refused, as they would need foreign code |
| ``Loop``, ``Scan``, ``If``, functions | refused, as they may never end, or hide what they take |
| sparse tensors | refused, as they may be vast and the file small |
| a step whose size for one recording is not known before | refused |
| a step of over 256 MiB, or all together of over 1 GiB, for one recording | refused |

Nothing is mapped into memory: a file that somebody shortens meanwhile would end the program.
"""

import hashlib
import os
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import BundleError, reason_of, shown_text
from napari_latent_explorer.modeling import bundle_files

MAX_BYTES = 1 << 30
MAX_VALUE_BYTES = 1 << 28
_MAX_NODES = 20_000
_MAX_AXES = 8
_MAX_DIGITS = 16
_VALUE_BYTES = 4
_OWN_DOMAINS = ("", "ai.onnx")
_BATCH_SIZE = 8
_SILENT = 4

Shape = tuple[int | None, ...]


class OnnxNetwork:
    """A network from an array to an array.

    Attributes
    ----------
    path
        Of its file.
    input_shape, output_shape
        Without the batch; None for a size that the file leaves open.
    sha256
        Of network and weights.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        model = _read(path)
        _refuse_vast(path, model)
        content = model.SerializeToString()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._session = _make_session(path, content)
        self._input, self.input_shape = _only(path, "input", self._session.get_inputs())
        self._output, self.output_shape = _only(path, "output", self._session.get_outputs())
        batch = self._session.get_inputs()[0].shape[0]
        if isinstance(batch, int) and batch != 1:
            raise BundleError(f"{path} takes {batch} recordings at once. Export it with an open batch size, or 1.")
        self._batch_size = 1 if batch == 1 else _BATCH_SIZE

    def run(self, batch: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Compute ``(n, *output_shape)`` from ``(n, *input_shape)``.

        Raises
        ------
        BundleError
            When the network cannot be run.
        """
        x = np.ascontiguousarray(batch, dtype=np.float32)
        try:
            parts = [
                self._session.run([self._output], {self._input: x[start : start + self._batch_size]})[0]
                for start in range(0, len(x), self._batch_size)
            ]
        except Exception as failure:  # onnxruntime raises classes of its own making
            raise BundleError(f"The network {self.path} cannot be run: {reason_of(failure)}.") from failure
        return np.concatenate(parts) if parts else np.zeros((0, *(n or 0 for n in self.output_shape)), np.float32)


def _read(path: Path) -> Any:
    """Graph with all weights in it."""
    try:
        import onnx

        _quiet_runtime()
    except ImportError as missing:
        raise BundleError(
            f"Networks in ONNX need onnx and onnxruntime, and {missing.name} is not installed. Install them: "
            "pip install 'napari-latent-explorer[onnx]'"
        ) from missing
    content = bundle_files.read_bytes(path, MAX_BYTES)
    try:
        model = onnx.load_model_from_string(content)
        _refuse_unsafe(path, model)
        _take_weights_beside(path, model)
        onnx.checker.check_model(model)
    except BundleError:
        raise
    except Exception as damage:  # protobuf, onnx' checker and the file system each have their own
        raise BundleError(f"{path} is damaged or no ONNX network: {reason_of(damage)}. Copy it again.") from damage
    return model


def _take_weights_beside(path: Path, model: Any) -> None:
    """Put weights that lie in files beside the network into it; none are read before all are known to be sensible."""
    import onnx

    outside = [tensor for tensor in _tensors(model) if tensor.data_location == onnx.TensorProto.EXTERNAL]
    places = [_place_of(path, tensor) for tensor in outside]
    n_bytes = sum(size for _, _, size in places)
    if n_bytes > MAX_BYTES:
        raise BundleError(f"{path} claims {n_bytes} bytes of weights beside it; at most {MAX_BYTES} are read.")
    for tensor, (beside, offset, size) in zip(outside, places, strict=True):
        with beside.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise BundleError(
                f"{path} wants {size} bytes from byte {offset} of {beside}, which holds {len(content)} there. Copy "
                "both files again."
            )
        tensor.raw_data = content
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _place_of(path: Path, tensor: Any) -> tuple[Path, int, int]:
    """File, first byte and number of bytes of weights outside the network."""
    facts = {entry.key: entry.value for entry in tensor.external_data}
    where = Path(facts.get("location", ""))
    beside = path.parent / where
    is_beside = (
        where.name == str(where) and not beside.is_symlink() and beside.resolve().parent == path.parent.resolve()
    )
    if not is_beside or not beside.is_file():
        raise BundleError(
            f"{path} wants weights from {shown_text(repr(str(where)), 80)}, which is no file beside it. Save the "
            "network with its weights inside."
        )
    size = _n_bytes(path, tensor)
    offset, length = (facts.get(name, usual) for name, usual in (("offset", "0"), ("length", str(size))))
    if not (offset.isdecimal() and len(offset) < _MAX_DIGITS) or length != str(size):
        raise BundleError(
            f"{path} wants {shown_text(repr(length), 40)} bytes from byte {shown_text(repr(offset), 40)} of {beside} "
            f"for the {size} bytes of {_named(tensor)}. Save the network again."
        )
    return beside, int(offset), size


def _n_bytes(path: Path, tensor: Any) -> int:
    """Bytes that a tensor takes by its shape; BundleError where that is not sensible."""
    import onnx

    try:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, TypeError, ValueError):
        kind = np.dtype(object)
    sizes = list(tensor.dims)
    if kind.hasobject or kind.itemsize < 1:
        raise BundleError(f"{path} holds {_named(tensor)} of no numbers (type {tensor.data_type}); it is not run.")
    if min(sizes, default=0) < 0 or prod(sizes) * kind.itemsize > MAX_BYTES:
        raise BundleError(f"{path} holds {_named(tensor)} of the size {_few(sizes)}, which is not sensible.")
    return int(prod(sizes) * kind.itemsize)


def _named(tensor: Any) -> str:
    return f"the tensor {shown_text(repr(tensor.name), 60)}"


def _few(sizes: list[int]) -> str:
    return str(sizes) if len(sizes) <= _MAX_AXES else f"{sizes[:_MAX_AXES]} and more"


def _tensors(model: Any) -> Iterator[Any]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors


def _refuse_unsafe(path: Path, model: Any) -> None:
    """Refuse what may never end, needs foreign code, or takes more memory than the file shows."""
    nodes = model.graph.node
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in nodes if node.domain not in _OWN_DOMAINS})
    if foreign:
        shown = ", ".join(shown_text(name, 60) for name in foreign[:8])
        raise BundleError(f"{path} needs operators that are not ONNX' own: {shown}. They are not run.")
    inside = sorted({node.op_type for node in nodes if any(_is_graph(attribute) for attribute in node.attribute)})
    problems = [f"nodes with networks inside ({shown_text(', '.join(inside), 60)})"] if inside else []
    problems += ["functions of its own"] if len(model.functions) else []
    problems += ["sparse tensors"] if len(model.graph.sparse_initializer) or _has_sparse(nodes) else []
    problems += [f"{len(nodes)} nodes"] if len(nodes) > _MAX_NODES else []
    problems += ["training information"] if len(model.training_info) else []
    if problems:
        raise BundleError(
            f"{path} holds {' and '.join(problems)}; such networks are not run. Export it as one plain graph."
        )
    for tensor in _tensors(model):
        _n_bytes(path, tensor)


def _is_graph(attribute: Any) -> bool:
    return bool(attribute.HasField("g") or attribute.graphs)


def _has_sparse(nodes: Any) -> bool:
    return any(
        attribute.HasField("sparse_tensor") or attribute.sparse_tensors
        for node in nodes
        for attribute in node.attribute
    )


def _refuse_vast(path: Path, model: Any) -> None:
    """Refuse a network of which not every step has a known and sensible size for one recording."""
    import onnx

    alone = onnx.ModelProto()
    alone.CopyFrom(model)
    del alone.graph.value_info[:]
    for value in alone.graph.input:
        for place, size in enumerate(value.type.tensor_type.shape.dim):
            if place == 0:
                size.dim_value = 1
    for value in alone.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(alone, data_prop=True)
    except Exception as damage:
        raise BundleError(f"{path} contradicts itself: {reason_of(damage)}.") from damage
    sizes = {
        value.name: _sizes(value.type.tensor_type)
        for value in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
    }
    n_all = 0
    for name in (name for node in inferred.graph.node for name in node.output if name):
        known = sizes.get(name)
        shown = shown_text(repr(name), 60)
        if known is None:
            raise BundleError(
                f"{path} computes {shown}, whose size is not known before it is run. Export it with fixed sizes of "
                "everything but the batch."
            )
        n_all += prod(known)
        if min(known, default=1) < 0 or _VALUE_BYTES * prod(known) > MAX_VALUE_BYTES:
            raise BundleError(f"{path} computes {shown} of the size {_few(known)}, which is not sensible.")
    if _VALUE_BYTES * n_all > MAX_BYTES:
        raise BundleError(f"{path} computes {n_all} numbers for one recording, which is not sensible.")


def _sizes(kind: Any) -> list[int] | None:
    """Sizes of a tensor; None where one is open, or the value is no tensor."""
    if (
        not kind.elem_type
        or not kind.HasField("shape")
        or not all(size.HasField("dim_value") for size in kind.shape.dim)
    ):
        return None
    return [size.dim_value for size in kind.shape.dim]


def _quiet_runtime() -> Any:
    """Import onnxruntime, whose builds since 1.29 tell their makers of each model unless this was set before."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _make_session(path: Path, content: bytes) -> Any:
    onnxruntime = _quiet_runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as misfit:
        raise BundleError(f"onnxruntime does not take {path}: {reason_of(misfit)}.") from misfit


def _only(path: Path, what: str, values: Any) -> tuple[str, Shape]:
    if len(values) != 1 or not values[0].shape:
        raise BundleError(f"{path} has {len(values)} {what}s; expected one, with the recordings along the first axis.")
    if what == "input" and values[0].type != "tensor(float)":
        raise BundleError(f"{path} takes {values[0].type}, expected tensor(float). Export it in single precision.")
    return values[0].name, tuple(size if isinstance(size, int) else None for size in values[0].shape[1:])
