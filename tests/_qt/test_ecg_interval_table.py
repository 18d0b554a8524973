"""The table of intervals: as high as it may be, and honest about what it leaves out."""

import pytest
from qtpy.QtGui import QColor

from napari_latent_explorer._qt.ecg_interval_table import IntervalRow, QtEcgIntervalTable
from napari_latent_explorer.analysis.ecg_intervals import EcgIntervals, WaveBoundaries


@pytest.mark.parametrize(("room_px", "n_named"), [(100.0, 4), (10.0, 0), (1000.0, 12)], ids=["some", "none", "all"])
def test_twelve_ecgs_take_no_more_room_than_there_is(qtbot, room_px, n_named):
    table = QtEcgIntervalTable()
    qtbot.addWidget(table)
    nothing = EcgIntervals.of(WaveBoundaries(None, None, 400.0, 500.0, None, None), None)
    table.set_rows(tuple(IntervalRow(f"Group {number}", QColor("red"), nothing, "") for number in range(12)))
    table.fit(room_px)
    assert table.n_named == n_named
    assert table.height() <= max(room_px, 34)
    assert table.grab().height() == table.height()
