"""The released weights of the cross-modal autoencoder (DropFuse), brought into a bundle.

The hard idea is that nothing is taken on trust but the graph: our own encoder and decoder are written down once more as
the steps that they compute, in Keras' words, and laid over the graph in the file, step by step from the output to the
input. Where both agree, the layer in the file is the layer of ours; its name and its number play no part. The second
and third dense block of the cine networks have weights of the same shapes, so only this tells them apart.

| in the file | in the bundle |
|---|---|
| kernel ``(k, in, out)``, ``(k, k, in, out)``, ``(in, out)`` | ``(out, in, k)``, ``(out, in, k, k)``, ``(out, in)`` |
| flattened ``(row, column, channel)`` | the same order, see `nn.blocks` |
| leads I II III V1-V6 aVF aVL aVR | the clinical order: the first and the last convolution take and give it |
| ECG in 50 uV, cine z-scored in the published crop | the same; ``preprocessing.json`` says so |
| GELU of TensorFlow Addons | tanh approximation; Keras' exact GELU is refused |

References
----------
https://github.com/broadinstitute/ml4h, ``model_zoo/dropfuse``, February 2023: four halves and the whole model.
Radhakrishnan et al., Nat. Commun. 14:2436 (2023).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import BundleError, RecordingError
from napari_latent_explorer.io.keras_file import KerasFile, KerasNetwork, Step, opened_keras
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.keras_steps import decoder_steps, encoder_steps, lay_over
from napari_latent_explorer.modeling.preprocessing_spec import PUBLISHED_WORDS
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder, Modality

Part = Literal["encoder", "decoder"]
Half = tuple[Part, Modality]

HALVES: tuple[Half, ...] = (("encoder", "ecg"), ("decoder", "ecg"), ("encoder", "mri"), ("decoder", "mri"))
RELEASED_LEADS = ("I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6", "aVF", "aVL", "aVR")
"""Order of the leads that the released networks take; aVF before aVL before aVR."""

RELEASED_FILES: Mapping[str, str] = MappingProxyType(
    {
        "209f4d9a6ebcee02ced493a320d2116787b9cfaba2476a653e442581557475d0": "encoder_ecg_rest_median_raw_10.h5",
        "256c617fe91863c4994b367f0e1efbcbf7ff17378c593ba7498ce3d96fd66c4e": "decoder_ecg_rest_median_raw_10.h5",
        "72d98c3ff072ea0fdac4753986ca913394bfff231dc9d9cc130bbe4fe276cdac": "encoder_lax_4ch_heart_center.h5",
        "5fa8a2f7dde41668dfe52b4465e8d9a6972956e553486b8b76f9400ffc6f5b41": "decoder_lax_4ch_heart_center.h5",
        "fc7f8e9b5d5c1b17992d7c676b64f269f6f67248b07a68efe312e93e53934dff": (
            "dropout_pair_contrastive_lax_4ch_cycle_ecg_median_10_pretrained_256d_v2020_06_07.h5"
        ),
    }
)
"""Name of each released file by its SHA-256."""

MAX_FILE_BYTES = 1 << 30
_MOST_NAMED = 5

PREPROCESSING_OF_RELEASE: Mapping[str, Any] = MappingProxyType(
    {
        "mri": {
            "crop": "published",
            **PUBLISHED_WORDS,
            "spacing_mm": None,
            "intensity": "z-scored per participant over all frames and pixels, the zeros around the box included",
            "imaging_plane": "la_4ch",
        },
        "ecg": {**PREPROCESSING["ecg"], "lead_names": list(LEAD_NAMES)},
    }
)
"""What the released networks were trained on, with the leads in the order of the bundle."""

_WARNING = (
    "These are imported weights of networks trained on people of the UK Biobank. They expect cines cropped by the "
    "published rule: give the study heart boxes of that rule. Not for diagnosis or treatment."
)


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file that weights were taken from.

    Attributes
    ----------
    name
        Of the file.
    sha256
        Of its content.
    release_name
        Name of the released file with just this content; empty when it is none of them.
    """

    name: str
    sha256: str
    release_name: str

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON, with the verdict in words."""
        verdict = f"known release file {self.release_name}" if self.release_name else "unknown file"
        return {"file": self.name, "sha256": self.sha256, "verdict": verdict}


def import_dropfuse(
    files: Mapping[Half, Path], config: AutoencoderConfig | None = None, *, full_model: Path | None = None
) -> ModelBundle:
    """Read released halves, or the whole model, into a bundle.

    Parameters
    ----------
    files
        File of each half; encoder and decoder of one modality alone give an autoencoder of that one.
    config
        Sizes to expect; the published ones by default.
    full_model
        File with all four halves inside, in the place of `files`.

    Raises
    ------
    BundleError
        When halves are missing or swapped, or a file is a git-LFS pointer, no HDF5, damaged, or of another network.
    """
    expected = AutoencoderConfig.preset("published") if config is None else config
    if full_model is not None:
        files = dict.fromkeys(_halves_of(expected), full_model)
    expected = _of_modalities(expected, files)
    state: dict[str, Tensor] = {}
    for path in dict.fromkeys(files.values()):
        wanted = [half for half in HALVES if files.get(half) == path]
        state |= _read_halves(path, wanted, expected, is_whole=full_model is not None)
    network = CrossModalAutoencoder(expected)
    _take_clinical_leads(state)
    network.load_state_dict(state | {"log_scale": network.log_scale.detach()})
    sources = [identify_file(path) for path in dict.fromkeys(files.values())]
    return ModelBundle(network, _metadata(expected, sources), _preprocessing(expected))


def find_halves(folder: Path, config: AutoencoderConfig | None = None) -> dict[Half, Path]:
    """Find the halves among the ``.h5`` files of a folder by what is in them, whatever they are called.

    Raises
    ------
    BundleError
        When a half is there twice, or none at all.
    """
    expected = AutoencoderConfig.preset("published") if config is None else config
    found: dict[Half, Path] = {}
    reasons = []
    for path in sorted(folder.glob("*.h5")):
        try:
            with opened_keras(path) as file:
                whole = [network for network in file.networks() if network.is_whole]
                halves = [half for half in _halves_of(expected) if _fitting(whole, half, expected)]
        except RecordingError as misfit:
            reasons.append(str(misfit))
            continue
        for half in halves:
            if half in found:
                raise BundleError(
                    f"Both {found[half]} and {path} hold {_named(half)}. Name the files to import one by one."
                )
            found[half] = path
    if not found:
        raise BundleError(
            f"No .h5 file in {folder} holds a released half. {' '.join(reasons) or 'Give the folder they are in.'}"
        )
    return found


def identify_file(path: Path) -> ImportedFile:
    """Compare a file's SHA-256 with those of the released files."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return ImportedFile(path.name, sha256, RELEASED_FILES.get(sha256, ""))


