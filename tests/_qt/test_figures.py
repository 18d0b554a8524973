"""Figures as files: what they show and say, that they look the same elsewhere, and that nobody is named unasked."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from qtpy.QtCore import QByteArray, QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QContextMenuEvent, QImage, QPainter
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu

from napari_latent_explorer._qt.chart_figure import chart_figure
from napari_latent_explorer._qt.ecg_dock import QtEcgDock
from napari_latent_explorer._qt.ecg_figure import LEAST_WIDTH_PX, ecg_figure
from napari_latent_explorer._qt.ecg_plot import EcgTrace, QtEcgPlot
from napari_latent_explorer._qt.figure import Figure, in_order, moved, words
from napari_latent_explorer._qt.figure_files import to_png, to_svg, write_figure
from napari_latent_explorer._qt.figure_menu import QtFigureMenu, offer_figure, save_figure
from napari_latent_explorer._qt.map_dock import QtMapDock
from napari_latent_explorer._qt.map_figure import MOST_SHAPES, SIDE_PX, ShownMap, dots_picture, map_figure
from napari_latent_explorer._vispy.picture import ScatterPicture
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.coloring import LegendEntry
from napari_latent_explorer.session.filters import RangeFilter
from napari_latent_explorer.session.recordings import LoadedRecording
from napari_latent_explorer.session.view_state import EMPTY_VIEW_STATE

SVG = "{http://www.w3.org/2000/svg}"
SMOOTH = Qt.TransformationMode.SmoothTransformation
FACTS = {"Title": "A & B", "Study": "'Ours'", "Date": "2026-01-02T03:04:05+00:00", "Program": "us 1.0"}


def image_of(content, kind, size):
    """Pixels ``(n_rows, n_columns, 3)`` of a figure's file at one pixel per pixel, by another painter than ours."""
    if kind == "svg":
        image = QImage(*size, QImage.Format.Format_RGB32)
        image.fill(QColor("magenta"))
        painter = QPainter(image)
        QSvgRenderer(QByteArray(content)).render(painter, QRectF(0, 0, *size))
        painter.end()
    else:
        image = QImage.fromData(content).scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, SMOOTH)
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    data = np.frombuffer(bits.asarray(image.sizeInBytes()) if hasattr(bits, "asarray") else bits, np.uint8)
    return (
        data.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
        .reshape(image.height(), image.width(), 3)
        .copy()
    )  # the image ends here


@pytest.fixture
def figure(qtbot):
    """Words in two places and a red square."""

    def square(painter):
        painter.fillRect(QRectF(0, 0, 30, 30), QColor("red"))

    parts = in_order(words("Hearts Ωµ <b>", 10, 30), words("bold", 10, 60, is_bold=True), moved(square, 60, 70))
    return Figure("hearts", "A & B", (120, 110), parts, {"Shows": "hearts"})


@pytest.mark.parametrize("per_inch", [96, 150, 600])
def test_a_png_has_its_size_in_inches_and_says_where_it_comes_from(figure, per_inch):
    image = QImage.fromData(to_png(figure, FACTS, per_inch))
    assert (image.width(), image.height()) == (round(120 * per_inch / 96), round(110 * per_inch / 96))
    assert image.dotsPerMeterX() == pytest.approx(per_inch / 0.0254, abs=1)
    assert {name: image.text(name) for name in FACTS} == FACTS
    scale = per_inch / 96
    assert image.pixelColor(int(75 * scale), int(85 * scale)) == QColor("red")
    assert image.pixelColor(int(100 * scale), int(85 * scale)) == QColor("white")


def test_an_svg_has_words_as_shapes_and_says_where_it_comes_from(figure):
    root = ElementTree.fromstring(to_svg(figure, FACTS))
    assert root.get("viewBox") == "0 0 120 110"
    assert not list(root.iter(f"{SVG}text"))
    assert not list(root.iter(f"{SVG}style"))
    labels = [path.get("aria-label") for path in root.iter(f"{SVG}path") if path.get("aria-label")]
    assert "".join(labels).replace(" ", "") == "HeartsΩµ<b>bold"
    assert root.find(f"{SVG}title").text == "A & B"
    assert "Study: 'Ours'" in root.find(f"{SVG}desc").text
    dublin = {element.tag.split("}")[1]: element.text for element in root.iter() if "purl.org/dc" in element.tag}
    assert (dublin["title"], dublin["date"], dublin["creator"]) == ("A & B", FACTS["Date"], "us 1.0")


