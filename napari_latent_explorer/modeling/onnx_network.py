"""One network in an ONNX file that anyone may have made, checked before it is run.

| in the file | here |
|---|---|
| one input and one output of float32 (integers out of a label network) | run by onnxruntime on the CPU |
| a fixed batch of one | run once for each recording; other fixed batches are refused |
| weights in a file beside it | read, where that lies in the same folder; absolute paths, ``..`` and links are refused |
| operators of other domains than ONNX' own | refused, as they would need foreign code |
| ``Loop`` and ``Scan`` | refused, as they may never end |
| tensors that would take over 1 GiB, stated or inferred | refused |
"""

import hashlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import BundleError, reason_of

MAX_BYTES = 1 << 30
_MAX_NODES = 20_000
_OWN_DOMAINS = ("", "ai.onnx")
_ENDLESS = ("Loop", "Scan")
_BATCH_SIZE = 32
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
        _refuse_unsafe(path, model)
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
        import onnxruntime  # noqa: F401
    except ImportError as missing:
        raise BundleError(
            f"Networks in ONNX need onnx and onnxruntime, and {missing.name} is not installed. Install them: "
            "pip install 'napari-latent-explorer[onnx]'"
        ) from missing
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BundleError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
        model = onnx.load(path, load_external_data=False)
        _refuse_files_elsewhere(path, model)
        onnx.load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except BundleError:
        raise
    except Exception as damage:  # protobuf, onnx' checker and the file system each have their own
        raise BundleError(f"{path} is damaged or no ONNX network: {reason_of(damage)}. Copy it again.") from damage
    return model


def _refuse_files_elsewhere(path: Path, model: Any) -> None:
    import onnx

    folder, n_bytes = path.parent.resolve(), 0
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        facts = {entry.key: entry.value for entry in tensor.external_data}
        where = Path(facts.get("location", ""))
        beside = path.parent / where
        if where.name != str(where) or beside.is_symlink() or beside.resolve().parent != folder:
            raise BundleError(
                f"{path} wants weights from {str(where)!r}, which is no file beside it. Save the network with its "
                "weights inside."
            )
        n_bytes += int(facts.get("length") or beside.stat().st_size)
    if n_bytes > MAX_BYTES:
        raise BundleError(f"{path} claims {n_bytes} bytes of weights beside it; at most {MAX_BYTES} are read.")


def _graphs(model: Any) -> Iterator[Any]:
    """Graph, those inside its nodes, and functions of the model."""
    waiting = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.HasField("g") else []
                waiting += attribute.graphs


def _tensors(model: Any) -> Iterator[Any]:
    for graph in _graphs(model):
        yield from getattr(graph, "initializer", ())
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from ([attribute.t] if attribute.HasField("t") else [])
                yield from attribute.tensors


def _refuse_unsafe(path: Path, model: Any) -> None:
    import onnx

    own = {(function.domain, function.name) for function in model.functions}
    nodes = [node for graph in _graphs(model) for node in graph.node]
    foreign = sorted(
        {
            f"{node.domain}.{node.op_type}"
            for node in nodes
            if node.domain not in _OWN_DOMAINS and (node.domain, node.op_type) not in own
        }
    )
    if foreign:
        raise BundleError(f"{path} needs operators that are not ONNX' own: {', '.join(foreign[:8])}. They are not run.")
    endless = sorted({node.op_type for node in nodes if node.op_type in _ENDLESS})
    if endless or len(nodes) > _MAX_NODES:
        raise BundleError(f"{path} holds {', '.join(endless) or f'{len(nodes)} nodes'}; such networks are not run.")
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as damage:
        raise BundleError(f"{path} contradicts itself: {reason_of(damage)}.") from damage
    for value in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output):
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim if size.HasField("dim_value")]
        if min(sizes, default=1) < 0 or 4 * prod(sizes) > MAX_BYTES:
            raise BundleError(f"{path} computes {value.name!r} of the size {sizes}, which is not sensible.")


def _make_session(path: Path, content: bytes) -> Any:
    import onnxruntime

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