def _halves_of(config: AutoencoderConfig) -> list[Half]:
    return [half for half in HALVES if half[1] in config.coders]


def _of_modalities(config: AutoencoderConfig, files: Mapping[Half, Path]) -> AutoencoderConfig:
    modalities = sorted({modality for _, modality in files})
    missing = [_named(half) for half in HALVES if half[1] in modalities and half not in files]
    if missing or not files:
        raise BundleError(
            f"Cannot import: {' and '.join(missing) or 'every half'} missing. Give encoder and decoder of a modality, "
            "best of both."
        )
    return config if len(modalities) == len(config.coders) else config.only(modalities[0])


def _named(half: Half) -> str:
    return f"the {half[1].upper()} {half[0]}"


# ------------------------------------------------------------------------------------------------------------ reading


def _read_halves(path: Path, wanted: Sequence[Half], config: AutoencoderConfig, *, is_whole: bool) -> dict[str, Tensor]:
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            raise RecordingError(f"{path} has {path.stat().st_size} bytes; at most {MAX_FILE_BYTES} are read.")
        with opened_keras(path) as file:
            networks = file.networks()
            return {
                name: value
                for half in wanted
                for name, value in _read_half(file, networks, half, config, is_whole=is_whole).items()
            }
    except RecordingError as misfit:
        raise BundleError(f"Cannot import the model. {misfit}") from misfit
    except (OSError, MemoryError) as failure:
        raise BundleError(f"Cannot import {path}: {failure}. Copy the file again.") from failure


def _read_half(
    file: KerasFile, networks: Sequence[KerasNetwork], half: Half, config: AutoencoderConfig, *, is_whole: bool
) -> dict[str, Tensor]:
    layers = _fitting(networks, half, config)
    if layers is None:
        raise RecordingError(_why_not(file.path, networks, half, config, is_whole=is_whole))
    part, modality = half
    prefix = f"{part}s.{modality}."
    with torch.device("meta"):
        state = CrossModalAutoencoder(config.only(modality)).state_dict()
    expected = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    return {prefix + name: value for name, value in _read_weights(file, layers, expected, half).items()}