def test_both_kinds_look_the_same(figure):
    svg, png = (
        image_of(content, kind, figure.size_px).astype(float)
        for content, kind in ((to_svg(figure, FACTS), "svg"), (to_png(figure, FACTS, 384), "png"))
    )
    assert np.abs(svg - png).mean() < 2.0
    ink = [255.0 - picture[10:65, :55].mean() for picture in (svg, png)]  # the words
    assert ink[0] == pytest.approx(ink[1], rel=0.12)
    assert ink[0] > 5.0


def test_what_is_no_figure_is_refused_and_a_place_that_cannot_be_written_too(figure, tmp_path):
    with pytest.raises(LatentExplorerError, match=r"\.png or \.svg, not as hearts\.pdf"):
        finish(write_figure(figure, tmp_path / "hearts.pdf", {}))
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError):
        finish(write_figure(figure, tmp_path / "file" / "hearts.png", {}))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---- maps


def shown_map(n, n_selected=0, seed=0):
    """Half of the people at the left in blue, half at the right in red."""
    rng = np.random.default_rng(seed)
    is_right = np.arange(n) % 2 == 1
    coordinates = rng.uniform(-1, 1, (n, 2)) * [0.2, 0.8] + np.where(is_right, 0.5, -0.5)[:, None] * [1, 0]
    rgba = np.where(is_right[:, None], [1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0])
    selected = np.arange(n) < n_selected
    picture = ScatterPicture(coordinates, rgba, np.ones(n, bool), selected)
    return ShownMap("MRI map", picture, (-1.0, -1.0, 2.0, 2.0))


LEGEND = (LegendEntry("left", (0, 0, 1, 1)), LegendEntry("right", (1, 0, 0, 1)))
STATE = replace(EMPTY_VIEW_STATE, legend=LEGEND, n_visible=400, n_total=500, n_selected=3)


@pytest.mark.parametrize("n", [500, MOST_SHAPES + 2000], ids=["few", "many"])
def test_a_map_shows_who_is_where_in_their_colours(qtbot, n):
    figure = map_figure([shown_map(n), shown_map(n)], STATE)
    pixels = image_of(to_png(figure, {"Title": ""}, 96), "png", figure.size_px).astype(int)
    first = pixels[45 : 35 + SIDE_PX, 20 : 12 + SIDE_PX]
    half = first.shape[1] // 2
    blueness = first[..., 2] - first[..., 0]
    assert blueness[:, :half].max() > 60
    assert blueness[:, :half].min() > -10
    assert blueness[:, half:].min() < -60
    assert blueness[:, half:].max() < 10
    inked = np.flatnonzero((np.abs(blueness) > 20).any(axis=1))
    assert inked[[0, -1]] == pytest.approx([0.1 * SIDE_PX, 0.9 * SIDE_PX], abs=14)
    assert len(list(ElementTree.fromstring(to_svg(figure, {"Title": ""})).iter(f"{SVG}image"))) == 2 * (n > MOST_SHAPES)


def test_dots_that_lie_over_each_other_mix_whatever_their_order():
    places = np.full((4, 2), 50.0)
    rgba = np.array([[1, 0, 0, 1], [0, 0, 1, 1]] * 2, float)
    one, other = (dots_picture(places, colors, 4.0, 0.5) for colors in (rgba, rgba[::-1]))
    np.testing.assert_allclose(one, other)
    middle = one[200, 200]
    np.testing.assert_allclose(middle[:3], [0.5, 0.0, 0.5], atol=1e-6)
    assert middle[3] == pytest.approx(1 - 0.5**4, abs=1e-6)  # light that passes four
    assert (one[..., 3] > 0.01).sum() == pytest.approx(np.pi * 8**2, rel=0.2)  # a disc of 4 px, at 4 pixels each


