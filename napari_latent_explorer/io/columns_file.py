"""``columns.toml``: the proposals for a table's columns, written for a person to correct and read back.

One ``[[column]]`` for each phenotype or column that is not kept; why it was taken for that, and examples, stand above
it as comments and decide nothing. What a person mistypes is named, with what could have been meant.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnKind, ColumnProposal, ColumnRule
from napari_latent_explorer.io.study_table import ID_COLUMN

_MAX_FILE_BYTES: Final = 64 << 20
_MOST_NAMED: Final = 6
_MOST_DOTS: Final = 32
_QUOTED: Final = re.compile(r"""\"[^"\\\n]*(?:\\.[^"\\\n]*)*\"|'[^'\n]*'|#.*""")
_DEEP_KEY: Final = re.compile(rf"^(?:[^\n.]*\.){{{_MOST_DOTS}}}", re.MULTILINE)
"""The TOML parser takes minutes for a key of many parts."""
_TEXTS: Final = ("label", "unit", "description")
_LISTS: Final = ("categories", "missing_codes", "doubtful_codes")
_KEYS: Final = ("name", "sources", "keep", "kind", "rule", *_TEXTS, *_LISTS, "codes")

_HEAD: Final = f"""\
# What each column of a table becomes. Correct it, then give it with `--columns` to the command that reads the table.
#   keep           whether the column becomes a phenotype
#   kind           {", ".join(PHENOTYPE_KINDS)} (others cannot be kept)
#   categories     labels of a binary or categorical one, in order; of a binary one the positive last
#   codes          value in the table = label
#   missing_codes  values of the table that mean "missing"
#   doubtful_codes values that may mean "missing"; they count as values until they are moved to missing_codes
#   rule           how several sources become one value: {", ".join(get_args(ColumnRule))}
"""


def write_columns_file(path: str | Path, proposals: Iterable[ColumnProposal]) -> None:
    """Write the proposals to a TOML file, atomically.

    Raises
    ------
    StudyError
        When the place cannot be written.
    """
    entries = [_entry(proposal) for proposal in proposals]
    write_file(Path(path), "\n".join([_HEAD, *entries]).encode())


def read_columns_file(path: str | Path) -> tuple[ColumnProposal, ...]:
    """Read proposals that were written by `write_columns_file` and perhaps corrected.

    Raises
    ------
    TableError
        When the file is missing or no TOML, or an entry has unknown or unfit keys; all of them are named at once.
    """
    file = Path(path)
    content = _toml(file)
    entries = content.pop("column", [])
    problems = [f"unknown key {key!r} outside [[column]]" for key in content]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TableError(f"{file}: `column` is no list of tables. Write [[column]] above each column.")
    proposals = []
    for place, entry in enumerate(entries, 1):
        found = _entry_problems(entry)
        problems += [f"column {place} ({entry.get('name', 'without a name')}): {problem}" for problem in found]
        if not found:
            proposals.append(_proposal(entry))
    problems += _shared_problems(proposals)
    if problems:
        more = [f"and {len(problems) - _MOST_NAMED} more"] if len(problems) > _MOST_NAMED else []
        problems = [*problems[:_MOST_NAMED], *more]
        raise TableError(f"{file} cannot be used: " + "; ".join(problems) + ". Known keys: " + ", ".join(_KEYS) + ".")
    return tuple(proposals)


def _entry(proposal: ColumnProposal) -> str:
    examples = ", ".join(proposal.examples)
    counts = f"{proposal.n_missing} missing, {proposal.n_distinct} different, e.g. {examples}"
    comments = [f"# {_one_line(text)}" for text in (proposal.note, counts) if text]
    values = {
        "name": proposal.name,
        "sources": list(proposal.sources),
        "keep": proposal.is_kept,
        "kind": proposal.kind,
        "rule": proposal.rule if len(proposal.sources) > 1 or proposal.rule != "first" else None,
        **{key: getattr(proposal, key) or None for key in _TEXTS},
        **{key: list(getattr(proposal, key)) or None for key in _LISTS},
    }
    lines = [f"{key} = {_toml_value(value)}" for key, value in values.items() if value is not None]
    codes = [f"{_toml_value(code)} = {_toml_value(label)}" for code, label in proposal.codes]
    return "\n".join(["", *comments, "[[column]]", *lines, *(["[column.codes]"] if codes else []), *codes])


def _toml_value(value: Any) -> str:
    """Write a value as TOML, whose texts are JSON's but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _toml(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file():  # a pipe would never end
            raise TableError(f"There is no file {file}.")
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise TableError(f"{file} is larger than a file of columns can be ({_MAX_FILE_BYTES} bytes).")
        content = file.read_text("utf-8")
        if _DEEP_KEY.search(_QUOTED.sub("", content)):
            raise TableError(f"{file} has a key in more than {_MOST_DOTS} parts; the keys of columns have one.")
        return tomllib.loads(content)
    except OSError as refusal:
        raise TableError(f"Cannot read {file}: {refusal.strerror or refusal}.") from refusal
    except (ValueError, RecursionError) as damage:
        raise TableError(
            f"{file} is no TOML: {reason_of(damage)}. Correct it, or write it anew with `--columns-out`."
        ) from damage


def _entry_problems(entry: dict[str, Any]) -> list[str]:
    problems = [f"unknown key {key!r}" for key in entry if key not in _KEYS]
    problems += [f"{key} is missing" for key in ("name", "sources", "kind") if key not in entry]
    problems += [f"{key} is not text" for key in ("name", *_TEXTS) if not isinstance(entry.get(key, ""), str)]
    problems += [f"{key} is no list of texts" for key in ("sources", *_LISTS) if not _is_texts(entry.get(key, []))]
    codes = entry.get("codes", {})
    if not isinstance(codes, dict) or not _is_texts(list(codes.values())):
        problems.append("codes is no table of texts")
    if not isinstance(entry.get("keep", True), bool):
        problems.append("keep is neither true nor false")
    for key, known in (("kind", get_args(ColumnKind)), ("rule", get_args(ColumnRule))):
        if key in entry and entry[key] not in known:
            problems.append(f"{key} is {entry[key]!r}, expected one of {', '.join(known)}")
    return problems or _meaning_problems(entry)


def _meaning_problems(entry: dict[str, Any]) -> list[str]:
    """Say what is wrong with an entry of which each value is of the right type."""
    proposal = _proposal(entry)
    problems = [] if proposal.sources else ["sources is empty"]
    if not proposal.is_kept:
        return problems
    strangers = sorted({label for _, label in proposal.codes} - set(proposal.categories))
    if strangers:
        problems.append(f"codes lead to {', '.join(map(repr, strangers))}, which are not in categories")
    if len(set(proposal.categories)) < len(proposal.categories):
        problems.append("categories repeat a label")
    if proposal.kind == "categorical" and not proposal.categories:
        problems.append("categories are missing")
    if proposal.rule in ("ever", "before", "any") and proposal.kind != "binary":
        problems.append(f"the rule {proposal.rule!r} makes a binary phenotype, not a {proposal.kind} one")
    if proposal.rule == "mean" and proposal.kind != "continuous":
        problems.append(f"the rule 'mean' makes a continuous phenotype, not a {proposal.kind} one")
    if proposal.rule == "before" and len(proposal.sources) != 2:
        problems.append("the rule 'before' needs two sources: the date, and the date of the visit")
    try:
        _ = proposal.spec
    except TableError as misfit:
        problems.append(str(misfit).rstrip("."))
    return problems


def _shared_problems(proposals: Sequence[ColumnProposal]) -> list[str]:
    names = [proposal.name for proposal in proposals if proposal.is_kept]
    repeated = sorted({name for name in names if names.count(name) > 1})
    problems = [f"several kept columns are called {', '.join(map(repr, repeated))}"] if repeated else []
    return [
        *problems,
        *([f"{ID_COLUMN!r} is the column of the ids; choose another name"] if ID_COLUMN in names else []),
    ]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _proposal(entry: dict[str, Any]) -> ColumnProposal:
    given: dict[str, Any] = {key: entry.get(key, "") for key in _TEXTS}
    given |= {key: tuple(entry.get(key, ())) for key in _LISTS}
    return ColumnProposal(
        name=entry["name"],
        sources=tuple(entry["sources"]),
        kind=entry["kind"],
        is_kept=entry.get("keep", True),
        rule=entry.get("rule", "first"),
        codes=tuple(entry.get("codes", {}).items()),
        **given,
    )
