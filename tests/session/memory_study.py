"""A cohort of 40 simulated numbers, a study that holds it in memory, and a bundle that decodes linearly."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD, PreprocessingSpec

N_PARTICIPANTS = 40
LATENT_DIM = 6
FINGERPRINT = "linear0"


@dataclass(frozen=True)
class LinearBundle:
    """Decodes a vector to a cine whose pixels all equal its first number."""

    fingerprint: str = FINGERPRINT
    latent_dim: int = LATENT_DIM
    warning: str = ""
    input_spec: PreprocessingSpec = STANDARD

    def encode(self, modality: str, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents are the mean, the spread and the size of what is encoded."""
        flat = batch.reshape(len(batch), -1)
        size = np.full(len(batch), flat.shape[1])
        return np.stack([flat.mean(1), flat.std(1), size, 0 * size, 0 * size, 0 * size], axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class LinearResult:
    vector: NDArray[np.float32]
    cine: NDArray[np.float32]
    bundle_fingerprint: str


def decode_linearly(bundle: LinearBundle, vector: NDArray[np.float32]) -> LinearResult:
    return LinearResult(vector, np.full((2, 3, 3), vector[0]), bundle.fingerprint)


@dataclass
class MemoryStudy:
    """A study without a folder."""

    people: Cohort
    spaces: dict[tuple[str, str], LatentSpace]
    maps: dict[tuple[str, str], Any] = field(default_factory=dict)
    name: str = "Memory"

    def cohort(self) -> Cohort:
        return self.people

    def latent_fingerprints(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fingerprint for _, fingerprint in self.spaces))

    def has_latents(self, modality: str, fingerprint: str) -> bool:
        return (modality, fingerprint) in self.spaces

    def latents(self, modality: str, fingerprint: str) -> LatentSpace:
        return self.spaces[modality, fingerprint]

    def has_projection(self, name: str, fingerprint: str) -> bool:
        return (name, fingerprint) in self.maps

    def projection(self, name: str, fingerprint: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.maps[name, fingerprint]

    def save_projection(self, name: str, fingerprint: str, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
        self.maps[name, fingerprint] = (arrays, meta)

    def cine(self, participant_id: str) -> CineMRI:
        times, affine = np.arange(2.0) * 400, np.eye(4)
        return CineMRI(np.ones((2, 1, 4, 4)), (8.0, 1.8, 1.8), times, affine, "la_4ch", 800.0, participant_id)

    def labels(self, participant_id: str) -> CineLabels:
        raise StudyError(f"{participant_id} has no labels")

    def ecg(self, participant_id: str) -> ECG:
        if participant_id == "P01":
            raise StudyError("P01 has no ECG")
        return ECG(np.zeros((12, 600)), LEAD_NAMES, 500.0, "median", 435.0, participant_id)


def make_cohort(n: int = N_PARTICIPANTS) -> Cohort:
    """Participant i: sex alternates, age is i, EF is known of those above 5 only, every fourth is diabetic."""
    number = np.arange(n)
    sex = pd.Categorical.from_codes(number % 2, ["female", "male"])
    diabetes = pd.Categorical.from_codes(np.where(number == 3, -1, number % 4 == 0), ["no", "yes"])
    table = pd.DataFrame(
        {
            "sex": sex,
            "diabetes": diabetes,
            "age": number.astype(float),
            "lvef": np.where(number > 5, 50.0 + number, np.nan),
        }
    )
    specs = [
        PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        PhenotypeSpec("diabetes", "binary", "Diabetes", categories=("no", "yes")),
        PhenotypeSpec("age", "continuous", "Age", "years"),
        PhenotypeSpec("lvef", "continuous", "LV EF", "%"),
    ]
    return Cohort(np.array([f"P{i:02}" for i in number]), table, {spec.name: spec for spec in specs})


def make_study(n: int = N_PARTICIPANTS) -> MemoryStudy:
    """MRI latents: the first number is the participant's own. ECG latents: of all but P00."""
    cohort = make_cohort(n)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, LATENT_DIM)).astype(np.float32)
    values[:, 0] = np.arange(n)
    ids = cohort.participant_ids
    mri = LatentSpace(values, ids, "mri", FINGERPRINT)
    ecg = LatentSpace(values[1:] + 0.1, ids[1:], "ecg", FINGERPRINT)
    return MemoryStudy(cohort, {("mri", FINGERPRINT): mri, ("ecg", FINGERPRINT): ecg})
