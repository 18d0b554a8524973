"""Halves of a cross-modal autoencoder as Keras 2 writes them, and the same networks in NumPy.

Both are made from the published description, channels last; nothing of the package is used. Layers are numbered as
Keras would number them: as they are created, from `first_number` on. In a decoder, the dense blocks are created first,
then the output convolution, then the dense layer that comes first; in an encoder, the convolutions of the stem before
its 1x1 one, and these before all dense blocks, one after the other.
"""

import json
from dataclasses import dataclass, field

import h5py
import numpy as np
from scipy.signal import correlate


@dataclass
class Sizes:
    """Widths of one modality."""

    space: tuple
    channels: int
    kernel: int
    stem: int
    filters: int
    blocks: int
    block_size: int
    activation: str
    pooling: str
    latent_dim: int


@dataclass
class Writer:
    """Layers of one functional network and their weights."""

    sizes: Sizes
    rng: np.random.Generator
    first_number: int
    made: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)
    layers: list = field(default_factory=list)

    def _named(self, word):
        number = self.first_number + self.made.setdefault(word, 0)
        self.made[word] += 1
        return f"{word}_{number}" if number else word

    def convolution(self, n_in, filters, kernel, **config):
        dim = len(self.sizes.space)
        name = config.pop("name", None) or self._named(f"conv{dim}d")
        shape = (kernel,) * dim + (n_in, filters)
        self._fill(name, kernel=shape, bias=(filters,))
        config = {
            "filters": filters,
            "kernel_size": [kernel] * dim,
            "strides": [1] * dim,
            "dilation_rate": [1] * dim,
            "padding": "same" if kernel > 1 else "valid",
            "data_format": "channels_last",
            "groups": 1,
            "activation": "linear",
            "use_bias": True,
            **config,
        }
        return {"class_name": f"Conv{dim}D", "name": name, "config": {"name": name, **config}}

    def dense(self, n_in, units, name=None):
        name = name or self._named("dense")
        self._fill(name, kernel=(n_in, units), bias=(units,))
        return {
            "class_name": "Dense",
            "name": name,
            "config": {"name": name, "units": units, "use_bias": True, "activation": "linear"},
        }

    def norm(self):
        name = self._named("layer_normalization")
        self._fill(name, gamma=(self.sizes.latent_dim,), beta=(self.sizes.latent_dim,))
        return {
            "class_name": "LayerNormalization",
            "name": name,
            "config": {"name": name, "axis": [1], "epsilon": 0.001, "center": True, "scale": True},
        }

    def _fill(self, name, **shapes):
        self.weights[name] = {
            key: self.rng.normal(size=shape, scale=1 / np.sqrt(np.prod(shape[:-1]) or 1) if len(shape) > 1 else 0.5)
            .astype(np.float32)
            for key, shape in shapes.items()
        }  # fmt: skip

    def plain(self, class_name, word, **config):
        name = self._named(word)
        return {"class_name": class_name, "name": name, "config": {"name": name, **config}}

    def activation(self):
        return self.plain("Activation", "activation", activation=f"Addons>{self.sizes.activation}")

    def put(self, layer, *inputs):
        """Connect a layer; returns its name."""
        nodes = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
        self.layers.append({**layer, "inbound_nodes": nodes})
        return layer["name"]

    def input(self, name, shape):
        return self.put(
            {
                "class_name": "InputLayer",
                "name": name,
                "config": {
                    "name": name,
                    "batch_input_shape": [None, *shape],
                    "dtype": "float32",
                    "sparse": False,
                    "ragged": False,
                },
            }
        )

    def block_layers(self, n_in):
        f = self.sizes.filters
        return [self.convolution(n_in + i * f, f, self.sizes.kernel) for i in range(self.sizes.block_size)]

    def put_block(self, x, convolutions):
        seen = [x]
        for number, layer in enumerate(convolutions):
            source = x if number == 0 else self.put(self.plain("Concatenate", "concatenate", axis=-1), *seen)
            seen.append(self.put(self.activation(), self.put(layer, source)))
        return seen[-1]

    def sized(self, word, class_name, **config):
        dim = len(self.sizes.space)
        return self.plain(f"{class_name}{dim}D", f"{word}{dim}d", data_format="channels_last", **config)


