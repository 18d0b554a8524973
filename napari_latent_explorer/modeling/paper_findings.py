"""The paper's Results up to its Fig. 3, one row each, and whether they hold in an evaluation.

A finding is an order (shared latents predict better than unimodal ones, translated cines of people with heavy hearts
look heavy), so it can be looked for in any study; the paper's own numbers are of UK Biobank and are not expected.
Whatever is compared phenotype by phenotype names those for which the order is the other way round.

References
----------
Radhakrishnan et al., "Cross-modal autoencoder framework learns holistic representations of cardiovascular state",
Nature Communications 14, 2436 (2023).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.modeling.evaluation import BASELINE, MODEL, SUPERVISED

MRI_PHENOTYPES = frozenset({"lvm", "lvedv", "lvesv", "lvsv", "lvef", "rvedv", "rvesv", "rvsv", "rvef"})
"""The nine that the paper takes from MRIs."""
ECG_PHENOTYPES = frozenset({"heart_rate", "pp_interval", "pr_interval", "qrs_duration", "qt_interval", "qtc_interval"})
TRANSLATED = ("lvm", "rvedv")
"""Phenotypes that the paper looks at in translated cines."""
TOP = 10
MIN_PEOPLE = 8
"""Below whom there are no quarters to compare."""
NAMES = {"mri": "MRI", "ecg": "ECG"}

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes
    ----------
    figure
        Of the paper.
    finding
        What the paper finds, with its numbers where its text has any.
    here
        The numbers of this evaluation.
    holds
        ``yes``, ``no`` or ``in part``; modalities that are surely closer than unimodal ones, but less than half as
        mixed as they could be, mix in part.
    exceptions
        For which phenotypes it does not hold.
    """

    figure: str
    finding: str
    here: str
    holds: str
    exceptions: str = ""


