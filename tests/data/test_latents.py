import numpy as np
import pytest

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError


def test_vectors_follow_the_ids() -> None:
    values = np.arange(12.0).reshape(4, 3)
    latents = LatentSpace(values, np.array(["a", "b", "c", "d"]), "mri", "abc")
    np.testing.assert_array_equal(latents.of(["d", "a"]), values[[3, 0]])
    aligned = latents.aligned_to(np.array(["c", "a"]))
    np.testing.assert_array_equal(aligned.of(["a"]), values[[0]])
    assert (aligned.modality, aligned.bundle_fingerprint, latents.latent_dim) == ("mri", "abc", 3)
    np.testing.assert_allclose(latents.mean, values.mean(axis=0))
    np.testing.assert_allclose(latents.std, values.std(axis=0))
    with pytest.raises(KeyError):
        latents.of(["e"])


@pytest.mark.parametrize("shape", [(3, 2), (4,), (4, 2, 1)])
def test_a_shape_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(StudyError, match="Encode the study again"):
        LatentSpace(np.zeros(shape), np.array(["a", "b", "c", "d"]), "ecg", "abc")


def test_many_ids_are_found_at_once_and_strangers_among_them_named_or_left_out() -> None:
    ids = np.array([f"P{number:05}" for number in range(3000)])
    latents = LatentSpace(np.arange(3000.0)[:, None], ids, "mri", "abc")
    some = np.random.default_rng(0).permutation(ids)[:1000]
    some.flags.writeable = False
    for _ in range(2):  # found, then remembered
        np.testing.assert_array_equal(latents.of(some)[:, 0], [float(one[1:]) for one in some])
    assert latents.known(some) is some
    with_strangers = np.array(["P00007", "Q", "P99999", "P00001"])
    assert latents.known(with_strangers).tolist() == ["P00007", "P00001"]
    with pytest.raises(KeyError, match="Q"):
        latents.of(with_strangers)
    some_writeable = np.array(["P00001"])
    latents.of(some_writeable)
    some_writeable[0] = "P00002"
    assert latents.of(some_writeable)[0, 0] == 2.0
