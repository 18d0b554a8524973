import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import LatentExplorerError, StudyError, TableError
from napari_latent_explorer.session.filters import (
    AllOf,
    AnyOf,
    CategoryFilter,
    Filter,
    MapFilter,
    Not,
    RangeFilter,
)


def test_a_category_filter_passes_its_categories_and_missing_only_if_asked(cohort: Cohort) -> None:
    diabetic = CategoryFilter("diabetes", frozenset({"yes"})).mask(cohort)
    assert cohort.participant_ids[diabetic].tolist() == [f"P{i:02}" for i in range(0, 40, 4)]
    unknown = CategoryFilter("diabetes", include_missing=True).mask(cohort)
    assert cohort.participant_ids[unknown].tolist() == ["P03"]


def test_missing_values_of_a_number_can_be_picked_alone(cohort: Cohort) -> None:
    unknown = CategoryFilter("lvef", include_missing=True).mask(cohort)
    assert cohort.participant_ids[unknown].tolist() == [f"P{i:02}" for i in range(6)]


def test_a_range_holds_both_ends_and_no_missing_value(cohort: Cohort) -> None:
    mask = RangeFilter("lvef", 56.0, 58.0).mask(cohort)
    assert cohort.participant_ids[mask].tolist() == ["P06", "P07", "P08"]
    with_missing = RangeFilter("lvef", 56.0, 58.0, include_missing=True).mask(cohort)
    assert with_missing.sum() == 3 + 6


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (CategoryFilter("weight"), "no phenotype 'weight'; it has sex, diabetes, age, lvef"),
        (CategoryFilter("sex", frozenset({"x"})), "no category x; it has female, male"),
        (CategoryFilter("age", frozenset({"old"})), "it is continuous"),
        (RangeFilter("sex", 0, 1), "is binary"),
        (RangeFilter("age", 5, 1), "low must not exceed high"),
        (RangeFilter("age", math.nan, 1), "low must not exceed high"),
    ],
)
def test_a_filter_that_does_not_fit_says_why(cohort: Cohort, chosen: CategoryFilter | RangeFilter, words: str) -> None:
    with pytest.raises(TableError, match=words):
        chosen.mask(cohort)


def test_filters_say_what_they_are_in_words(cohort: Cohort) -> None:
    specs = cohort.specs
    assert RangeFilter("age", 55, 65).describe(specs) == "Age 55 to 65 years"
    both = CategoryFilter("diabetes", frozenset({"yes", "no"}), include_missing=True)
    assert both.describe(specs) == "Diabetes: no or yes or missing"


# ---- filters put together ----


def answer(part: Filter, cohort: Cohort, row: int) -> bool | None:
    """Whether one participant passes, None when nothing is known: strong three-valued logic, person by person."""
    match part:
        case CategoryFilter(phenotype, categories, include_missing):
            spec, value = cohort.specs[phenotype], cohort.phenotypes[phenotype].iloc[row]
            if pd.isna(value):
                return include_missing or None
            return spec.kind != "continuous" and value in categories
        case RangeFilter(phenotype, low, high, include_missing):
            value = cohort.phenotypes[phenotype].iloc[row]
            return (include_missing or None) if pd.isna(value) else bool(low <= value <= high)
        case Not(inner, include_missing):
            known = answer(inner, cohort, row)
            return (include_missing or None) if known is None else not known
        case AllOf(parts):
            answers = [answer(one, cohort, row) for one in parts]
            return False if False in answers else None if None in answers else True
        case AnyOf(parts):
            answers = [answer(one, cohort, row) for one in parts]
            return True if True in answers else None if None in answers else False
    raise AssertionError(part)


def random_filter(rng: np.random.Generator, cohort: Cohort, depth: int) -> Filter:
    kind = rng.integers(6 if depth else 2)
    missing = bool(rng.random() < 0.3)
    if kind == 2:
        return Not(random_filter(rng, cohort, depth - 1), missing)
    if kind > 2:
        parts = tuple(random_filter(rng, cohort, depth - 1) for _ in range(rng.integers(1, 4)))
        return AllOf(parts) if kind == 3 else AnyOf(parts)
    name = str(rng.choice(list(cohort.specs)))
    spec = cohort.specs[name]
    if spec.kind == "continuous" and kind == 0:
        low, high = np.sort(rng.uniform(0, 90, 2)).tolist()
        return RangeFilter(name, low if rng.random() < 0.8 else -math.inf, high, missing)
    chosen = frozenset(one for one in spec.categories if rng.random() < 0.5)
    return CategoryFilter(name, chosen, missing)


