"""``report.html``: an evaluation on one page that needs nothing else, with a chart for each figure of the paper.

The page holds no script and asks for nothing from elsewhere; every text from a study is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

import pandas as pd

from napari_latent_explorer._cli.example_pictures import example_pictures
from napari_latent_explorer._cli.svg_charts import Mark, interval_chart, legend, line_chart, scatter_chart
from napari_latent_explorer.data.phenotype import PhenotypeSpec

MODELS = ("cross-modal", "unimodal", "supervised", "VAE")
NAMES = {"mri": "MRI", "ecg": "ECG"}
CINES = ("reconstructed", "translated")
N_COLORS = 5
SHOWN_TRANSLATED = ("lvm", "rvedv")
"""Phenotypes whose values per person are drawn, as in the paper."""

Tables = Mapping[str, pd.DataFrame]


def evaluation_page(tables: Tables, notes: Sequence[str], specs: Mapping[str, PhenotypeSpec], title: str) -> str:
    """Page for a browser.

    Parameters
    ----------
    tables
        As an evaluation gives them; a section whose table is missing is left out.
    notes
        On whom, in sentences.
    specs
        What the phenotypes are.
    title
        Heading of the page.
    """
    sections = [
        _section("What the paper finds, and what holds here", _findings(tables)),
        _section("Reconstruction and translation", _reconstruction(tables)),
        _section("Finding the other recording of the same person", _retrieval(tables)),
        _section("Phenotypes from a single modality", _prediction(tables, specs)),
        _section("What the shared latents gain", _gain(tables, specs)),
        _section("Do the modalities mix?", _mixing(tables)),
        _section("Mass and volumes of translated cines", _translation(tables, specs)),
        _section("Examples", _examples(tables, specs)),
        _section("More people without and with labels", _scaling(tables)),
    ]
    lead = " ".join(escape(note) for note in notes if note)
    return _PAGE.substitute(title=escape(title), lead=lead, body="\n".join(part for part in sections if part))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _has(tables: Tables, *names: str) -> bool:
    return all(name in tables and len(tables[name]) > 0 for name in names)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = table.to_dict("records")
    return records


def _source(row: Mapping[str, Any]) -> str:
    return f"{row['model']}, {NAMES.get(row['latents'], row['latents'])} latent" if row["latents"] else row["model"]


# ------------------------------------------------------------------------------------------------------------- sections


def _findings(tables: Tables) -> str:
    if not _has(tables, "findings"):
        return ""
    body = "".join(
        f'<tr><th scope="row">{escape(r["figure"])}</th><td>{escape(r["finding"])}</td><td>{escape(r["here"])}</td>'
        f'<td class="holds">{escape(r["holds"])}</td><td>{escape(r["exceptions"])}</td></tr>'
        for r in _records(tables["findings"])
    )
    heads = "".join(f"<th>{name}</th>" for name in ("figure", "the paper finds", "here", "holds", "not for"))
    return f'<table class="findings"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _examples(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> str:
    has_examples = _has(tables, "examples", "ecg_examples")
    return example_pictures(tables["examples"], tables["ecg_examples"], specs) if has_examples else ""


def _reconstruction(tables: Tables) -> str:
    if not _has(tables, "reconstruction"):
        return ""
    rows = [
        [
            _source(row),
            NAMES.get(row["decoded"], row["decoded"]),
            f"{row['mse']:.4g} {'µV²' if row['unit'] == 'uV' else 'SD²'}",
            f"{row['mse_low']:.4g} to {row['mse_high']:.4g}" if pd.notna(row.get("mse_low")) else "",
            f"{100 * row['explained']:.0f} %",
        ]
        for row in _records(tables["reconstruction"])
    ]
    header = ["decoded from", "to", "mean squared error", "95 % interval", "of the mean recording's removed"]
    parts = [_table(header, rows)]
    for name, position, title in (
        ("ssim", "frame", "Structural similarity of each frame"),
        ("ecg_correlation", "lead", "Correlation of each lead"),
    ):
        if _has(tables, name):
            parts.append(_by_position(tables[name], position, title))
    return "".join(parts)


def _by_position(table: pd.DataFrame, position: str, title: str) -> str:
    """Chart over frames, or table over leads."""
    score = table.columns[3]
    kinds = list(dict.fromkeys(zip(table["model"], table["latents"], strict=True)))
    if position == "frame":
        series = []
        for color, (model, latents) in enumerate(kinds):
            part = table[(table["model"] == model) & (table["latents"] == latents)]
            series.append((color, [(float(x), y, y, y) for x, y in zip(part["frame"], part[score], strict=True)]))
        names = [f"{model}, {NAMES.get(latents, latents)} latent" for model, latents in kinds]
        return line_chart(title, series, "frame of the cardiac cycle", "SSIM") + legend(names)
    leads = list(dict.fromkeys(table["lead"].astype(str)))
    values = {(r["model"], r["latents"], str(r["lead"])): f"{r[score]:.2f}" for r in _records(table)}
    rows = [[_source({"model": m, "latents": s}), *[values.get((m, s, lead), "") for lead in leads]] for m, s in kinds]
    return f"<h3>{title}</h3>" + _table(["decoded from", *leads], rows)


def _retrieval(tables: Tables) -> str:
    if not _has(tables, "retrieval_curve"):
        return ""
    table = tables["retrieval_curve"]
    parts = []
    for query, key in (("ecg", "mri"), ("mri", "ecg")):
        series: list[tuple[int, list[tuple[float, float, float, float]]]] = []
        chosen = table[table["query"] == query]
        for color, model in enumerate(MODELS):
            rows = _records(chosen[chosen["model"] == model])
            series.append((color, [(r["k"], 100 * r["accuracy"], 100 * r["low"], 100 * r["high"]) for r in rows]))
        chance = _records(chosen.drop_duplicates("k"))
        series.append((4, [(r["k"], *[100 * r["chance"]] * 3) for r in chance]))
        n = int(chosen["n_gallery"].max()) if len(chosen) else 0
        title = f"{NAMES[query]} finds {NAMES[key]} among {n:,}"
        parts.append(line_chart(title, series, "among the first k", "%", is_log_x=True, y_range=(0.0, 100.0)))
    note = '<span class="key" style="background:var(--c4)"></span>chance; bands are 95 % intervals over people.'
    return f'<div class="side">{"".join(parts)}</div>{_models_of(table)}<p class="note">{note}</p>'


def _models_of(table: pd.DataFrame) -> str:
    """Legend of the models that a table has, each in its own colour."""
    present = set(table["model"])
    return legend([model if model in present else "" for model in MODELS])


def _prediction(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> str:
    if not _has(tables, "prediction"):
        return ""
    table = tables["prediction"]
    kernel = table[table["regression"] == "NTK"]
    parts = [
        "<p>Kernel regression with the neural tangent kernel; the mark is the score on people whom neither network nor "
        "regression has seen, the line its 95 % interval.</p>",
        _models_of(kernel),
    ]
    for metric, low in (("R2", -0.1), ("AUROC", 0.4)):
        for modality, name in NAMES.items():
            part = kernel[(kernel["metric"] == metric) & (kernel["latents"] == modality)]
            rows = [(_title(specs, p), _marks(part[part["phenotype"] == p])) for p in dict.fromkeys(part["phenotype"])]
            if rows:
                parts.append(interval_chart(f"{metric} from {name}", rows, low, 1.0))
    header = ["phenotype", "from", "model", "score", "NTK", "linear or logistic"]
    parts.append(f"<details><summary>All numbers</summary>{_table(header, _score_rows(table, specs))}</details>")
    return "".join(parts)


def _title(specs: Mapping[str, PhenotypeSpec], name: str) -> str:
    return specs[name].label if name in specs else name


def _marks(part: pd.DataFrame) -> list[Mark]:
    rows = {row["model"]: row for row in _records(part)}
    return [Mark(i, *(rows[m][key] for key in ("value", "low", "high"))) for i, m in enumerate(MODELS) if m in rows]


def _score_rows(table: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> list[list[str]]:
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    for row in _records(table):
        key = (row["phenotype"], row["latents"], row["model"], row["metric"])
        column = "ntk" if row["regression"] == "NTK" else "linear"
        cells.setdefault(key, {})[column] = f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
    return [
        [_title(specs, p), NAMES.get(latents, latents), model, metric, both.get("ntk", ""), both.get("linear", "")]
        for (p, latents, model, metric), both in sorted(cells.items())
    ]


def _gain(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> str:
    if not _has(tables, "gain"):
        return ""
    table = tables["gain"]
    rows = []
    for (than, latents), part in table.groupby(["than", "latents"], sort=False):
        better, worse = int((part["low"] > 0).sum()), int((part["high"] < 0).sum())
        above = int((part["value"] > 0).sum())
        rows.append(
            [f"{NAMES.get(str(latents), str(latents))}, than {than}", *map(str, (len(part), above, better, worse))]
        )
    header = ["cross-modal latents of", "phenotypes", "better", "surely better", "surely worse"]
    surely = "<p class='note'>Surely: the 95 % interval of the difference on the same people leaves out zero.</p>"
    details = [
        [
            _title(specs, r["phenotype"]),
            NAMES.get(r["latents"], r["latents"]),
            r["than"],
            r["metric"],
            f"{r['value']:+.3f} ({r['low']:+.3f} to {r['high']:+.3f})",
        ]
        for r in _records(table)
    ]
    shown = _table(["phenotype", "from", "than", "score", "difference"], details)
    return f"{_table(header, rows)}{surely}<details><summary>All differences</summary>{shown}</details>"


def _mixing(tables: Tables) -> str:
    if not _has(tables, "mixing"):
        return ""
    header = ["model", "neighbours", "of the other modality", "95 % interval", "well mixed"]
    rows = [
        [
            r["model"],
            f"in the {r['space']}",
            f"{100 * r['share']:.0f} %",
            f"{100 * r['low']:.0f} to {100 * r['high']:.0f} %",
            f"{100 * r['well_mixed']:.0f} %",
        ]
        for r in _records(tables["mixing"])
    ]
    maps = ""
    if _has(tables, "joint_map"):
        table = tables["joint_map"]
        for model in dict.fromkeys(table["model"]):
            part = _records(table[table["model"] == model])
            points = [(r["x"], r["y"], 0 if r["modality"] == "mri" else 1) for r in part]
            maps += scatter_chart(f"t-SNE of both, {model}", points, "", "", has_scale=False)
    return f'<div class="side">{maps}</div>{legend(("MRI", "ECG"))}{_table(header, rows)}'


def _translation(tables: Tables, specs: Mapping[str, PhenotypeSpec]) -> str:
    if not _has(tables, "translation", "translation_people"):
        return ""
    people, charts = tables["translation_people"], ""
    for name in SHOWN_TRANSLATED:
        part = _records(people[people["phenotype"] == name])
        points = [(r["original"], r[cine], i) for i, cine in enumerate(CINES) for r in part]
        title = specs[name].title if name in specs else name
        charts += scatter_chart(title, points, "measured on the original", "measured on the decoded cine")
    header = ["phenotype", "cine", "compared with", "correlation", "95 % interval", "people"]
    table = tables["translation"]
    is_shown = table["phenotype"].isin(SHOWN_TRANSLATED)
    shown, others = (_table(header, _translation_rows(table[part], specs)) for part in (is_shown, ~is_shown))
    details = f"<details><summary>Other phenotypes</summary>{others}</details>" if not is_shown.all() else ""
    said = (
        "<p>A network trained on original cines measures cines decoded from the MRI's own latent (reconstructed) and "
        "from the ECG's (translated).</p>"
    )
    return f'{said}<div class="side">{charts}</div>{legend(CINES)}{shown if is_shown.any() else ""}{details}'


def _translation_rows(table: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> list[list[str]]:
    against = {"truth": "the truth", "original": "the original cine"}
    return [
        [
            _title(specs, r["phenotype"]),
            r["cine"],
            against[r["compared_with"]],
            f"{r['correlation']:.2f}",
            f"{r['low']:.2f} to {r['high']:.2f}",
            str(r["n"]),
        ]
        for r in _records(table)
    ]


def _scaling(tables: Tables) -> str:
    if not _has(tables, "scaling", "scaling_law"):
        return ""
    table, law = tables["scaling"], _records(tables["scaling_law"])[0]
    counts = sorted(set(table["n_labelled"]))
    series = [
        (
            i % N_COLORS,
            [
                (r["n_unlabelled"], r["value"], r["value"], r["value"])
                for r in _records(table[table["n_labelled"] == v])
            ],
        )
        for i, v in enumerate(counts)
    ]
    chart = line_chart(
        "Mean R2 of MRI phenotypes from ECG latents", series, "people without labels (u)", "R2", is_log_x=True
    )
    names = [f"{v:,} people with labels" for v in counts]
    said = (
        f"<p>r = {law['a']:.4f} log2 u {law['b']:+.4f} log2 v {law['c']:+.3f}, R2 = {law['r2']:.3f}. The paper found "
        "0.0158 log2 u + 0.007 log2 v, R2 = 0.983.</p>"
    )
    return said + chart + legend(names)


_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --soft: #5b6676; --line: #dde2e8; --panel: #f5f7f9;
  --c0: #0b6fb8; --c1: #c2410c; --c2: #1b7f5f; --c3: #8b3fb0; --c4: #7a8594; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181f; --soft: #9aa5b4; --line: #2c343f;
  --panel: #1c222b; --c0: #5db4f0; --c1: #f08a5d; --c2: #3fb489; --c3: #c88ae6; --c4: #8a95a4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .7rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
.lead, .note { color: var(--soft); margin: 0 0 1.2rem; }
.note { font-size: .85rem; margin: .5rem 0; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin: 0 .35rem -.05rem .8rem; }
.side { display: flex; flex-wrap: wrap; gap: 1rem; }
.side figure { flex: 1 1 20rem; }
.row { display: flex; gap: .6rem; }
.row figure { margin: 0; flex: 0 1 12rem; }
.row img { width: 100%; image-rendering: pixelated; border-radius: .3rem; display: block; }
.row figcaption { font-weight: 400; font-size: .8rem; white-space: nowrap; }
.person { display: inline-block; width: calc(50% - .6rem); min-width: 20rem; margin: 0 .4rem .6rem 0; }
.findings td, .findings th { vertical-align: top; }
td.holds { font-weight: 600; white-space: nowrap; }
figure { margin: .8rem 0; }
figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; height: auto; display: block; background: var(--panel); border-radius: .5rem; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit; }
svg text.tick { fill: var(--soft); font-size: 11px; }
svg text.label { text-anchor: end; }
svg text.axis { text-anchor: middle; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; margin: .6rem 0; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; }
tr > th[scope=row] { font-weight: 600; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin: .6rem 0; overflow-x: auto; }
summary { cursor: pointer; color: var(--soft); }
@media print { body { padding: 0; max-width: none; font-size: 10pt; } figure, tr { break-inside: avoid; }
  svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="lead">$lead Not for clinical use.</p>
$body
</body>
</html>
""")
