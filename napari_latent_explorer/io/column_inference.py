"""What a column of any table probably is, from its name and its values alone.

The rules, in order; `ColumnProposal.note` says which one decided:

| what is found | taken for |
|---|---|
| values that the file itself labels | binary or categorical, with its labels |
| no value at all | empty, not kept |
| dates only | date, not kept: a date names a person and is no number; give the rule `ever`, or make an age of it |
| at least 90 % numbers (``12,5``, ``<5`` and ``1e3`` count), the rest at most 5 texts | numbers, the texts missing |
| the numbers 0 and 1 only | binary, no and yes; of a column called sex or gender: 0 and 1 |
| two other whole numbers | binary, the larger one positive |
| 3 to 10 whole numbers of 0 to 20, each 5 times on average, no unit in the name | categorical |
| whole numbers, every one different, no unit in the name, called something with "id" | id, not kept |
| other numbers | continuous, with the unit in the name if there is one |
| two texts such as no and yes | binary |
| two texts, each twice on average | binary; the later in the alphabet is the positive one |
| 3 to 30 texts, each twice on average | categorical, in alphabetical order |
| more texts | text, not kept |

A number that may stand for "missing": -9, -99 and so on, where it is the only negative one, is taken so and said; 99,
999 and so on far beyond the rest are only shown as doubtful.
"""

import re
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.io.column_proposal import ColumnKind, ColumnProposal
from napari_latent_explorer.io.column_units import split_unit
from napari_latent_explorer.io.column_values import ColumnValues, code_text, coded, limits
from napari_latent_explorer.io.table_facts import ColumnFacts

MAX_CATEGORIES: Final = 30
NO_FACTS: Final = ColumnFacts()

_MIN_NUMBER_SHARE: Final = 0.9
_MAX_ODD_TEXTS: Final = 5
_MAX_NUMBER_CODES: Final = 10
_LARGEST_CODE: Final = 20
_MIN_REPEATS_OF_CODES: Final = 5
_MIN_REPEATS_OF_TEXTS: Final = 2
_NEGATIVE_SENTINELS: Final = frozenset({-9.0, -99.0, -999.0, -9999.0, -99999.0, -77.0, -88.0, -777.0, -888.0})
_POSITIVE_SENTINELS: Final = frozenset({99.0, 999.0, 9999.0, 99999.0, 77.0, 88.0, 777.0, 888.0, 7777.0, 8888.0})
_FAR_BEYOND: Final = 1.5
_POSITIVE_WORDS: Final = frozenset(
    {
        "yes", "y", "true", "t", "ja", "j", "oui", "si", "sí", "present", "positive", "pos", "case", "1", "+", "male",
        "m", "man", "men", "männlich", "homme", "abnormal", "dead", "event", "affected",
    }
)  # fmt: skip
_NEGATIVE_WORDS: Final = frozenset(
    {
        "no", "n", "false", "f", "nein", "non", "absent", "negative", "neg", "control", "0", "-", "female", "w",
        "woman", "women", "weiblich", "femme", "normal", "alive", "none", "unaffected",
    }
)  # fmt: skip
_DOUBTFUL_WORDS: Final = frozenset(
    {
        "unknown", "missing", "not known", "not available", "unclear", "?", "-", "--", "none", "nd", "n.d.", "k.a.",
        "k. a.", "do not know", "prefer not to answer", "refused", "unbekannt", "fehlt",
    }
)  # fmt: skip
_SEX_NAMES: Final = re.compile(r"\b(sex|gender|geschlecht)\b", re.IGNORECASE)
_ID_NAMES: Final = re.compile(r"(^|[\s_.-])(id|eid|iid|fid|uid|guid|number|nr|mrn|accession)([\s_.-]|$)", re.IGNORECASE)


def propose_column(name: str, values: ColumnValues, facts: ColumnFacts = NO_FACTS) -> ColumnProposal:
    """Propose what the column called `name` is.

    Parameters
    ----------
    name
        Name of the column in its table.
    values
        Its values.
    facts
        What its file says about it.
    """
    label, unit = split_unit(name)
    missing = tuple(values.texts[place] for place in np.flatnonzero(coded(values.texts, facts.missing_codes)))
    draft = ColumnProposal((name,), name, "text", label=facts.label or label, unit=unit, missing_codes=missing)
    values = values.without(missing)
    notes = [f"missing by the table's own word: {', '.join(missing)}"] if missing else []
    proposal = _propose(draft, values, dict(facts.value_labels))
    return replace(proposal, note="; ".join([proposal.note, *notes]))


def _propose(draft: ColumnProposal, values: ColumnValues, label_of: dict[str, str]) -> ColumnProposal:
    if not values.texts:
        return replace(draft, kind="empty", is_kept=False, note="holds no value")
    if label_of and all(code_text(text) in label_of for text in values.texts):
        return _propose_labelled(draft, values, label_of)
    if values.are_dates:
        return replace(draft, kind="date", is_kept=False, note=_DATE_NOTE)
    is_number = np.isfinite(values.numbers)
    share = values.counts[is_number].sum() / values.counts.sum()
    if is_number.all() or (share >= _MIN_NUMBER_SHARE and (~is_number).sum() <= _MAX_ODD_TEXTS):
        return _propose_numbers(draft, values, is_number, label_of)
    return _propose_texts(draft, values)


