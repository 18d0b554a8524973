import hashlib
import json
import os
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from keras_writer import Sizes, decode, encode, functional, make_decoder, make_encoder, nested, write_half, write_model

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling import dropfuse_weights
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.dropfuse_weights import find_halves, identify_file, import_dropfuse
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig
from napari_latent_explorer.nn.coder import CoderConfig

ECG = Sizes((32,), 12, 5, 3, 6, 1, 5, "mish", "max", 8)
MRI = Sizes((16, 8), 5, 3, 3, 4, 3, 3, "gelu", "average", 8)
TINY = AutoencoderConfig(
    latent_dim=8,
    mri=CoderConfig(5, (16, 8), 3, 3, (4, 4, 4), (4, 4, 4), 3, "gelu", "average"),
    ecg=CoderConfig(12, (32,), 5, 3, (6,), (6,), 5, "mish", "max"),
)
PUBLISHED_ECG = Sizes((600,), 12, 71, 23, 46, 1, 5, "mish", "max", 256)
PUBLISHED_MRI = Sizes((96, 96), 50, 3, 24, 40, 3, 3, "gelu", "average", 256)
RELEASED = ["I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6", "aVF", "aVL", "aVR"]


def make_halves(ecg=ECG, mri=MRI):
    return {
        ("encoder", "ecg"): make_encoder(ecg, 1),
        ("decoder", "ecg"): make_decoder(ecg, 2),
        ("encoder", "mri"): make_encoder(mri, 3),
        ("decoder", "mri"): make_decoder(mri, 4),
    }


def write_halves(folder, halves):
    return {key: write_half(folder / f"{'_'.join(key)}.h5", half) for key, half in halves.items()}


@pytest.fixture
def halves():
    torch.set_num_threads(1)
    return make_halves()


@pytest.fixture
def files(tmp_path, halves):
    return write_halves(tmp_path, halves)


def assert_computes_like_keras(bundle, halves, ecg, mri, seed=0):
    rng = np.random.default_rng(seed)
    beat = rng.normal(size=(12, *ecg.space))  # in the clinical order
    cine = rng.normal(size=(mri.channels, *mri.space))
    z = rng.normal(size=ecg.latent_dim)
    by_name = dict(zip(LEAD_NAMES, beat, strict=True))
    released = np.stack([by_name[lead] for lead in RELEASED], axis=-1)
    close = {"atol": 1e-4, "rtol": 1e-4}
    np.testing.assert_allclose(bundle.encode("ecg", beat[None])[0], encode(halves["encoder", "ecg"], released), **close)
    np.testing.assert_allclose(
        bundle.encode("mri", cine[None])[0], encode(halves["encoder", "mri"], np.moveaxis(cine, 0, -1)), **close
    )
    decoded = bundle.decode(z[None])
    drawn = dict(zip(RELEASED, decode(halves["decoder", "ecg"], z).T, strict=True))
    expected_mv = 0.05 * np.stack([drawn[lead] for lead in LEAD_NAMES])
    np.testing.assert_allclose(decoded.ecg_mv[0], expected_mv, **close)
    np.testing.assert_allclose(decoded.cine[0], np.moveaxis(decode(halves["decoder", "mri"], z), -1, 0), **close)


def test_halves_compute_what_keras_computes(files, halves, tmp_path):
    bundle = import_dropfuse(files, TINY)
    assert_computes_like_keras(bundle, halves, ECG, MRI)
    bundle.save(tmp_path / "bundle")
    loaded = ModelBundle.load(tmp_path / "bundle")
    assert loaded.fingerprint == bundle.fingerprint
    assert loaded.preprocessing["ecg"]["lead_names"] == list(LEAD_NAMES)
    assert loaded.preprocessing["mri"]["crop"] == "published"


@pytest.mark.slow
def test_halves_of_the_published_size_compute_what_keras_computes(tmp_path):
    halves = make_halves(PUBLISHED_ECG, PUBLISHED_MRI)
    bundle = import_dropfuse(write_halves(tmp_path, halves))
    assert bundle.network.config == AutoencoderConfig.preset("published")
    counts = [
        sum(value.size for layer in half[0].weights.values() for value in layer.values()) for half in halves.values()
    ]
    assert counts == [5_469_501, 5_800_934, 1_734_240, 1_741_930]
    assert_computes_like_keras(bundle, halves, PUBLISHED_ECG, PUBLISHED_MRI)