def test_only_what_is_in_view_is_on_a_map(qtbot):
    whole = shown_map(400)
    zoomed = ShownMap("MRI map", whole.picture, (0.0, -0.5, 1.0, 1.0))
    figure = map_figure([zoomed], STATE)
    assert figure.facts["Shows"] == "400 of 500 participants, 3 selected"
    root = ElementTree.fromstring(to_svg(figure, {"Title": ""}))
    shapes = dict.fromkeys(("#ff0000", "#0000ff"), 0)
    for group in root.iter(f"{SVG}g"):
        if group.get("fill") in shapes:
            shapes[group.get("fill")] += len(group)
    in_view = (np.abs(whole.picture.coordinates - [0.5, 0.0]) < 0.5).all(axis=1).sum()
    assert shapes["#ff0000"] == pytest.approx(in_view + 1, rel=0.05)
    assert shapes["#0000ff"] <= 2  # the legend's


# ---- charts and ECG


def test_a_chart_shows_its_filter_and_counts(explorer, qtbot):
    explorer.set_filter(RangeFilter("age", 50.0, 60.0))
    figure = chart_figure(explorer, explorer.cohort.specs["age"], is_log=True)
    n = explorer.view_state.n_visible
    assert figure.facts["Shows"] == f"{n} of 120 participants; bars by the logarithm of counts"
    pixels = image_of(to_svg(figure, {"Title": ""}), "svg", figure.size_px)
    assert (pixels[5, 5] == 255).all()
    is_accent = (pixels[..., 2].astype(int) - pixels[..., 0] > 120).any(axis=0)
    assert is_accent.any()
    assert not is_accent.all()
    plain = chart_figure(explorer, explorer.cohort.specs["sex"])
    assert plain.name == "chart_sex"


@pytest.fixture
def plot(qtbot, explorer):
    """An original and a reconstruction that name their participant."""
    who = explorer.cohort.participant_ids[3]
    plot = QtEcgPlot()
    qtbot.addWidget(plot)
    wave = np.sin(np.arange(600) / 20.0, dtype=np.float32) * np.ones((12, 1), np.float32)
    explorer.probe_participant(who)
    plot.set_traces(
        (
            EcgTrace(f"Original: {who}", None, wave, 500.0),
            EcgTrace("Reconstruction: Smith.xml, ECG", (1.0, 0.0, 0.0, 1.0), 0.5 * wave, 500.0),
        )
    )
    return plot


def test_the_ecg_names_nobody_unless_asked(explorer, plot, qtbot, tmp_path):
    who = str(explorer.cohort.participant_ids[3])
    hidden = ecg_figure(explorer, plot, has_ids=False, private=("Smith.xml",))
    shown = ecg_figure(explorer, plot, has_ids=True)
    for figure, is_named in ((hidden, False), (shown, True)):
        for kind in ("svg", "png"):
            path = tmp_path / f"ecg.{kind}"
            job = save_figure(explorer, figure, path, 96)
            qtbot.waitUntil(lambda job=job: not job.is_running, timeout=20_000)
            said = path.read_text("utf-8") if kind == "svg" else QImage(str(path)).text()  # all that a PNG says
            assert (who in said) == is_named
            assert ("Smith" in said) == is_named
    labels = [
        path.get("aria-label") for path in ElementTree.fromstring(to_svg(hidden, {"Title": ""})).iter(f"{SVG}path")
    ]
    assert "Original: a participant" in labels
    assert "V6" in labels


def test_the_cursor_of_the_screen_is_not_in_the_figure(explorer, plot):
    plot.set_time_ms(300.0)
    with_cursor = to_svg(ecg_figure(explorer, plot, False), {"Title": ""})
    plot.set_time_ms(None)
    assert with_cursor == to_svg(ecg_figure(explorer, plot, False), {"Title": ""})


def test_the_dock_hides_the_name_of_a_file_too(explorer, qtbot):
    dock = QtEcgDock(explorer)
    qtbot.addWidget(dock)
    wave = np.ones((12, 600), np.float32)
    ecg = ECG(wave, LEAD_NAMES, 500.0, "median", 435.0, "")
    vector = np.full(16, 0.5, np.float32)
    explorer.show_recording(LoadedRecording("ecg", Path("Smith.xml"), ecg, ecg, vector, "", ""))
    qtbot.waitUntil(lambda: explorer.decode.is_idle, timeout=20_000)
    qtbot.waitUntil(lambda: any("Reconstruction: Smith.xml" in trace.label for trace in dock.plot.traces))
    assert dock.figure().facts["Shows"] == "Reconstruction: a recording, ECG; Original: a recording"
    assert "Smith.xml" in dock.figure(has_ids=True).facts["Shows"]


