"""Fixtures that every folder of tests may use."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.modeling.preprocessing_spec import ECG_UNIT_UV, STANDARD
from napari_latent_explorer.simulation.population import simulate_population

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # for tests that import onnxruntime before this package does

with suppress(ImportError):  # the tests of the bare package do without
    from hypothesis import HealthCheck, settings

    # a busy machine is no failure, and a run on a server is the same each time
    settings.register_profile(
        "tests", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests report with `record_property("figure", text)`, whichever process they ran in."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    properties = [
        entry for report in reports for entry in getattr(report, "user_properties", ()) if report.when == "call"
    ]
    figures = [str(text) for name, text in properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in sorted(figures):
            terminalreporter.line(text)


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of real recordings, which are never part of the repository; tests that need them skip without it."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "realdata"
    folder = Path(os.environ.get("LATENT_EXPLORER_REALDATA", default))
    if not folder.is_dir():
        pytest.skip(f"real recordings are not at {folder}; set LATENT_EXPLORER_REALDATA")
    return folder


class ShapesBundle:
    """Stands for a model of 16 latents; `decode_shapes` is its decoder."""

    fingerprint: str = "shapes0"
    latent_dim: int = 16
    warning: str = "Only shapes. Not for clinical use."
    label_names = LA_4CH_CLASSES
    input_spec = STANDARD

    def encode(self, modality: str, batch: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Read the latent that `decode_shapes` drew: size of the heart at end-diastole, or height of the ECG."""
        latents = np.zeros((len(batch), self.latent_dim), np.float32)
        if modality == "mri":
            latents[:, 0] = (np.sqrt((batch[:, 0] > 0.5).sum(axis=(1, 2)) / np.pi) - 5.0 - 16.0) / 2.0
        else:
            peak_mv = batch.max(axis=(1, 2)) * ECG_UNIT_UV / 1000.0
            latents[:, 1] = (peak_mv - 1.0) / 0.2
        return latents


@dataclass(frozen=True, eq=False)
class ShapesResult:
    """Looks like a `DecodeResult`."""

    vector: NDArray[np.float32]
    cine: NDArray[np.float32]
    labels: NDArray[np.uint8]
    ecg_mv: NDArray[np.float32]
    bundle_fingerprint: str


def draw_heart(radius_px: float) -> NDArray[np.uint8]:
    """Draw a ring that beats, (50, 96, 96): the LV cavity (11) in its wall (4)."""
    rows, columns = np.mgrid[:96, :96] - 48.0
    distance = np.hypot(rows, columns)
    beat = radius_px * (0.85 + 0.15 * np.cos(np.linspace(0, 2 * np.pi, 50, endpoint=False)))[:, None, None]
    return np.where(distance < beat, 11, np.where(distance < beat + 5, 4, 0)).astype(np.uint8)


def draw_ecg_mv(peak_mv: float) -> NDArray[np.float32]:
    """Draw one spike per lead at 475 ms, (12, 600) at 500 Hz; its height from `peak_mv` and the lead."""
    spike = np.exp(-0.5 * np.square((np.arange(600) * 2.0 - 475.0) / 15.0))
    return (np.linspace(-1, 1, 12)[:, None] * peak_mv * spike).astype(np.float32)


def decode_shapes(bundle: ShapesBundle, vector: NDArray[np.float32]) -> ShapesResult:
    """Decode: the first latent is the heart's size, the second the ECG's height."""
    labels = draw_heart(16.0 + 2.0 * float(vector[0]))
    ecg_mv = draw_ecg_mv(1.0 + 0.2 * float(vector[1]))
    return ShapesResult(vector, (labels > 0).astype(np.float32) * 2.0 - 0.5, labels, ecg_mv, bundle.fingerprint)


class ShapesStudy:
    """A simulated cohort whose first latents are its standardised phenotypes, with drawn recordings."""

    name = "Shapes"

    def __init__(self, n_participants: int = 120) -> None:
        self._cohort = simulate_population(n_participants, seed=1).cohort()

    def cohort(self) -> Cohort:
        return self._cohort

    def latent_fingerprints(self) -> tuple[str, ...]:
        return (ShapesBundle.fingerprint,)

    def has_latents(self, modality: str, fingerprint: str) -> bool:
        return True

    def has_projection(self, name: str, fingerprint: str) -> bool:
        return False

    def save_projection(self, name: str, fingerprint: str, arrays: object, meta: object) -> None:
        """Keep nothing."""

    def latents(self, modality: str, fingerprint: str) -> LatentSpace:
        columns = np.stack([self._cohort.values(name) for name in ("lvedv", "lvm", "age", "heart_rate")], axis=1)
        known = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        rng = np.random.default_rng(["mri", "ecg"].index(modality))
        noise = 0.3 * rng.normal(size=(len(known), ShapesBundle.latent_dim - known.shape[1]))
        return LatentSpace(np.hstack([known, noise]), self._cohort.participant_ids, modality, fingerprint)

    def cine(self, participant_id: str) -> CineMRI:
        frames = (200 * (draw_heart(18.0) > 0)).astype(np.uint8)[:, None]
        return CineMRI(frames, (8.0, 1.8, 1.8), np.arange(50) * 16.0, np.eye(4), "la_4ch", 800.0, participant_id)

    def labels(self, participant_id: str) -> CineLabels:
        return CineLabels(draw_heart(18.0)[:, None], LA_4CH_CLASSES)

    def ecg(self, participant_id: str) -> ECG:
        return ECG(draw_ecg_mv(1.5), LEAD_NAMES, 500.0, "median", 435.0, participant_id)


@pytest.fixture(scope="session")
def shapes_study() -> ShapesStudy:
    """Make a study of 120 simulated people for the tests of panels and of napari."""
    return ShapesStudy()


@pytest.fixture(scope="session")
def shapes_bundle() -> ShapesBundle:
    """Make the model that encoded it."""
    return ShapesBundle()


@pytest.fixture(scope="session")
def shapes_decoder() -> Any:
    """How its vectors are decoded."""
    return decode_shapes
