"""Where a probe is as each modality sees it, in a study whose modalities lie apart."""

from collections.abc import Iterator

import numpy as np
import pytest
from memory_study import FINGERPRINT, LinearBundle, MemoryStudy, decode_linearly, make_cohort

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.session.explorer import Explorer

N = 200


def make_apart() -> MemoryStudy:
    """The first number is the age, in MRI latents as it is, in ECG latents turned round and far away."""
    cohort = make_cohort(N)
    random = np.random.default_rng(0)
    values = random.normal(size=(N, 6)).astype(np.float32)
    values[:, 0] = np.arange(N)
    mri = LatentSpace(values, cohort.participant_ids, "mri", FINGERPRINT)
    ecg = LatentSpace((500.0 - values)[1:], cohort.participant_ids[1:], "ecg", FINGERPRINT)
    return MemoryStudy(cohort, {("mri", FINGERPRINT): mri, ("ecg", FINGERPRINT): ecg})


@pytest.fixture
def apart() -> Iterator[Explorer]:
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(make_apart(), LinearBundle())
    assert explorer.jobs.wait(20.0)
    yield explorer
    explorer.close()


@pytest.mark.parametrize("modality", ["mri", "ecg"])
def test_a_participant_is_where_each_modality_put_them(apart: Explorer, modality: str) -> None:
    participant_id = str(apart.latents["ecg"].participant_ids[30])
    apart.probe_participant(participant_id, modality)
    for name, vector in apart.probe_counterparts.items():
        np.testing.assert_array_equal(vector, apart.latents[name].of([participant_id])[0])


def test_the_mean_of_all_is_that_of_each_modality(apart: Explorer) -> None:
    apart.probe_mean("mri")
    for name, vector in apart.probe_counterparts.items():
        np.testing.assert_array_equal(vector, apart.latents[name].mean)


@pytest.mark.parametrize("method", ["mean", "median", "nearest", "medoid"])
def test_a_group_stands_for_the_same_people_in_each_modality(apart: Explorer, method: str) -> None:
    members = apart.latents["mri"].participant_ids[50:81].tolist()
    apart.set_representative_method(method)  # type: ignore[arg-type]
    apart.create_group("A", members)
    mri, ecg = (apart.probe_counterparts[name] for name in ("mri", "ecg"))
    np.testing.assert_array_equal(mri, apart.probe.vector)
    np.testing.assert_allclose(ecg, 500.0 - mri, rtol=1e-5)  # whoever stands for them, in the other modality's way


def test_both_are_moved_alike_and_a_stranger_is_taken_for_either(apart: Explorer) -> None:
    apart.probe_participant("P60", "mri")
    before = apart.probe_counterparts
    apart.probe.move(2, float(apart.probe.vector[2]) + 1.5)
    for name, vector in apart.probe_counterparts.items():
        np.testing.assert_allclose(vector - before[name], [0, 0, 1.5, 0, 0, 0], atol=1e-4)
    stranger = np.full(6, 7.5, np.float32)
    apart.probe.set_origin(stranger, "a file")
    assert all(np.array_equal(vector, stranger) for vector in apart.probe_counterparts.values())


def test_no_row_of_the_predictions_is_led_astray_by_the_other_modality(apart: Explorer) -> None:
    outcomes: list[object] = []
    apart.decode.decoded.connect(outcomes.append)
    apart.probe_participant("P60", "mri")
    assert apart.decode.wait(20.0)
    table = outcomes[-1].predictions  # type: ignore[attr-defined]
    age = [spec.name for spec in table.targets].index("age")
    assert table.rows == ("MRI", "ECG", "MRI + ECG")
    np.testing.assert_allclose(table.values[:, age], 60.0, atol=1.0)
