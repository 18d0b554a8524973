"""Choice of one end of a path: a group, the participant who is looked at, or a place of the probe."""

from qtpy.QtCore import QSize, Signal
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_latent_explorer._qt.theme import to_qcolor
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.path_choice import PathEnd

BEGAN, HERE = "Where the probe began", "Where the probe is now"
SWATCH_PX = 10


class QtPathEndBox(QComboBox):
    """What there is to begin or end a path at.

    Parameters
    ----------
    explorer
        The session.
    name
        For the screen reader and the tooltip.
    parent
        Qt parent.
    """

    chosen = Signal(object)
    """The `PathEnd` that the user chose."""

    def __init__(self, explorer: Explorer, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._ends: list[PathEnd | str] = []
        self.setAccessibleName(name)
        self.setToolTip(f"{name}: a group, the participant who is looked at, or a place of the probe")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(6)
        self.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        self.activated.connect(self._on_activated)

    @property
    def end(self) -> PathEnd | None:
        """What is chosen; None where nothing is, or a place that has yet to be taken."""
        chosen = self._ends[self.currentIndex()] if 0 <= self.currentIndex() < len(self._ends) else None
        return chosen if isinstance(chosen, PathEnd) else None

    def fill(self, chosen: PathEnd | None) -> None:
        """List what there is now, with `chosen` as the choice."""
        explorer = self._explorer
        groups = [group for group in explorer.groups if group.representative is not None]
        people = [explorer.current_participant] if explorer.current_participant is not None else []
        ends: list[PathEnd | str] = [PathEnd("group", group.name) for group in groups]
        ends += [
            PathEnd("participant", who) for who in people if any(who in space for space in explorer.latents.values())
        ]
        if chosen is not None and chosen not in ends:
            ends.append(chosen)
        ends += [BEGAN, HERE] if explorer.probe.is_set else []
        colors = {PathEnd("group", group.name): group.color for group in groups}
        self._ends = ends
        self.clear()
        for end in ends:
            if isinstance(end, PathEnd) and end in colors:
                swatch = QPixmap(SWATCH_PX, SWATCH_PX)
                swatch.fill(to_qcolor(colors[end]))
                self.addItem(QIcon(swatch), end.name)
            else:
                self.addItem(end if isinstance(end, str) else end.name)
        self.setCurrentIndex(ends.index(chosen) if chosen is not None else -1)

    def _on_activated(self, index: int) -> None:
        end = self._ends[index]
        if isinstance(end, str):
            began, here = self._explorer.probe_ends()
            end = began if end == BEGAN else here
        self.chosen.emit(end)