def make_encoder(sizes, seed=0, first_number=7):
    w = Writer(sizes, np.random.default_rng(seed), first_number)
    dim, f = len(sizes.space), sizes.filters
    stem = [
        w.convolution(sizes.channels, sizes.stem, sizes.kernel),
        w.convolution(sizes.stem, sizes.stem, sizes.kernel),
    ]
    mix = w.convolution(sizes.stem, sizes.stem, 1)
    blocks = [w.block_layers(sizes.stem if number == 0 else f) for number in range(sizes.blocks)]
    n_flat = int(np.prod([size // 2**sizes.blocks for size in sizes.space])) * f
    dense, norm = w.dense(n_flat, sizes.latent_dim, "embed_x_continuous"), w.norm()
    x = w.input("input_x_continuous_inner", (*sizes.space, sizes.channels))
    y = w.put(w.activation(), w.put(stem[0], x))
    branch = w.put(mix, w.put(w.activation(), w.put(stem[1], y)))
    x = w.put(w.plain("Add", "add"), branch, y)
    pooling = {"max": ("max_pooling", "MaxPooling"), "average": ("average_pooling", "AveragePooling")}[sizes.pooling]
    for block in blocks:
        x = w.put(w.sized(*pooling, pool_size=[2] * dim, strides=[2] * dim, padding="valid"), x)
        x = w.put_block(x, block)
    x = w.put(w.plain("Flatten", "flatten", data_format="channels_last"), x)
    return w, w.put(norm, w.put(w.activation(), w.put(dense, x)))


def make_decoder(sizes, seed=0, first_number=3):
    w = Writer(sizes, np.random.default_rng(seed), first_number)
    dim, f = len(sizes.space), sizes.filters
    blocks = [w.block_layers(f) for _ in range(sizes.blocks)]
    label = w.convolution(f, sizes.channels, 1, name="output_x_continuous")
    start = (*(size // 2**sizes.blocks for size in sizes.space), f)
    dense = w.dense(sizes.latent_dim, int(np.prod(start)))
    x = w.put(w.activation(), w.put(dense, w.input("input_z", (sizes.latent_dim,))))
    x = w.put(w.plain("Reshape", "reshape", target_shape=list(start)), x)
    size = {"size": 2} if dim == 1 else {"size": [2, 2], "interpolation": "nearest"}
    for block in blocks:
        x = w.put_block(w.put(w.sized("up_sampling", "UpSampling", **size), x), block)
    return w, w.put(label, x)


def functional(writer, output, name):
    first = next(layer["name"] for layer in writer.layers if layer["class_name"] == "InputLayer")
    # Keras lists layers by depth; any order means the same
    return {
        "name": name,
        "layers": writer.layers[::-1],
        "input_layers": [[first, 0, 0]],
        "output_layers": [[output, 0, 0]],
    }


def nested(half, name):
    """The half inside a functional network with nothing but an input, as the released files have it."""
    writer, output = half
    inner = functional(writer, output, name)
    first = next(each for each in writer.layers if each["class_name"] == "InputLayer")
    outer_input = {
        "class_name": "InputLayer",
        "name": "input_outer",
        "config": {**first["config"], "name": "input_outer"},
        "inbound_nodes": [],
    }
    layer = {"class_name": "Functional", "name": name, "config": inner, "inbound_nodes": [[["input_outer", 0, 0, {}]]]}
    return {
        "name": f"outer_{name}",
        "layers": [outer_input, layer],
        "input_layers": [["input_outer", 0, 0]],
        "output_layers": [[name, 1, 0]],
    }


def write_model(path, config, weights):
    """`weights` by the name of the outermost layer, then by layer."""
    with h5py.File(path, "w") as root:
        root.attrs["keras_version"] = "2.9.0"
        root.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        for outer, layers in weights.items():
            for layer, values in layers.items():
                for name, value in values.items():
                    root.create_dataset(f"model_weights/{outer}/{layer}/{name}:0", data=value)
    return path


def write_half(path, half, name="model_3"):
    return write_model(path, nested(half, name), {name: half[0].weights})


# -------------------------------------------------------------------------------------------------------------- NumPy


def activate(x, name):
    if name == "mish":
        return x * np.tanh(np.logaddexp(0, x))
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def convolve(x, weights):
    """`x` (*space, in) by a kernel (*k, in, out), 'same', as Keras: without turning the kernel."""
    kernel, bias = weights["kernel"].astype(float), weights["bias"]
    planes = [
        sum(correlate(x[..., i], kernel[..., i, o], mode="same") for i in range(kernel.shape[-2]))
        for o in range(kernel.shape[-1])
    ]
    return np.stack(planes, axis=-1) + bias


class Numbered:
    """Layers of a kind in the order of their numbers, which is that of their creation."""

    def __init__(self, writer):
        self.weights, self.names = (
            writer.weights,
            iter(
                sorted((n for n in writer.weights if n.startswith("conv")), key=lambda n: int([*n.split("_"), "0"][1]))
            ),
        )

    def next(self):
        return self.weights[next(self.names)]


def dense_block(x, layers, activation):
    seen = [x]
    for layer in layers:
        seen.append(activate(convolve(np.concatenate(seen, axis=-1), layer), activation))
    return seen[-1]


def encode(half, x):
    """Latent of `x` (*space, channels)."""
    writer, sizes = half[0], half[0].sizes
    layers, act = Numbered(writer), half[0].sizes.activation
    first, second, mix = layers.next(), layers.next(), layers.next()
    y = activate(convolve(x, first), act)
    x = y + convolve(activate(convolve(y, second), act), mix)
    for _ in range(sizes.blocks):
        for axis, size in enumerate(x.shape[:-1]):
            parts = np.moveaxis(x, axis, 0)[: size // 2 * 2].reshape(size // 2, 2, *np.delete(x.shape, axis))
            x = np.moveaxis(parts.max(axis=1) if sizes.pooling == "max" else parts.mean(axis=1), 0, axis)
        x = dense_block(x, [layers.next() for _ in range(sizes.block_size)], act)
    dense = writer.weights["embed_x_continuous"]
    z = activate(x.reshape(-1) @ dense["kernel"].astype(float) + dense["bias"], act)
    norm = next(value for name, value in writer.weights.items() if name.startswith("layer_norm"))
    return (z - z.mean()) / np.sqrt(z.var() + 1e-3) * norm["gamma"] + norm["beta"]


def decode(half, z):
    """Recording (*space, channels) of a latent."""
    writer, sizes = half[0], half[0].sizes
    layers, act = Numbered(writer), sizes.activation
    dense = next(value for name, value in writer.weights.items() if name.startswith("dense"))
    h = activate(z @ dense["kernel"].astype(float) + dense["bias"], act)
    x = h.reshape(*(size // 2**sizes.blocks for size in sizes.space), sizes.filters)
    for _ in range(sizes.blocks):
        for axis in range(len(sizes.space)):
            x = x.repeat(2, axis=axis)
        x = dense_block(x, [layers.next() for _ in range(sizes.block_size)], act)
    return convolve(x, writer.weights["output_x_continuous"])
