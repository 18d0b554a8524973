"""Walking by hand: chosen, dragged, typed, held still, measured, and told how sure that is."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.direction_text import calibration_text
from napari_latent_explorer._qt.effects_model import BAR, CHANGE, CORRELATION, NAME, signed
from napari_latent_explorer._qt.probe_dock import DIRECTION, QtProbeDock
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.analysis.directions import phenotype_direction
from napari_latent_explorer.modeling.walk_calibration import MeasuredChange, WalkCalibration, calibration_key
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_walk import DirectionWalk
from napari_latent_explorer.session.vector_text import vector_to_csv

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def walk(explorer):
    explorer.probe_mean("mri")
    return DirectionWalk(explorer)


@pytest.fixture
def dock(qtbot, explorer, walk):
    dock = QtProbeDock(explorer, walk)
    qtbot.addWidget(dock)
    dock.resize(460, 800)
    dock.show()
    QTest.mouseClick(dock.pages.buttons[DIRECTION], LEFT)
    return dock


@pytest.fixture
def panel(dock):
    return dock.directions


def choose(combo, value):
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


@pytest.fixture
def along_mass(qtbot, explorer, walk, panel, monkeypatch):
    """Choose mass and wait until it is known what else moves; decoded hearts are not measured."""
    monkeypatch.setattr(walk, "calibrate_if_usual", lambda: None)
    choose(panel.bar.phenotype, "lvm")
    qtbot.waitUntil(lambda: walk.effects is not None, timeout=30_000)
    return panel


def drag(slider, amount_sd):
    y = slider.height() // 2
    start, end = (QPoint(round(slider.x_of(amount)), y) for amount in (slider.amount_sd, amount_sd))
    QTest.mousePress(slider, LEFT, pos=start)
    QTest.mouseMove(slider, (start + end) / 2)
    QTest.mouseMove(slider, end)
    QTest.qWait(10)
    QTest.mouseRelease(slider, LEFT, pos=end)


def test_without_a_choice_it_says_what_to_do_and_nothing_moves(panel, explorer):
    assert "Choose a phenotype" in panel.sentences["status"]
    drag(panel.slider, 1.0)
    assert explorer.probe.walk is None


def test_a_drag_walks_by_standard_deviations_and_the_unit_and_is_one_step(qtbot, along_mass, explorer):
    panel = along_mass
    spread = phenotype_direction(explorer.latents["mri"], explorer.cohort, "lvm").spread
    drag(panel.slider, 1.0)
    assert explorer.probe.walk.amount == pytest.approx(spread, rel=0.03)  # a pixel
    assert panel.amount.value() == pytest.approx(explorer.probe.walk.amount, abs=0.01)
    assert panel.amount.suffix() == " g"
    assert panel.amount_sd.value() == pytest.approx(1.0, abs=0.03)
    explorer.undo()
    assert explorer.probe.walk is None
    qtbot.waitUntil(lambda: panel.slider.amount_sd == 0.0)


def test_grams_are_typed_keys_walk_by_tenths_and_home_takes_back(along_mass, explorer, walk):
    panel = along_mass
    panel.amount.setValue(10.0)
    assert explorer.probe.walk.amount == pytest.approx(10.0)
    panel.slider.setFocus()
    QTest.keyClick(panel.slider, Qt.Key.Key_Right)
    assert explorer.probe.walk.amount == pytest.approx(10.0 + 0.1 * walk.direction.spread)
    QTest.keyClick(panel.slider, Qt.Key.Key_Home)
    assert explorer.probe.walk is None
    panel.amount_sd.setValue(-2.0)
    assert explorer.probe.walk.amount == pytest.approx(-2.0 * walk.direction.spread)
    explorer.probe.move(3, 1.0)
    QTest.mouseClick(panel.take_back, LEFT)
    assert explorer.probe.moved_dims.tolist() == [3]


def test_what_else_moves_is_a_table_with_the_own_phenotype_on_top(along_mass, explorer):
    model = along_mass.table.effects
    assert model.rows[0] == "lvm"
    own = model.effect(0)
    assert own.per_unit == pytest.approx(1.0, abs=0.1)
    assert "1 g here reads as 1 g" in along_mass.sentences["held_out"]
    row = model.rows.index("lvedv")
    expected = np.corrcoef(*(explorer.cohort.values(name) for name in ("lvm", "lvedv")))[0, 1]
    assert model.index(row, CORRELATION).data() == f"{expected:+.2f}".replace("-", "\N{MINUS SIGN}")
    assert model.index(row, CHANGE).data().endswith(" ml")
    along_mass.window().resize(560, 800)
    QTest.qWait(20)
    assert " ml (" in model.index(row, CHANGE).data()
    along_mass.table.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
    titles = [model.index(number, NAME).data() for number in range(len(model.rows))]
    assert titles == sorted(titles, key=str.casefold)


def test_a_tick_holds_a_phenotype_still(qtbot, along_mass, explorer, walk):
    panel, model = along_mass, along_mass.table.effects
    panel.amount.setValue(20.0)
    before = explorer.probe.offsets[0]
    plain = next(effect for effect in walk.effects.effects if effect.phenotype.name == "lvedv")
    index = model.index(model.rows.index("lvedv"), NAME)
    box = panel.table.visualRect(index)
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=QPoint(box.left() + 11, box.center().y()))
    qtbot.waitUntil(lambda: walk.choice.held == ("lvedv",) and walk.effects is not None, timeout=30_000)
    held = next(effect for effect in walk.effects.effects if effect.phenotype.name == "lvedv")
    assert abs(held.per_unit) < 0.2 * abs(plain.per_unit)
    assert abs(explorer.probe.offsets[0]) < 0.1 * abs(before)  # the first latent is the volume
    assert explorer.probe.walk.amount == pytest.approx(20.0)
    index = model.index(model.rows.index("lvedv"), NAME)
    assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    own = model.index(model.rows.index("lvm"), NAME)
    assert own.data(Qt.ItemDataRole.CheckStateRole) is None
    assert explorer.undo_text == "Hold LV end-diastolic volume still on the way along LV mass"


def test_covariates_are_ticked_in_a_list_that_stays_open(qtbot, along_mass, walk):
    menu = along_mass.bar.covariates
    assert "lvm" not in menu.names
    menu._on_menu_about_to_show()
    for name in ("sex", "age"):
        item = next(
            menu.list.item(row)
            for row in range(menu.list.count())
            if menu.list.item(row).data(Qt.ItemDataRole.UserRole) == name
        )
        item.setCheckState(Qt.CheckState.Checked)
    menu._on_menu_about_to_hide()
    qtbot.waitUntil(lambda: walk.choice.covariates == ("sex", "age"), timeout=10_000)
    assert "Sex, Age" in menu.text()


def test_two_groups_are_offered_and_walked_between(qtbot, panel, explorer, walk):
    ids = explorer.cohort.participant_ids
    explorer.create_group("One", ids[:60])
    explorer.create_group("<b>Two</b>", ids[60:])
    explorer.probe_mean("mri")
    choose(panel.bar.kind, "groups")
    qtbot.waitUntil(lambda: walk.direction is not None and walk.choice.kind == "groups", timeout=10_000)
    assert (walk.choice.name_a, walk.choice.name_b) == ("One", "<b>Two</b>")
    panel.amount.setValue(1.0)
    values = explorer.latents["mri"].values
    way = values[60:].mean(axis=0) - values[:60].mean(axis=0)
    np.testing.assert_allclose(explorer.probe.offsets, way, atol=1e-5)


def test_a_direction_goes_from_where_the_probe_was_to_where_it_is_or_to_what_was_pasted(qtbot, panel, explorer, walk):
    failures = []
    explorer.failed.connect(failures.append)
    choose(panel.bar.kind, "vectors")
    assert "Choose both vectors" in panel.sentences["status"]
    actions = {action.text(): action for action in panel.bar.start.menu().actions()}
    actions["Where the probe is"].trigger()
    assert panel.bar.start.text().startswith("A: mean of")
    assert walk.direction is None
    explorer.probe.move(2, explorer.probe.vector[2] + 0.5)
    panel.bar.end.source_chosen.emit("here")
    qtbot.waitUntil(lambda: walk.direction is not None, timeout=10_000)
    assert walk.direction.vector.tolist() == [0.0, 0.0, 0.5, *[0.0] * 13]
    assert walk.choice.end.name == "mean of all participants, MRI, 1 dimension moved"
    panel.amount.setValue(2.0)
    assert explorer.probe.offsets[2] == pytest.approx(1.5)

    clipboard = QGuiApplication.clipboard()
    clipboard.setText("1, 2, 3")
    panel.bar.end.source_chosen.emit("clipboard")
    assert "16 numbers" in str(failures.pop())
    clipboard.setText(vector_to_csv(explorer.probe.origin + np.float32(1.0)))
    panel.bar.end.source_chosen.emit("clipboard")
    qtbot.waitUntil(lambda: explorer.direction.end.name == "pasted", timeout=10_000)
    np.testing.assert_allclose(walk.direction.vector, np.ones(16), atol=1e-6)
    assert explorer.probe.walk is None  # along something else
    explorer.undo()
    assert walk.direction.vector[2] == 0.5
    assert not failures


def test_a_walk_becomes_the_way_from_where_it_began_to_where_it_led(qtbot, along_mass, explorer, walk):
    along_mass.amount.setValue(20.0)
    vector = explorer.probe.vector
    choose(along_mass.bar.kind, "vectors")
    qtbot.waitUntil(lambda: explorer.direction.kind == "vectors", timeout=10_000)
    assert explorer.probe.walk is None
    along_mass.amount.setValue(1.0)
    np.testing.assert_allclose(explorer.probe.vector, vector, atol=1e-6)
    assert explorer.probe.walk.direction.name.endswith("LV mass +20 g predicted")


def test_the_slider_speaks_of_predicted_grams_until_hearts_are_measured(along_mass, walk, explorer):
    panel = along_mass
    assert panel.sentences["measured"].startswith("Predicted g, as people differ")
    assert panel.calibrate.isVisible()
    panel.amount.setValue(10.0)
    assert explorer.probe.walk.amount == pytest.approx(10.0)
    key = calibration_key(explorer.latents["mri"], walk.direction)
    change = MeasuredChange("lvm", "LV mass", "g", 0.5, 0.45, 0.55, 0.2, 0.8, 50)
    spread = walk.direction.spread
    calibration = WalkCalibration(key, "lvm", spread, 2 * spread, (change,))
    explorer.add_calibration(calibration)
    assert panel.amount.value() == pytest.approx(5.0)
    assert not panel.calibrate.isVisible()
    panel.amount.setValue(6.0)
    assert explorer.probe.walk.amount == pytest.approx(12.0)
    minus = "\N{MINUS SIGN}"
    assert panel.sentences["measured"].startswith(
        "Measured on 50 decoded hearts, +6 g in the mean (+5.4 to +6.6), one heart +2.4 to +9.6."
    )
    assert f"{minus}5 g in the mean ({minus}5.5 to {minus}4.5)" in calibration_text(calibration, -10.0)
    assert calibration_text(calibration, 3 * spread).endswith("Beyond 2 SD nothing was measured.")


def test_what_the_walk_changed_of_the_heart_that_is_shown_is_said_when_the_hand_rests(qtbot, panel, walk, explorer):
    choose(panel.bar.phenotype, "lvedv")
    qtbot.waitUntil(lambda: walk.direction is not None, timeout=10_000)
    walk.walk(walk.direction.spread)  # one SD: the radius grows by 2 px
    qtbot.waitUntil(lambda: panel.sentences["measured"].endswith("This heart: …"), timeout=10_000)
    qtbot.waitUntil(lambda: panel.sentences["measured"].endswith(" ml"), timeout=10_000)
    radius_px = 16.0 + 2.0 * explorer.probe.origin[0] + np.array([0.0, 2.0])
    expected_ml = np.diff(4.0 / 3.0 * np.pi * (1.8 * radius_px) ** 3 / 1000.0)[0]
    assert walk.heart_change() == pytest.approx(expected_ml, rel=0.05)
    assert f"This heart: {signed(walk.heart_change())} ml" in panel.sentences["measured"]
    explorer.probe.move(5, 1.0)  # then it is not the walk alone
    assert not walk.has_heart
    qtbot.waitUntil(lambda: "This heart" not in panel.sentences["measured"])


def test_a_change_that_may_be_none_is_no_scale(along_mass, walk, explorer):
    key = calibration_key(explorer.latents["mri"], walk.direction)
    change = MeasuredChange("lvm", "LV mass", "g", 0.1, -0.1, 0.3, -0.5, 0.7, 50)
    explorer.add_calibration(WalkCalibration(key, "lvm", walk.direction.spread, 2 * walk.direction.spread, (change,)))
    along_mass.amount.setValue(10.0)
    assert explorer.probe.walk.amount == pytest.approx(10.0)
    assert "so the scale stays predicted." in along_mass.sentences["measured"]


def test_a_direction_that_takes_long_to_lay_is_measured_too(qtbot, panel, walk, explorer):
    panel._timer.setInterval(0)  # the hand rests before the direction is laid
    explorer.set_direction(DirectionChoice(kind="phenotype", phenotype="lvedv"))
    qtbot.waitUntil(lambda: walk.effects is not None and walk.measured is not None, timeout=60_000)


def test_hearts_are_measured_by_themselves_when_a_measurable_phenotype_is_chosen(qtbot, panel, walk, explorer):
    choose(panel.bar.phenotype, "lvedv")
    qtbot.waitUntil(lambda: walk.measured is not None, timeout=60_000)
    assert "Measured on 50 decoded hearts" in panel.sentences["measured"]
    walk.walk(10.0)
    qtbot.waitUntil(lambda: panel.amount.value() == pytest.approx(10.0 * walk.measured.per_unit, abs=0.01))
    choose(panel.bar.phenotype, "age")
    qtbot.waitUntil(lambda: walk.effects is not None and walk.choice.phenotype == "age", timeout=30_000)
    assert "measured" not in panel.sentences
    assert panel.calibrate.isVisible()


def test_painting_survives_both_themes_and_little_room(dock, along_mass):
    along_mass.set_theme(LIGHT)
    assert not along_mass.table.isColumnHidden(CHANGE)
    dock.resize(300, 700)
    QTest.qWait(20)
    assert along_mass.table.isColumnHidden(CHANGE)
    assert not along_mass.table.isColumnHidden(BAR)
    assert not dock.grab().isNull()
