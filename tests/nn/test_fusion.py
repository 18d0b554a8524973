import pytest
import torch

from napari_latent_explorer.nn.fusion import draw_fusion_mask, merge


def test_paper_mask_is_shared_by_the_batch_and_takes_half_of_the_coordinates() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = torch.stack([draw_fusion_mask("batch", 4, 256, generator) for _ in range(200)])
    assert torch.equal(masks, masks[:, :1].expand_as(masks))
    share = masks[:, 0].float()
    assert share.mean().item() == pytest.approx(0.5, abs=0.01)
    assert share.mean(1).std().item() == pytest.approx((0.25 / 256) ** 0.5, rel=0.2)  # binomial
    assert share.mean(0).std() < 0.06  # no coordinate belongs to a modality


def test_sample_mask_differs_between_pairs() -> None:
    mask = draw_fusion_mask("sample", 64, 256, torch.Generator().manual_seed(0)).float()
    agreement = (mask[:, None] == mask[None]).float().mean(-1)[~torch.eye(64, dtype=torch.bool)]
    assert agreement.mean().item() == pytest.approx(0.5, abs=0.01)


def test_mixed_mask_gives_a_quarter_of_the_pairs_to_each_modality_alone() -> None:
    share = draw_fusion_mask("mixed", 64, 256, torch.Generator().manual_seed(0)).float().mean(1)
    assert (share == 0).sum() == (share == 1).sum() == 16
    assert ((share > 0.3) & (share < 0.7)).sum() == 32


def test_merge_takes_each_coordinate_from_where_the_mask_says() -> None:
    mask = draw_fusion_mask("sample", 5, 8, torch.Generator().manual_seed(1))
    merged = merge(torch.zeros(5, 8), torch.ones(5, 8), mask)
    assert torch.equal(merged.bool(), mask)
