"""What a person settles about a training, before it becomes a `TrainingConfig`; without torch.

A request is plain: it goes to another process as JSON and stays beside the run, so that whoever comes back to the
folder goes on with the same settings.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from napari_latent_explorer.errors import TrainingError, reason_of
from napari_latent_explorer.io.atomic import write_file

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.training_config import TrainingConfig

ModelName = Literal["compact", "paper", "ml4h", "ml4h_head"]
BaselineChoice = Literal["pretraining", "equal_passes"]
REQUEST_FILE = "training_request.json"
MIN_VALIDATION = 8
MAX_PASSES, MAX_MINUTES = 10_000, 100_000.0


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """How to train.

    Attributes
    ----------
    model
        ``compact`` for a desktop processor, or one of the readings of `TrainingConfig.reading`.
    max_minutes
        Wall time of the whole run; None for no limit.
    n_passes
        Passes over the participants in each of the unimodal and the cross-modal stages; None for as many as the model
        has by itself. Of no consequence with `max_minutes`.
    baselines, has_vae_baselines, seed
        As in `TrainingConfig`.
    """

    model: ModelName = "compact"
    max_minutes: float | None = 20.0
    n_passes: int | None = None
    baselines: BaselineChoice = "pretraining"
    has_vae_baselines: bool = False
    seed: int = 0

    def problems(self) -> tuple[str, ...]:
        """Say what cannot be as it is."""
        found = []
        if self.model not in get_args(ModelName) or self.baselines not in get_args(BaselineChoice):
            found.append(f"There is no model {self.model!r} with baselines {self.baselines!r}.")
        if self.max_minutes is not None and not 0 < self.max_minutes <= MAX_MINUTES:
            found.append(f"{self.max_minutes} minutes are not possible.")
        if self.n_passes is not None and not 1 <= self.n_passes <= MAX_PASSES:
            found.append(f"{self.n_passes} passes are not possible.")
        if self.seed < 0:
            found.append(f"The seed {self.seed} is below 0.")
        return tuple(found)

    def config(self, n_pairs: int) -> "TrainingConfig":
        """Make the configuration; loads torch.

        In small studies a larger share of the people is there to validate on, at least `MIN_VALIDATION` if these are
        not more than half.

        Parameters
        ----------
        n_pairs
            Participants of the study with both MRI and ECG.

        Raises
        ------
        TrainingError
            When something cannot be as it is.
        """
        from napari_latent_explorer.modeling.training_config import TrainingConfig

        if problems := self.problems():
            raise TrainingError(" ".join(problems))
        settings = TrainingConfig() if self.model == "compact" else TrainingConfig.reading(self.model)
        passes = {f"epochs_{stage}": self.n_passes for stage in ("mri", "ecg", "joint")} if self.n_passes else {}
        valid_fraction = min(0.5, max(settings.valid_fraction, MIN_VALIDATION / max(1, n_pairs)))
        train_fraction = settings.train_fraction + settings.valid_fraction - valid_fraction
        given = {"max_minutes": self.max_minutes, "baselines": self.baselines, "seed": self.seed, **passes}
        fractions = {"train_fraction": train_fraction, "valid_fraction": valid_fraction}
        return replace(settings, has_vae_baselines=self.has_vae_baselines, **fractions, **given)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def save(self, folder: Path) -> None:
        """Put `REQUEST_FILE` into a folder."""
        write_file(folder / REQUEST_FILE, json.dumps(self.to_dict(), indent=1).encode())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingRequest":
        """Inverse of `to_dict`; TrainingError when values are missing, unknown or impossible."""
        try:
            request = cls(**values)
            problems = request.problems()
        except TypeError as misfit:
            raise TrainingError(f"These are no settings of a training: {reason_of(misfit)}.") from misfit
        if problems:
            raise TrainingError(" ".join(problems))
        return request

    @classmethod
    def load(cls, folder: Path) -> "TrainingRequest | None":
        """Read what `save` has put into a folder; None when it has not.

        Raises
        ------
        TrainingError
            When the file is damaged.
        """
        path = folder / REQUEST_FILE
        if not path.is_file():
            return None
        try:
            return cls.from_dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError, TrainingError) as damage:
            raise TrainingError(
                f"The settings {path} cannot be read: {reason_of(damage)}. Delete the file, or choose another folder."
            ) from damage