def test_the_whole_model_holds_all_halves_beside_what_is_not_known(tmp_path, halves):
    layers, weights, ends = [], {}, []
    for number, half in enumerate(halves.values()):
        name = f"model_{number}"
        inputs = f"input_{number}"
        writer, _ = half
        first = next(each for each in writer.layers if each["class_name"] == "InputLayer")
        layers.append({"class_name": "InputLayer", "name": inputs, "config": first["config"], "inbound_nodes": []})
        inner = {"class_name": "Functional", "name": name, "config": nested(half, f"inner_{number}"),
                 "inbound_nodes": [[[inputs, 0, 0, {}]]]}  # fmt: skip
        layers.append(inner)
        ends.append([name, 1, 0])
        weights[name] = writer.weights
    odd = {"class_name": "DropoutMergeLayer", "name": "merge", "config": {},
           "inbound_nodes": [[["model_0", 1, 0, {}], ["model_2", 1, 0, {}]]]}  # fmt: skip
    config = {"name": "whole", "layers": [odd, *layers], "input_layers": [[f"input_{i}", 0, 0] for i in range(4)],
              "output_layers": [*ends, ["merge", 0, 1]]}  # fmt: skip
    path = write_model(tmp_path / "whole.h5", config, weights)
    bundle = import_dropfuse({}, TINY, full_model=path)
    assert_computes_like_keras(bundle, halves, ECG, MRI)


def test_a_half_that_lies_in_no_other_network_is_read_too(tmp_path, files, halves):
    writer, output = halves["encoder", "mri"]
    config = functional(writer, output, "flat")
    weights = {layer: {layer: values} for layer, values in writer.weights.items()}
    files["encoder", "mri"] = write_model(tmp_path / "flat.h5", config, weights)
    assert_computes_like_keras(import_dropfuse(files, TINY), halves, ECG, MRI)


def test_halves_are_found_by_what_is_in_them(tmp_path, files, halves):
    for number, path in enumerate(files.values()):
        path.rename(tmp_path / f"{number}.h5")
    assert {key: path.name for key, path in find_halves(tmp_path, TINY).items()} == {
        key: f"{number}.h5" for number, key in enumerate(halves)
    }
    (tmp_path / "4.h5").write_bytes((tmp_path / "0.h5").read_bytes())
    with pytest.raises(BundleError, match=r"0\.h5 and .*4\.h5 hold the ECG encoder"):
        find_halves(tmp_path, TINY)


def test_one_modality_alone_gives_its_autoencoder(files):
    bundle = import_dropfuse({key: path for key, path in files.items() if key[1] == "ecg"}, TINY)
    assert bundle.modalities == ("ecg",)
    with pytest.raises(BundleError, match="the MRI decoder missing"):
        import_dropfuse({key: path for key, path in files.items() if key != ("decoder", "mri")}, TINY)


def test_the_bundle_says_whether_the_files_are_the_released_ones(files, monkeypatch):
    sha256 = hashlib.sha256(files["decoder", "ecg"].read_bytes()).hexdigest()
    monkeypatch.setattr(dropfuse_weights, "RELEASED_FILES", {sha256: "decoder_ecg_rest_median_raw_10.h5"})
    assert identify_file(files["decoder", "ecg"]).release_name == "decoder_ecg_rest_median_raw_10.h5"
    verdicts = {each["file"]: each["verdict"] for each in import_dropfuse(files, TINY).metadata["imported_from"]}
    assert verdicts["decoder_ecg.h5"] == "known release file decoder_ecg_rest_median_raw_10.h5"
    assert verdicts["encoder_ecg.h5"] == "unknown file"


# ------------------------------------------------------------------------------------------------------- what is wrong


def refused(files, key, path, match):
    with pytest.raises(BundleError, match=match) as error:
        import_dropfuse({**files, key: path}, TINY)
    assert path.name in str(error.value)


def test_swapped_files_are_named(files):
    with pytest.raises(BundleError, match=r"encoder_mri\.h5 holds the MRI encoder, where the ECG encoder was expected"):
        import_dropfuse(
            {**files, ("encoder", "ecg"): files["encoder", "mri"], ("encoder", "mri"): files["encoder", "ecg"]}, TINY
        )


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"filters": 7}, "filters 7, expected 6"),
        ({"kernel": 7}, "kernel size 7, expected 5"),
        ({"space": (64,)}, r"shape \(64, 12\), expected \(32, 12\)"),
        ({"activation": "relu"}, "function 'Addons>relu', expected 'mish'"),
        ({"pooling": "average"}, "average pooling .* where max pooling is expected"),
        ({"block_size": 4}, "inputs, expected|where"),
        ({"blocks": 2}, "where"),
        ({"latent_dim": 9}, "units 9, expected 8"),
    ],
)
def test_another_architecture_is_refused_with_what_differs(tmp_path, files, change, match):
    path = write_half(tmp_path / "other.h5", make_encoder(replace(ECG, **change)))
    refused(files, ("encoder", "ecg"), path, match)


