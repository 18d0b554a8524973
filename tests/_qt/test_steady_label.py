"""Words that change must not lay the window out anew."""

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_latent_explorer._qt.steady_label import QtSteadyLabel


class Counter(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.n_layouts = 0

    def eventFilter(self, watched, event):  # noqa: N802
        self.n_layouts += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.mark.parametrize(("kind", "is_laid_out"), [(QtSteadyLabel, False), (QLabel, True)], ids=["steady", "Qt's"])
def test_other_words_ask_for_no_other_room(kind, is_laid_out, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    label = kind(window)
    QVBoxLayout(window).addWidget(label)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(50)
    counter = Counter()
    window.installEventFilter(counter)
    label.setText("much longer words than before")
    qtbot.wait(50)
    assert bool(counter.n_layouts) == is_laid_out


def test_it_writes_in_the_colour_of_its_style_and_cuts_what_does_not_fit(qtbot):
    label = QtSteadyLabel()
    qtbot.addWidget(label)
    label.setStyleSheet("color: #ff0000; background: #000000;")
    label.resize(60, 20)
    label.setText("MMMMMMMMMMMMMMMMMMMMMMMMMM")
    label.show()
    qtbot.waitExposed(label)
    image = label.grab().toImage()
    reds = [image.pixelColor(x, y).red() for x in range(60) for y in range(20)]
    greens = [image.pixelColor(x, y).green() for x in range(60) for y in range(20)]
    assert max(reds) > 200
    assert max(greens) < 50
    assert all(image.pixelColor(59, y).red() < 200 for y in range(20))
    assert label.accessibleName() == label.text()
