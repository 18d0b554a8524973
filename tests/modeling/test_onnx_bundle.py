import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_bundle import TINY

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.decoding import DecodeRequest, decode
from napari_latent_explorer.modeling.onnx_bundle import OnnxBundle
from napari_latent_explorer.modeling.onnx_export import export_onnx
from napari_latent_explorer.modeling.trained_model import load_model
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder
from napari_latent_explorer.nn.coder import CoderConfig

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

CONFIG = replace(TINY, ecg=CoderConfig(12, (32,), 5, 6, (8,), (8,), 2, "mish", "max"))


@pytest.fixture(scope="module")
def bundle():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    metadata = describe_model(CONFIG, is_simulated=True, data_source="a test", n_participants=3)
    ecg = {**PREPROCESSING["ecg"], "qrs_onset_ms": 20.0}  # of 64 ms
    preprocessing = {**PREPROCESSING, "ecg": ecg}
    return ModelBundle(CrossModalAutoencoder(CONFIG), metadata, preprocessing, {}, {"held_out_ids": ["a"]})


@pytest.fixture(scope="module")
def exported(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx") / "model"
    export_onnx(bundle, folder)
    return folder


@pytest.fixture
def folder(exported, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    for path in exported.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def change_metadata(folder, change):
    path = folder / "metadata.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def recordings(n, seed=0):
    rng = np.random.default_rng(seed)
    return {"mri": rng.normal(size=(n, 4, 16, 16)), "ecg": rng.normal(size=(n, 12, 32))}


@pytest.mark.parametrize("n", [1, 3, 35])
def test_exported_networks_compute_what_the_bundle_computes(bundle, exported, n):
    model = load_model(exported)
    assert isinstance(model, OnnxBundle)
    assert (model.modalities, model.latent_dim, model.warning) == (("mri", "ecg"), 16, bundle.warning)
    for modality, batch in recordings(n).items():
        latents = bundle.encode(modality, batch)
        np.testing.assert_allclose(model.encode(modality, batch), latents, atol=1e-5)
    one, other = (each.decode(latents, with_labels=True) for each in (model, bundle))
    np.testing.assert_allclose(one.cine, other.cine, atol=1e-5)
    np.testing.assert_allclose(one.ecg_mv, other.ecg_mv, atol=1e-5)
    assert one.labels.dtype == other.labels.dtype
    assert (one.labels != other.labels).mean() < 1e-3  # where two classes are equally likely
    assert dict(model.label_names) == dict(bundle.label_names)


def test_the_docks_decoder_takes_it(exported):
    model = OnnxBundle.load(exported)
    result = decode(model, DecodeRequest(np.ones(16, np.float32)))
    assert (result.cine.shape, result.labels.shape, result.ecg_mv.shape) == ((4, 16, 16), (4, 16, 16), (12, 32))
    assert result.bundle_fingerprint == model.fingerprint


def test_the_metadata_states_shapes_leads_and_units(bundle, exported):
    metadata = json.loads((exported / "metadata.json").read_text())
    ecg = metadata["network_data_format"]["inputs"]["ecg"]
    assert (ecg["num_channels"], ecg["spatial_shape"], ecg["units"]) == (12, [32], "50 uV")
    assert list(ecg["channel_def"].values()) == list(LEAD_NAMES)
    assert metadata["training"] == {"held_out_ids": ["a"]}
    assert metadata["exported_from"] == bundle.fingerprint


def test_a_network_of_other_units_and_leads_is_fed_what_it_takes(bundle, folder):
    order = [3, 0, 5, 1, 2, 4, 11, 10, 9, 8, 7, 6]

    def change(values):
        values["preprocessing"]["ecg"]["unit_uv"] = 1000
        del values["preprocessing"]["ecg"]["lead_names"]
        names = {str(number): LEAD_NAMES[lead].lower() for number, lead in enumerate(order)}
        values["network_data_format"]["inputs"]["ecg"]["channel_def"] = names

    before = OnnxBundle.load(folder).fingerprint
    change_metadata(folder, change)
    model = OnnxBundle.load(folder)
    assert model.fingerprint != before
    beat = recordings(2)["ecg"]  # in 50 uV
    np.testing.assert_allclose(model.encode("ecg", beat), bundle.encode("ecg", beat[:, order] / 20), atol=1e-5)
    drawn = bundle.decode(np.ones((1, 16))).ecg_mv[0] / 0.05  # as the network gives it, now meant as mV
    for place, lead in enumerate(order):
        np.testing.assert_allclose(model.decode(np.ones((1, 16))).ecg_mv[0, lead], drawn[place], atol=1e-4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda v: v["preprocessing"]["ecg"].update(sampling_rate_hz=5), r"ecg\.sampling_rate_hz is 5, expected"),
        (lambda v: v["preprocessing"]["ecg"].update(unit_uv=0), r"ecg\.unit_uv is 0, expected"),
        (lambda v: v["preprocessing"]["ecg"].update(unit_uv="mV"), r"ecg\.unit_uv is 'mV', expected a number"),
        (lambda v: v["preprocessing"]["ecg"].pop("unit_uv"), r"ecg\.unit_uv is missing"),
        (lambda v: v["preprocessing"]["ecg"].update(kind="rhythm strip"), r"ecg\.kind is 'rhythm strip'"),
        (lambda v: v["preprocessing"]["mri"].update(spacing_mm=[2, 2]), r"mri\.spacing_mm is \[2, 2\]"),
        (lambda v: v["preprocessing"]["mri"].update(flip=True), r"mri\.flip is True, expected one of the entries crop"),
        (lambda v: v["preprocessing"].pop("mri"), "mri is missing, expected an object"),
        (lambda v: v.pop("preprocessing"), "preprocessing is missing, expected an object"),
        (lambda v: v.update(training=[1]), r"training is \[1\], expected an object"),
        (lambda v: v["network_data_format"]["inputs"]["ecg"]["channel_def"].update({"0": "V7"}), "lead_names"),
        (lambda v: v["network_data_format"]["inputs"]["ecg"].update(spatial_shape=[600]), r"\(12, 32\).*\(12, 600\)"),
        (lambda v: v["network_data_format"]["inputs"]["mri"].update(num_channels=50), r"mri_decoder.onnx gives"),
        (lambda v: v["network_data_format"]["outputs"]["latent"].update(num_channels=256), r"gives \(16\).*\(256\)"),
        (lambda v: v.pop("network_data_format"), r"inputs\.mri\.num_channels is missing"),
        (lambda v: v["network_data_format"].update(inputs=[]), r"inputs\.mri\.num_channels is missing"),
        (lambda v: v["network_data_format"]["inputs"]["mri"].update(spatial_shape=[-1, 16]), r"is \[-1, 16\]"),
        (lambda v: v["network_data_format"]["outputs"].pop("labels"), r"labels\.channel_def is missing"),
    ],
)  # fmt: skip
def test_metadata_that_do_not_fit_the_networks_are_refused(folder, change, match):
    change_metadata(folder, change)
    with pytest.raises(BundleError, match=match):
        OnnxBundle.load(folder)


