"""Counts and masks, against counting participants one by one, and against a crossfilter that remembers nothing."""

from collections.abc import Iterator
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.session.bars import bin_phenotype
from napari_latent_explorer.session.crossfilter import Crossfilter, Passing
from napari_latent_explorer.session.filters import AllOf, AnyOf, CategoryFilter, Filter, MapFilter, Not, RangeFilter

N = 300
GRADES = tuple("abcde")


@pytest.fixture(scope="module")
def people() -> Cohort:
    """Two numbers, a pair and five grades, a tenth of each missing."""
    rng = np.random.default_rng(3)

    def missing() -> np.ndarray:
        return rng.random(N) < 0.1

    table = pd.DataFrame(
        {
            "sex": pd.Categorical.from_codes(np.where(missing(), -1, rng.integers(2, size=N)), ["female", "male"]),
            "grade": pd.Categorical.from_codes(np.where(missing(), -1, rng.integers(5, size=N)), list(GRADES)),
            "age": np.where(missing(), np.nan, rng.uniform(40, 80, N).round(1)),
            "lvm": np.where(missing(), np.nan, rng.normal(100, 20, N)),
        }
    )
    specs = [
        PhenotypeSpec("sex", "binary", categories=("female", "male")),
        PhenotypeSpec("grade", "categorical", categories=GRADES),
        PhenotypeSpec("age", "continuous"),
        PhenotypeSpec("lvm", "continuous"),
    ]
    return Cohort(np.array([f"P{i:03}" for i in range(N)]), table, {spec.name: spec for spec in specs})


@pytest.fixture(scope="module")
def maps(people: Cohort) -> MappingProxyType[str, Projection]:
    places = np.random.default_rng(4).normal(size=(N - 20, 2))
    return MappingProxyType({"mri": Projection(places, people.participant_ids[20:], "mri", "pca", {}, "bundle")})


def random_filters(rng: np.random.Generator, maps: MappingProxyType[str, Projection]) -> Iterator[Filter]:
    """Each kind of filter now and then, at most one per key."""
    low, high = np.sort(rng.uniform(40, 80, 2)).tolist()
    age = RangeFilter("age", low, high, bool(rng.random() < 0.5))
    female = CategoryFilter("sex", frozenset({"female"}), bool(rng.random() < 0.5))
    grade = CategoryFilter("grade", frozenset(rng.choice(list(GRADES), 2).tolist()))
    lvm = AnyOf((RangeFilter("lvm", 0, rng.uniform(70, 100)), RangeFilter("lvm", rng.uniform(100, 130), np.inf)))
    center = rng.normal(size=2)
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    polygon = tuple((float(center[0] + x), float(center[1] + y)) for x, y in corners)
    lasso = MapFilter("mri", polygon, maps["mri"].fingerprint)
    sentence = AllOf((Not(female), AnyOf((grade, lvm))))
    for chosen in (age, female, Not(grade), lvm, lasso, sentence):
        if rng.random() < 0.4:
            yield chosen


def check(
    passing: Passing,
    people: Cohort,
    filters: list[Filter],
    excluded: dict[str, str],
    maps: MappingProxyType[str, Projection],
) -> None:
    """Count by loops over participants."""
    included = [one not in excluded for one in people.participant_ids.tolist()]
    masks = {chosen.key: chosen.mask(people, maps) for chosen in filters}
    visible = [included[row] and all(mask[row] for mask in masks.values()) for row in range(N)]
    assert passing.visible_mask.tolist() == visible
    assert (passing.n_visible, passing.n_total) == (sum(visible), sum(included))
    assert passing.n_passing == {key: int(mask.sum()) for key, mask in masks.items()}
    for name, spec in people.specs.items():
        counts = passing.bars[name]
        counted = [
            row for row in range(N) if included[row] and all(mask[row] for key, mask in masks.items() if key != name)
        ]
        for rows, numbers, n_missing in (
            (counted, counts.filtered, counts.missing_filtered),
            ([row for row in range(N) if included[row]], counts.total, counts.missing_total),
        ):
            column = people.phenotypes[name].iloc[rows]
            assert n_missing == column.isna().sum()
            if spec.kind == "continuous":
                assert counts.edges is not None
                assert numbers.tolist() == np.histogram(column.dropna(), counts.edges)[0].tolist()
            else:
                assert numbers.tolist() == [(column == category).sum() for category in spec.categories]


