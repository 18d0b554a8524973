"""Everything that settles a training run, as one value that is written beside its weights.

The paper's text, the code that its weights were trained with, and that code as it is today differ; `READINGS` says in
what, one name for each.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.nn.autoencoder import PresetName
from napari_latent_explorer.nn.fusion import FusionName
from napari_latent_explorer.nn.losses import ContrastiveName

StageName = Literal["mri", "ecg", "joint", "labels", "mri_baseline", "ecg_baseline", "mri_vae", "ecg_vae"]
MAIN_STAGES: tuple[StageName, ...] = ("mri", "ecg", "joint", "labels")
STAGES: tuple[StageName, ...] = (*MAIN_STAGES, "mri_baseline", "ecg_baseline", "mri_vae", "ecg_vae")
ScheduleName = Literal["cosine", "plateau", "ml4h"]
PrecisionName = Literal["auto", "float32", "bfloat16"]
OptimizerName = Literal["adam", "radam"]
EcgLossName = Literal["log_cosh", "squared_error"]
ReconstructionName = Literal["merged", "merged_and_each"]
GeluName = Literal["tanh", "exact"]
BaselineName = Literal["pretraining", "equal_passes"]
ReadingName = Literal["paper", "ml4h", "ml4h_head"]

_ALL_READINGS: Mapping[str, Any] = {
    "preset": "published", "batch_size": 4, "batch_size_joint": 4, "decoded_share": 1.0, "initial_log_scale": 0.0,
}  # fmt: skip
_CODE: Mapping[str, Any] = {
    "contrastive": "ml4h", "contrastive_weight": 0.1, "mri_weight": 1.0, "ecg_weight": 1.0, "ecg_loss": "log_cosh",
    "schedule": "ml4h", "steps_per_epoch": 128, "epochs_mri": 2000, "epochs_ecg": 2000, "epochs_joint": 2000,
}  # fmt: skip
READINGS: Mapping[ReadingName, Mapping[str, Any]] = {
    "paper": {
        **_ALL_READINGS, "contrastive": "paper", "contrastive_weight": 1.0, "mri_weight": 0.1, "ecg_weight": 0.1,
        "ecg_loss": "squared_error", "fusion": "batch", "gelu": "tanh", "optimizer": "adam", "learning_rate_mri": 1e-3,
        "learning_rate_ecg": 1e-3, "learning_rate_joint": 2e-5, "schedule": "plateau", "epochs_mri": 200,
        "epochs_ecg": 200, "epochs_joint": 200,
    },
    "ml4h": {
        **_ALL_READINGS, **_CODE, "fusion": "batch", "gelu": "tanh", "optimizer": "radam", "learning_rate_mri": 2e-4,
        "learning_rate_ecg": 2e-4, "learning_rate_joint": 2e-4,
    },
    "ml4h_head": {
        **_ALL_READINGS, **_CODE, "fusion": "whole", "gelu": "exact", "optimizer": "adam", "learning_rate_mri": 5e-5,
        "learning_rate_ecg": 5e-5, "learning_rate_joint": 5e-5,
    },
}  # fmt: skip
"""What the paper's text says, what its code did at the time, and what that code does since 2025."""