def test_what_is_not_there_is_named(folder):
    (folder / "ecg_decoder.onnx").unlink()
    with pytest.raises(BundleError, match="ecg_decoder missing"):
        load_model(folder)
    (folder / "metadata.json").unlink()
    with pytest.raises(BundleError, match="without metadata"):
        load_model(folder)


def test_tensors_that_do_not_fit_are_refused(exported):
    model = OnnxBundle.load(exported)
    with pytest.raises(BundleError, match=r"expects \(n, 12, 32\)"):
        model.encode("ecg", np.zeros((1, 12, 600)))
    with pytest.raises(BundleError, match="encodes mri and ecg"):
        model.encode("ct", np.zeros((1, 12, 600)))
    with pytest.raises(BundleError, match=r"expects \(n, 16\)"):
        model.decode(np.zeros((1, 256)))


# ------------------------------------------------------------------------------------------------------------- hostile


def edited(folder, change, name="ecg_encoder.onnx"):
    path = folder / name
    network = onnx.load(path)
    change(network)
    path.write_bytes(network.SerializeToString())


def send_weights_to(network, location):
    tensor = network.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    del tensor.external_data[:]
    tensor.external_data.add(key="location", value=location)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "sub/weights.bin", "link.bin", ""])
def test_weights_that_lie_elsewhere_are_refused(folder, location):
    (folder.parent / "secret.bin").write_bytes(bytes(4096))
    (folder / "link.bin").symlink_to(folder.parent / "secret.bin")
    (folder / "sub").mkdir()
    (folder / "sub" / "weights.bin").write_bytes(bytes(4096))
    edited(folder, lambda network: send_weights_to(network, location))
    with pytest.raises(BundleError, match="no file beside it"):
        load_model(folder)


