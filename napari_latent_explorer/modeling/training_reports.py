"""What a training tells whoever watches it: its plan, the losses of each step and epoch, and reconstructions.

Values only, without torch, so that a view can be made of them where no network is loaded. Reports of steps and epochs
are plain numbers that go through a pipe as JSON; reconstructions are arrays and go through a file beside the run, from
which whoever looks at the run later can show them too.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import TrainingError, reason_of
from napari_latent_explorer.io.atomic import write_file

RECONSTRUCTIONS_FILE = "reconstructions.npz"
MAX_NPZ_BYTES = 64 << 20
_SOURCES = {"original", "mri", "ecg"}
STAGE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "mri": "MRI autoencoder",
        "ecg": "ECG autoencoder",
        "joint": "cross-modal autoencoder",
        "labels": "label head",
        "mri_baseline": "MRI autoencoder with as many passes",
        "ecg_baseline": "ECG autoencoder with as many passes",
        "mri_vae": "variational MRI autoencoder",
        "ecg_vae": "variational ECG autoencoder",
    }
)


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """A stage that the run has: its name, passes over the participants, and seconds if those bound it instead."""

    stage: str
    n_passes: int
    budget_s: float | None


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The stages of a run in their order."""

    stages: tuple[PlannedStage, ...]


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One step.

    Attributes
    ----------
    stage
        Name of the stage.
    n_passes
        Passes over the training participants made so far in this stage, with fractions.
    progress
        Part of the stage that is over, in [0, 1].
    n_samples
        Participants in the step.
    losses
        Value of each part of the loss.
    """

    stage: str
    n_passes: float
    progress: float
    n_samples: int
    losses: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrainingEpoch:
    """One finished epoch: a row of the training curve, ``train_<part>``, ``valid_<part>`` and others by name."""

    stage: str
    row: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructions:
    """The same few validation participants after an epoch, each as recorded and as made from each latent.

    Attributes
    ----------
    stage, epoch
        After which epoch, beginning with 1, of which stage.
    participant_ids
        ``(n,)``.
    cine
        Under ``original`` and the name of the modality whose latent was decoded: end-diastolic frames
        ``(n, n_rows, n_columns)`` float32, z-scored over the whole cine.
    ecg
        Likewise: beats ``(n, n_leads, n_samples)`` float32 in model units.
    leads
        Names of these leads.

    Raises
    ------
    ValueError
        When shapes do not fit together.
    """

    stage: str
    epoch: int
    participant_ids: tuple[str, ...]
    cine: Mapping[str, NDArray[np.float32]]
    ecg: Mapping[str, NDArray[np.float32]]
    leads: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("cine", "ecg"):
            arrays = {source: read_only(array, np.float32) for source, array in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(arrays))
            shapes = {array.shape for array in arrays.values()}
            if arrays and (len(shapes) > 1 or len(next(iter(shapes))) != 3 or not arrays.keys() <= _SOURCES):
                raise ValueError(f"{name} of shapes {sorted(shapes)} from {sorted(arrays)}")
            if any("original" not in arrays or len(array) != len(self.participant_ids) for array in arrays.values()):
                raise ValueError(f"{name} is not of these {len(self.participant_ids)} participants")
        if any(array.shape[1] != len(self.leads) for array in self.ecg.values()):
            raise ValueError(f"the ECGs are not of these {len(self.leads)} leads")

    def save(self, folder: Path) -> None:
        """Put `RECONSTRUCTIONS_FILE` into a folder, in the place of an earlier one."""
        arrays: dict[str, Any] = {f"cine_{source}": array for source, array in self.cine.items()}
        arrays |= {f"ecg_{source}": array for source, array in self.ecg.items()}
        arrays |= {"stage": np.array(self.stage), "epoch": np.array(self.epoch)}
        for name, words in (("participant_ids", self.participant_ids), ("leads", self.leads)):
            arrays[name] = np.array(words, dtype=np.str_)
        content = io.BytesIO()
        np.savez(content, **arrays)
        write_file(folder / RECONSTRUCTIONS_FILE, content.getvalue())

    @classmethod
    def load(cls, folder: Path) -> "Reconstructions | None":
        """Read what `save` has put into a folder; None when it has not.

        Raises
        ------
        TrainingError
            When the file is damaged.
        """
        path = folder / RECONSTRUCTIONS_FILE
        if not path.is_file():
            return None
        try:
            if path.stat().st_size > MAX_NPZ_BYTES:
                raise ValueError(f"it has more than {MAX_NPZ_BYTES} bytes")
            with np.load(io.BytesIO(path.read_bytes())) as found:
                return cls(
                    str(found["stage"]),
                    int(found["epoch"]),
                    tuple(found["participant_ids"].tolist()),
                    {name.removeprefix("cine_"): found[name] for name in found.files if name.startswith("cine_")},
                    {name.removeprefix("ecg_"): found[name] for name in found.files if name.startswith("ecg_")},
                    tuple(found["leads"].tolist()),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as damage:
            raise TrainingError(
                f"The reconstructions {path} cannot be read: {reason_of(damage)}. They are written anew after the next "
                "epoch."
            ) from damage


class TrainingWatch(Protocol):
    """Who is told of a training while it runs; each call should return at once."""

    def on_plan(self, plan: TrainingPlan) -> None:
        """Hear of the stages before the first one begins."""

    def on_step(self, step: TrainingStep) -> None:
        """Hear of a step."""

    def on_epoch(self, epoch: TrainingEpoch) -> None:
        """Hear of an epoch, after its checkpoint was written and its reconstructions were told."""

    def on_reconstructions(self, reconstructions: Reconstructions) -> None:
        """Hear what the validation participants look like after an epoch; not told of the label head."""
