import numpy as np
from skimage.metrics import structural_similarity

from napari_latent_explorer.modeling.similarity import frame_ssim, lead_correlation

RANDOM = np.random.default_rng(0)


def test_ssim_is_scikit_images() -> None:
    truth = RANDOM.normal(size=(2, 3, 24, 20)).cumsum(axis=-1)
    found = truth + RANDOM.normal(size=truth.shape)
    expected = [
        [structural_similarity(a, b, win_size=7, data_range=np.ptp(one)) for a, b in zip(one, other, strict=True)]
        for one, other in zip(truth, found, strict=True)
    ]
    np.testing.assert_allclose(frame_ssim(truth, found), expected, rtol=1e-9)
    np.testing.assert_allclose(frame_ssim(truth, truth), 1.0)


def test_correlation_is_numpys_and_unknown_for_a_flat_lead() -> None:
    truth, found = RANDOM.normal(size=(2, 1, 3, 50))
    found[0, 2] = 4.0
    correlation = lead_correlation(truth, found)
    for lead in range(2):
        np.testing.assert_allclose(correlation[0, lead], np.corrcoef(truth[0, lead], found[0, lead])[0, 1])
    assert np.isnan(correlation[0, 2])