def changed(path, halves, change):
    half = halves["encoder", "mri"]
    config = nested(half, "model_3")
    change({layer["name"]: layer for layer in config["layers"][1]["config"]["layers"]})
    return write_model(path, config, {"model_3": half[0].weights})


@pytest.mark.parametrize(
    ("layer", "setting", "value", "match"),
    [
        ("activation_7", "activation", "gelu", r"'gelu \(exact\)', expected 'gelu \(tanh\)'"),
        ("layer_normalization_7", "epsilon", 1e-5, "epsilon 1e-05, expected 0.001"),
        ("conv2d_7", "strides", [2, 2], "strides 2, expected 1"),
        ("conv2d_11", "data_format", "channels_first", "data format 'channels_first'"),
        ("conv2d_8", "padding", "valid", "padding 'valid'"),
    ],
)
def test_a_layer_that_computes_something_else_is_refused(tmp_path, files, halves, layer, setting, value, match):
    def change(layers):
        layers[layer]["config"][setting] = value

    refused(files, ("encoder", "mri"), changed(tmp_path / "other.h5", halves, change), match)


def test_blocks_in_another_order_are_read_in_the_order_of_the_graph(tmp_path, files, halves):
    # blocks 2 and 3 of the cine decoder have the same shapes: only the graph tells them apart
    def swap(layers):
        for one, other in zip(
            ("conv2d_13", "conv2d_14", "conv2d_15"), ("conv2d_16", "conv2d_17", "conv2d_18"), strict=True
        ):
            layers[one]["inbound_nodes"], layers[other]["inbound_nodes"] = (
                layers[other]["inbound_nodes"], layers[one]["inbound_nodes"]
            )  # fmt: skip
        text = {"conv2d_13": "conv2d_16", "conv2d_14": "conv2d_17", "conv2d_15": "conv2d_18"}
        text |= {new: old for old, new in text.items()}
        for layer in layers.values():
            for node in layer["inbound_nodes"]:
                for reference in node:
                    reference[0] = text.get(reference[0], reference[0])

    straight = import_dropfuse(files, TINY).network.state_dict()
    files["encoder", "mri"] = changed(tmp_path / "swapped.h5", halves, swap)
    swapped = import_dropfuse(files, TINY).network.state_dict()
    one, other = (f"encoders.mri.features.{number}.layers.1.weight" for number in (4, 6))
    assert torch.equal(swapped[one], straight[other])
    assert torch.equal(swapped[other], straight[one])


def test_a_concatenation_in_another_order_is_refused(tmp_path, files, halves):
    def change(layers):
        node = layers["concatenate_7"]["inbound_nodes"][0]
        node.reverse()

    refused(files, ("encoder", "mri"), changed(tmp_path / "other.h5", halves, change), "where|expected")


def test_code_in_a_file_is_not_run(tmp_path, files, halves):
    def change(layers):
        layers["activation_7"] |= {"class_name": "Lambda", "config": {"function": ["4wEA", None, None]}}

    refused(files, ("encoder", "mri"), changed(tmp_path / "other.h5", halves, change), "the class Lambda")


def test_all_weights_of_other_shapes_are_listed(tmp_path, files, halves):
    def edit(root):
        for name in ("conv1d_7", "conv1d_10"):
            del root[f"model_weights/model_3/{name}/kernel:0"]
            root[f"model_weights/model_3/{name}/kernel:0"] = np.zeros((5, 12, 9), np.float32)
        del root["model_weights/model_3/conv1d_8/bias:0"]

    with h5py.File(files["encoder", "ecg"], "r+") as root:
        edit(root)
    with pytest.raises(BundleError, match="3 weights of the ECG encoder") as error:
        import_dropfuse(files, TINY)
    assert "conv1d_7/kernel: expected (5, 12, 3), found (5, 12, 9)" in str(error.value)
    assert "conv1d_8/bias: expected (3,), found nothing" in str(error.value)


def edit_kernel(path, make):
    with h5py.File(path, "r+") as root:
        group = root["model_weights/model_3/conv1d_7"]
        del group["kernel:0"]
        make(group)
    return path