def test_weights_in_a_file_beside_the_network_are_read(bundle, folder):
    path = folder / "ecg_encoder.onnx"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    batch = recordings(2)["ecg"]
    np.testing.assert_allclose(load_model(folder).encode("ecg", batch), bundle.encode("ecg", batch), atol=1e-5)
    (folder / "weights.bin").write_bytes(b"short")
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx"):
        load_model(folder)


def add_node(network, op_type, domain=""):
    network.graph.node.append(onnx.helper.make_node(op_type, ["input"], ["unused"], domain=domain))
    if domain:
        network.opset_import.append(onnx.helper.make_opsetid(domain, 1))


def test_operators_that_need_foreign_code_are_refused(folder):
    edited(folder, lambda network: add_node(network, "Evil", "com.example"))
    with pytest.raises(BundleError, match=r"com\.example\.Evil"):
        load_model(folder)


def absurd(network):
    size = onnx.helper.make_tensor("size", onnx.TensorProto.INT64, [2], [1 << 40, 1 << 10])
    network.graph.initializer.append(size)
    network.graph.node.append(onnx.helper.make_node("ConstantOfShape", ["size"], ["bomb"]))


def test_absurd_sizes_are_refused_before_anything_runs(folder):
    edited(folder, absurd)
    with pytest.raises(BundleError, match="not sensible"):
        load_model(folder)


def plain(folder, nodes, constants=(), sizes=("batch", 12, 32)):
    """Put a valid network of the given nodes, from "input" to "output", in the place of the ECG's encoder."""
    kind = onnx.TensorProto.FLOAT
    shapes = (("input", sizes), ("output", ("batch", 16)))
    ends = [onnx.helper.make_tensor_value_info(name, kind, shape) for name, shape in shapes]
    graph = onnx.helper.make_graph(nodes, "plain", ends[:1], ends[1:], list(constants))
    network = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(network)
    (folder / "ecg_encoder.onnx").write_bytes(network.SerializeToString())


def sixteen_means(name="input"):
    """Nodes from a signal to 16 numbers, with their constants."""
    kind = onnx.TensorProto.INT64
    constants = [
        onnx.helper.make_tensor("axis", kind, [1], [1]),
        onnx.helper.make_tensor("sixteen", kind, [2], [1, 16]),
    ]
    nodes = [
        onnx.helper.make_node("Flatten", [name], ["flat"]),
        onnx.helper.make_node("ReduceMean", ["flat", "axis"], ["mean"], keepdims=1),
        onnx.helper.make_node("Tile", ["mean", "sixteen"], ["output"]),
    ]
    return nodes, constants


def test_a_plain_network_is_taken(folder):
    """The networks below are refused for what they add to this one."""
    plain(folder, *sixteen_means())
    assert load_model(folder).encode("ecg", np.ones((3, 12, 32))).shape == (3, 16)


def test_stated_inputs_of_absurd_size_are_refused(folder):
    plain(folder, *sixteen_means(), sizes=("batch", 12, 1 << 40))
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx computes 'flat' of the size \[1, 13194139533312\]"):
        load_model(folder)


def test_networks_that_may_never_end_are_refused(folder):
    kind = onnx.TensorProto
    on, goes_on = (onnx.helper.make_tensor_value_info(name, kind.BOOL, ()) for name in ("on", "goes_on"))
    x, y = (onnx.helper.make_tensor_value_info(name, kind.FLOAT, None) for name in ("x", "y"))
    i = onnx.helper.make_tensor_value_info("i", kind.INT64, ())
    steps = [onnx.helper.make_node("Identity", [one], [other]) for one, other in (("on", "goes_on"), ("x", "y"))]
    body = onnx.helper.make_graph(steps, "body", [i, on, x], [goes_on, y])
    always = onnx.helper.make_tensor("always", kind.BOOL, (), [True])
    nodes, constants = sixteen_means("again")
    loop = onnx.helper.make_node("Loop", ["", "always", "input"], ["again"], body=body)
    plain(folder, [loop, *nodes], [always, *constants])
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx holds nodes with networks inside \(Loop\)"):
        load_model(folder)