def paper_findings(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> pd.DataFrame:
    """Look for each finding in the tables of an evaluation; those whose tables are missing are left out.

    Parameters
    ----------
    tables
        As `evaluation.evaluate` and `scaling.measure_scaling` return them.
    specs
        What the phenotypes are.
    """
    found = [*_mixing(tables), *_retrieval(tables), *_tasks(tables, specs), *_scaling(tables), *_translation(tables)]
    found.sort(key=lambda one: one.figure)
    columns = list(Finding.__slots__)
    return pd.DataFrame([[getattr(one, column) for column in columns] for one in found], columns=columns)


def _holds(n_true: int, n: int) -> str:
    return "yes" if n_true == n else "in part" if n_true else "no"


def _part(tables: Tables, name: str, **wanted: object) -> pd.DataFrame:
    """Rows of a table in which columns have the wanted values; empty when there is no such table."""
    table = tables.get(name, pd.DataFrame(columns=list(wanted)))
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


def _mixing(tables: Tables) -> Iterator[Finding]:
    own, other = (_part(tables, "mixing", model=model, space="latents") for model in (MODEL, BASELINE))
    if own.empty or other.empty:
        return
    a, b = own.iloc[0], other.iloc[0]
    here = (
        f"{a['share']:.0%} of a recording's nearest neighbours are of the other modality, with unimodal latents "
        f"{b['share']:.0%} (well mixed: {a['well_mixed']:.0%})"
    )
    is_better, is_mixed = a["low"] > b["high"], 2 * a["share"] > a["well_mixed"]
    finding = "MRI and ECG mix in the shared space, and are apart in the unimodal ones"
    yield Finding("2a", finding, here, _holds(int(is_better) + int(is_better and is_mixed), 2))


def _retrieval(tables: Tables) -> Iterator[Finding]:
    for query, key in (("ecg", "mri"), ("mri", "ecg")):
        own, other = (_part(tables, "retrieval_curve", model=m, query=query, key=key, k=TOP) for m in (MODEL, BASELINE))
        if own.empty or other.empty:
            continue
        a, b = own.iloc[0], other.iloc[0]
        here = (
            f"among the first {TOP} of {a['n_gallery']:,}: {a['accuracy']:.1%} ({a['low']:.1%} to {a['high']:.1%}), "
            f"unimodal {b['accuracy']:.1%}, chance {a['chance']:.1%}"
        )
        finding = f"An {NAMES[query]} finds its {NAMES[key]} far more often than with unimodal latents or by chance"
        yield Finding("2b", finding, here, _holds(int(a["low"] > max(b["high"], a["chance"])), 1))


def _tasks(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> Iterator[Finding]:
    if "gain" not in tables:
        return
    general = {name for name in specs if name not in MRI_PHENOTYPES | ECG_PHENOTYPES}
    binary = {name for name in general if specs[name].kind == "binary"}
    tasks = (
        ("MRI phenotypes from ECG", MRI_PHENOTYPES, ("ecg",)),
        ("ECG phenotypes from MRI", ECG_PHENOTYPES, ("mri",)),
        ("yes-or-no phenotypes from either", binary, ("ecg", "mri")),
        ("other continuous phenotypes from either", general - binary, ("ecg", "mri")),
    )
    for title, phenotypes, modalities in tasks:
        for than in (BASELINE, SUPERVISED):
            gain = _part(tables, "gain", than=than)
            gain = gain[gain["phenotype"].isin(phenotypes) & gain["latents"].isin(modalities)].dropna(subset=["value"])
            if len(gain):
                yield _task(title, than, gain, specs)


def _task(title: str, than: str, gain: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> Finding:
    above, surely = int((gain["value"] > 0).sum()), int((gain["low"] > 0).sum())
    n_below = int((gain["high"] < 0).sum())
    here = f"{above} of {len(gain)} better, {surely} surely better, {n_below} surely worse"
    worse = gain[gain["value"] <= 0].to_dict("records")
    named = ", ".join(f"{_label(specs, r['phenotype'])} from {NAMES[r['latents']]} ({r['value']:+.3f})" for r in worse)
    networks = "unimodal latents" if than == BASELINE else "supervised networks"
    return Finding("2c", f"{title}: better than {networks}", here, _holds(above, len(gain)), named)


def _label(specs: Mapping[str, PhenotypeSpec], name: str) -> str:
    return specs[name].label or name


def _scaling(tables: Tables) -> Iterator[Finding]:
    law = tables.get("scaling_law", pd.DataFrame())
    if law.empty or not pd.notna(law.iloc[0]["r2"]):
        return
    a, b, r2 = (law.iloc[0][name] for name in ("a", "b", "r2"))
    finding = (
        "Twice as many people without labels raise R2 by 0.0158, twice as many with labels by 0.007 (law's R2 0.983)"
    )
    here = f"by {a:.4f} and {b:.4f} (law's R2 {r2:.2f})"
    yield Finding("2d", finding, here, _holds(int(a > b) + int(a > 0), 2))


def _translation(tables: Tables) -> Iterator[Finding]:
    for name in TRANSLATED:
        people = _part(tables, "translation_people", phenotype=name)
        scores = _part(tables, "translation", phenotype=name, compared_with="original")
        if len(people) < MIN_PEOPLE or scores.empty:
            continue
        low, high = people["truth"].quantile([0.25, 0.75])
        means = {
            cine: [people[part][cine].mean() for part in (people["truth"] >= high, people["truth"] <= low)]
            for cine in ("original", "reconstructed", "translated")
        }
        here = "; ".join(f"{cine} {upper:.0f} and {lower:.0f}" for cine, (upper, lower) in means.items())
        is_above = [upper > lower for upper, lower in means.values()]
        title = name.upper()
        finding = f"Cines drawn from ECGs show who has a high and who a low {title} (means of the outer quarters)"
        yield Finding("3a" if name == "lvm" else "3b", finding, here, _holds(sum(is_above), len(is_above)))
        by_cine = {row["cine"]: row for row in scores.to_dict("records")}
        here = "; ".join(
            f"{cine} {row['correlation']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for cine, row in by_cine.items()
        )
        n_above = sum(row["low"] > 0 for row in by_cine.values())
        finding = f"{title} measured on decoded cines correlates with that on the originals"
        yield Finding("3c", finding, here, _holds(n_above, len(by_cine)))
