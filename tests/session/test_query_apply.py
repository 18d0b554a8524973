"""What a sentence does to the session."""

import numpy as np
import pytest

from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter, RangeFilter
from napari_latent_explorer.session.query import understand
from napari_latent_explorer.session.query_apply import apply_sentence, count_understood, is_applied, learn_words


@pytest.fixture
def explorer(shapes_study, shapes_bundle, shapes_decoder):
    explorer = Explorer(decode_fn=shapes_decoder)
    explorer.open(shapes_study, shapes_bundle)
    assert explorer.jobs.wait(60.0)
    yield explorer
    explorer.close()


def say(explorer, sentence):
    understanding = understand(sentence, explorer.cohort)
    assert understanding.is_complete
    n_expected = count_understood(explorer, understanding)
    apply_sentence(explorer, understanding)
    assert explorer.view_state.n_visible == n_expected
    assert is_applied(explorer, understanding)


def test_the_filters_become_those_of_the_sentence_in_one_step_to_undo(explorer):
    explorer.set_filter(RangeFilter("bmi", 20.0, 30.0))
    heard = []
    explorer.filters_changed.connect(lambda: heard.append(explorer.filters))
    say(explorer, "women with AF or HTN")
    assert {chosen.key for chosen in explorer.filters} == {"sex", "sentence"}
    assert len(heard) == 1
    explorer.undo()
    assert explorer.filters == (RangeFilter("bmi", 20.0, 30.0),)
    explorer.undo()
    assert explorer.filters == ()


def test_a_lasso_stays_and_counts(explorer):
    projection = explorer.projections["mri"]
    low, high = projection.coordinates.min(axis=0), np.median(projection.coordinates, axis=0)
    corners = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    lasso = MapFilter("mri", tuple((float(x), float(y)) for x, y in corners), projection.fingerprint)
    explorer.set_filter(lasso)
    n_inside = explorer.view_state.n_visible
    say(explorer, "women")
    assert lasso in explorer.filters
    assert explorer.view_state.n_visible < n_inside
    say(explorer, "everyone")
    assert explorer.filters == (lasso,)


def test_a_representative_is_of_all_who_are_left_and_is_reconstructed(explorer):
    explorer.select(explorer.cohort.participant_ids[:3])
    say(explorer, "representative women with hypertension")
    group = explorer.active_group
    expected = [
        participant_id
        for participant_id, sex, disease in zip(
            explorer.cohort.participant_ids,
            explorer.cohort.phenotypes["sex"],
            explorer.cohort.phenotypes["hypertension"],
            strict=True,
        )
        if (sex, disease) == ("female", "yes")
    ]
    assert group.participant_ids.tolist() == expected
    assert group.name == "women with hypertension"
    np.testing.assert_array_equal(explorer.probe.vector, group.representative.vector)
    assert explorer.current_participant == group.representative.participant_id
    explorer.set_active_group(None)
    say(explorer, "typical hypertensive women")
    assert (explorer.groups, explorer.active_group) == ((group,), group)
    explorer.exclude(expected[:1], "motion")
    say(explorer, "representative women with hypertension")
    assert [len(one) for one in explorer.groups] == [len(expected), len(expected) - 1]
    assert explorer.groups[1].name != explorer.groups[0].name


def test_a_long_sentence_is_cut_between_words_to_name_its_group(explorer):
    say(explorer, "representative 50 to 70-year-old woman with hypertension and without diabetes")
    assert explorer.groups[0].name == "50 to 70-year-old woman with …"


def test_nobody_has_a_representative(explorer):
    apply_sentence(explorer, understand("representative women over 150", explorer.cohort))
    assert explorer.view_state.n_visible == 0
    assert explorer.groups == ()


def test_no_representative_is_made_of_what_is_not_understood(explorer):
    apply_sentence(explorer, understand("representative women with foo", explorer.cohort))
    assert explorer.filters == (CategoryFilter("sex", frozenset({"female"})),)
    assert explorer.groups == ()


def test_the_words_are_learnt_with_progress(explorer):
    assert [progress.message for progress in learn_words(explorer.cohort)] == ["Learning the words of the study"]
