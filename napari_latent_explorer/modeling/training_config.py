"""Everything that settles a training run, as one value that is written beside its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.nn.autoencoder import PresetName
from napari_latent_explorer.nn.fusion import FusionName
from napari_latent_explorer.nn.losses import ContrastiveName

StageName = Literal["mri", "ecg", "joint", "labels"]
STAGES: tuple[StageName, ...] = ("mri", "ecg", "joint", "labels")
ScheduleName = Literal["cosine", "plateau"]
PrecisionName = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train. Defaults suit the compact preset on a CPU; `published` gives the paper's.

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
    max_minutes
        If given, the run takes this wall time instead of a number of epochs, divided by `stage_shares`, and the
        learning rate falls with time; the result then depends on the machine's speed as well as on the seed.
    batch_size, batch_size_joint
        Participants in a step of unimodal and cross-modal training.
    decoded_share
        Part of a cross-modal batch that is also decoded; the contrastive term sees all of it.
    learning_rate_mri, learning_rate_ecg, learning_rate_joint, learning_rate_labels
        Adam's peak rates.
    schedule
        ``cosine`` (warm-up, then half a cosine to 2 %) or ``plateau`` (the paper's: halve after an epoch without
        improvement, stop after the third time).
    contrastive, contrastive_weight, initial_log_scale
        Variant and weight of the contrastive term, and the logarithm of its inverse temperature at the start.
    fusion
        How the two latents are merged, see `nn.fusion`.
    mri_weight, ecg_weight
        Weights of the reconstruction terms.
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
        if problems:
            raise TrainingError("This training cannot start: " + "; ".join(problems) + ".")

    @classmethod
    def published(cls) -> "TrainingConfig":
        """Take the paper's widths, batch, rates, schedule and merge; meant for a GPU."""
        return cls(
            preset="published", batch_size=4, batch_size_joint=4, learning_rate_mri=1e-3, learning_rate_ecg=1e-3,
            learning_rate_joint=2e-5, schedule="plateau", fusion="batch", initial_log_scale=0.0, epochs_mri=200,
            epochs_ecg=200, epochs_joint=200,
        )  # fmt: skip

    def epochs(self, stage: StageName) -> int:
        """Count the passes over the training participants."""
        return {
            "mri": self.epochs_mri,
            "ecg": self.epochs_ecg,
            "joint": self.epochs_joint,
            "labels": self.epochs_labels,
        }[stage]

    def budget_s(self, stage: StageName) -> float | None:
        """Wall time of a stage in seconds, None without a limit."""
        if self.max_minutes is None:
            return None
        shares = {name: s if self.epochs(name) else 0.0 for name, s in zip(STAGES, self.stage_shares, strict=True)}
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
            When a name is unknown; all unknown ones are named.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise TrainingError(f"The training configuration has unknown entries: {', '.join(unknown)}.")
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**arguments)
