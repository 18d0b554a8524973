"""What is offered where a sentence leaves nobody."""

import numpy as np
import pytest
from memory_study import decode_linearly, make_study

from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.query import understand
from napari_latent_explorer.session.query_looser import Loosening, loosened


@pytest.fixture
def explorer():
    """Participant i is i years old; women are even, diabetics are 0, 4, 8 ..."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(make_study())
    explorer.jobs.cancel_all()
    yield explorer
    explorer.close()


def say(explorer: Explorer, sentence: str) -> tuple[Loosening, ...]:
    return loosened(explorer, understand(sentence, explorer.cohort))


def test_each_part_without_which_somebody_is_left_is_named_with_how_many(explorer) -> None:
    sentence = "men over 30 with diabetes"  # diabetics are all women
    found = {sentence[one.start : one.end]: one.n_participants for one in say(explorer, sentence)}
    assert found == {"men": 2, "diabetes": 5}


def test_an_age_is_widened_as_far_as_somebody_needs_it(explorer) -> None:
    sentence = "typical 26-year-old woman with diabetes"
    *_, wider = [one for one in say(explorer, sentence) if one.replacement]
    assert sentence[wider.start : wider.end] == "26-year-old"
    assert (wider.replacement, wider.n_participants) == ("24 to 28-year-old", 2)
    again = understand(sentence.replace("26-year-old", wider.replacement), explorer.cohort)
    assert again.wants_representative
    mask = np.logical_and.reduce([one.filter.mask(explorer.cohort) for one in again.filters])
    assert np.flatnonzero(mask).tolist() == [24, 28]


def test_nobody_is_offered_where_no_age_helps_or_the_filters_of_a_map_leave_nobody(explorer) -> None:
    assert [one.replacement for one in say(explorer, "26-year-old men with diabetes") if one.replacement] == []
    explorer.exclude(explorer.cohort.participant_ids, "all of them")
    assert say(explorer, "26-year-old women with diabetes") == ()


def test_what_is_not_understood_is_not_loosened(explorer) -> None:
    assert say(explorer, "26-year-old women with diabetes and gout") == ()