_DATE_NOTE: Final = (
    "a date, which is no number and may name a person; to keep whether there is one, make it binary with the rule "
    "`ever` and two categories"
)


def _propose_labelled(draft: ColumnProposal, values: ColumnValues, label_of: dict[str, str]) -> ColumnProposal:
    """Take the labels of the file, in the order of its codes."""
    found = {code_text(text) for text in values.texts}
    spelt = [label.strip() or code for code, label in label_of.items()]
    labels = [
        f"{label} ({code})" if spelt.count(label) > 1 else label for label, code in zip(spelt, label_of, strict=True)
    ]
    pairs = [(code, label) for code, label in zip(label_of, labels, strict=True) if code in found or len(label_of) == 2]
    categories = tuple(label for _, label in pairs)
    doubtful = tuple(code for code, label in pairs if label.casefold() in _DOUBTFUL_WORDS)
    if len(pairs) == 1:
        return replace(draft, is_kept=False, note=f"every value is {categories[0]!r}")
    if len(pairs) > MAX_CATEGORIES:
        return replace(draft, is_kept=False, note=f"{len(pairs)} labelled values")
    why = "; ".join(["labels of the file", *([f"may mean missing: {', '.join(doubtful)}"] if doubtful else [])])
    kind: ColumnKind = "binary" if len(pairs) == 2 else "categorical"
    return replace(
        draft, kind=kind, unit="", categories=categories, codes=tuple(pairs), doubtful_codes=doubtful, note=why
    )


def _propose_numbers(
    draft: ColumnProposal, values: ColumnValues, is_number: NDArray[np.bool_], label_of: dict[str, str]
) -> ColumnProposal:
    odd = tuple(np.array(values.texts, dtype=object)[~is_number])
    clear, doubtful = _sentinels(values, is_number)
    if label_of:
        known = {*clear, *doubtful}
        doubtful += tuple(text for text in values.texts if code_text(text) in label_of and text not in known)
    is_value = is_number & ~coded(values.texts, clear)
    numbers, counts = values.numbers[is_value], values.counts[is_value]
    notes = _number_notes(values, odd, clear, doubtful)
    draft = replace(draft, missing_codes=(*draft.missing_codes, *clear, *odd), doubtful_codes=doubtful)
    distinct = np.unique(numbers)
    is_whole = bool((distinct == np.round(distinct)).all())
    is_coded = is_whole and len(distinct) <= _MAX_NUMBER_CODES
    texts = tuple(str(int(number)) for number in distinct) if is_coded else ()
    if len(distinct) == 1:
        why = f"every value is {distinct[0]:g}"
        return replace(draft, kind="continuous", is_kept=False, note="; ".join([why, *notes]))
    if is_coded:
        draft = replace(draft, codes=_other_spellings(values, is_value))
    if is_whole and len(distinct) == 2 and not draft.unit:
        return _propose_two_numbers(draft, texts, notes)
    few = len(distinct) <= _MAX_NUMBER_CODES and distinct[0] >= 0 and distinct[-1] <= _LARGEST_CODE
    if is_whole and few and not draft.unit and counts.sum() >= _MIN_REPEATS_OF_CODES * len(distinct):
        why = f"{len(distinct)} different whole numbers; make it continuous if they count or measure something"
        return replace(draft, kind="categorical", categories=texts, note="; ".join([why, *notes]))
    if is_whole and len(distinct) == counts.sum() and not draft.unit and _ID_NAMES.search(draft.name):
        why = "every value is another number"
        return replace(draft, kind="id", is_kept=False, codes=(), note="; ".join([why, *notes]))
    unit = f"numbers in {draft.unit}" if draft.unit else "numbers; the name tells no unit"
    return replace(draft, kind="continuous", codes=(), note="; ".join([unit, *notes]))


def _other_spellings(values: ColumnValues, is_value: NDArray[np.bool_]) -> tuple[tuple[str, str], ...]:
    """Whole numbers that are not written as such (``1,0``, ``1e1``), and how they are."""
    places = np.flatnonzero(is_value)
    pairs = ((code_text(values.texts[place]), str(int(values.numbers[place]))) for place in places)
    return tuple(dict.fromkeys((text, code) for text, code in pairs if text != code))