def test_a_kernel_that_lies_elsewhere_or_is_no_sense_is_refused(tmp_path, files):
    outside = tmp_path / "outside.h5"
    with h5py.File(outside, "w") as root:
        root["kernel"] = np.zeros((5, 12, 3), np.float32)
    key = ("encoder", "ecg")
    path = files[key]
    edit_kernel(path, lambda group: group.__setitem__("kernel:0", h5py.ExternalLink(str(outside), "/kernel")))
    refused(files, key, path, r"conv1d_7/kernel: expected \(5, 12, 3\), found nothing")
    edit_kernel(
        path, lambda group: group.create_dataset("kernel:0", (1 << 20, 1 << 20, 1 << 20), "f4", chunks=(1, 1, 8))
    )
    refused(files, key, path, r"found \(1048576, 1048576, 1048576\)")
    edit_kernel(path, lambda group: group.create_dataset("kernel:0", data=np.full((5, 12, 3), np.nan, "f4")))
    refused(files, key, path, "no finite numbers")
    edit_kernel(path, lambda group: group.create_dataset("kernel:0", data=np.full((5, 12, 3), b"x", "S1")))
    refused(files, key, path, "not plain numbers")


def test_files_that_are_no_model_are_refused_with_the_reason(tmp_path, files):
    key = ("encoder", "ecg")
    whole = files[key].read_bytes()
    path = tmp_path / "wrong.h5"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:209f4d\nsize 21916216\n"
    for content, match in (
        (pointer, "git-LFS pointer.*git lfs pull"),
        (b"", "not an HDF5 file"),
        (whole[: len(whole) // 2], "truncated or damaged"),
        (b"\x89HDF\r\n\x1a\n" + os.urandom(500), "truncated or damaged"),
    ):
        path.write_bytes(content)
        refused(files, key, path, match)
    refused(files, key, tmp_path / "absent.h5", "no file")
    with h5py.File(path, "w") as root:
        root["conv1d/kernel:0"] = np.zeros(3)
    refused(files, key, path, "no 'model_config'")


@pytest.mark.parametrize(
    "config",
    [
        "no json",
        "[" * 5000,
        json.dumps({"class_name": "Sequential", "config": {"layers": []}}),
        json.dumps({"class_name": "Functional", "config": {"layers": 3}}),
        json.dumps({"class_name": "Functional", "config": {"layers": [], "input_layers": [], "output_layers": []}}),
        json.dumps({"class_name": "Functional", "config": {"layers": [{}], "input_layers": [["a", 0, 0]]}}),
        json.dumps(
            {
                "class_name": "Functional",
                "config": {
                    "layers": [
                        {"class_name": "Add", "name": n, "config": {}, "inbound_nodes": [[[m, 0, 0, {}]]]}
                        for n, m in ("ab", "ba")
                    ],
                    "input_layers": [["a", 0, 0]],
                    "output_layers": [["b", 0, 0]],
                },
            }
        ),
        json.dumps(
            {
                "class_name": "Functional",
                "config": {
                    "layers": [
                        {"class_name": "Add", "name": "a", "config": {}, "inbound_nodes": [{"args": [], "kwargs": {}}]}
                    ],
                    "input_layers": ["a", 0, 0],
                    "output_layers": ["a", 0, 0],
                },
            }
        ),
    ],
)  # fmt: skip
def test_networks_that_contradict_themselves_are_refused(tmp_path, files, config):
    path = tmp_path / "odd.h5"
    with h5py.File(path, "w") as root:
        root.attrs["model_config"] = config
    refused(files, ("encoder", "ecg"), path, "network|Keras")


def test_networks_inside_networks_without_end_take_no_time(tmp_path, files):
    config = {"layers": [{"class_name": "InputLayer", "name": "i", "config": {"batch_input_shape": [None, 3]},
                          "inbound_nodes": []}],
              "input_layers": [["i", 0, 0]], "output_layers": [["i", 0, 0]]}  # fmt: skip
    for depth in range(7):
        calls = [[["i", 0, 0, {}]]] * 200
        inner = {"class_name": "Functional", "name": f"n{depth}", "config": config, "inbound_nodes": calls}
        config = {
            "layers": [config["layers"][0], inner],
            "input_layers": [["i", 0, 0]],
            "output_layers": [[f"n{depth}", 1, 0]],
        }
    path = write_model(tmp_path / "deep.h5", config, {})
    refused(files, ("encoder", "ecg"), path, "network")
