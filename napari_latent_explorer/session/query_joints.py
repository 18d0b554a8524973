"""What holds a sentence together: each "and", "or", "not" and comma told apart by its neighbours.

The hard idea: English leaves open what logic needs. "Without A or B" has neither, and that is certain; but "without A
and B", "without A, B" and "A, B or C" can each be read in two ways with different people, so they are not read at all:
the word in doubt is named, with both readings to choose from.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from napari_latent_explorer.session.query_findings import Problem
from napari_latent_explorer.session.query_token import QueryToken

_BARE: Final = frozenset({"COND", "CHOICE", "NUMBER", "MISSING"})
_THINGS: Final = frozenset({"COND", "CHOICE", "NUMBER"})
_PEOPLE_CHAIN: Final = frozenset({"COND", "QUANTITY", "NOT", "WITHOUT"})
_LETTERS: Final = {
    "COND": "c", "WITHOUT": "x", "OR_BARE": "o", "AND_BARE": "a", "COMMA": ",", "COMMA_OR": ";", "IS": "i",
    "SUBJECT": "s", "AND_NOUN": "n", "OR": "O", "LPAR": "(", "RPAR": ")",
}  # fmt: skip
_NONE_AND: Final = re.compile(r"x(?:co)*c(?P<doubt>a)c(?!i)")
_NONE_COMMA: Final = re.compile(r"x(?:co)*c(?P<doubt>,)c(?!i)")
_NONE_LIST: Final = re.compile(r"xc(?:,c)+[o;]c(?!i)")
_LIST_OR: Final = re.compile(r"c(?P<doubt>,)(?:c,)*c[o;]c")
_PEOPLE_AND_OR: Final = re.compile(r"s(?P<doubt>n)[^,;()s]*[oO]")
_MAX_DEPTH: Final = 10


def join(tokens: Sequence[QueryToken]) -> tuple[list[QueryToken], list[Problem]]:
    """Give every joint its kind; also what is in doubt."""
    tokens, problems = _balanced(tokens)
    tokens = _without_spare_joints(_known_and_missing(_average_people(tokens)))
    tokens = _none_of_a_list(_with_joint_kinds(_turned_people(tokens)))
    return tokens, [*problems, *_doubts(tokens)]


def _balanced(tokens: Sequence[QueryToken]) -> tuple[list[QueryToken], list[Problem]]:
    """Leave out parentheses without a partner, and those nested too deeply."""
    open_places: list[int] = []
    single: list[int] = []
    deepest = 0
    for place, token in enumerate(tokens):
        if token.kind == "LPAR":
            open_places.append(place)
            deepest = max(deepest, len(open_places))
        elif token.kind == "RPAR" and open_places:
            open_places.pop()
        elif token.kind == "RPAR":
            single.append(place)
    single += open_places
    problems = [
        Problem(
            tokens[place].start, tokens[place].end, "This parenthesis has no partner.", ("",), is_structural=True
        )
        for place in sorted(single)[:_MAX_DEPTH]
    ]  # fmt: skip
    if deepest > _MAX_DEPTH:
        first = next(token for token in tokens if token.kind == "LPAR")
        text = f"Parentheses can be nested {_MAX_DEPTH} deep; these are {deepest}."
        problems.append(Problem(first.start, tokens[-1].end, text, is_structural=True))
        return [token for token in tokens if token.kind not in ("LPAR", "RPAR")], problems
    return [token for place, token in enumerate(tokens) if place not in set(single)], problems


def _average_people(tokens: list[QueryToken]) -> list[QueryToken]:
    """Take "the average man" for the typical one; an average of numbers follows "above" or "below"."""
    if len(tokens) < 2 or tokens[0].quantity is None or tokens[0].quantity.kind != "mean":
        return tokens
    is_of_people = tokens[1].kind in ("SUBJECT", "COND", "QUANTITY")
    return [replace(tokens[0], kind="LEAD", quantity=None), *tokens[1:]] if is_of_people else tokens


def _none_of_a_list(tokens: list[QueryToken]) -> list[QueryToken]:
    """Let the commas of "without A, B or C" say what its "or" says."""
    letters = "".join(_LETTERS.get(token.kind, ".") for token in tokens)
    commas = {
        place for found in _NONE_LIST.finditer(letters) for place in range(*found.span()) if letters[place] in ",;"
    }
    return [replace(token, kind="OR_BARE") if place in commas else token for place, token in enumerate(tokens)]


def _known_and_missing(tokens: list[QueryToken]) -> list[QueryToken]:
    """Let "missing" and "known" belong to the column before or after; "known" diseases are diseases."""
    joined: list[QueryToken] = []
    for place, token in enumerate(tokens):
        if token.kind not in ("MISSING", "KNOWN"):
            joined.append(token)
            continue
        word = "not" if token.kind == "KNOWN" else ""
        following = tokens[place + 1].kind if place + 1 < len(tokens) else ""
        before = [other.kind for other in joined[-2:]]
        is_after_name = before[-1:] in (["NUMBER"], ["CHOICE"], ["COND"]) or before[-1:] == ["IS"]
        if following in (_THINGS if token.kind == "MISSING" else _THINGS - {"COND"}):
            joined.append(replace(token, kind="MISSING", word=word))
        elif is_after_name and (token.kind == "MISSING" or before[-1:] == ["IS"] or before[-1:] != ["COND"]):
            joined.append(replace(token, kind="MISSED", word=word))
        elif token.kind == "MISSING":
            problem = Problem(token.start, token.end, "What is missing? Write for example “missing BMI”.")
            joined.append(replace(token, kind="UNKNOWN", problem=problem))
    return joined


def _without_spare_joints(tokens: list[QueryToken]) -> list[QueryToken]:
    """Leave out what says nothing: "with" after "without", "and" after a comma, commas at the ends."""
    kept: list[QueryToken] = []
    for token in tokens:
        last = kept[-1].kind if kept else "START"
        if token.kind == "WITH" and last in ("WITH", "NOT", "WITHOUT"):
            continue
        if token.kind in ("AND", "COMMA") and last in ("COMMA", "COMMA_OR"):
            continue
        if token.kind == "COMMA" and last in ("START", "LPAR"):
            continue
        if token.kind == "OR" and last == "COMMA":
            kept[-1] = replace(kept[-1], kind="COMMA_OR", end=token.end)
            continue
        if token.kind == "RPAR" and last == "COMMA":
            kept.pop()
        kept.append(token)
    while kept and kept[-1].kind == "COMMA":
        kept.pop()
    return kept


def _turned_people(tokens: list[QueryToken]) -> list[QueryToken]:
    """Make one token of "not women"."""
    turned: list[QueryToken] = []
    for token in tokens:
        if token.kind == "SUBJECT" and token.senses and turned and turned[-1].kind in ("NOT", "WITHOUT"):
            start = turned.pop().start
            turned.append(replace(token, start=start, word="not"))
        else:
            turned.append(token)
    return turned


def _with_joint_kinds(tokens: list[QueryToken]) -> list[QueryToken]:
    kinds = [token.kind for token in tokens]
    for place, kind in enumerate(kinds):
        if kind in ("AND", "OR"):
            kinds[place] = _joint_kind(kinds, place)
    return [replace(token, kind=kind, word=token.word or token.kind) for token, kind in zip(tokens, kinds, strict=True)]


def _joint_kind(kinds: Sequence[str], place: int) -> str:
    kind, before, after = kinds[place], kinds[place - 1] if place else "", (*kinds[place + 1 : place + 2], "")[0]
    if kind == "AND" and before == after == "QUANTITY" and kinds[place - 2 : place - 1] == ["RANGE"]:
        return "TO"
    if before == after == "SUBJECT":
        return "JOIN"
    if after == "CATEGORY":
        return "OR_VALUE"
    if "SUBJECT" in (before, after):
        return f"{kind}_NOUN"
    if _has_people_before(kinds, place) and _leads_to_people(kinds, place + 1):
        return f"{kind}_NOUN"
    if after in (_BARE if kind == "OR" else {"COND"}):
        return f"{kind}_BARE"
    return kind


def _has_people_before(kinds: Sequence[str], place: int) -> bool:
    """Whether people are named before, in the same clause."""
    for kind in reversed(kinds[:place]):
        if kind in ("COMMA", "COMMA_OR", "LPAR"):
            return False
        if kind == "SUBJECT":
            return True
    return False


def _leads_to_people(kinds: Sequence[str], place: int) -> bool:
    while place < len(kinds) and kinds[place] in _PEOPLE_CHAIN:
        place += 1
    return place < len(kinds) and kinds[place] == "SUBJECT"


def _doubts(tokens: Sequence[QueryToken]) -> list[Problem]:
    """Find what can be read in two ways."""
    letters = "".join(_LETTERS.get(token.kind, ".") for token in tokens)
    problems = []
    for pattern, text, suggestions in (
        (_NONE_AND, "Is what follows wanted too, or also unwanted?", ("and without", "and with")),
        (_NONE_COMMA, "Is what follows wanted too, or also unwanted?", (", without", ", with")),
        (_LIST_OR, "Does this comma mean “or” or “and”?", (" or", " and")),
        (
            _PEOPLE_AND_OR,
            "For people with one or the other write “with”; else put what belongs together into ( ).",
            ("with",),
        ),
    ):
        for found in pattern.finditer(letters):
            token = tokens[found.start("doubt")]
            problems.append(Problem(token.start, token.end, text, suggestions, is_structural=True))
    return problems or _mixed_commas(tokens)


def _mixed_commas(tokens: Sequence[QueryToken]) -> list[Problem]:
    depth = 0
    kinds: dict[int, dict[str, QueryToken]] = {}
    for token in tokens:
        depth += (token.kind == "LPAR") - (token.kind == "RPAR")
        if token.kind in ("COMMA", "COMMA_OR"):
            kinds.setdefault(depth, {}).setdefault(token.kind, token)
    text = "Does this comma mean “or” or “and”? There is another with “or”."
    return [
        Problem(found["COMMA"].start, found["COMMA"].end, text, (" or", " and"), is_structural=True)
        for found in kinds.values()
        if len(found) == 2
    ]
