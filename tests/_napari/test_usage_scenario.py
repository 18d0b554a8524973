"""The cardiologist's hour of the paper's section 4, by mouse and keys in a real window with the sample study.

The same story as `tests/session/test_usage_scenario.py`, which has the numbers; here every wish is a press, a move or a
key on a widget, and what is judged is what the window shows: layers, traces, dots, words. She sees by `beholder`.
"""

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from beholder import islands, largest_jump_mv, sharpness, strip
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QDockWidget, QWidget

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.layers import RECONSTRUCTION
from napari_latent_explorer._napari.places import COHORT, COMPARE, ECG, GROUPS, MAPS, PLUGIN
from napari_latent_explorer._napari.workspace import open_workspace
from napari_latent_explorer._qt.color_by import QtColorByCombo
from napari_latent_explorer._qt.exclusion_reason import QtExclusionReason
from napari_latent_explorer.analysis.map_axes import best_axis
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.session.color_sources import Unusual

LEFT, PATIENCE_MS = Qt.MouseButton.LeftButton, 60_000
BLURRED, SPIKE_MV = 0.8, 0.5
MRI_REASON, ECG_REASON = "MRI cannot be read", "spikes in the ECG"
PICTURES = os.environ.get("SCENARIO_PICTURES")
"""Folder for pictures of the window, for who wants to look."""


@pytest.fixture
def _decode_shapes():
    """Decode with the model of the sample study."""


