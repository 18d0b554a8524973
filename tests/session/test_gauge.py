"""The gauge follows the probe."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from memory_study import FINGERPRINT, LinearBundle, MemoryStudy, make_cohort

from napari_latent_explorer.analysis.manifold import GaugeReading
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.session.explorer import Explorer

if TYPE_CHECKING:
    from napari_latent_explorer.session.gauge import CycleReading

N, LATENT_DIM = 400, 6
FAR = 900.0


class ForgetfulBundle(LinearBundle):
    """Its encoder gives back what was decoded, with the first number changed by two."""

    def encode(self, modality: str, batch: Any) -> np.ndarray:
        latents = np.array(batch, np.float32).reshape(len(batch), -1)[:, :LATENT_DIM]
        latents[:, 0] += 2.0
        return latents


class Picture:
    """The vector itself."""

    def __init__(self, vector: np.ndarray) -> None:
        self.vector = self.cine = vector


@pytest.fixture
def explorer() -> Iterator[Explorer]:
    cohort = make_cohort(N)
    rng = np.random.default_rng(0)
    values = {"mri": rng.normal(size=(N, LATENT_DIM)), "ecg": FAR + 10.0 * rng.normal(size=(N, LATENT_DIM))}
    latents = {
        (name, FINGERPRINT): LatentSpace(value, cohort.participant_ids, name, FINGERPRINT)
        for name, value in values.items()
    }
    explorer = Explorer(decode_fn=lambda _, vector: Picture(vector))  # type: ignore[arg-type, return-value]
    explorer.open(MemoryStudy(cohort, latents), ForgetfulBundle())
    assert explorer.jobs.wait(20.0)
    yield explorer
    explorer.close()


def readings_of(explorer: Explorer) -> list[GaugeReading]:
    readings: list[GaugeReading] = []
    explorer.gauge.read.connect(readings.append)
    return readings


def rest(explorer: Explorer) -> None:
    assert explorer.jobs.wait(20.0)
    assert explorer.decode.wait(20.0)
    assert explorer.gauge.wait(20.0)


def test_it_says_nothing_before_it_watches(explorer: Explorer) -> None:
    readings = readings_of(explorer)
    explorer.probe.move(0, 3.0)
    rest(explorer)
    assert readings == []
    assert explorer.jobs.running == ()


@pytest.mark.parametrize("modality", ["mri", "ecg"])
def test_a_participant_is_their_own_nearest_and_a_long_way_leaves_the_cohort(explorer: Explorer, modality: str) -> None:
    explorer.probe_participant("P07", modality)
    readings = readings_of(explorer)
    explorer.gauge.watch()
    rest(explorer)
    assert readings[-1].nearest_ids[0] == "P07"
    spread = explorer.latents[modality].std[2]
    explorer.probe.move(2, float(explorer.latents[modality].mean[2] + 8.0 * spread))
    rest(explorer)
    assert readings[-1].is_outside
    explorer.probe.reset()
    rest(explorer)
    assert readings[-1].nearest_distances[0] < 1e-3


def test_the_cohort_is_measured_once_for_each_modality(explorer: Explorer) -> None:
    names: list[str] = []
    explorer.jobs.started.connect(lambda job: names.append(job.name))
    explorer.gauge.watch()
    rest(explorer)
    for modality in ("ecg", "mri", "ecg"):
        explorer.probe_participant("P03", modality)
        rest(explorer)
    assert sorted(names) == ["Measure the spread of ECG latents", "Measure the spread of MRI latents"]


def test_what_comes_back_is_as_far_off_as_the_encoder_puts_it(explorer: Explorer) -> None:
    cycles: list[CycleReading] = []
    explorer.gauge.cycle_read.connect(cycles.append)
    explorer.gauge.watch()
    rest(explorer)
    explorer.probe.move(1, 0.5)
    rest(explorer)
    assert np.array_equal(cycles[-1].vector, explorer.probe.vector)
    precision = np.linalg.inv(np.cov(explorer.latents["mri"].values, rowvar=False))
    assert cycles[-1].distance == pytest.approx(2.0 * np.sqrt(precision[0, 0]), rel=0.05)


def test_among_few_people_it_is_silent_and_fails_nothing() -> None:
    cohort = make_cohort(3)
    values = np.random.default_rng(0).normal(size=(3, LATENT_DIM))
    latents = {("mri", FINGERPRINT): LatentSpace(values, cohort.participant_ids, "mri", FINGERPRINT)}
    explorer = Explorer(decode_fn=lambda _, vector: Picture(vector))  # type: ignore[arg-type, return-value]
    failures: list[Exception] = []
    explorer.failed.connect(failures.append)
    explorer.open(MemoryStudy(cohort, latents), ForgetfulBundle())
    readings = readings_of(explorer)
    explorer.gauge.watch()
    for value in (1.0, 2.0, 3.0):
        explorer.probe.move(0, value)
        rest(explorer)
    assert explorer.gauge.has_too_few
    assert (readings, failures) == ([], [])
    explorer.close()
