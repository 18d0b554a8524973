"""What is not understood: which words are underlined, what is offered for them, and what is done with the rest."""

import pytest

from napari_latent_explorer.session.filters import CategoryFilter
from napari_latent_explorer.session.query import understand

WOMEN = CategoryFilter("sex", frozenset({"female"}))

# sentence, the words that are underlined, something offered for the first of them ("" when nothing is), what remains
UNCLEAR = [
    ("women with foo", ["foo"], "", ["sex"]),
    ("women over", ["over"], "", ["sex"]),
    ("women and", ["and"], "", ["sex"]),
    ("women with heart failure", ["heart failure"], "", ["sex"]),
    ("hypotension", ["hypotension"], "", []),
    ("women with hyper", ["hyper"], "Hypertension", ["sex"]),
    ("LVM above 100 ml", ["100 ml"], "100 g", []),
    ("age over 60 kg", ["60 kg"], "60 years", []),
    ("LVM above 100,5 g", ["LVM", "above", "100,5 g"], "LVM above the median", []),
    ("volume above 140 ml", ["volume"], "LV end-diastolic volume", []),
    ("ventricular volume above 140", ["ventricular", "volume"], "LV mass", []),
    ("over 120 ms", ["over 120 ms"], "QRS duration over 120 ms", []),
    ("over 5 mmol/l", ["over 5 mmol/l"], "", []),
    ("taller than 170", ["taller than 170"], "", []),
    ("high EF", ["high", "EF"], "top 10 % of", []),
    ("around 60", ["around"], "", []),
    ("women 60", ["60"], "60-year-old", ["sex"]),
    ("LVM", ["LVM"], "LVM above the median", []),
    ("women with smoking", ["smoking"], "smoking current", ["sex"]),
    ("non-smokers", ["non-smokers"], "Smoking never", []),
    ("top LVM", ["top", "LVM"], "top 10 % of", []),
    ("between 60 and 50", ["between 60 and 50"], "50 to 60", []),
    ("over 60 and under 50", ["and"], "or", []),
    ("women with AF, men", ["men"], "", []),
    ("ex-smokers and current smokers", ["and"], "or", []),
    ("non-smoking women", ["non-smoking"], "Smoking never", ["sex"]),
    ("EF below 0.4", ["0.4"], "40 %", []),
    ("women 60 ± 5", ["60 ± 5"], "55 to 65", ["sex"]),
    ("women with HFrEF", ["HFrEF"], "", ["sex"]),
    ("no prior MI", ["MI"], "", []),
    ("healthy women", ["healthy"], "", ["sex"]),
    ("average LVM", ["average", "LVM"], "", []),
    ("women without hypertension, diabetes", [","], ", without", []),
    ("women over 60 and men over 70", ["and"], "or", []),
    ("no diabetes and hypertension", ["and"], "and without", []),
    ("without diabetes, hypertension", [","], ", without", []),
    ("AF, HTN or diabetes", [","], " or", []),
    ("women and AF or HTN", ["and"], "with", []),
    ("women, AF, or over 60", [","], " or", []),
    ("women (AF or HTN", ["("], "", []),
    ("women) with AF", [")"], "", []),
    ("women or or AF", ["or"], "", []),
    ("AF and and HTN", ["and"], "", []),
    ("women $ AF", ["$"], "", ["sex", "atrial_fibrillation"]),
    ("sex", ["sex"], "sex female", []),
    ("pr", ["pr"], "pr above the median", []),
    ("unknown women", ["unknown"], "", ["sex"]),
    ("lvsv above 60", ["lvsv"], "", []),
    ("women with fooo over 60", ["fooo"], "", ["sex"]),
]


@pytest.mark.parametrize(("sentence", "underlined", "offered", "kept"), UNCLEAR, ids=[case[0] for case in UNCLEAR])
def test_what_is_unclear_is_underlined_and_not_guessed(shapes_study, sentence, underlined, offered, kept):
    understanding = understand(sentence, shapes_study.cohort())
    assert [sentence[problem.start : problem.end] for problem in understanding.problems] == underlined
    suggestions = understanding.problems[0].suggestions
    assert offered in suggestions or (not offered and not any(suggestions))
    assert [found.filter.key for found in understanding.filters] == kept
    assert not understanding.is_complete


@pytest.mark.parametrize("sentence", ["women or foo", "not (women and foo)", "AF or (HTN and foo)"])
def test_what_is_put_together_with_something_unclear_is_left_out_as_a_whole(shapes_study, sentence):
    assert understand(sentence, shapes_study.cohort()).filters == ()


def test_what_is_offered_for_an_ambiguous_word_is_understood_in_its_place(shapes_study):
    cohort = shapes_study.cohort()
    for sentence in ("volume above 140 ml", "over 120 ms", "non-smokers", "women with hyper", "LVM", "smoking"):
        (problem,) = understand(sentence, cohort).problems
        assert len(problem.suggestions) > 1
        for suggestion in problem.suggestions:
            repaired = sentence[: problem.start] + suggestion + sentence[problem.end :]
            assert understand(repaired, cohort).problems == ()


def test_a_unit_that_does_not_fit_is_refused_in_words(shapes_study):
    (problem,) = understand("LVM above 100 ml", shapes_study.cohort()).problems
    assert problem.text == "LV mass is in g, into which ml does not convert."


def test_a_comparison_after_an_unclear_word_is_not_taken_for_an_age(shapes_study):
    understanding = understand("women with foo above 140", shapes_study.cohort())
    assert [found.filter for found in understanding.filters] == [WOMEN]
    assert [note.text for note in understanding.notes] == ["left out “above 140”, as the word before it is unclear"]
