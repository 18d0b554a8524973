"""Misspelt words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_latent_explorer.session.query_spelling import are_opposites, correct, distance, is_abbreviation, near_words

WORDS = ("hypertension", "women", "lvesv", "diabete", "smoker", "smoke", "systolic", "tachycardia")


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("women", "wmoen", 1), ("female", "femle", 1), ("kitten", "sitting", 3), ("ca", "abc", 3), ("", "ab", 2)],
)
def test_distances_of_textbooks(one, other, far):
    assert distance(one, other, 5) == far
    assert distance(one, other, far - 1) == far  # more than the limit


@given(st.text("abcde", max_size=7), st.text("abcde", max_size=7))
@settings(max_examples=200)
def test_the_distance_is_the_recursive_one(one, other):
    def recursive(a, b):
        if not a or not b:
            return len(a) + len(b)
        steps = [recursive(a[1:], b) + 1, recursive(a, b[1:]) + 1, recursive(a[1:], b[1:]) + (a[0] != b[0])]
        if len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0]:
            steps.append(recursive(a[2:], b[2:]) + 1)
        return min(steps)

    one, other = one[:5], other[:5]
    assert distance(one, other, 20) == recursive(one, other)


@given(st.sampled_from(WORDS), st.integers(0, 11), st.sampled_from("aeiou"))
def test_near_words_are_all_within_the_limit(word, place, letter):
    written = word[:place] + letter + word[place + 1 :]
    expected = {other for other in WORDS if distance(written, other, 2) <= 2}
    assert set(near_words(written, WORDS, 2)) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hypertenson", "hypertension"),
        ("wmoen", "women"),
        ("hypotension", None),  # another disease
        ("lvedv", None),  # another volume
        ("bradycardia", None),
        ("diastolic", None),
        ("smokre", None),  # two are as near
        ("men", None),
        ("hba1c", None),
    ],
)
def test_only_what_cannot_be_another_word_is_corrected(written, meant):
    assert correct(written, WORDS) == meant


def test_words_of_consonants_are_abbreviations():
    assert [word for word in ("lvedv", "qrs", "women", "hypertension") if is_abbreviation(word)] == ["lvedv", "qrs"]


def test_prefixes_that_turn_the_meaning_round_are_seen():
    assert are_opposites("hypertension", "hypotension")
    assert not are_opposites("hypertension", "hypertenson")
