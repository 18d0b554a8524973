"""Saving a figure from where it is seen: a menu of kinds and resolutions, on a button or on the right mouse button."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_latent_explorer._qt.figure import Figure
from napari_latent_explorer._qt.figure_files import RESOLUTIONS_PER_INCH, check_kind, write_figure
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.provenance import provenance_of

MakeFigure = Callable[[bool], Figure]
"""From whether participants are named in it to a figure of what is shown now."""


def save_figure(explorer: Explorer, figure: Figure, path: Path, per_inch: int = RESOLUTIONS_PER_INCH[1]) -> Job[Path]:
    """Start the job that writes a figure with what the session knows of where it comes from.

    Raises
    ------
    LatentExplorerError
        When the file's ending is neither .png nor .svg.
    """
    check_kind(path)
    provenance = provenance_of(explorer.state)
    return explorer.jobs.start(
        f"Save {path.name}", lambda: write_figure(figure, path, provenance, per_inch), lambda _: None
    )


class QtFigureMenu(QMenu):
    """PNG in some resolutions, or SVG.

    Parameters
    ----------
    explorer
        The session.
    make_figure
        Makes the figure when one is asked for.
    parent
        The dock.
    can_name
        Whether participants could be named in it, so that one may ask for it.
    """

    def __init__(self, explorer: Explorer, make_figure: MakeFigure, parent: QWidget, can_name: bool = False) -> None:
        super().__init__("Save figure", parent)
        self._explorer, self._make_figure = explorer, make_figure
        self.setToolTipsVisible(True)
        for per_inch in RESOLUTIONS_PER_INCH:
            self._add(f"PNG, {per_inch} dots per inch …", ".png", per_inch)
        self._add("SVG, sharp at any size …", ".svg", RESOLUTIONS_PER_INCH[1])
        self.has_ids = QAction("With names of participants", self)
        self.has_ids.setCheckable(True)
        self.has_ids.setToolTip("Ids of participants and names of files are in the figure only when this is checked")
        if can_name:
            self.addSeparator()
            self.addAction(self.has_ids)

    def _add(self, text: str, ending: str, per_inch: int) -> None:
        action = QAction(text, self)
        action.triggered.connect(lambda: self._save(ending, per_inch))
        self.addAction(action)

    def _save(self, ending: str, per_inch: int) -> None:
        try:
            figure = self._make_figure(self.has_ids.isChecked())  # as it is now, not after the dialog
            kind = f"Figure (*{ending})"
            chosen, _ = QFileDialog.getSaveFileName(self._over(), "Save figure", f"{figure.name}{ending}", kind)
            if chosen:
                path = Path(chosen)
                save_figure(self._explorer, figure, path if path.suffix else path.with_suffix(ending), per_inch)
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)

    def _over(self) -> QWidget | None:
        """Find the widget that a dialog lies over: this menu, and the one that it is in, may be gone by then."""
        over = self.parentWidget()
        while isinstance(over, QMenu):
            over = over.parentWidget()
        return over


def offer_figure(widget: QWidget, explorer: Explorer, make_figure: MakeFigure, can_name: bool = False) -> None:
    """Offer a figure on a widget's right mouse button and menu key."""

    def show(place: QPoint) -> None:
        if explorer.cohort is not None:
            context = QMenu(widget)
            context.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            context.addMenu(QtFigureMenu(explorer, make_figure, context, can_name))
            context.popup(widget.mapToGlobal(place))

    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    widget.customContextMenuRequested.connect(show)