class Cardiologist:
    """Eyes and hands before a napari window."""

    def __init__(self, viewer, qtbot):
        self.viewer, self._qtbot = viewer, qtbot
        self.session = session_of(viewer)
        self.explorer = self.session.explorer
        self._n_pictures = 0
        self._pictures = None if PICTURES is None else Path(PICTURES)

    # ---- hands

    def panel(self, name):
        """Find the widget inside a dock."""
        return self.viewer.window.dock_widgets[f"{name} ({PLUGIN})"]

    def bring_to_front(self, name):
        """Choose a dock's tab."""
        around = self.panel(name)
        while not isinstance(around, QDockWidget):
            around = around.parentWidget()
        around.raise_()
        self._qtbot.waitUntil(lambda: self.panel(name).isVisible(), timeout=PATIENCE_MS)

    def click(self, widget, place=None, modifier=Qt.KeyboardModifier.NoModifier):
        """Press and release the left button in the middle of a widget, or at a place of it."""
        assert widget.isEnabled()
        assert widget.isVisible()
        QTest.mouseClick(widget, LEFT, modifier, widget.rect().center() if place is None else place)
        self.rest()

    def choose(self, combo: QComboBox, data):
        """Go to an entry by the arrow keys."""
        wanted = [combo.itemData(index) for index in range(combo.count())].index(data)
        while combo.currentIndex() != wanted:
            before = combo.currentIndex()
            QTest.keyClick(combo, Qt.Key.Key_Down if before < wanted else Qt.Key.Key_Up)
            assert combo.currentIndex() != before
        self.rest()

    def lasso(self, modality, shore):
        """Draw around places ``(n_vertices, 2)`` of a map."""
        self.rest()
        scatter = self.panel(MAPS).panels[modality].scatter
        path = [QPoint(*point) for point in np.round(scatter.to_canvas_px(shore)).astype(int).tolist()]
        assert min(scatter.native.width(), scatter.native.height()) > 250, "the map is too small for a hand"
        assert all(scatter.native.rect().contains(point) for point in path)
        QTest.mousePress(scatter.native, LEFT, pos=path[0])
        for point in path:
            for _ in range(
                2
            ):  # vispy leaves out moves that come within 10 ms of another, also of one of the real mouse
                QTest.mouseMove(scatter.native, point)
                QTest.qWait(12)
        QTest.mouseRelease(scatter.native, LEFT, pos=path[-1])
        self._qtbot.waitUntil(lambda: len(self.explorer.selection) > 0, timeout=PATIENCE_MS)

    def make_group(self, name):
        """Make a group of the selected, or visible, and give it a name."""
        n_groups = len(self.explorer.groups)
        groups = self.panel(GROUPS)
        self.bring_to_front(GROUPS)
        self.click(groups.new_group)
        self._qtbot.waitUntil(lambda: len(self.explorer.groups) == n_groups + 1, timeout=PATIENCE_MS)
        former = self.explorer.groups[-1].name
        self._qtbot.waitUntil(lambda: former in groups.cards, timeout=PATIENCE_MS)
        edit = groups.cards[former].name
        edit.selectAll()
        QTest.keyClicks(edit, name)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        self._qtbot.waitUntil(lambda: name in groups.cards, timeout=PATIENCE_MS)
        self.rest()
        return self.explorer.groups[-1]

    def reconstruct(self, *names):
        """Tick groups and no others, and have them reconstructed."""
        groups = self.panel(GROUPS)
        self.bring_to_front(GROUPS)
        for name, card in groups.cards.items():
            if card.tick.isChecked() != (name in names):
                QTest.mouseClick(card.tick, LEFT, pos=QPoint(6, card.tick.height() // 2))
        self.click(groups.reconstruct)
        self.rest()

    def exclude_the_selected(self, reason):
        """Leave them out, and say why when asked."""
        maps = self.panel(MAPS)
        n_excluded, n_selected = len(self.explorer.excluded), len(self.explorer.selection)
        self.click(next(bar for bar in maps.findChildren(QWidget) if hasattr(bar, "exclude")).exclude)
        dialogs = maps.findChildren(QtExclusionReason)
        assert len(dialogs) == 1
        QTest.keyClicks(dialogs[0].reason.lineEdit(), reason)
        self.click(dialogs[0].confirm)
        assert len(self.explorer.excluded) == n_excluded + n_selected

    def look_away(self):
        """Select nobody any more."""
        self.click(self.panel(MAPS).findChild(QWidget, "clearSelection"))

    # ---- eyes

    def rest(self):
        """Wait until nothing runs and everything is shown."""
        explorer = self.explorer
        self._qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=PATIENCE_MS)
        self._qtbot.wait(60)

    def wait_until(self, is_so):
        """Wait for what takes its time."""
        self._qtbot.waitUntil(is_so, timeout=PATIENCE_MS)

    def see_map(self, modality):
        """Return where the dots are that are in the colours of the visible."""
        picture = self.panel(MAPS).panels[modality].scatter.picture
        return picture.coordinates[picture.visible]

    def see_heart(self):
        """Return the decoded cine as the layer holds it."""
        return np.asarray(self.viewer.layers[RECONSTRUCTION].data)

    def see_recorded_ecg(self):
        """Return the original's leads as the ECG dock draws them, in mV."""
        return next(trace.signal_mv for trace in self.panel(ECG).plot.traces if trace.label.startswith("Original"))

    def photograph(self, name):
        """Keep a picture of the window where pictures are wanted."""
        if self._pictures is not None:
            self._n_pictures += 1
            self._pictures.mkdir(parents=True, exist_ok=True)
            self._qtbot.wait(300)
            self.viewer.window.screenshot(str(self._pictures / f"{self._n_pictures:02}_{name}.png"), flash=False)


@pytest.fixture
def emma(make_napari_viewer, qtbot):
    """Open napari with the sample study in its docks."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1920, 1200)
    qtbot.wait(300)  # docks are laid out for the size that the window has
    emma = Cardiologist(viewer, qtbot)
    open_workspace(viewer).open_folder(sample_study_path(), sample_bundle_path())
    qtbot.waitUntil(
        lambda: emma.explorer.bundle is not None and emma.explorer.predictors is not None, timeout=PATIENCE_MS
    )
    emma.rest()
    return emma


@pytest.mark.slow
def test_an_hour_with_the_sample_study(emma):
    clean(emma)
    look_at_sex(emma)
    look_at_those_with_both_diseases(emma)


def clean(emma):
    """Leave out islands of the maps whose hearts or ECGs cannot be read."""
    maps, explorer = emma.panel(MAPS), emma.explorer
    emma.reconstruct(emma.make_group("Everybody").name)
    usual = sharpness(emma.see_heart())
    emma.choose(find_kind_combo(maps), "whitened_tsne")
    for modality, reason in (("mri", MRI_REASON), ("ecg", ECG_REASON)):
        emma.choose(maps.findChild(QtColorByCombo), Unusual(modality))
        for number, island in enumerate(islands(emma.see_map(modality)), 1):
            emma.lasso(modality, island.shore)
            assert len(explorer.selection) == len(island.rows)
            group = emma.make_group(f"Island {number} of {modality}")
            emma.reconstruct(group.name)
            emma.photograph(f"island_{modality}")
            blurred = sharpness(emma.see_heart()) < BLURRED * usual
            spiking = largest_jump_mv(emma.see_recorded_ecg()) > SPIKE_MV
            if blurred if modality == "mri" else spiking:
                emma.exclude_the_selected(reason)
            else:
                emma.look_away()
    factors = pd.read_parquet(sample_study_path() / "factors.parquet").set_index("participant_id")
    for modality, reason in (("mri", MRI_REASON), ("ecg", ECG_REASON)):
        left_out = [who for who, why in explorer.excluded.items() if why == reason]
        assert len(left_out) >= 12
        assert (factors.loc[left_out, f"{modality}_quality"] != "good").mean() >= 0.9
        assert len(emma.see_map(modality)) == 2000 - len(explorer.excluded)


def find_kind_combo(maps):
    """Find the choice of the kind of map."""
    return next(combo for combo in maps.findChildren(QComboBox) if combo.findData("whitened_tsne") >= 0)


def look_at_sex(emma):
    """See two halves, and hearts that grow from one to the other."""
    maps, explorer = emma.panel(MAPS), emma.explorer
    emma.choose(find_kind_combo(maps), "tsne")
    emma.choose(maps.findChild(QtColorByCombo), "sex")
    assert [entry.label for entry in explorer.view_state.legend] == ["female", "male"]
    axis = best_axis(explorer.projections["mri"], explorer.cohort, "sex")
    assert axis.score.low > 0.75
    places = emma.see_map("mri")
    emma.photograph("sex")
    names = ("Female", "Boundary", "Male")
    for name, ends in zip(names, ((0.0, 0.15), (0.425, 0.575), (0.85, 1.0)), strict=True):
        emma.lasso("mri", strip(places, axis.direction, *ends))
        emma.make_group(name)
        emma.look_away()
    emma.choose(emma.panel(GROUPS).method, "mean")
    emma.reconstruct(*names)
    emma.photograph("sex_side_by_side")
    hearts = emma.session.side_by_side.hearts
    assert tuple(heart.group.name for heart in hearts) == names
    measured = [heart.outcome.measures.mass_g for heart in hearts]
    predicted = [heart.predicted("lvm") for heart in hearts]
    assert measured[0] < measured[1] < measured[2]
    assert predicted[0] < predicted[1] < predicted[2]
    shown = {name for group in names for name in (group, f"{group} labels")}
    emma.wait_until(lambda: shown <= {layer.name for layer in emma.viewer.layers})
    places = [emma.viewer.layers[name].extent.world[:, -2:] for name in names]  # rows and columns in mm
    for one, other in combinations(places, 2):
        assert ((one[1] <= other[0]) | (other[1] <= one[0])).any()  # they do not lie over each other


def look_at_those_with_both_diseases(emma):
    """Ask in words, divide by the bars of sex, and read the forest plot."""
    explorer, cohort = emma.explorer, emma.panel(COHORT)
    line = cohort.sentence.line
    emma.bring_to_front(COHORT)
    QTest.keyClicks(line, "people with hypertension and hypercholesterolaemia")
    emma.rest()
    QTest.keyClick(line, Qt.Key.Key_Return)
    emma.rest()
    n_both = explorer.view_state.n_visible
    assert 100 < n_both < 1000
    chart = cohort.cards["sex"].chart
    for sex in ("female", "male"):
        QTest.mouseClick(chart, LEFT, pos=QPoint(*chart.row_center(list(chart.row_labels).index(sex))))
        emma.rest()
        emma.make_group(f"Both, {sex}")
    women, men = explorer.groups[-2:]
    assert len(women) + len(men) == n_both
    emma.bring_to_front(COMPARE)
    compare = emma.panel(COMPARE)
    emma.choose(compare.bar.group_a, women.name)
    emma.choose(compare.bar.group_b, men.name)
    emma.wait_until(lambda: compare.view.model.table is not None and compare.view.isEnabled())
    emma.photograph("both_diseases")
    rows = {row.spec.name: row for row in compare.view.model.table.rows}
    assert rows["lvm"].effect.high < 0  # women have less
    assert rows["rvef"].effect.low > 0
