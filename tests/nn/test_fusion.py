from typing import Any

import pytest
import torch

from napari_latent_explorer.nn.fusion import draw_sources, merge


def draw(fusion: Any, n: int, latent_dim: int, seed: int = 0, n_modalities: int = 2) -> torch.Tensor:
    available = torch.ones(n, n_modalities, dtype=torch.bool)
    return draw_sources(fusion, available, latent_dim, torch.Generator().manual_seed(seed))


def test_paper_mask_is_shared_by_the_batch_and_takes_half_of_the_coordinates() -> None:
    masks = torch.stack([draw("batch", 4, 256, seed) for seed in range(200)])
    assert torch.equal(masks, masks[:, :1].expand_as(masks))
    share = masks[:, 0].float()
    assert share.mean().item() == pytest.approx(0.5, abs=0.01)
    assert share.mean(1).std().item() == pytest.approx((0.25 / 256) ** 0.5, rel=0.2)  # binomial
    assert share.mean(0).std() < 0.06  # no coordinate belongs to a modality


def test_sample_mask_differs_between_pairs() -> None:
    mask = draw("sample", 64, 256).float()
    agreement = (mask[:, None] == mask[None]).float().mean(-1)[~torch.eye(64, dtype=torch.bool)]
    assert agreement.mean().item() == pytest.approx(0.5, abs=0.01)


def test_mixed_mask_gives_a_quarter_of_the_pairs_to_each_modality_alone() -> None:
    share = draw("mixed", 64, 256).float().mean(1)
    assert (share == 0).sum() == (share == 1).sum() == 16
    assert ((share > 0.3) & (share < 0.7)).sum() == 32


def test_later_released_code_takes_a_whole_modality_for_each_participant() -> None:
    sources = draw("whole", 400, 32)
    assert torch.equal(sources, sources[:, :1].expand_as(sources))
    assert sources[:, 0].float().mean().item() == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("fusion", ["batch", "sample", "mixed", "whole"])
def test_three_modalities_have_equal_parts(fusion: Any) -> None:
    sources = torch.cat([draw(fusion, 60, 64, seed, n_modalities=3) for seed in range(40)])
    for modality in range(3):
        assert (sources == modality).float().mean().item() == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("fusion", ["batch", "sample", "mixed", "whole"])
def test_nothing_comes_from_what_a_participant_lacks(fusion: Any) -> None:
    available = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 1, 0]], dtype=torch.bool)
    seen = torch.zeros_like(available)
    for seed in range(60):
        sources = draw_sources(fusion, available, 16, torch.Generator().manual_seed(seed))
        assert available.gather(1, sources).all()
        seen.scatter_(1, sources, value=True)
    if fusion != "mixed":
        assert torch.equal(seen, available)


def test_merge_takes_each_coordinate_from_where_the_draw_says() -> None:
    sources = draw("sample", 5, 8, n_modalities=3)
    latents = torch.arange(3.0)[:, None, None].expand(3, 5, 8)
    assert torch.equal(merge(latents, sources).long(), sources)
