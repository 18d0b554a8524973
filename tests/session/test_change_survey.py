"""The survey of what changed follows the probe while somebody looks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.session.change_survey import ChangeReading, ChangeSurvey
from napari_latent_explorer.session.explorer import Explorer

PIXEL_MM = 1.8


@pytest.fixture
def explorer(shapes_study: Any, shapes_bundle: Any, shapes_decoder: Any) -> Iterator[Explorer]:
    explorer = Explorer(decode_fn=shapes_decoder)
    explorer.open(shapes_study, shapes_bundle)
    explorer.jobs.cancel_all()
    explorer.probe.set_origin(np.zeros(16, np.float32), "the middle")
    assert explorer.jobs.wait(20.0)
    assert explorer.decode.wait(20.0)
    yield explorer
    explorer.close()


@pytest.fixture
def survey(explorer: Explorer) -> ChangeSurvey:
    return explorer.change_survey


def rest(explorer: Explorer, survey: ChangeSurvey) -> None:
    for _ in range(2):  # the first answer may ask for the origin
        assert explorer.jobs.wait(20.0)
        assert explorer.decode.wait(20.0)
        assert survey.wait(20.0)


def by_name(reading: ChangeReading) -> dict[tuple[str, str], tuple[float, float]]:
    return {(one.quantity, one.region): (one.before, one.after) for one in reading.changes}


def test_a_heart_that_grew_is_told_in_square_centimetres(explorer, survey):
    survey.watch(True)
    explorer.probe.move(0, 3.0)
    rest(explorer, survey)
    np.testing.assert_array_equal(survey.reading.now.vector, explorer.probe.vector)
    changes = by_name(survey.reading)
    areas_cm2 = [np.pi * (radius_px * PIXEL_MM / 10.0) ** 2 for radius_px in (16.0, 22.0)]  # drawn: 16 + 2 x latent
    assert changes["area_ed", "LV_cavity"] == pytest.approx(areas_cm2, rel=0.03)
    assert changes["area_es", "LV_cavity"] == pytest.approx([0.7**2 * one for one in areas_cm2], rel=0.03)
    assert changes["ventricle", "EF"] == pytest.approx((65.7, 65.7), abs=3.0)


def test_at_the_origin_nothing_has_changed(explorer, survey):
    survey.watch(True)
    rest(explorer, survey)
    assert survey.reading.changes
    assert all(one.change == 0.0 for one in survey.reading.changes)


def test_one_who_looks_late_is_told_all_the_same(explorer, survey):
    explorer.probe.set_origin(np.ones(16, np.float32), "elsewhere")
    explorer.probe.move(0, 3.0)
    rest(explorer, survey)
    assert survey.reading is None
    survey.watch(True)
    rest(explorer, survey)
    assert by_name(survey.reading)["area_ed", "LV_cavity"][0] < by_name(survey.reading)["area_ed", "LV_cavity"][1]


def test_nobody_looks_and_nothing_is_measured(explorer, survey):
    told: list[Any] = []
    survey.watch(True)
    rest(explorer, survey)
    survey.watch(False)
    survey.changed.connect(told.append)
    explorer.probe.move(0, 3.0)
    rest(explorer, survey)
    assert told == []


def test_another_origin_takes_the_answer_away(explorer, survey):
    survey.watch(True)
    explorer.probe.move(0, 3.0)
    rest(explorer, survey)
    told: list[Any] = []
    survey.changed.connect(told.append)
    explorer.probe.set_origin(np.ones(16, np.float32), "elsewhere")
    rest(explorer, survey)
    assert told[0] is None
    np.testing.assert_array_equal(survey.reading.began.vector, explorer.probe.origin)


def test_hearts_without_labels_have_no_structures(shapes_study, shapes_bundle, shapes_decoder):
    explorer = Explorer(decode_fn=lambda bundle, vector: replace(shapes_decoder(bundle, vector), labels=None))
    explorer.open(shapes_study, shapes_bundle)
    explorer.change_survey.watch(True)
    explorer.probe.move(0, 3.0)
    rest(explorer, explorer.change_survey)
    assert explorer.change_survey.reading is None
    explorer.close()
