"""The heat map of predictions: live, with units, and honest about poor ones."""

import numpy as np
import pytest
from qtpy.QtCore import QSize
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.predictions_dock import QtPredictionsDock
from napari_latent_explorer.analysis.prediction import PredictionTable
from napari_latent_explorer.analysis.scores import Score
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.decode_service import DecodeOutcome

TARGETS = (
    PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
    PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
)


def make_table(lvm_g=150.0):
    values = np.array([[lvm_g, 0.8], [140.0, 0.6], [lvm_g, np.nan]])
    good, poor = Score("r2", 0.8, 0.75, 0.85, 100), Score("r2", 0.02, -0.01, 0.05, 100)
    auroc = Score("auroc", 0.9, 0.85, 0.95, 100)
    scores = ((good, auroc), (poor, auroc), (good, auroc))
    return PredictionTable(("MRI", "ECG", "MRI + ECG"), TARGETS, values, values - 0.1, values + 0.1, scores)


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtPredictionsDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(500, 300)
    dock.show()
    return dock


def decoded(explorer, shapes_decoder, table):
    while not explorer.decode.is_idle:
        QTest.qWait(5)
    result = shapes_decoder(explorer.bundle, explorer.probe.vector)
    explorer.decode.decoded.emit(DecodeOutcome(result, table))
    QTest.qWait(40)  # it is shown after the heart was painted


def test_it_says_what_to_wait_for_and_then_shows_what_came(dock, explorer, shapes_decoder):
    decoded(explorer, shapes_decoder, None)
    assert dock.heat_map.isHidden() or not dock._scroll.isVisible()
    decoded(explorer, shapes_decoder, make_table())
    assert dock._scroll.isVisible()
    dock.heat_map.grab()


def test_a_cell_is_explained_with_unit_interval_and_score(dock, explorer, shapes_decoder):
    decoded(explorer, shapes_decoder, make_table())
    text = dock.heat_map.explain(0, 0)
    assert "150 g" in text
    assert "R²: 0.80 (0.75 to 0.85)" in text
    assert "male 80%" in dock.heat_map.explain(0, 1)


def test_a_poor_prediction_is_said_to_be_poor(dock, explorer, shapes_decoder):
    decoded(explorer, shapes_decoder, make_table())
    assert "do not believe" in dock.heat_map.explain(1, 0)
    assert "do not believe" not in dock.heat_map.explain(0, 0)
    assert "cannot be predicted" in dock.heat_map.explain(2, 1)


def test_it_follows_the_probe(dock, explorer, shapes_decoder):
    decoded(explorer, shapes_decoder, make_table(150.0))
    decoded(explorer, shapes_decoder, make_table(90.0))
    assert "90 g" in dock.heat_map.explain(0, 0)


def test_cells_do_not_overlap_and_stay_in_the_room_whichever_way_they_lie(dock, explorer, shapes_decoder):
    decoded(explorer, shapes_decoder, make_table())
    for width, is_wide in ((1000, True), (240, False)):
        dock.heat_map.fit_to(QSize(width, 300))
        cells = dock.heat_map.layout_cells()
        assert cells.is_wide is is_wide
        boxes = [cells.cell(row, target) for row in range(3) for target in range(2)]
        assert not any(one.adjusted(1, 1, -1, -1).intersects(two) for one in boxes for two in boxes if one != two)
