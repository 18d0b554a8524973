"""What lies along a path: predictions, hearts and their measures; on the sample study from the women to the men."""

import numpy as np
import pytest

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter
from napari_latent_explorer.session.opening import load_bundle, load_study
from napari_latent_explorer.session.path_choice import PathEnd
from napari_latent_explorer.session.path_survey import PathSurvey, draw_along, predict_along

YOUNG, OLD = PathEnd("group", "Young"), PathEnd("group", "Old")


@pytest.fixture
def explorer(explorer: Explorer, cohort) -> Explorer:
    for name, rows in (("Young", slice(0, 11)), ("Old", slice(29, 40))):
        explorer.create_group(name, cohort.participant_ids[rows].tolist())
    return explorer


@pytest.fixture
def survey(explorer: Explorer) -> PathSurvey:
    survey = PathSurvey(explorer)
    explorer.set_path(YOUNG, OLD)
    assert explorer.jobs.wait(20.0)
    return survey


def test_curves_are_what_is_predicted_of_the_probe_there(explorer: Explorer, survey: PathSurvey) -> None:
    told = []
    explorer.decode.decoded.connect(told.append)
    explorer.move_on_path(float(survey.curves.shares[10]))
    assert explorer.decode.wait(20.0)
    table = told[-1].predictions
    np.testing.assert_allclose(survey.curves.values[10], table.values)
    np.testing.assert_allclose(survey.curves.low[10], table.low)
    np.testing.assert_allclose(survey.curves.high[10], table.high)
    assert (survey.curves.rows, survey.curves.targets) == (table.rows, table.targets)


def test_hearts_lie_evenly_from_one_end_to_the_other(explorer: Explorer, survey: PathSurvey) -> None:
    start, end = (float(group.representative.vector[0]) for group in explorer.groups)
    drawn = [float(one.result.cine[0, 0, 0]) for one in survey.film.outcomes]
    np.testing.assert_allclose(drawn, np.linspace(start, end, 9), rtol=1e-6)


def test_a_move_on_the_path_or_another_name_asks_for_nothing(explorer: Explorer, survey: PathSurvey) -> None:
    curves, film = survey.curves, survey.film
    explorer.move_on_path(0.5)
    explorer.rename_group("Old", "Elderly")
    assert explorer.jobs.running == ()
    assert (survey.curves, survey.film) == (curves, film)


def test_another_path_and_another_model_are_surveyed_anew(explorer: Explorer, survey: PathSurvey) -> None:
    first = survey.film
    explorer.set_path(OLD, YOUNG)
    assert survey.film is not first
    assert explorer.jobs.wait(20.0)
    np.testing.assert_array_equal(survey.film.outcomes[0].vector, first.outcomes[-1].vector)
    explorer.set_bundle(None)
    assert explorer.jobs.wait(20.0)
    assert survey.film is None
    assert survey.curves is not None
    explorer.clear_path()
    assert survey.curves is None


@pytest.fixture(scope="module")
def sample():
    """Go from the women to the men of the sample study."""
    explorer = Explorer()
    survey = PathSurvey(explorer)
    explorer.open(finish(load_study(sample_study_path())), finish(load_bundle(sample_bundle_path())))
    for sex in ("female", "male"):
        explorer.set_filter(CategoryFilter("sex", frozenset({sex})))
        explorer.create_group(sex)
    explorer.clear_filters()
    assert explorer.jobs.wait(60.0)
    explorer.set_path(PathEnd("group", "female"), PathEnd("group", "male"))
    assert explorer.jobs.wait(60.0)
    yield survey
    explorer.close()


def test_from_women_to_men_the_measured_and_the_predicted_mass_rise_all_the_way(sample, record_property) -> None:
    measured = sample.film.measured("lvm")
    column = [spec.name for spec in sample.curves.targets].index("lvm")
    predicted = sample.curves.values[:, :, column]
    for row, name in enumerate(sample.curves.rows):
        assert (np.diff(predicted[:, row]) > 0).all(), name
    assert (np.diff(measured) > 0).all()
    explorer = sample._explorer
    finer = finish(draw_along(explorer.probe_path, explorer.decode, explorer.bundle, 21)).measured("lvm")
    assert (np.diff(finer) > 0).all()
    ends = f"{measured[0]:.0f} to {measured[-1]:.0f} g measured, {predicted[0, -1]:.0f} to {predicted[-1, -1]:.0f} g"
    record_property("figure", f"LV mass from women to men of the sample study: {ends} predicted")
    assert measured[-1] - measured[0] > 20.0


def test_between_the_sexes_means_the_predicted_mass_rises_by_what_men_have_more(sample) -> None:
    explorer = sample._explorer
    explorer.set_representative_method("mean")
    curves = finish(predict_along(explorer.probe_path, explorer.predictors, explorer.cohort))
    explorer.undo()
    column = [spec.name for spec in curves.targets].index("lvm")
    cohort = explorer.cohort
    women, men = (cohort.values("lvm")[cohort.rows_of(group.participant_ids)] for group in explorer.groups)
    risen = curves.values[-1, :, column] - curves.values[0, :, column]
    more = np.nanmean(men) - np.nanmean(women)
    np.testing.assert_allclose(risen[[0, 2]], more, rtol=0.05)  # MRI, alone and with the ECG
    assert 0.5 * more < risen[1] < more  # what the ECG does not know is shrunk
