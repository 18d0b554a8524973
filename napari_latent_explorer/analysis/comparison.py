"""Two groups of participants compared in every phenotype (what with: see `phenotype_comparison`).

The hard idea: tests and intervals suppose that the two groups are different people. Whoever is in both is therefore
left out of both, and counted. q-values are Benjamini and Hochberg's over all phenotypes that could be tested but those
by which a group was chosen: they differ for sure, and would make room for false discoveries among the others.

Warnings
--------
A group that was chosen by looking at the data differs by choice: its p-values are too small, in all that goes with what
it was chosen by.

References
----------
Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289.
"""

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from napari_latent_explorer.analysis.phenotype_comparison import (
    NUMBER_TESTS,
    NumberTest,
    PhenotypeComparison,
    compare_phenotype,
)
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import LatentExplorerError


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonTable:
    """All phenotypes of a cohort, group A against group B.

    Attributes
    ----------
    name_a, name_b
        Of the groups.
    n_a, n_b
        Participants that were compared.
    n_shared
        Participants in both groups, who were left out.
    number_test
        How continuous phenotypes were tested.
    chosen_by
        Phenotypes by which a group was chosen; they have a p, but no q.
    rows
        In the cohort's order of phenotypes.
    """

    name_a: str
    name_b: str
    n_a: int
    n_b: int
    n_shared: int
    number_test: NumberTest
    chosen_by: frozenset[str]
    rows: tuple[PhenotypeComparison, ...]

    @property
    def n_tested(self) -> int:
        """Number of phenotypes that the q-values allow for."""
        return sum(bool(np.isfinite(row.q)) for row in self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One line per phenotype with all that is known of it; no participant is named."""
        return pd.DataFrame([self._line(row) for row in self.rows])

    def _line(self, row: PhenotypeComparison) -> dict[str, Any]:
        spec = row.spec
        line: dict[str, Any] = {"phenotype": spec.name, "label": spec.label, "unit": spec.unit, "kind": spec.kind}
        line |= {"group_a": self.name_a, "group_b": self.name_b, "categories": "; ".join(spec.categories)}
        for name, side in (("a", row.a), ("b", row.b)):
            line |= {f"n_{name}": side.n, f"n_missing_{name}": side.n_missing}
            line |= {f"{one}_{name}": getattr(side, one) for one in ("mean", "sd", "median", "q1", "q3")}
            line[f"counts_{name}"] = "; ".join(map(str, side.counts))
            line[f"proportion_{name}"] = side.share(1) if spec.kind == "binary" else np.nan
        for effect in (*([row.effect] if row.effect is not None else ()), *row.others):
            line |= {effect.measure: effect.value, f"{effect.measure}_low": effect.low}
            line[f"{effect.measure}_high"] = effect.high
        return line | {
            "test": row.test,
            "p": row.p,
            "q": row.q,
            "chose_a_group": spec.name in self.chosen_by,
            "note": row.note,
        }


def compare(
    cohort: Cohort,
    ids_a: Iterable[str],
    ids_b: Iterable[str],
    name_a: str = "A",
    name_b: str = "B",
    number_test: NumberTest = "welch",
    chosen_by: Collection[str] = (),
) -> ComparisonTable:
    """Compare two groups in every phenotype; see `compare_phenotypes`."""
    return finish(compare_phenotypes(cohort, ids_a, ids_b, name_a, name_b, number_test, chosen_by))


def compare_phenotypes(
    cohort: Cohort,
    ids_a: Iterable[str],
    ids_b: Iterable[str],
    name_a: str = "A",
    name_b: str = "B",
    number_test: NumberTest = "welch",
    chosen_by: Collection[str] = (),
) -> Generator[Progress, None, ComparisonTable]:
    """Compare two groups in every phenotype, one after the other.

    Parameters
    ----------
    cohort
        Has the phenotypes.
    ids_a, ids_b
        Members; who is in both is left out of both.
    name_a, name_b
        For people.
    number_test
        ``welch``: do the means differ, whatever the spreads? ``mann-whitney``: does one group tend to larger values?
    chosen_by
        Phenotypes by which a group was chosen.

    Yields
    ------
    Progress
        Before each phenotype.

    Raises
    ------
    LatentExplorerError
        When nobody is left in a group, or the test is unknown.
    """
    if number_test not in NUMBER_TESTS:
        raise LatentExplorerError(f"Unknown test {number_test!r}; choose {' or '.join(NUMBER_TESTS)}.")
    in_a, in_b = (np.zeros(len(cohort), dtype=np.bool_) for _ in "ab")
    in_a[cohort.rows_of(ids_a)] = True
    in_b[cohort.rows_of(ids_b)] = True
    shared = in_a & in_b
    only = [np.flatnonzero(mask & ~shared) for mask in (in_a, in_b)]
    for rows_of_group, mask, name, other in zip(only, (in_a, in_b), (name_a, name_b), (name_b, name_a), strict=True):
        if not len(rows_of_group):
            raise LatentExplorerError(_why_empty(name, other, int(mask.sum())))
    rows = []
    for number, spec in enumerate(cohort.specs.values()):
        yield Progress(number, len(cohort.specs), f"Comparing {spec.label or spec.name}")
        rows.append(compare_phenotype(cohort, spec, only[0], only[1], (name_a, name_b), number_test))
    rows = _with_q_values(rows, chosen_by)
    n_a, n_b = map(len, only)
    return ComparisonTable(name_a, name_b, n_a, n_b, int(shared.sum()), number_test, frozenset(chosen_by), tuple(rows))


def _why_empty(name: str, other: str, n_members: int) -> str:
    if not n_members:
        return f"{name} has nobody to compare with {other}."
    return (
        f"All {n_members:,} of {name} are in {other} too. Only different people can be compared: "
        "who is in both groups is left out of both. Choose groups that differ."
    )


def _with_q_values(rows: list[PhenotypeComparison], chosen_by: Collection[str]) -> list[PhenotypeComparison]:
    from scipy.stats import false_discovery_control

    p = np.array([np.nan if row.spec.name in chosen_by else row.p for row in rows])
    q, tested = np.full(len(p), np.nan), np.isfinite(p)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return [replace(row, q=float(one)) for row, one in zip(rows, q, strict=True)]