def _fitting(networks: Sequence[KerasNetwork], half: Half, config: AutoencoderConfig) -> dict[str, Step] | None:
    """Layers by the name of our own module, from the first network whose graph is that of the half."""
    for network in networks:
        layers, differences = lay_over(_expected(half, config), network.output)
        if not differences:
            return layers
    return None


def _expected(half: Half, config: AutoencoderConfig) -> Step:
    coder = config.coders[half[1]]
    return encoder_steps(coder, config.latent_dim) if half[0] == "encoder" else decoder_steps(coder, config.latent_dim)


def _why_not(
    path: Path, networks: Sequence[KerasNetwork], half: Half, config: AutoencoderConfig, *, is_whole: bool
) -> str:
    others = [other for other in HALVES if other[1] in config.coders and _fitting(networks, other, config)]
    if others and not is_whole:
        return (
            f"{path} holds {' and '.join(map(_named, others))}, where {_named(half)} was expected. Were the files "
            "swapped?"
        )
    if not networks:
        return f"{path} holds no network with one input and one output, where {_named(half)} was expected."
    _, differences = min((lay_over(_expected(half, config), each.output) for each in networks), key=lambda d: len(d[1]))
    shown = "; ".join(differences[:5]) + ("; and more" if len(differences) > 5 else "")
    return f"{path} holds another network than {_named(half)} of the release: {shown}. Choose the released file."


def _read_weights(
    file: KerasFile, layers: Mapping[str, Step], expected: Mapping[str, Tensor], half: Half
) -> dict[str, Tensor]:
    """Weights by the names of our own; nothing is read before all shapes are known to fit."""
    datasets, problems = {}, []
    for name, like in expected.items():
        module, _, kind = name.rpartition(".")
        shape = _keras_shape(like)
        word = {"weight": "kernel" if like.dim() > 1 else "gamma", "bias": "bias"}[kind]
        word = "beta" if word == "bias" and module.endswith("norm") else word
        dataset = file.dataset(layers[module].layer, word)
        datasets[name] = dataset
        if dataset is None or tuple(dataset.shape or ()) != shape:
            found = "nothing" if dataset is None else tuple(dataset.shape or ())
            problems.append(f"{layers[module].name}/{word}: expected {shape}, found {found}")
    if problems:
        more = f"; and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        named = "; ".join(problems[:_MOST_NAMED])
        raise RecordingError(f"{len(problems)} weights of {_named(half)} in {file.path} do not fit: {named}{more}.")
    return {name: _to_torch(torch.from_numpy(file.read(dataset))) for name, dataset in datasets.items()}


def _keras_shape(like: Tensor) -> tuple[int, ...]:
    n_out, *rest = like.shape
    return (*rest[1:], rest[0], n_out) if rest else (n_out,)


def _to_torch(values: Tensor) -> Tensor:
    """Keras' ``(*space, in, out)`` to ``(out, in, *space)``; vectors stay."""
    return values.permute(-1, -2, *range(values.dim() - 2)).contiguous() if values.dim() > 1 else values


def _take_clinical_leads(state: dict[str, Tensor]) -> None:
    """Reorder the first convolution's inputs and the last one's outputs, so that leads come and go in our order."""
    order = torch.tensor([RELEASED_LEADS.index(lead) for lead in LEAD_NAMES])
    if "encoders.ecg.features.0.first.weight" in state:
        name = "encoders.ecg.features.0.first.weight"
        state[name] = state[name][:, order].contiguous()
        for name in ("decoders.ecg.output.weight", "decoders.ecg.output.bias"):
            state[name] = state[name][order].contiguous()


# --------------------------------------------------------------------------------------------------------- statements


def _metadata(config: AutoencoderConfig, sources: Sequence[ImportedFile]) -> dict[str, Any]:
    facts = describe_model(
        config, is_simulated=False, data_source="UK Biobank, by the authors of the release", n_participants=0
    )
    return facts | {
        "changelog": {"0.1.0": "imported from Keras files"},
        "description": f"Autoencoder with {config.latent_dim} latents, imported from the released DropFuse weights.",
        "warning": _WARNING,
        "imported_from": [source.to_dict() for source in sources],
    }


def _preprocessing(config: AutoencoderConfig) -> dict[str, Any]:
    return {name: dict(facts) for name, facts in PREPROCESSING_OF_RELEASE.items() if name in config.coders}
