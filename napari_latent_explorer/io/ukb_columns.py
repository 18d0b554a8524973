"""Columns of UK Biobank: which field, visit and array a column is, and which phenotypes a table of them holds.

| written by | column |
|---|---|
| UK Biobank's own converter | ``31-0.0``, ``f.31.0.0``, in Stata ``n_31_0_0``, read by R ``X31.0.0`` |
| the Research Analysis Platform | ``p31``, ``p21003_i2``, ``p20002_i2_a0``, ``participant.p31`` |
| the Cohort Browser | ``Sex(participant - p31)`` |
| ukbtools | ``sex_f31_0_0`` |

Of each field the columns of one visit are kept: the wanted one, or the latest before it, which is said; never a later
one, for no heart was shaped by what came afterwards. What holds for good (sex, background, dates of diagnoses) is taken
from any visit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from napari_latent_explorer.io.column_proposal import ColumnKind, ColumnProposal
from napari_latent_explorer.io.ukb_fields import (
    IMAGING_VISIT,
    NOT_PHENOTYPES,
    UKB_PHENOTYPES,
    VISIT_DATE_FIELD,
    VISITS,
    UkbPhenotype,
)

_PLATFORM: Final = r"p(?P<field>\d{1,6})(?:_i(?P<instance>\d{1,3}))?(?:_a(?P<array>\d{1,5}))?"
_FIELD, _INSTANCE, _ARRAY = r"(?P<field>\d{1,6})", r"(?P<instance>\d{1,3})", r"(?P<array>\d{1,5})"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_FIELD}-{_INSTANCE}\.{_ARRAY}",
        rf"[fFxX]\.?{_FIELD}\.{_INSTANCE}\.{_ARRAY}",
        rf"(?:n|s|d|ts)_{_FIELD}_{_INSTANCE}_{_ARRAY}",
        rf"(?P<title>.*_)?f{_FIELD}_{_INSTANCE}_{_ARRAY}",
        r"(?:participant\.)?" + _PLATFORM,
        r"(?P<title>.*?)(?:\s*\|.*)?\(participant - " + _PLATFORM + r"\)",
    )
)
_UNMISTAKABLE: Final = (_PATTERNS[0], re.compile(r"f\.\d+\.\d+\.\d+"), re.compile(r"participant\.p\d+.*"), _PATTERNS[5])
_ID_NAMES: Final = frozenset({"eid", "f.eid", "n_eid", "participant.eid", "participant id(participant - eid)"})


@dataclass(frozen=True, slots=True)
class UkbColumn:
    """A column, and which value of which field it holds.

    Attributes
    ----------
    name
        Name of the column in the table.
    field, instance, array
        Field, visit (None for fields that have none), and which of several values.
    title
        Title of the field where the name tells it.
    """

    name: str
    field: int
    instance: int | None
    array: int
    title: str = ""


def ukb_column(name: str) -> UkbColumn | None:
    """Which value of which field the column called `name` holds; None when it is not named like one."""
    for pattern in _PATTERNS:
        if found := pattern.fullmatch(name.strip()):
            parts = found.groupdict()
            title = (parts.get("title") or "").replace("_", " ").strip()
            instance = int(parts["instance"]) if parts["instance"] is not None else None
            return UkbColumn(name, int(parts["field"]), instance, int(parts["array"] or 0), title)
    return None


def is_ukb_table(names: Iterable[str]) -> bool:
    """Whether columns of these names are UK Biobank's: one is unmistakably so, or one is ``eid``."""
    return any(
        name.strip().lower() in _ID_NAMES or any(pattern.fullmatch(name.strip()) for pattern in _UNMISTAKABLE)
        for name in names
    )


def wanted_visit(columns: Sequence[UkbColumn], instance: int | None) -> int:
    """Visit whose columns are to be taken: the given one, else imaging where the table has such columns, else 0."""
    if instance is not None:
        return instance
    return IMAGING_VISIT if any(column.instance == IMAGING_VISIT for column in columns) else 0


def visit_note(names: Iterable[str], instance: int | None) -> str:
    """Say which visit's columns are taken of a table of UK Biobank; nothing of other tables."""
    written = list(names)
    if not is_ukb_table(written):
        return ""
    visit = wanted_visit([column for name in written if (column := ukb_column(name))], instance)
    return f"Columns of UK Biobank: values of the {_visit_name(visit)} visit are taken, else of the latest before it."