def _propose_two_numbers(draft: ColumnProposal, texts: tuple[str, ...], notes: list[str]) -> ColumnProposal:
    if _SEX_NAMES.search(draft.name.replace("_", " ")):
        why = f"{texts[0]} and {texts[1]}: which is female differs from table to table, so give the labels"
        return replace(draft, kind="binary", categories=texts, note="; ".join([why, *notes]))
    if texts == ("0", "1"):
        codes = (("0", "no"), ("1", "yes"), *((text, "yes" if code == "1" else "no") for text, code in draft.codes))
        return replace(
            draft, kind="binary", categories=("no", "yes"), codes=codes, note="; ".join(["0 and 1 only", *notes])
        )
    why = f"only {texts[0]} and {texts[1]}; the larger is taken for the positive one"
    return replace(draft, kind="binary", categories=texts, note="; ".join([why, *notes]))


def _sentinels(values: ColumnValues, is_number: NDArray[np.bool_]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Values that surely, and that perhaps, mean "missing"."""
    numbers, texts = values.numbers[is_number], np.array(values.texts, dtype=object)[is_number]
    negative = numbers < 0
    is_code = np.isin(numbers, list(_NEGATIVE_SENTINELS))
    only_codes = negative.any() and (negative == is_code).all() and (~negative).any()
    clear = tuple(texts[is_code]) if only_codes else ()
    doubtful = tuple(texts[is_code]) if not only_codes else ()
    rest = numbers[~is_code & ~np.isin(numbers, list(_POSITIVE_SENTINELS))]
    largest = rest.max() if len(rest) else np.inf
    far = np.isin(numbers, list(_POSITIVE_SENTINELS)) & (numbers > _FAR_BEYOND * max(largest, 0.0))
    return clear, (*doubtful, *texts[far])


def _number_notes(
    values: ColumnValues, odd: tuple[str, ...], clear: tuple[str, ...], doubtful: tuple[str, ...]
) -> list[str]:
    count_of = dict(zip(values.texts, values.counts.tolist(), strict=True))
    notes = []
    if odd:
        notes.append("not numbers, taken for missing: " + _counted(odd, count_of))
    if clear:
        notes.append("the only negative numbers, taken for missing: " + _counted(clear, count_of))
    if doubtful:
        notes.append("may mean missing, but taken as numbers: " + _counted(doubtful, count_of))
    if bounds := limits(values.texts):
        notes.append("limits, taken as the number itself: " + _counted(bounds[:5], count_of))
    return notes


def _propose_texts(draft: ColumnProposal, values: ColumnValues) -> ColumnProposal:
    n_values, n_rows = len(values.texts), int(values.counts.sum())
    draft = replace(draft, label=draft.name, unit="")
    if n_values == 1:
        return replace(draft, kind="text", is_kept=False, note=f"every value is {values.texts[0]!r}")
    is_pair = {text.casefold() for text in values.texts} <= _POSITIVE_WORDS | _NEGATIVE_WORDS
    if n_values > MAX_CATEGORIES or (n_rows < _MIN_REPEATS_OF_TEXTS * n_values and not is_pair):
        kind: ColumnKind = "id" if n_values == n_rows and _ID_NAMES.search(draft.name) else "text"
        return replace(draft, kind=kind, is_kept=False, note=f"{n_values} different texts in {n_rows} rows")
    doubtful = tuple(text for text in values.texts if text.casefold() in _DOUBTFUL_WORDS)
    labels, codes = _labels(values.texts)
    count_of = dict(zip(values.texts, values.counts.tolist(), strict=True))
    notes = [f"may mean missing, but taken as a category: {_counted(doubtful, count_of)}"] if doubtful else []
    if codes:
        notes.append("spellings that differ in letter case only (or 1 and 1.0) are one category")
    if len(labels) == 2:
        ordered, why = _ordered_pair(labels)
        return replace(
            draft,
            kind="binary",
            categories=ordered,
            codes=codes,
            doubtful_codes=doubtful,
            note="; ".join([why, *notes]),
        )
    why = f"{len(labels)} different texts, in alphabetical order"
    return replace(
        draft,
        kind="categorical",
        categories=labels,
        codes=codes,
        doubtful_codes=doubtful,
        note="; ".join([why, *notes]),
    )


def _labels(texts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Categories in alphabetical order, and which spellings stand for another one's label."""
    label_of: dict[str, str] = {}
    for text in texts:
        label_of.setdefault(code_text(text).casefold(), text)
    meant = [(text, label_of[code_text(text).casefold()]) for text in texts]
    codes = tuple((text, label) for text, label in meant if text != label)
    return tuple(sorted(label_of.values(), key=str.casefold)), codes


def _ordered_pair(labels: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    first, second = labels
    if first.casefold() in _POSITIVE_WORDS and second.casefold() in _NEGATIVE_WORDS:
        return (second, first), f"two texts; {first!r} is the positive one"
    if second.casefold() in _POSITIVE_WORDS and first.casefold() in _NEGATIVE_WORDS:
        return (first, second), f"two texts; {second!r} is the positive one"
    return labels, f"two texts; {second!r} is taken for the positive one, as it is the later in the alphabet"


def _counted(texts: tuple[str, ...], count_of: dict[str, int]) -> str:
    return ", ".join(f"{text} ({count_of[text]})" for text in texts)
