"""The leads on paper: true to scale in every layout, and readable where there is little room."""

from itertools import pairwise

import pytest

from napari_latent_explorer._qt.ecg_layout import AUTOMATIC, LAYOUTS, SHOWN_MS, TOP_PX, lay_out
from napari_latent_explorer._qt.ecg_paper import GAINS_MM_PER_MV, SPEEDS_MM_PER_S, PaperScale
from napari_latent_explorer.data.ecg import LEAD_NAMES

EXTENT_MV = (1.25, 0.75)
TWELVE = set(LEAD_NAMES)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mm_per_s", SPEEDS_MM_PER_S)
@pytest.mark.parametrize("mm_per_mv", GAINS_MM_PER_MV)
@pytest.mark.parametrize("size_px", [(300, 500), (1500, 400)], ids=["narrow", "wide"])
def test_every_layout_is_true_to_scale_and_inside_its_room(layout, mm_per_s, mm_per_mv, size_px):
    paper = lay_out(layout, size_px, EXTENT_MV, PaperScale(mm_per_s, mm_per_mv))
    assert paper.px_per_ms * 1000.0 / mm_per_s == pytest.approx(paper.px_per_mv / mm_per_mv)  # one size of millimetre
    assert set(paper.places) == TWELVE
    for left, zero in paper.places.values():
        assert left >= 0
        assert left + SHOWN_MS * paper.px_per_ms <= size_px[0]
        assert zero - EXTENT_MV[0] * paper.px_per_mv >= TOP_PX - 1e-6
        assert zero + EXTENT_MV[1] * paper.px_per_mv <= size_px[1]
    lefts = sorted(paper.lefts)
    assert all(after - before >= SHOWN_MS * paper.px_per_ms for before, after in pairwise(lefts))


@pytest.mark.parametrize(
    ("size_px", "n_rows", "n_leads"),
    [
        ((1500, 400), 3, 12),
        ((900, 350), 3, 12),
        ((300, 520), 6, 12),
        ((200, 900), 12, 12),
        ((800, 140), 2, 12),
        ((1500, 180), 2, 12),
        ((380, 140), 1, 3),
    ],
    ids=["wide", "usual", "narrow", "column", "low", "wide and low", "small"],
)
def test_the_room_chooses_the_layout(size_px, n_rows, n_leads):
    paper = lay_out(AUTOMATIC, size_px, EXTENT_MV, PaperScale())
    assert (len(paper.rows), len(paper.places)) == (n_rows, n_leads)


def test_a_chosen_layout_is_kept_however_small_the_room():
    assert len(lay_out("12 x 1", (300, 150), EXTENT_MV, PaperScale()).places) == 12


def test_fifty_millimetres_a_second_take_twice_the_room_of_a_millivolt():
    slow, fast = (lay_out("3 x 4", (600, 900), EXTENT_MV, PaperScale(speed, 10.0)) for speed in (25.0, 50.0))
    assert fast.px_per_ms / fast.px_per_mv == pytest.approx(2.0 * slow.px_per_ms / slow.px_per_mv)


def test_leads_are_taken_out_of_the_clinics_order_only_where_they_become_plainly_larger():
    size_px = (1500, 180)
    low, clinic = (lay_out(layout, size_px, EXTENT_MV, PaperScale()).px_per_mm for layout in ("2 x 6", "3 x 4"))
    assert lay_out(AUTOMATIC, size_px, EXTENT_MV, PaperScale()).px_per_mm == low
    assert low > 1.2 * clinic
