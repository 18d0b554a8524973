"""Sentences against a brute-force evaluation, one participant after the other; and sentences that mean harm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_latent_explorer.session.filter_exchange import filter_from_dict, filter_to_dict
from napari_latent_explorer.session.query import MAX_CHARS, understand
from napari_latent_explorer.simulation.population import simulate_population

COHORT = simulate_population(150, seed=7).cohort()
BOUNDS = {"age": (50, 60, 70), "BMI": (22, 26, 30), "LVM": (70, 90, 110), "EF": (45, 55, 60)}
COLUMNS = {"age": "age", "BMI": "bmi", "LVM": "lvm", "EF": "lvef"}
COMPARISONS = {
    "above": lambda value, bound: value > bound,
    "below": lambda value, bound: value < bound,
    "at least": lambda value, bound: value >= bound,
    "at most": lambda value, bound: value <= bound,
}
DISEASES = {
    "AF": "atrial_fibrillation",
    "HTN": "hypertension",
    "diabetes": "diabetes",
    "CAD": "coronary_artery_disease",
}
SMOKING = {"never smokers": "never", "ex-smokers": "previous", "current smokers": "current"}


def text_of(meaning):
    """Write what is meant, everything put together in parentheses."""
    match meaning:
        case ("number", name, word, bound):
            return f"{name} {word} {bound}"
        case ("disease", name):
            return name
        case ("smoking", name):
            return name
        case ("missing", name):
            return f"missing {name}"
        case ("not", part):
            return f"not ({text_of(part)})"
        case (joint, *parts):
            return f" {joint} ".join(f"({text_of(part)})" for part in parts)


def verdict(meaning, row):
    """Whether it holds for one participant: True, False, or None where nobody knows."""
    match meaning:
        case ("number", name, word, bound):
            value = float(COHORT.phenotypes[COLUMNS[name]].iloc[row])
            return None if math.isnan(value) else COMPARISONS[word](value, bound)
        case ("disease", name):
            value = COHORT.phenotypes[DISEASES[name]].iloc[row]
            return None if not isinstance(value, str) else value == "yes"
        case ("smoking", name):
            value = COHORT.phenotypes["smoking"].iloc[row]
            return None if not isinstance(value, str) else value == SMOKING[name]
        case ("missing", name):
            value = COHORT.phenotypes[{**COLUMNS, "smoking": "smoking"}[name]].iloc[row]
            return not isinstance(value, str) and math.isnan(value)
        case ("not", part):
            found = verdict(part, row)
            return None if found is None else not found
        case (joint, *parts):
            found = [verdict(part, row) for part in parts]
            settling = joint == "or"
            return settling if settling in found else None if None in found else not settling


LEAVES = st.one_of(
    st.sampled_from(sorted(BOUNDS)).flatmap(
        lambda name: st.tuples(
            st.just("number"), st.just(name), st.sampled_from(sorted(COMPARISONS)), st.sampled_from(BOUNDS[name])
        )
    ),
    st.tuples(st.just("disease"), st.sampled_from(sorted(DISEASES))),
    st.tuples(st.just("smoking"), st.sampled_from(sorted(SMOKING))),
    st.tuples(st.just("missing"), st.sampled_from(["BMI", "smoking"])),
)
MEANINGS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.tuples(st.just("not"), parts),
        st.tuples(st.just("and"), parts, parts),
        st.tuples(st.just("or"), parts, parts, parts),
    ),
    max_leaves=6,
)


def mask_of(understanding):
    mask = np.ones(len(COHORT), np.bool_)
    for found in understanding.filters:
        mask &= found.filter.mask(COHORT)
    return mask


@given(meaning=MEANINGS)
@settings(max_examples=80)
def test_who_passes_is_who_a_brute_force_evaluation_lets_pass(meaning):
    understanding = understand(text_of(meaning), COHORT)
    assert {problem.text for problem in understanding.problems} <= {
        "Nobody can be all this at once.",
        "Nobody can be all this at once. Is “or” meant?",
    }
    if understanding.is_complete:
        expected = [verdict(meaning, row) is True for row in range(len(COHORT))]
        np.testing.assert_array_equal(mask_of(understanding), expected)
        keys = [found.filter.key for found in understanding.filters]
        assert len(set(keys)) == len(keys)
        for found in understanding.filters:
            assert filter_from_dict(filter_to_dict(found.filter)) == found.filter


WORDS = [
    "women", "men", "over", "under", "60", "AF", "HTN", "and", "or", "not", "without", "with", "(", ")", ",", "LVM",
    "EF", "between", "to", "g", "%", "missing", "top", "10 %", "of", "is", "foo", "60-year-old", "smokers", "smoking",
    "never", "representative", "sixties", "or more", "-", "=", "or older", "known", "median", "previous",
]  # fmt: skip


@given(words=st.lists(st.sampled_from(WORDS), max_size=14))
@settings(max_examples=150)
def test_words_in_any_order_are_understood_or_underlined(words):
    sentence = " ".join(words)
    understanding = understand(sentence, COHORT)
    for span in (*understanding.problems, *understanding.notes):
        assert 0 <= span.start <= span.end <= len(sentence)
    for found in understanding.filters:
        found.filter.mask(COHORT)
        assert all(0 <= start < end <= len(sentence) for start, end in found.spans)


@given(sentence=st.text(max_size=200))
@settings(max_examples=50)
def test_any_text_is_survived(sentence):
    understand(sentence, COHORT)


@pytest.mark.parametrize(
    "sentence",
    [
        "women " * 2000,
        "(" * 5000,
        "(" * 400 + "AF" + ")" * 400,
        "not " * 250 + "AF",
        "with AF or " * 90 + "HTN",
        "without " * 120,
        "(not " * 100 + "AF" + ")" * 100,
        "\x00\x1b[31m women \u202e over \u2028 60",
        "(a+)+$ .*.*.*.* [^x]{1,99999} \\1 (?=",
        "9" * 900,
        "over " + "9" * 400,
        "1e999 inf nan -inf",
        "'; DROP TABLE participants; --",
        "__import__('os').system('true')",
        '"' * 999,
        "hypertnsion " * 80,
        "xqzvw " * 160,
        "top 0 % of LVM, top 100 % of LVM, 101st percentile",
        "LVM above the 400th percentile",
        "60" + "-" * 900 + "70",
        "٣٤ women over ٦٠",
    ],
    ids=range(21),
)
def test_harm_is_underlined_and_not_more(sentence):
    understanding = understand(sentence, COHORT)
    for found in understanding.filters:
        found.filter.mask(COHORT)
    if len(sentence) > MAX_CHARS:
        assert understanding.filters == ()
        assert (understanding.problems[-1].start, understanding.problems[-1].end) == (MAX_CHARS, len(sentence))
