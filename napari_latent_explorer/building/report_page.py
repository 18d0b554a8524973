"""``report.html``: what a study was built from, on one page that needs nothing else and can be printed.

Every text that comes from a file or its name is escaped; the page holds no script and asks for nothing from elsewhere.
"""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from napari_latent_explorer.building.outcomes import OUTCOMES
from napari_latent_explorer.building.report import REPORT_TABLE, ReportSummary

_MODALITIES = {"mri": "Cine MRI", "ecg": "ECG", "labels": "Label maps"}
_BOX_WORDS = {"labels": "from the label map", "motion": "from what moves", "by hand": "drawn by hand"}
_MAX_REASONS_SHOWN = 60
_MAX_TEXT = 400


def make_page(name: str, summary: ReportSummary, warnings: Sequence[str], facts: Sequence[tuple[str, str]]) -> str:
    """Page for a browser.

    Parameters
    ----------
    name
        Name of the study.
    summary
        What the report holds.
    warnings
        What the plan said, in sentences.
    facts
        What it was built from: a name, and what was given.
    """
    parts = [
        _tiles(summary),
        _section("What you should know", _list(warnings)) if warnings else "",
        _section("Files", _file_bars(summary)),
        _section("Heart boxes", _boxes(summary)) if summary.heart_boxes else "",
        _section("Why files were not used", _reasons(summary)),
        _section("Recordings that could not be read", _troubled(summary)),
        _section("What was given", _facts(facts)),
    ]
    return _PAGE.substitute(title=escape(name), body="\n".join(parts), table=REPORT_TABLE)


def _tiles(summary: ReportSummary) -> str:
    entries = [
        (summary.n_participants, "participants", ""),
        (summary.recordings["mri"], "with a cine", ""),
        (summary.recordings["ecg"], "with an ECG", ""),
        (summary.recordings["both"], "with both", ""),
        (summary.recordings["labels"], "with labels", ""),
        (summary.n_without_recording, "with nothing readable", "bad"),
    ]
    shown = [entry for entry in entries if entry[0] or entry[1] in ("participants", "with both")]
    tiles = "".join(
        f'<div class="tile {kind}"><b>{number:,}</b><span>{label}</span></div>' for number, label, kind in shown
    )
    return f'<div class="tiles">{tiles}</div>'


def _file_bars(summary: ReportSummary) -> str:
    rows = []
    for modality, title in _MODALITIES.items():
        counts = {outcome: summary.files[modality, outcome] for outcome in OUTCOMES}
        total = sum(counts.values())
        if not total:
            continue
        bar = "".join(
            f'<i class="{outcome}" style="flex-grow:{n}" title="{n:,} {outcome}"></i>'
            for outcome, n in counts.items()
            if n
        )
        said = ", ".join(f"{n:,} {outcome}" for outcome, n in counts.items() if n)
        rows.append(
            f'<tr><th scope="row">{title}</th><td class="wide"><div class="bar">{bar}</div></td><td>{said}</td></tr>'
        )
    if not rows:
        return "<p>No file was looked at.</p>"
    note = "Members of archives count as files. "
    return f"<table>{''.join(rows)}</table><p class='note'>{note}{_LEGEND}</p>"


_LEGEND = (
    '<span class="key used"></span>used <span class="key skipped"></span>left aside '
    '<span class="key failed"></span>could not be read'
)


def _boxes(summary: ReportSummary) -> str:
    counted = summary.heart_boxes.most_common()
    return _list([f"{n:,} {_BOX_WORDS.get(source, source)}" for source, n in counted])


def _reasons(summary: ReportSummary) -> str:
    wanted = [one for one in summary.reasons.values() if one.outcome != "used"]
    wanted.sort(key=lambda one: (one.outcome != "failed", -one.n_files, one.modality, one.reason))
    if not wanted:
        return "<p>Every file that was found is used.</p>"
    rows = [
        f'<tr><td><span class="chip {one.outcome}">{one.outcome}</span></td>'
        f'<td class="kind">{_kind(one.modality)}</td><td class="number">{one.n_files:,}</td>'
        f'<td class="number">{one.n_participants:,}</td><td>{_text(one.reason)}</td>'
        f'<td class="file">{_text(one.example)}</td></tr>'
        for one in wanted[:_MAX_REASONS_SHOWN]
    ]
    head = _head("", "Kind", "Files", "People", "Reason (of the first)", "First file")
    more = len(wanted) - _MAX_REASONS_SHOWN
    note = f"<p class='note'>And {more} more reasons; all are in the table.</p>" if more > 0 else ""
    return f"<table>{head}{''.join(rows)}</table>{note}"


def _troubled(summary: ReportSummary) -> str:
    if not summary.troubled:
        return "<p>None.</p>"
    rows = [
        f'<tr><td>{_text(row.participant_id)}</td><td class="kind">{_kind(row.modality)}</td>'
        f'<td class="file">{_text(row.file)}</td><td>{_text(row.reason)}</td></tr>'
        for row in summary.troubled
    ]
    n_failed = sum(n for (_, outcome), n in summary.files.items() if outcome == "failed")
    note = ""
    if n_failed > len(rows):
        note = f"<p class='note'>The first {len(rows)} of {n_failed:,}; all are in the table.</p>"
    return f"<table>{_head('Participant', 'Kind', 'File', 'Reason')}{''.join(rows)}</table>{note}"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="file">{_text(value)}</td></tr>' for name, value in facts
    )
    return f"<table>{rows}</table>"


def _kind(modality: str) -> str:
    return escape(_MODALITIES.get(modality, modality.capitalize()))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _list(sentences: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences) + "</ul>"


def _head(*titles: str) -> str:
    return "<thead><tr>" + "".join(f'<th scope="col">{escape(title)}</th>' for title in titles) + "</tr></thead>"


def _text(text: str) -> str:
    return escape(text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + " ...")


_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title: what it was built from</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --soft: #5b6676; --line: #dde2e8; --panel: #f5f7f9;
  --used: #1b7f5f; --skipped: #a7b1bd; --failed: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181f; --soft: #9aa5b4; --line: #2c343f;
  --panel: #1c222b; --used: #3fb489; --skipped: #5f6b79; --failed: #f08a5d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 .7rem; }
.lead, .note { color: var(--soft); margin: 0 0 1.6rem; }
.note { font-size: .85rem; margin: .6rem 0 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .7rem; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
.tile.bad b { color: var(--failed); }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tr > th[scope=row] { white-space: nowrap; font-weight: 600; width: 1%; padding-right: 1.5rem; }
td.kind { white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.file { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .8rem; }
td.wide { width: 55%; }
.bar { display: flex; height: 1.1rem; border-radius: .25rem; overflow: hidden; background: var(--panel); }
.bar i { min-width: 2px; }
i.used, .key.used { background: var(--used); }
i.skipped, .key.skipped { background: var(--skipped); }
i.failed, .key.failed { background: var(--failed); }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin: 0 .35rem -.1rem .8rem; }
.chip { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; font-size: .78rem; white-space: nowrap; }
.chip.failed { color: var(--failed); }
.chip.skipped { color: var(--soft); }
ul { margin: 0; padding-left: 1.2rem; }
li { margin: .25rem 0; }
a { color: inherit; }
@media print { body { padding: 0; max-width: none; font-size: 10pt; } .tile, .bar i, .key, .bar {
  print-color-adjust: exact; -webkit-print-color-adjust: exact; } tr, .tile { break-inside: avoid; }
  h2 { break-after: avoid; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="lead">What this study was built from. Every file has a row in <a href="$table">$table</a>.
Not for clinical use.</p>
$body
</body>
</html>
""")