_ABOVE_0 = ("learning_rate_mri", "learning_rate_ecg", "learning_rate_joint", "learning_rate_labels", "gradient_norm")
_AT_LEAST_0 = ("seed", "contrastive_weight", "mri_weight", "ecg_weight", "divergence_weight")
_WORDS: Mapping[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train. Defaults suit the compact preset on a CPU; `reading` gives the paper's and its code's.

    The defaults follow the paper where its text is sound (cross-entropy over cosines, coordinates mixed) and the
    released code in that reconstruction weighs ten times as much as the contrastive term, and not the other way round.

    Attributes
    ----------
    preset
        Widths of the networks.
    seed
        Settles weights, split, order of participants and fusion masks.
    train_fraction, valid_fraction
        Shares of participants to learn from and to choose the best epoch by; the rest is held out for `evaluate`.
    epochs_mri, epochs_ecg, epochs_joint, epochs_labels
        Passes over the training participants in each stage; 0 skips a unimodal stage (and its baseline) or the label
        head.
    steps_per_epoch
        If given, an epoch is that many steps over participants drawn anew, instead of a pass over all.
    max_minutes
        If given, the run takes this wall time instead of a number of epochs, divided by `stage_shares`, and the
        learning rate falls with time; the result then depends on the machine's speed as well as on the seed, and
        a run that was interrupted does not end with the weights of one that was not. Further baselines get the shares
        of their own and the cross-modal stage together.
    batch_size, batch_size_joint
        Participants in a step of unimodal and cross-modal training, over all processes together.
    decoded_share
        Part of a cross-modal batch that is also decoded; the contrastive term sees all of it.
    learning_rate_mri, learning_rate_ecg, learning_rate_joint, learning_rate_labels
        The optimizer's peak rates.
    optimizer
        ``adam`` as in the paper, or ``radam``, which the code took by default at that time.
    schedule
        ``cosine`` (warm-up, then half a cosine to 2 %), ``plateau`` (the paper's: halve after an epoch without
        improvement, stop after the third time) or ``ml4h`` (the code's: halve after 64 epochs without improvement, stop
        after 192).
    contrastive, contrastive_weight, initial_log_scale
        Variant and weight of the contrastive term, and the logarithm of its inverse temperature at the start.
    fusion
        How the two latents are merged, see `nn.fusion`.
    mri_weight, ecg_weight
        Weights of the reconstruction terms.
    ecg_loss
        ``log_cosh`` as in the code, or ``squared_error`` as in the paper.
    reconstruction
        ``merged``: from the merged vector only, as in the paper and the code; ``merged_and_each``: the mean of that and
        of the reconstructions from each modality's own latent.
    gelu
        ``tanh`` approximation as in the code at the paper's time, or ``exact`` as in the code since.
    uses_unpaired
        Whether the cross-modal stage also learns from participants who have one recording only: they are reconstructed
        in it and have no contrastive term. The paper has pairs only.
    is_probabilistic, divergence_weight
        Whether all encoders give distributions, and the weight of their divergence from the standard normal, summed
        over the latent, beside reconstruction errors that are means over the recording's elements.
    baselines
        Unimodal autoencoders to compare with: ``pretraining`` keeps those that the cross-modal stage began with, which
        have had fewer passes; ``equal_passes`` trains them anew with as many passes as both stages together.
    has_vae_baselines
        Whether to train a plain variational autoencoder of each modality too, with as many passes as both stages.
    labelled_frames
        Random frames per step that the label head learns from.
    gradient_norm
        Gradients of encoders, decoders and label head are each scaled down to this norm.
    precision
        ``auto`` takes bfloat16 for the networks where it is measured to be faster; weights and losses stay float32.
    """

    preset: PresetName = "compact"
    seed: int = 0
    train_fraction: float = 0.86
    valid_fraction: float = 0.03
    epochs_mri: int = 10
    epochs_ecg: int = 12
    epochs_joint: int = 14
    epochs_labels: int = 3
    max_minutes: float | None = None
    stage_shares: tuple[float, float, float, float] = (0.29, 0.06, 0.53, 0.12)
    batch_size: int = 16
    batch_size_joint: int = 32
    decoded_share: float = 0.5
    learning_rate_mri: float = 2e-3
    learning_rate_ecg: float = 1e-3
    learning_rate_joint: float = 1e-3
    learning_rate_labels: float = 2e-3
    schedule: ScheduleName = "cosine"
    contrastive: ContrastiveName = "paper"
    contrastive_weight: float = 0.1
    initial_log_scale: float = 2.66
    fusion: FusionName = "mixed"
    mri_weight: float = 1.0
    ecg_weight: float = 1.0
    labelled_frames: int = 3
    steps_per_epoch: int | None = None
    optimizer: OptimizerName = "adam"
    ecg_loss: EcgLossName = "log_cosh"
    reconstruction: ReconstructionName = "merged"
    gelu: GeluName = "tanh"
    uses_unpaired: bool = False
    is_probabilistic: bool = False
    divergence_weight: float = 1e-4
    baselines: BaselineName = "pretraining"
    has_vae_baselines: bool = False
    gradient_norm: float = 1.0
    precision: PrecisionName = "auto"

    def __post_init__(self) -> None:
        problems = []
        if not 0 < self.train_fraction < 1 or not 0 < self.valid_fraction <= 1 - self.train_fraction:
            problems.append(f"shares {self.train_fraction} to train and {self.valid_fraction} to validate exceed 1")
        if min(self.batch_size, self.batch_size_joint) < 2:
            problems.append("a batch needs at least 2 participants")
        if min(self.epochs_mri, self.epochs_ecg, self.epochs_labels) < 0 or self.epochs_joint < 1:
            problems.append("the number of epochs is negative, or 0 for the cross-modal stage")
        if not 0 < self.decoded_share <= 1:
            problems.append(f"decoded_share is {self.decoded_share}, expected above 0 and at most 1")
        if self.steps_per_epoch is not None and self.steps_per_epoch < 1:
            problems.append("an epoch needs at least one step")
        if self.max_minutes is not None and self.max_minutes <= 0:
            problems.append(f"max_minutes is {self.max_minutes}, expected above 0")
        if min(self.stage_shares) < 0 or self.stage_shares[2] <= 0:
            problems.append("a stage's share of the time is negative, or 0 for the cross-modal stage")
        if self.labelled_frames < 1:
            problems.append("the label head needs at least one frame in a step")
        problems += [
            f"{name} is {getattr(self, name)}, expected above 0" for name in _ABOVE_0 if not getattr(self, name) > 0
        ]
        problems += [
            f"{name} is {getattr(self, name)}, expected at least 0"
            for name in _AT_LEAST_0
            if not getattr(self, name) >= 0
        ]
        if problems:
            raise TrainingError("This training cannot start: " + "; ".join(problems) + ".")

    @classmethod
    def published(cls) -> "TrainingConfig":
        """Take the paper's widths, batch, rates, schedule and merge; meant for a GPU."""
        return cls.reading("paper")

    @classmethod
    def reading(cls, name: ReadingName) -> "TrainingConfig":
        """Take what the paper or its code says, see `READINGS`.

        ``paper``: L_contr + 0.1 L_rec with squared errors and cross-entropy, Adam, halving after each epoch without
        improvement. ``ml4h``, the code that the released weights were most likely trained with: L_rec + 0.1 L_contr,
        with log-cosh for the ECG and labels and predictions swapped in the contrastive term, rectified Adam, halving
        after 64 epochs of 128 steps. ``ml4h_head``, that code since 2025: the same with whole modalities drawn instead
        of coordinates, exact GELU, Adam. The code's RAdam is TensorFlow Addons'; torch's differs in rounding.
        """
        return cls(**READINGS[name])

    def epochs(self, stage: StageName) -> int:
        """Count the passes over the training participants."""
        main = {
            "mri": self.epochs_mri,
            "ecg": self.epochs_ecg,
            "joint": self.epochs_joint,
            "labels": self.epochs_labels,
        }
        modality, _, kind = stage.partition("_")
        if not kind:
            return main[modality]
        is_wanted = self.baselines == "equal_passes" if kind == "baseline" else self.has_vae_baselines
        return main[modality] + self.epochs_joint if is_wanted and main[modality] else 0

    def reconstruction_weight(self, modality: str) -> float:
        """Weight of a modality's reconstruction; 1 of modalities other than MRI and ECG."""
        return {"mri": self.mri_weight, "ecg": self.ecg_weight}.get(modality, 1.0)

    def budget_s(self, stage: StageName) -> float | None:
        """Wall time of a stage in seconds, None without a limit."""
        if self.max_minutes is None:
            return None
        main = dict(zip(MAIN_STAGES, self.stage_shares, strict=True))
        whole = {name: main["joint"] + main[modality_of(name)] for name in STAGES if name not in MAIN_STAGES}
        shares = {name: share if self.epochs(name) else 0.0 for name, share in (main | whole).items()}
        return 60.0 * self.max_minutes * shares[stage] / sum(shares.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Inverse of `to_dict`.

        Raises
        ------
        TrainingError
            When names are unknown or values are of the wrong kind, of which all are named, or values make no sense.
        """
        kinds: dict[str, Any] = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(values) - set(kinds))
        problems = [f"unknown entries: {', '.join(unknown)}"] if unknown else []
        problems += [
            f"{name}: {values[name]!r}, expected {_in_words(kind)}"
            for name, kind in kinds.items()
            if name in values and not _is_of_kind(values[name], kind)
        ]
        if problems:
            raise TrainingError(f"The training configuration has {'; '.join(problems)}.")
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**arguments)


def modality_of(stage: StageName) -> Any:
    """Name the modality that a unimodal stage is of."""
    return stage.partition("_")[0]


def _is_of_kind(value: Any, kind: Any) -> bool:
    """Whether a value read from JSON is what a field's annotation says; whole numbers are numbers, NaN is none."""
    if isinstance(kind, UnionType):
        return any(_is_of_kind(value, one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        return isinstance(value, list | tuple) and len(value) == len(parts) and all(map(_is_of_kind, value, parts))
    if kind is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    return type(value) is kind


def _in_words(kind: Any) -> str:
    if isinstance(kind, UnionType):
        return " or ".join(map(_in_words, get_args(kind)))
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) is tuple:
        return f"a list of {len(get_args(kind))} numbers"
    return _WORDS[kind]
