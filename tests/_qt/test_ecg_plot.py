"""The paper of the ECG under traces of any size."""

import numpy as np
import pytest
from qtpy.QtCore import QBuffer, QIODevice
from qtpy.QtGui import QPainter
from qtpy.QtSvg import QSvgGenerator

from napari_latent_explorer._qt.ecg_plot import EcgTrace, QtEcgPlot
from napari_latent_explorer.analysis.ecg_difference import EcgDifference


def test_a_vector_that_was_no_heart_does_not_leave_the_leads_unreadable(qtbot):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    wild, tame = (EcgTrace("x", None, np.full((12, 600), mv, np.float32), 500.0) for mv in (60.0, 1.0))
    plot.set_traces((tame,))
    before = plot.paper().px_per_mm
    plot.set_traces((wild,))
    assert plot.extent_mv == (5.0, 0.5)  # no more than any heart needs
    plot.set_traces((tame,))
    assert plot.paper().px_per_mm == before


def test_the_legend_of_many_groups_names_some_and_counts_the_rest(qtbot):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(500, 200)
    plot.set_traces(tuple(EcgTrace(f"Group {n}", None, np.ones((12, 600), np.float32), 500.0) for n in range(12)))
    assert plot.n_named == 1
    plot.resize(2000, 200)
    assert plot.n_named == 12


@pytest.mark.parametrize(("change_mv", "n_written"), [(0.004, 0), (-0.004, 0), (0.006, 12)])
def test_a_change_too_small_to_be_written_is_not_written(qtbot, change_mv, n_written):
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 400)
    before = np.zeros((12, 600), np.float32)
    plot.set_marks(None, EcgDifference.between(before, before + np.float32(change_mv), 500.0))
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.ReadWrite)
    svg = QSvgGenerator()
    svg.setOutputDevice(target)
    painter = QPainter(svg)
    plot.render_to(painter)
    painter.end()
    assert bytes(target.data().data()).count(b">+0.01 mV<") == n_written
    assert b"0.00 mV" not in bytes(target.data().data())