def test_a_walk_of_changes_agrees_with_counting_one_by_one(
    people: Cohort, maps: MappingProxyType[str, Projection]
) -> None:
    """One crossfilter sees all changes, so whatever it remembers too long shows."""
    rng = np.random.default_rng(11)
    crossfilter = Crossfilter(people)
    excluded: dict[str, str] = {}
    filters: dict[str, Filter] = {}
    for _ in range(60):
        filters = {key: one for key, one in filters.items() if rng.random() < 0.8}
        filters |= {one.key: one for one in random_filters(rng, maps)}
        if rng.random() < 0.3:
            excluded = dict.fromkeys(rng.choice(people.participant_ids, 15).tolist(), "motion")
        acting = [filters[key] for key in rng.permutation(list(filters)).tolist()]
        passing = crossfilter.look(acting, excluded, maps)
        check(passing, people, acting, excluded, maps)
        np.testing.assert_array_equal(crossfilter.visible_mask(acting, excluded, maps), passing.visible_mask)
        fresh = Crossfilter(people).look(acting, excluded, maps)
        assert fresh.bars == passing.bars


def test_a_moved_range_leaves_its_own_chart_and_the_other_masks_alone(people: Cohort) -> None:
    crossfilter = Crossfilter(people)
    nobody: dict[str, str] = {}
    female = CategoryFilter("sex", frozenset({"female"}))
    before = crossfilter.look((female, RangeFilter("age", 50, 60)), nobody)
    after = crossfilter.look((female, RangeFilter("age", 50, 61)), nobody)
    assert after.bars["age"] is before.bars["age"]
    assert all(after.bars[name] is not before.bars[name] for name in ("sex", "grade", "lvm"))
    assert crossfilter.look((female, RangeFilter("age", 50, 61)), nobody).bars == after.bars


def test_another_map_is_looked_at_anew(people: Cohort, maps: MappingProxyType[str, Projection]) -> None:
    crossfilter = Crossfilter(people)
    lasso = MapFilter("mri", ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)), maps["mri"].fingerprint)
    assert crossfilter.look((lasso,), {}, maps).n_visible == N - 20
    with pytest.raises(StudyError):
        crossfilter.look((lasso,), {}, MappingProxyType({}))


def test_a_filter_that_does_not_fit_is_refused_each_time(people: Cohort) -> None:
    crossfilter = Crossfilter(people)
    for _ in range(2):
        with pytest.raises(TableError):
            crossfilter.look((RangeFilter("sex", 0, 1),), {})
    assert crossfilter.look((), {}).n_visible == N


def test_ids_are_looked_up_once(people: Cohort) -> None:
    crossfilter = Crossfilter(people)
    ids = people.participant_ids[5:9]
    mask = crossfilter.mask_of(ids)
    assert np.flatnonzero(mask).tolist() == [5, 6, 7, 8]
    assert crossfilter.mask_of(ids) is mask
    with pytest.raises(KeyError, match="stranger"):
        crossfilter.mask_of(["stranger"])


def test_infinite_values_stand_in_no_bar(people: Cohort) -> None:
    table = people.phenotypes.copy()
    table["age"] = np.where(np.arange(N) < 7, np.inf, np.where(np.arange(N) < 12, np.nan, 50.0))
    counts = Crossfilter(Cohort(people.participant_ids, table, people.specs)).look((), {}).bars["age"]
    assert (counts.filtered.sum(), counts.missing_filtered) == (N - 12, 12)
    assert bin_phenotype(people, "age").bitmaps.shape == (20, -(-N // 64))