# ---- the menu


def test_the_menu_writes_what_was_shown_when_it_was_opened(explorer, plot, qtbot, tmp_path, monkeypatch):
    asked = []

    def choose(parent, title, name, kind):
        asked.append((name, kind))
        plot.set_traces(())  # the session goes on while the dialog is open
        return str(tmp_path / "chosen"), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    menu = QtFigureMenu(explorer, lambda has_ids: ecg_figure(explorer, plot, has_ids), plot, can_name=True)
    texts = [action.text() for action in menu.actions()]
    assert texts == [
        "PNG, 150 dots per inch …",
        "PNG, 300 dots per inch …",
        "PNG, 600 dots per inch …",
        "SVG, sharp at any size …",
        "",
        "With names of participants",
    ]
    menu.actions()[2].trigger()
    qtbot.waitUntil(lambda: (tmp_path / "chosen.png").exists() and not explorer.jobs.running, timeout=20_000)
    assert asked == [("ecg.png", "Figure (*.png)")]
    image = QImage(str(tmp_path / "chosen.png"))
    assert image.width() == LEAST_WIDTH_PX * 600 // 96
    assert image.text("Study").startswith("'Shapes', fingerprint")
    assert "Original: a participant" in image.text("Shows")
    errors = []
    explorer.failed.connect(errors.append)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no.pdf"), ""))
    menu.actions()[3].trigger()
    assert "not as no.pdf" in str(errors[0])


def test_the_right_mouse_button_offers_the_figure_and_leaves_no_menu_behind(explorer, plot, qtbot):
    offer_figure(plot, explorer, lambda has_ids: ecg_figure(explorer, plot, has_ids), can_name=True)
    plot.show()
    for _ in range(3):
        plot.customContextMenuRequested.emit(QPoint(5, 5))
        context = QApplication.activePopupWidget()
        assert [action.text() for action in context.actions()] == ["Save figure"]
        context.close()
        qtbot.waitUntil(lambda: not plot.findChildren(QMenu), timeout=5000)


def test_the_maps_are_saved_from_the_right_mouse_button_on_a_canvas_and_say_how_they_were_made(
    explorer, qtbot, tmp_path, monkeypatch
):
    dock = QtMapDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(800, 500)
    dock.show()
    explorer.set_color_by("sex")
    explorer.select(explorer.cohort.participant_ids[:7].tolist())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "maps.svg"), ""))
    canvas = dock.panels["mri"].scatter.native
    where = canvas.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, canvas.mapToGlobal(where))
    QApplication.sendEvent(canvas, event)
    context = QApplication.activePopupWidget()
    assert context is not None
    context.findChild(QtFigureMenu).actions()[3].trigger()
    context.close()
    qtbot.waitUntil(lambda: (tmp_path / "maps.svg").exists() and not explorer.jobs.running, timeout=20_000)
    root = ElementTree.parse(tmp_path / "maps.svg").getroot()
    words = {path.get("aria-label") for path in root.iter(f"{SVG}path")} - {None}
    assert {"female", "male", "120 of 120 participants, 7 selected"} <= words
    assert [word[:12] for word in sorted(words) if " map" in word] == ["ECG map, PCA", "MRI map, PCA"]
    described = root.find(f"{SVG}desc").text
    for modality in ("mri", "ecg"):
        assert f"{modality}, pca, fingerprint {explorer.projections[modality].fingerprint}" in described
    assert not any(str(who) in described for who in explorer.cohort.participant_ids)


def test_a_map_without_a_study_is_refused_in_words(empty_explorer, qtbot):
    dock = QtMapDock(empty_explorer)
    qtbot.addWidget(dock)
    with pytest.raises(LatentExplorerError, match="Open a study that was encoded"):
        dock.figure()
