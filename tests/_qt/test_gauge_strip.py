"""The gauge below the dots: its sentence, its mark, and the people to click."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.gauge_strip import QtGaugeStrip


@pytest.fixture
def strip(qtbot, explorer):
    strip = QtGaugeStrip(explorer)
    qtbot.addWidget(strip)
    strip.resize(400, 110)
    strip.show()
    qtbot.waitUntil(lambda: strip.scale.percentile is not None, timeout=10_000)
    return strip


def test_the_middle_is_among_the_cohort_and_a_long_way_is_not(qtbot, strip, explorer):
    explorer.probe_mean()
    qtbot.waitUntil(lambda: strip.words.text().startswith("✓ Among the cohort"), timeout=5000)
    assert strip.scale.percentile < 5
    explorer.probe.move(0, float(explorer.latents["mri"].mean[0] + 30 * explorer.latents["mri"].std[0]))
    qtbot.waitUntil(lambda: strip.words.text().startswith("⚠ Unlike the cohort: none of the"), timeout=5000)
    assert strip.scale.percentile == 100
    assert strip.scale.accessibleName() == strip.words.text()
    explorer.probe.reset()
    qtbot.waitUntil(lambda: strip.words.text().startswith("✓"), timeout=5000)


def test_a_click_on_the_nearest_shows_their_recordings(qtbot, strip, explorer):
    participant_id = str(explorer.latents["mri"].participant_ids[4])
    explorer.probe_participant(participant_id, "mri")
    qtbot.waitUntil(lambda: strip.nearest[0].text() == f"{participant_id} (0.0 SD)", timeout=5000)
    with qtbot.waitSignal(explorer.participant_shown, timeout=10_000) as shown:
        QTest.mouseClick(strip.nearest[0], Qt.MouseButton.LeftButton)
    assert shown.args[0].participant_id == participant_id


def test_how_far_the_picture_comes_back_is_said_of_this_vector_only(qtbot, strip, explorer):
    explorer.probe.move(1, 0.7)
    qtbot.waitUntil(lambda: "comes back" in strip.cycle.text(), timeout=10_000)
    assert float(strip.cycle.text().split()[-3]) >= 0
    explorer.probe.move(1, 0.8)
    assert strip.cycle.text() == ""


def test_it_is_painted_in_both_themes(strip):
    from napari_latent_explorer._qt.theme import DARK, LIGHT

    pictures = []
    for theme in (DARK, LIGHT):
        strip.set_theme(theme)
        image = strip.scale.grab().toImage()
        pictures.append([image.pixelColor(x, 11).name() for x in range(0, image.width(), 3)])
    assert all(len(set(row)) >= 3 for row in pictures)
    assert np.any(np.array(pictures[0]) != np.array(pictures[1]))
