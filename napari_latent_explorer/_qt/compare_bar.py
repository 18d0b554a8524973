"""The two groups that are compared, and how: the line of choices above a comparison."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import to_qcolor
from napari_latent_explorer.analysis.phenotype_comparison import NUMBER_TESTS
from napari_latent_explorer.session.coloring import NEUTRAL_COLOR
from napari_latent_explorer.session.comparing import Comparing
from napari_latent_explorer.session.group_comparison import REST
from napari_latent_explorer.session.groups import RGBA, Group

SWATCH_PX = 12
REST_WORDS = f"{REST}, of the visible"
TEST_WORDS = {
    "welch": "Do the means differ, whatever the spreads? Also used for skewed numbers in large groups",
    "mann-whitney": "Does one group tend to larger values? By ranks, so outliers hardly matter",
}


class QtCompareBar(QWidget):
    """Group A, group B or the rest, and the test of numbers.

    Parameters
    ----------
    comparing
        The session's choice, which this shows and sets.
    parent
        Qt parent.
    """

    def __init__(self, comparing: Comparing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparing = comparing
        self._shown: tuple[object, ...] = ()
        self.group_a, self.group_b, self.test = (self._combo(name) for name in ("Group A", "Group B", "Test"))
        for name, words in NUMBER_TESTS.items():
            self.test.addItem(words, name)
            self.test.setItemData(self.test.count() - 1, TEST_WORDS[name], Qt.ItemDataRole.ToolTipRole)
        self.test.setToolTip(
            "How numbers are tested. Proportions: chi-square, or Fisher's exact test if counts are low"
        )
        self.swap = QToolButton(self)
        self.swap.setText("⇄")
        self.swap.setToolTip("Turn the two groups round")
        self.swap.setAccessibleName("Turn the two groups round")
        self.group_a.activated.connect(self._on_group_a_activated)
        self.group_b.activated.connect(self._on_group_b_activated)
        self.test.activated.connect(lambda index: comparing.set_number_test(self.test.itemData(index)))
        self.swap.clicked.connect(comparing.swap)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for column, (widget, stretch) in enumerate(
            ((self.group_a, 1), (QLabel("against", self), 0), (self.group_b, 1), (self.swap, 0))
        ):
            layout.addWidget(widget, 0, column)
            layout.setColumnStretch(column, stretch)

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setAccessibleName(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(6)
        combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        combo.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        return combo

    def synchronize(self, groups: tuple[Group, ...]) -> None:
        """Show the groups that there are, and the choice."""
        chosen_a, chosen_b = self._comparing.group_a, self._comparing.group_b
        shown = groups, chosen_a, chosen_b, self._comparing.number_test
        if shown == self._shown:
            return
        self._shown = shown
        self.group_a.clear()
        self.group_b.clear()
        for group in groups:
            self.group_a.addItem(swatch(group.color), group.name, group.name)
            if group is not chosen_a:
                self.group_b.addItem(swatch(group.color), group.name, group.name)
        self.group_b.addItem(swatch(NEUTRAL_COLOR), REST_WORDS, None)
        self.group_a.setCurrentIndex(self.group_a.findData(chosen_a.name) if chosen_a is not None else -1)
        at_rest = self.group_b.count() - 1
        self.group_b.setCurrentIndex(at_rest if chosen_b is None else self.group_b.findData(chosen_b.name))
        for combo in (self.group_a, self.group_b):
            combo.setToolTip(as_plain(combo.currentText()))
        self.test.setCurrentIndex(self.test.findData(self._comparing.number_test))
        self.swap.setEnabled(chosen_b is not None)

    def _on_group_a_activated(self, index: int) -> None:
        name, former, other = self.group_a.itemData(index), self._comparing.group_a, self._comparing.group_b
        if other is None or other.name != name:
            self._comparing.choose(name, None if other is None else other.name)
        elif former is not None:
            self._comparing.choose(name, former.name)

    def _on_group_b_activated(self, index: int) -> None:
        if (group_a := self._comparing.group_a) is not None:
            self._comparing.choose(group_a.name, self.group_b.itemData(index))


def swatch(color: RGBA) -> QIcon:
    """Make a disc of a group's colour, with a rim that shows on any ground."""
    pixmap = QPixmap(2 * SWATCH_PX, 2 * SWATCH_PX)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(128, 128, 128))
    painter.setBrush(to_qcolor(color))
    painter.drawEllipse(1, 1, 2 * SWATCH_PX - 3, 2 * SWATCH_PX - 3)
    painter.end()
    return QIcon(pixmap)