def known_proposals(columns: Sequence[UkbColumn], visit: int) -> Iterator[ColumnProposal]:
    """Phenotypes of the fields that `io.ukb_fields` knows, of each visit, and its fields that are not kept."""
    of_field = _by_field(columns)
    for phenotype in UKB_PHENOTYPES:
        own = [column for field in phenotype.fields for column in of_field.get(field, ())]
        if own and phenotype.rule == "before":
            yield _diagnosis(phenotype, own, of_field.get(VISIT_DATE_FIELD, ()), visit)
        elif own and phenotype.is_once:
            own.sort(key=lambda column: (column.instance != visit, column.instance or 0, column.array))
            yield _proposal(phenotype, own, [])
        else:
            yield from (_of_visit(phenotype, choice) for choice in choices(own, visit))
    for field, reason in NOT_PHENOTYPES.items():
        kind: ColumnKind = "date" if field in (33, VISIT_DATE_FIELD) else "text"
        for column in of_field.get(field, ()):
            yield ColumnProposal((column.name,), column.name, kind, is_kept=False, note=f"field {field}: {reason}")


def unknown_choices(columns: Sequence[UkbColumn], visit: int) -> Iterator["VisitChoice"]:
    """Columns of each field that `io.ukb_fields` does not know, visit by visit."""
    known = {field for phenotype in UKB_PHENOTYPES for field in phenotype.fields} | NOT_PHENOTYPES.keys()
    for field, of_field in _by_field(columns).items():
        if field not in known:
            yield from choices(of_field, visit)


@dataclass(frozen=True, slots=True)
class VisitChoice:
    """Columns of one field (or several that ask the same) at one visit.

    Attributes
    ----------
    columns
        The columns, in the order of their arrays.
    is_taken
        Whether this is the visit that is taken.
    note
        What is to be said about the visit, if anything.
    """

    columns: tuple[UkbColumn, ...]
    is_taken: bool
    note: str

    @property
    def suffix(self) -> str:
        """What tells this choice's name from that of the visit that is taken."""
        return "" if self.is_taken else f"_visit_{self.columns[0].instance}"


def choices(columns: Sequence[UkbColumn], visit: int) -> Iterator[VisitChoice]:
    """Divide the columns of a field by visit and say which one is taken, that one first."""
    instances = sorted({column.instance for column in columns if column.instance is not None})
    possible = [instance for instance in instances if instance <= visit]
    timeless = [column for column in columns if column.instance is None]
    if timeless:
        yield VisitChoice(tuple(sorted(timeless, key=_place)), True, "")
    taken = possible[-1] if possible and not timeless else None
    for instance in sorted(instances, key=lambda instance: (instance != taken, instance)):
        own = tuple(sorted((column for column in columns if column.instance == instance), key=_place))
        if instance == taken:
            note = "" if taken == visit else f"of the {_visit_name(taken)} visit, the latest before the wanted one"
        else:
            note = f"of the {_visit_name(instance)} visit, which is not the wanted one"
        yield VisitChoice(own, instance == taken, note)


def _of_visit(phenotype: UkbPhenotype, choice: VisitChoice) -> ColumnProposal:
    proposal = _proposal(phenotype, choice.columns, [choice.note] if choice.note else [])
    return replace(proposal, name=proposal.name + choice.suffix, is_kept=choice.is_taken)


def _diagnosis(
    phenotype: UkbPhenotype, columns: Sequence[UkbColumn], visit_dates: Sequence[UkbColumn], visit: int
) -> ColumnProposal:
    """Ask whether a diagnosis came before the visit, or ever where the table does not tell the visit's date."""
    date = next((column.name for column in visit_dates if column.instance == visit), None)
    if date is None:
        note = f"ever reported, also after the visit, as the table lacks field {VISIT_DATE_FIELD} of that visit"
        return replace(_proposal(phenotype, columns[:1], [note]), rule="ever", missing_codes=())
    proposal = _proposal(phenotype, columns[:1], [f"reported up to the date of the {_visit_name(visit)} visit"])
    return replace(proposal, sources=(*proposal.sources, date))


def _proposal(phenotype: UkbPhenotype, columns: Sequence[UkbColumn], notes: Sequence[str]) -> ColumnProposal:
    fields = " and ".join(str(field) for field in dict.fromkeys(column.field for column in columns))
    how = {"mean": f"mean of {len(columns)} readings", "any": "yes if it is among the answers"}.get(phenotype.rule)
    return ColumnProposal(
        tuple(column.name for column in columns),
        phenotype.name,
        phenotype.kind,
        note="; ".join([f"field {fields}", *([how] if how else []), *notes]),
        label=phenotype.label,
        unit=phenotype.unit,
        description=phenotype.description,
        categories=phenotype.categories,
        codes=phenotype.codes,
        missing_codes=phenotype.missing_codes,
        rule=phenotype.rule,
    )


def _by_field(columns: Sequence[UkbColumn]) -> dict[int, list[UkbColumn]]:
    of_field: dict[int, list[UkbColumn]] = defaultdict(list)
    for column in columns:
        of_field[column.field].append(column)
    return of_field


def _place(column: UkbColumn) -> tuple[int, int]:
    return column.field, column.array


def _visit_name(instance: int) -> str:
    return f"{VISITS[instance]} ({instance})" if instance in VISITS else f"visit {instance}"
