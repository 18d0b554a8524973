"""A comparison in words and sensible digits, as plain text."""

import math

from napari_latent_explorer._qt.numbers import format_count, format_value
from napari_latent_explorer.analysis.comparison import ComparisonTable
from napari_latent_explorer.analysis.effect_sizes import INTERVAL_NAMES, MEASURE_NAMES, Effect
from napari_latent_explorer.analysis.phenotype_comparison import PhenotypeComparison, Side
from napari_latent_explorer.data.phenotype import PhenotypeSpec

NOTHING = "n/a"
SIGNIFICANT_Q = 0.05
LEAST_P, MOST_RATIO = 0.001, 1000.0
CHOSEN_MARK = "◆"
SHORT_NAMES = {"hedges_g": "g", "odds_ratio": "OR", "cramers_v": "V"}


def p_text(p: float) -> str:
    """Write a p or q, e.g. ``0.34``, ``0.012``, ``< 0.001``."""
    if not math.isfinite(p):
        return NOTHING
    return f"< {LEAST_P}" if p < LEAST_P else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def side_text(spec: PhenotypeSpec, side: Side) -> str:
    """Write how a phenotype is distributed in a group: mean ± SD, or percent of categories."""
    if not side.n:
        return NOTHING
    if spec.kind == "binary":
        return f"{_percent(side.share(1))} ({format_count(side.counts[1])})"
    if spec.kind == "categorical":
        order = sorted(range(len(spec.categories)), key=lambda category: -side.counts[category])
        return ", ".join(f"{spec.categories[one]} {_percent(side.share(one))}" for one in order if side.counts[one])
    if not math.isfinite(side.sd):
        return format_value(side.mean)
    return f"{_like(side.mean, side.sd)} ± {_like(side.sd, side.sd)}"


def effect_text(effect: Effect | None) -> str:
    """Write a main effect with its interval, e.g. ``g 0.31 (0.22 to 0.40)``."""
    if effect is None:
        return NOTHING
    write = _ratio if effect.measure == "odds_ratio" else _difference
    return f"{SHORT_NAMES[effect.measure]} {write(effect.value)} ({write(effect.low)} to {write(effect.high)})"


def participants_text(table: ComparisonTable) -> str:
    """Write who is compared, e.g. ``937 and 1,063 participants, 20 phenotypes tested``."""
    phenotypes = "phenotype" if table.n_tested == 1 else "phenotypes"
    people = f"{format_count(table.n_a)} and {format_count(table.n_b)} participants"
    return f"{people}, {table.n_tested} {phenotypes} tested"


def explain(row: PhenotypeComparison, table: ComparisonTable) -> str:
    """Write one line of the table in full."""
    spec = row.spec
    lines = [spec.title, *([spec.description] if spec.description else []), ""]
    lines += [f"{name}: {_side_in_full(spec, side)}" for name, side in ((table.name_a, row.a), (table.name_b, row.b))]
    effects = (*([row.effect] if row.effect is not None else ()), *row.others)
    lines += ["", *(_effect_in_full(effect, spec) for effect in effects)]
    if row.test:
        lines.append(f"{row.test}: p = {row.p:.2g}" + (f", q = {row.q:.2g}" if math.isfinite(row.q) else ""))
    if spec.name in table.chosen_by:
        lines.append(
            f"{CHOSEN_MARK} A group was chosen by this phenotype: that it differs says nothing, and it has no q."
        )
    return "\n".join([*lines, *([row.note] if row.note else [])])


def _side_in_full(spec: PhenotypeSpec, side: Side) -> str:
    missing = f"; {format_count(side.n_missing)} missing" if side.n_missing else ""
    known = f"{format_count(side.n)} with a value{missing}"
    if spec.kind != "continuous" or side.n < 2:
        shares = (
            [
                f"{name} {format_count(count)} ({_percent(count / side.n)})"
                for name, count in zip(spec.categories, side.counts, strict=True)
                if side.n
            ]
            if spec.kind != "continuous"
            else [side_text(spec, side)]
        )
        return f"{', '.join(shares)}; {known}"
    middle, low, high = (_like(number, side.sd) for number in (side.median, side.q1, side.q3))
    return f"mean ± SD {side_text(spec, side)} {spec.unit}, median {middle} (IQR {low} to {high}); {known}"


def _effect_in_full(effect: Effect, spec: PhenotypeSpec) -> str:
    unit = ""
    if effect.measure == "mean_difference":
        spread, unit = max(effect.high - effect.low, 1e-300), f" {spec.unit}".rstrip()
        value, low, high = (_like(number, spread) for number in (effect.value, effect.low, effect.high))
    elif effect.measure == "risk_difference":
        value, low, high = (f"{100 * number:+.1f}" for number in (effect.value, effect.low, effect.high))
        unit = " percentage points"
    else:
        write = _ratio if effect.measure == "odds_ratio" else _difference
        value, low, high = (write(number) for number in (effect.value, effect.low, effect.high))
    name, interval = MEASURE_NAMES[effect.measure], INTERVAL_NAMES[effect.measure]
    of_what = f" of {spec.categories[1]}" if effect.measure in ("odds_ratio", "risk_difference") else ""
    return f"{name}{of_what}: {value}{unit}, 95 % interval {low} to {high} ({interval})"


def _percent(share: float) -> str:
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{100 * share:.1f} %"
    return f"{100 * share:.0f} %"


def _difference(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00")


def _ratio(value: float) -> str:
    if value > MOST_RATIO:
        return f"> {MOST_RATIO:,.0f}"
    return f"< {1 / MOST_RATIO:g}" if value < 1 / MOST_RATIO else format_value(value)


def _like(value: float, spread: float) -> str:
    """Write a number to the second digit of its spread."""
    if not math.isfinite(spread) or spread <= 0:
        return format_value(value)
    decimals = max(0, 1 - math.floor(math.log10(spread)))
    return f"{value:,.{decimals}f}"
