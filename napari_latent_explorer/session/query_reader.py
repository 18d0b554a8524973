"""The tree of a sentence, read as a formula: what each branch means, and what has to be asked.

The hard idea: the tree says how the words belong together, not what they mean. Whether "pressure" is one column or two,
or "over 60" an age, depends on the study and on what stands nearby, so the branches are read in the order of the
sentence and each comparison remembers the column of the one before it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Union

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.query_findings import Note, Problem
from napari_latent_explorer.session.query_formula import Either, Every, Formula, Unknown, conditions_of, every, negated
from napari_latent_explorer.session.query_formula import either as any_of
from napari_latent_explorer.session.query_ranges import Range, RangeError, columns_in, fits, share_of, values_of
from napari_latent_explorer.session.query_token import QueryToken
from napari_latent_explorer.session.query_values import EVERY_NUMBER, MISSING, Condition, Values, above, other_numbers
from napari_latent_explorer.session.query_vocabulary import Sense, Vocabulary

if TYPE_CHECKING:
    from lark import Token, Tree

Branch = Union["Tree[Token]", "Token"]

_MAX_DEPTH: Final = 120
_JOINTS: Final = frozenset({"AND", "OR", "AND_BARE", "OR_BARE", "NOT"})


class SentenceReader:
    """Reads the tree of one sentence.

    Parameters
    ----------
    sentence, tokens
        What was written, and its tokens.
    misfits
        Numbers of tokens that did not fit.
    vocabulary, cohort
        Of the study.

    Attributes
    ----------
    problems, notes
        What was found.
    """

    def __init__(
        self,
        sentence: str,
        tokens: Sequence[QueryToken],
        misfits: frozenset[int],
        vocabulary: Vocabulary,
        cohort: Cohort,
    ) -> None:
        self._sentence = sentence
        self._tokens = tokens
        self._misfits = misfits
        self._vocabulary = vocabulary
        self._cohort = cohort
        self._last_number: tuple[int, str] | None = None
        self._depth = 0
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        self._readers: dict[str, Callable[[Sequence[Branch]], Formula]] = {
            "body": self._body, "clause": self._either, "joint": self._joint, "noun": self._every,
            "people": self._every, "subjects": self._subjects, "mods": self._either, "conj": self._every,
            "seq": self._every, "mod": self._every, "neither": self._every, "scope": self._every, "group": self._every,
            "negated": self._negated, "none_of": self._none_of, "unknown": self._unknown, "has": self._has,
            "chosen": self._chosen, "missing": self._missing, "missed": self._missing, "ranged": self._ranged,
            "not_ranged": self._not_ranged, "top_of": self._top_of, "bare": self._bare, "bare_range": self._bare_range,
            "start": self._every,
        }  # fmt: skip

    def read(self, branch: "Tree[Token]") -> Formula:
        """Read a branch and what is below it."""
        if self._depth >= _MAX_DEPTH:
            self.problems.append(Problem(0, len(self._sentence), "This is nested too deeply.", is_structural=True))
            return Unknown()
        self._depth += 1
        try:
            return self._readers[str(branch.data)](branch.children)
        finally:
            self._depth -= 1

    # ---- what joins

    def _branches(self, children: Sequence[Branch]) -> "list[Tree[Token]]":
        return [child for child in children if not isinstance(child, str)]

    def _token(self, leaf: Branch) -> QueryToken:
        return self._tokens[int(str(leaf))]

    def _kinds(self, children: Sequence[Branch]) -> dict[str, QueryToken]:
        return {child.type: self._token(child) for child in children if isinstance(child, str)}

    def _every(self, children: Sequence[Branch]) -> Formula:
        return every([self.read(child) for child in self._branches(children)])

    def _either(self, children: Sequence[Branch]) -> Formula:
        parts = [self.read(child) for child in self._branches(children)]
        if len(parts) == 1:
            return parts[0]
        joined = any_of(parts)
        if isinstance(joined, Unknown) and len(joined.spans) > 1:
            start, end = min(start for start, _ in joined.spans), max(end for _, end in joined.spans)
            self.notes.append(Note(start, end, f"left out “{self._sentence[start:end]}”, as part of it is unclear"))
        return joined

    def _body(self, children: Sequence[Branch]) -> Formula:
        return self._either(children) if "COMMA_OR" in self._kinds(children) else self._every(children)

    def _joint(self, children: Sequence[Branch]) -> Formula:
        joined = self._every(children)
        conjunction = self._kinds(children).get("AND_NOUN")
        if conjunction is not None and _is_empty(joined):
            text = "Nobody is both. Is “or” meant?"
            self.problems.append(Problem(conjunction.start, conjunction.end, text, ("or",), is_structural=True))
            return Unknown()
        return joined

    def _negated(self, children: Sequence[Branch]) -> Formula:
        return negated(self._every(children))

    def _none_of(self, children: Sequence[Branch]) -> Formula:
        parts = [self.read(child) for child in self._branches(children)]
        if len(parts) > 1:
            start, end = self._span(children)
            self.notes.append(Note(start, end, f"took “{self._sentence[start:end]}” for none of them"))
        return every([negated(part) for part in parts])

    def _span(self, children: Sequence[Branch]) -> tuple[int, int]:
        leaves = [self._token(leaf) for leaf in _leaves(children)]
        return leaves[0].start, leaves[-1].end

    def _unknown(self, children: Sequence[Branch]) -> Formula:
        number = int(str(children[0]))
        token = self._tokens[number]
        problem = token.problem
        if problem is None or number in self._misfits:
            problem = self._misfit(number)
        self.problems.append(problem)
        return Unknown(((token.start, token.end),))

    def _misfit(self, number: int) -> Problem:
        token = self._tokens[number]
        text = self._sentence[token.start : token.end]
        is_last = number == len(self._tokens) - 1
        is_joint = token.word in ("AND", "OR") or token.kind in ("NOT", "WITHOUT", "LPAR", "RPAR", "COMMA", "COMMA_OR")
        words = f"Something is missing after “{text}”." if is_last else f"“{text}” does not fit here."
        return Problem(token.start, token.end, words, is_structural=is_joint and not is_last)

    # ---- people and conditions

    def _subjects(self, children: Sequence[Branch]) -> Formula:
        groups: list[list[Formula]] = [[]]
        joints = []
        for child in children:
            token = self._token(child)
            if token.kind == "JOIN":
                groups.append([])
                joints.append(token)
            elif token.senses:
                condition = self._condition(token)
                groups[-1].append(negated(condition) if token.word == "not" else condition)
        named = [every(group) for group in groups if group]
        if len(named) > 1 and any(joint.word == "AND" for joint in joints):
            start, end = self._span(children)
            self.notes.append(Note(start, end, f"took “{self._sentence[start:end]}” for either of them"))
        return any_of(named) if named else Every()

    def _has(self, children: Sequence[Branch]) -> Formula:
        return self._condition(self._token(children[0]))

    def _condition(self, token: QueryToken) -> Formula:
        senses = [sense for sense in token.senses if sense.kind in ("condition", "interval")]
        sense = self._only(token, senses)
        if sense is None:
            return Unknown(((token.start, token.end),))
        spans = ((token.start, token.end),)
        if sense.kind == "interval":
            label, unit = self._vocabulary.label(sense.phenotype), self._vocabulary.specs[sense.phenotype].unit
            word = self._sentence[token.start : token.end]
            text = f"took “{word}” for {label} of {sense.low:g} {unit} or more"
            self.notes.append(Note(token.start, token.end, text))
            values = above(sense.low, is_open=False)
            return Condition(sense.phenotype, values, other_numbers(values), spans)
        return Condition(sense.phenotype, Values(sense.passes), Values(sense.fails), spans)

    def _only(self, token: QueryToken, senses: Sequence[Sense]) -> Sense | None:
        """Return the only sense; where there are several, ask which is meant."""
        if len(senses) == 1:
            return senses[0]
        self._ask(token, list(senses))
        return None

    def _ask(self, token: QueryToken, senses: Sequence[Sense]) -> None:
        written = self._sentence[token.start : token.end]
        meant = tuple(dict.fromkeys(self._written(sense) for sense in senses))
        text = (
            f"“{written}” can be {' or '.join(meant[:6])}. Which one?" if meant else f"“{written}” fits nothing here."
        )
        self.problems.append(Problem(token.start, token.end, text, meant))

    def _written(self, sense: Sense) -> str:
        name, spec = self._vocabulary.written(sense.phenotype), self._vocabulary.specs[sense.phenotype]
        categories = [category for category in spec.categories if category in sense.passes]
        return name if sense.is_name else f"{name} {' or '.join(categories)}"

    def _chosen(self, children: Sequence[Branch]) -> Formula:
        kinds = self._kinds(children)
        values = self._branches(children)[0]
        chosen: dict[str, frozenset[str]] = {}
        for leaf in values.children:
            for phenotype, categories in self._token(leaf).categories:
                chosen[phenotype] = chosen.get(phenotype, frozenset()) | categories
        name = kinds.get("COND") or kinds["CHOICE"]
        sense = self._only(name, [sense for sense in name.senses if sense.phenotype in chosen])
        span = self._span(children)
        if sense is None:
            return Unknown((span,))
        passes = chosen[sense.phenotype]
        others = frozenset(self._vocabulary.specs[sense.phenotype].categories) - passes
        condition = Condition(sense.phenotype, Values(passes), Values(others), (span,))
        return condition.negated() if "NOT" in kinds else condition

    def _missing(self, children: Sequence[Branch]) -> Formula:
        kinds = self._kinds(children)
        name = next(kinds[kind] for kind in ("NUMBER", "CHOICE", "COND") if kind in kinds)
        sense = self._only(name, [sense for sense in name.senses if sense.is_name])
        span = self._span(children)
        if sense is None:
            return Unknown((span,))
        spec = self._vocabulary.specs[sense.phenotype]
        known = EVERY_NUMBER if spec.kind == "continuous" else Values(frozenset(spec.categories))
        condition = Condition(sense.phenotype, MISSING, known, (span,))
        word = (kinds.get("MISSING") or kinds["MISSED"]).word
        return condition.negated() if word == "not" else condition

    def _bare(self, children: Sequence[Branch]) -> Formula:
        token = self._token(children[0])
        written = self._sentence[token.start : token.end]
        sense = token.senses[0]
        spec = self._vocabulary.specs[sense.phenotype]
        if token.kind == "CHOICE":
            text, suggestions = f"Which {written}?", tuple(f"{written} {name}" for name in spec.categories[:8])
        else:
            text = f"“{written}” needs a range, such as “above” or “below” a number."
            suggestions = (f"{written} above the median", f"{written} below the median", f"missing {written}")
        self.problems.append(Problem(token.start, token.end, text, suggestions))
        return Unknown(((token.start, token.end),))

    # ---- numbers

    def _range(self, children: Sequence[Branch]) -> Range:
        return Range(tuple(self._token(leaf) for leaf in self._branches(children)[-1].children))

    def _ranged(self, children: Sequence[Branch]) -> Formula:
        found, name = self._range(children), self._token(children[0])
        senses = [sense for sense in name.senses if sense.kind == "number"]
        fitting = [sense for sense in senses if fits(found, sense.phenotype, self._vocabulary)]
        sense = self._only(name, fitting or senses)
        if sense is None:
            return Unknown((self._span(children),))
        return self._compared(sense.phenotype, found, self._span(children), _leaves(children)[-1])

    def _not_ranged(self, children: Sequence[Branch]) -> Formula:
        return negated(self._ranged(children))

    def _compared(self, phenotype: str, found: Range, span: tuple[int, int], last: "Token") -> Formula:
        try:
            values, note = values_of(found, phenotype, self._vocabulary, self._cohort)
        except RangeError as error:
            self.problems.append(error.problem)
            return Unknown((span,))
        self._last_number = int(str(last)), phenotype
        self._note_numbers(phenotype, span, note)
        return Condition(phenotype, values, other_numbers(values), (span,))

    def _note_numbers(self, phenotype: str, span: tuple[int, int], note: str) -> None:
        if note:
            written = self._sentence[span[0] : span[1]]
            self.notes.append(Note(*span, f"took “{written}” for {self._vocabulary.label(phenotype)} {note}"))

    def _top_of(self, children: Sequence[Branch]) -> Formula:
        kinds, span = self._kinds(children), self._span(children)
        name = kinds["NUMBER"]
        sense = self._only(name, [sense for sense in name.senses if sense.kind == "number"])
        if sense is None:
            return Unknown((span,))
        try:
            values, note = share_of(kinds["TOP"], sense.phenotype, self._vocabulary, self._cohort)
        except RangeError as error:
            self.problems.append(error.problem)
            return Unknown((span,))
        self._note_numbers(sense.phenotype, span, note)
        return Condition(sense.phenotype, values, other_numbers(values), (span,))

    def _bare_range(self, children: Sequence[Branch]) -> Formula:
        found, leaves = self._range(children), _leaves(children)
        first = int(str(leaves[0]))
        if first and self._tokens[first - 1].kind == "UNKNOWN" and not found.is_age:
            written = self._sentence[found.start : found.end]
            self.notes.append(Note(found.start, found.end, f"left out “{written}”, as the word before it is unclear"))
            return Unknown(((found.start, found.end),))
        phenotype = self._column_of(found, first)
        if phenotype is None:
            return Unknown(((found.start, found.end),))
        return self._compared(phenotype, found, (found.start, found.end), leaves[-1])

    def _column_of(self, found: Range, first: int) -> str | None:
        """Column of a comparison that names none; None when it must be asked."""
        age, written = self._vocabulary.age, self._sentence[found.start : found.end]
        unit = next((one.unit for one in found.quantities if one.unit), "")
        if found.is_age and age is not None:
            return age
        carried = self._carried(first)
        if carried is not None and not found.is_age and fits(found, carried, self._vocabulary):
            return carried
        columns = columns_in(unit, self._vocabulary)
        if len(columns) == 1:
            if columns[0] != age:
                label = self._vocabulary.label(columns[0])
                text = f"took “{written}” for {label}, all that is in {unit}"
                self.notes.append(Note(found.start, found.end, text))
            return columns[0]
        if unit and not columns and age is not None and fits(found, age, self._vocabulary):
            return age
        is_plain = not unit and all(one.kind == "number" for one in found.quantities)
        if age is not None and is_plain and found.comparison and not found.is_no_age:
            return age
        self._ask_column(found, columns, unit)
        return None

    def _carried(self, first: int) -> str | None:
        """Column of the comparison to which this one is joined."""
        if self._last_number is None:
            return None
        last, phenotype = self._last_number
        between = [token.kind for token in self._tokens[last + 1 : first]]
        return phenotype if between and set(between) <= _JOINTS and between != ["NOT"] else None

    def _ask_column(self, found: Range, columns: Sequence[str], unit: str) -> None:
        written = self._sentence[found.start : found.end]
        suggestions = tuple(f"{self._vocabulary.written(name)} {written}" for name in columns[:6])
        if unit and not columns:
            text = f"No column of this study is in {unit}. Write the name of a column before “{written}”."
        else:
            text = f"Of what is “{written}”? Write the name of a column before it."
        is_number = all(one.kind == "number" for one in found.quantities)
        if is_number and not found.comparison and not unit and self._vocabulary.age is not None:
            suggestions = (f"{written}-year-old", f"over {written}", f"under {written}")
        self.problems.append(Problem(found.start, found.end, text, suggestions))


def _leaves(children: Sequence[Branch]) -> "list[Token]":
    found: list[Token] = []
    for child in children:
        if isinstance(child, str):
            found.append(child)
        else:
            found += _leaves(child.children)
    return found


def _is_empty(formula: Formula) -> bool:
    """Whether nobody can meet it."""
    nothing = Values()
    return not isinstance(formula, Either) and any(
        condition.passes == nothing for condition in conditions_of(formula)
    )  # fmt: skip