def gaps(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """The same people, a fifth of all values missing."""
    table = cohort.phenotypes.copy()
    for name in table:
        table.loc[rng.random(len(table)) < 0.2, name] = np.nan
    return Cohort(cohort.participant_ids, table, cohort.specs)


def test_what_is_put_together_agrees_with_asking_one_by_one(cohort: Cohort) -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(150):
        people = gaps(cohort, rng)
        chosen = random_filter(rng, people, 3)
        expected = [answer(chosen, people, row) for row in range(len(people))]
        verdict = chosen.verdict(people)
        assert chosen.mask(people).tolist() == [one is True for one in expected], chosen
        assert verdict.passes.tolist() == [one is True for one in expected], chosen
        assert verdict.fails.tolist() == [one is False for one in expected], chosen
        seen |= {(type(chosen), one) for one in expected}
    assert {(kind, one) for kind in (Not, AllOf, AnyOf) for one in (True, False, None)} <= seen


def test_who_has_no_value_is_not_without_diabetes(cohort: Cohort) -> None:
    """P03 was not asked; one in four of the others has it."""
    diabetic = CategoryFilter("diabetes", frozenset({"yes"}))
    row = 3
    assert not diabetic.mask(cohort)[row]
    assert not Not(diabetic).mask(cohort)[row]
    assert Not(diabetic, include_missing=True).mask(cohort)[row]
    assert not Not(CategoryFilter("diabetes", frozenset({"yes"}), include_missing=True)).mask(cohort)[row]
    assert Not(diabetic).mask(cohort).sum() == 29
    asked = Not(CategoryFilter("diabetes", include_missing=True))
    assert asked.mask(cohort).sum() == 39


def test_a_key_is_shared_or_a_sentence(cohort: Cohort) -> None:
    young, old = RangeFilter("age", -math.inf, 10), RangeFilter("age", 30, math.inf)
    female, lasso = CategoryFilter("sex", frozenset({"female"})), MapFilter("mri", ((0.0, 0.0),), "f")
    keys = [one.key for one in (young, female, lasso, Not(lasso), AnyOf((young, old)), AllOf((young, Not(female))))]
    assert keys == ["age", "sex", "map:mri", "map:mri", "age", "sentence"]
    assert AllOf((young, Not(female), lasso)).phenotypes == {"age", "sex"}


def test_what_is_put_together_says_so_in_words(cohort: Cohort) -> None:
    young, old = RangeFilter("age", -math.inf, 10), RangeFilter("age", 30, math.inf)
    diabetic = Not(CategoryFilter("diabetes", frozenset({"yes"})), include_missing=True)
    both = AllOf((AnyOf((young, old)), diabetic))
    assert both.describe(cohort.specs) == (
        "((Age at most 10 years) or (Age at least 30 years)) and (not (Diabetes: yes) or missing)"
    )


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_no_parts_say_nothing(kind: type[AllOf | AnyOf]) -> None:
    with pytest.raises(LatentExplorerError, match="no parts"):
        kind(())


# ---- a lasso ----


@pytest.fixture
def map_without_p00(cohort: Cohort) -> Projection:
    """Participant i lies at (i, 0), in reverse order; P00 is not on the map and P39 has no place."""
    coordinates = np.stack([np.arange(39.0, 0.0, -1.0), np.zeros(39)], axis=1)
    coordinates[0] = np.nan
    return Projection(coordinates, cohort.participant_ids[:0:-1], "mri", "tsne", {}, "linear0")


def test_a_lasso_holds_who_lies_inside(cohort: Cohort, map_without_p00: Projection) -> None:
    polygon = ((4.5, -1.0), (8.5, -1.0), (8.5, 1.0), (4.5, 1.0))
    lasso = MapFilter("mri", polygon, map_without_p00.fingerprint)
    maps = {"mri": map_without_p00}
    assert np.flatnonzero(lasso.mask(cohort, maps)).tolist() == [5, 6, 7, 8]
    outside = Not(lasso).mask(cohort, maps)
    assert np.flatnonzero(~outside).tolist() == [0, 5, 6, 7, 8, 39]  # nobody knows where P00 and P39 are
    men = AllOf((lasso, CategoryFilter("sex", frozenset({"male"}))))
    assert np.flatnonzero(men.mask(cohort, maps)).tolist() == [5, 7]


def test_a_lasso_belongs_to_its_map(cohort: Cohort, map_without_p00: Projection) -> None:
    lasso = MapFilter("mri", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)), map_without_p00.fingerprint)
    with pytest.raises(StudyError, match="has none"):
        lasso.mask(cohort)
    moved = replace(map_without_p00, coordinates=map_without_p00.coordinates + 1)
    with pytest.raises(StudyError, match="Draw it again"):
        lasso.mask(cohort, {"mri": moved})


def test_a_map_is_known_by_who_lies_where(map_without_p00: Projection) -> None:
    same = replace(map_without_p00, method="pca")
    others = [
        replace(map_without_p00, coordinates=map_without_p00.coordinates[::-1]),
        replace(map_without_p00, participant_ids=map_without_p00.participant_ids[::-1]),
        replace(map_without_p00, bundle_fingerprint="other"),
    ]
    assert same.fingerprint == map_without_p00.fingerprint
    assert len({one.fingerprint for one in (map_without_p00, *others)}) == 4