def test_a_step_of_unknown_size_is_refused(folder):
    nodes, constants = sixteen_means("where")
    found = [
        onnx.helper.make_node("NonZero", ["input"], ["places"]),
        onnx.helper.make_node("Cast", ["places"], ["where"], to=onnx.TensorProto.FLOAT),
    ]
    plain(folder, [*found, *nodes], constants)
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx computes 'places', whose size is not known before"):
        load_model(folder)


def test_many_large_steps_are_refused(folder):
    size = onnx.helper.make_tensor("size", onnx.TensorProto.INT64, [1], [60_000_000])
    nodes, constants = sixteen_means()
    large = [onnx.helper.make_node("ConstantOfShape", ["size"], [f"large{i}"]) for i in range(5)]
    plain(folder, [*large, *nodes], [size, *constants])
    with pytest.raises(BundleError, match=r"computes 30000\d+ numbers for one recording"):
        load_model(folder)


def test_sparse_tensors_are_refused(folder):
    values = onnx.helper.make_tensor("values", onnx.TensorProto.FLOAT, [1], [1.0])
    indices = onnx.helper.make_tensor("indices", onnx.TensorProto.INT64, [1], [0])
    sparse = onnx.helper.make_sparse_tensor(values, indices, [1 << 40])
    nodes, constants = sixteen_means()
    constant = onnx.helper.make_node("Constant", [], ["vast"], sparse_value=sparse)
    plain(folder, [constant, *nodes], constants)
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx holds sparse tensors"):
        load_model(folder)


def test_functions_are_refused(folder):
    body = [onnx.helper.make_node("Identity", ["x"], ["y"])]
    own = onnx.helper.make_function("", "Mine", ["x"], ["y"], body, [onnx.helper.make_opsetid("", 18)])
    edited(folder, lambda network: network.functions.append(own))
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx holds functions of its own"):
        load_model(folder)


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("length", str(1 << 62), "wants '4611686018427387904' bytes"),
        ("length", "-1", "wants '-1' bytes"),
        ("offset", "-4", "from byte '-4'"),
        ("offset", "1" * 40, "from byte '1111"),
        ("offset", str(1 << 40), r"which holds 0 there"),
    ],
    ids=["length", "negative", "before", "digits", "beyond"],
)
def test_claims_on_a_file_beside_are_checked_before_it_is_read(folder, key, value, match):
    (folder / "weights.bin").write_bytes(bytes(1 << 16))

    def change(network):
        send_weights_to(network, "weights.bin")
        network.graph.initializer[0].external_data.add(key=key, value=value)

    edited(folder, change)
    with pytest.raises(BundleError, match=match):
        load_model(folder)


def test_a_tensor_that_claims_more_than_memory_is_refused(folder):
    (folder / "weights.bin").write_bytes(bytes(16))

    def change(network):
        send_weights_to(network, "weights.bin")
        network.graph.initializer[0].dims[0] = 1 << 50

    edited(folder, change)
    with pytest.raises(BundleError, match=r"ecg_encoder\.onnx holds the tensor .* not sensible"):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"no network", bytes(range(256)) * 40])
def test_files_that_are_no_network_are_refused(folder, content):
    (folder / "mri_decoder.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"mri_decoder\.onnx"):
        load_model(folder)


def test_truncated_networks_are_refused(folder):
    path = folder / "mri_decoder.onnx"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BundleError, match=r"mri_decoder\.onnx"):
        load_model(folder)


def test_a_network_for_one_recording_is_run_for_each(bundle, folder):
    def change(network):
        for value in (network.graph.input[0], network.graph.output[0]):
            value.type.tensor_type.shape.dim[0].ClearField("dim_param")
            value.type.tensor_type.shape.dim[0].dim_value = 1
        del network.graph.value_info[:]

    edited(folder, change)
    batch = recordings(3)["ecg"]
    np.testing.assert_allclose(load_model(folder).encode("ecg", batch), bundle.encode("ecg", batch), atol=1e-5)


def test_an_export_does_not_overwrite_a_bundle(bundle, tmp_path):
    bundle.save(tmp_path)
    with pytest.raises(BundleError, match="another folder"):
        export_onnx(bundle, tmp_path)
    assert ModelBundle.load(tmp_path).fingerprint == bundle.fingerprint
