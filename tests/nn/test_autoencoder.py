import json
from dataclasses import replace

import pytest
import torch

from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.cine import LabelHeadConfig
from napari_latent_explorer.nn.coder import CoderConfig

TINY = AutoencoderConfig(
    latent_dim=16,
    mri=CoderConfig(4, (16, 16), 3, 6, (6, 8), (8, 6), 2, "gelu", "average"),
    ecg=CoderConfig(3, (32,), 5, 6, (8,), (8,), 2, "mish", "max"),
    labels=LabelHeadConfig((0, 3, 9), n_frames=4, filters=5),
)


@pytest.fixture
def network() -> CrossModalAutoencoder:
    torch.manual_seed(0)
    return CrossModalAutoencoder(TINY)


def n_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_published_preset_has_the_released_networks_parameter_counts() -> None:
    with torch.device("meta"):
        network = CrossModalAutoencoder(AutoencoderConfig.preset("published"))
    assert n_parameters(network.encoders["ecg"]) == 5_469_501
    assert n_parameters(network.decoders["ecg"]) == 5_800_934
    assert n_parameters(network.encoders["mri"]) == 1_734_240
    assert n_parameters(network.decoders["mri"]) == 1_741_930
    assert n_parameters(network) == 14_746_605 + 1  # the temperature


def test_compact_preset_fits_the_sample_bundle() -> None:
    with torch.device("meta"):
        network = CrossModalAutoencoder(AutoencoderConfig.preset("compact", LabelHeadConfig()))
    assert 4 * n_parameters(network) < 32e6


@pytest.mark.parametrize("preset", ["published", "compact"])
def test_shapes_of_the_presets(preset: str) -> None:
    with torch.device("meta"):
        network = CrossModalAutoencoder(AutoencoderConfig.preset(preset, LabelHeadConfig()))
        z = network.encode("mri", torch.empty(2, 50, 96, 96))
        assert z.shape == network.encode("ecg", torch.empty(2, 12, 600)).shape == (2, 256)
        assert network.decode("mri", z).shape == (2, 50, 96, 96)
        assert network.decode("ecg", z).shape == (2, 12, 600)
        assert network.decode_labels(z).shape == (2, 50, 96, 96)


def test_every_parameter_gets_a_gradient(network: CrossModalAutoencoder) -> None:
    z = network.encode("mri", torch.randn(2, 4, 16, 16)) * network.log_scale.exp()
    z = z + network.encode("ecg", torch.randn(2, 3, 32))
    cine, scores = network.decode_cine(z)
    assert scores is not None
    (cine.square().sum() + scores.square().sum() + network.decode("ecg", z).square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_labels_reach_neither_latents_nor_decoder(network: CrossModalAutoencoder) -> None:
    z = network.encode("mri", torch.randn(2, 4, 16, 16))
    _, scores = network.decode_cine(z)
    assert scores is not None
    scores.square().sum().backward()
    trained = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert trained == {name for name, _ in network.named_parameters() if name.startswith("label_head")}


def test_scores_of_some_frames_are_those_of_all(network: CrossModalAutoencoder) -> None:
    z = torch.randn(2, 16)
    _, all_scores = network.decode_cine(z)
    _, some = network.decode_cine(z, torch.tensor([1, 3]))
    assert all_scores is not None
    assert some is not None
    torch.testing.assert_close(some, all_scores[:, [1, 3]])
    assert torch.equal(network.decode_labels(z), all_scores.argmax(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["channels first", "last"])
def test_each_pixel_is_of_the_class_with_the_largest_score(
    network: CrossModalAutoencoder, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    network = network.to(dtype=dtype, memory_format=layout)
    z = torch.randn(3, 16, dtype=dtype)
    cine, scores = network.decode_cine(z)
    found, classes = network.decode_cine_and_classes(z)
    assert scores is not None
    assert classes is not None
    assert torch.equal(found, cine)
    assert classes.shape == cine.shape
    taken = scores.gather(2, classes.unsqueeze(2)).squeeze(2)
    torch.testing.assert_close(taken, scores.amax(2), rtol=1e-5 if dtype is torch.float32 else 0.02, atol=1e-2)
    assert len(classes.unique()) > 1


def test_overfits_one_batch(network: CrossModalAutoencoder) -> None:
    x = torch.randn(4, 4, 16, 16).cumsum(-1).cumsum(-2) / 16
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(200):
        loss = (network.decode("mri", network.encode("mri", x)) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_one_modality_alone_keeps_its_size(network: CrossModalAutoencoder) -> None:
    alone = CrossModalAutoencoder(TINY.only("ecg"))
    assert list(alone.encoders) == list(alone.decoders) == ["ecg"]
    assert n_parameters(alone.encoders["ecg"]) == n_parameters(network.encoders["ecg"])
    with pytest.raises(ValueError, match="no label head"):
        CrossModalAutoencoder(replace(TINY, labels=None)).decode_labels(torch.zeros(1, 16))


def test_config_survives_json() -> None:
    for config in (TINY, TINY.only("mri"), AutoencoderConfig.preset("published", LabelHeadConfig())):
        assert AutoencoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_further_modalities_and_distributions_survive_json_and_change_nothing_for_others() -> None:
    pulse = CoderConfig(2, (16,), 3, 4, (6,), (6,), 2, "mish", "max")
    more = replace(TINY, others=(("pulse", pulse),), is_probabilistic=True)
    assert AutoencoderConfig.from_dict(json.loads(json.dumps(more.to_dict()))) == more
    assert list(more.coders) == ["mri", "ecg", "pulse"]
    assert list(more.only("pulse").coders) == ["pulse"]
    assert set(TINY.to_dict()) == {"latent_dim", "mri", "ecg", "labels"}  # fingerprints of bundles are made of these
    for names in (("mri",), ("pulse", "pulse"), ("a.b",)):
        with pytest.raises(ValueError, match="plain names"):
            replace(TINY, others=tuple((name, pulse) for name in names))


def test_a_probabilistic_encoder_encodes_to_its_mean() -> None:
    network = CrossModalAutoencoder(replace(TINY, is_probabilistic=True))
    x = torch.randn(3, 3, 32)
    mean, log_variance = network.encode_distribution("ecg", x)
    assert log_variance is not None
    assert mean.shape == log_variance.shape == (3, 16)
    assert torch.equal(network.encode("ecg", x), mean)
    assert CrossModalAutoencoder(TINY).encode_distribution("ecg", x)[1] is None
