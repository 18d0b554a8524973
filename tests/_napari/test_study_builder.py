"""From somebody's folders to an open study, with nothing but the docks."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from ukb_writer import cine_of, ecg_of, people, write_people, write_table

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.places import BUILD, PLUGIN, open_dock
from napari_latent_explorer.io.study import Study

LEFT = Qt.MouseButton.LeftButton


@pytest.mark.slow
def test_a_biobank_folder_becomes_a_study_that_is_explored(viewer, tmp_path, qtbot):
    some = people(3)
    write_people(tmp_path / "bulk", some)
    table = write_table(tmp_path / "table.csv", some)
    (tmp_path / "bulk" / f"{some[2].participant_id}_20205_2_0.xml").write_text("<broken")
    open_dock(viewer, BUILD)
    dock, session = viewer.window.dock_widgets[f"{BUILD} ({PLUGIN})"], session_of(viewer)
    for field, path in ((dock.form.table, table), (dock.form.output, tmp_path / "study")):
        field.choose(path)
    dock.form.cine.choose(tmp_path / "bulk")
    dock.form.ecg.choose(tmp_path / "bulk")
    qtbot.waitUntil(lambda: session.building.plan is not None and dock.build.isEnabled(), timeout=30_000)
    QTest.mouseClick(dock.build, LEFT)
    qtbot.waitUntil(lambda: session.building.result is not None, timeout=120_000)
    assert session.building.result.counts["failed"] == 1
    assert session.building.result.report.is_file()
    QTest.mouseClick(dock.open_study, LEFT)
    qtbot.waitUntil(lambda: session.explorer.cohort is not None and not session.explorer.jobs.running, timeout=30_000)
    assert session.explorer.cohort.participant_ids.tolist() == [one.participant_id for one in some]
    study = Study.open(tmp_path / "study")
    one = some[0]
    assert (study.cine(one.participant_id).frames == cine_of(one).frames).all()
    assert (study.ecg(one.participant_id).signal_mv == ecg_of(one).signal_mv).all()
