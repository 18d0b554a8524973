"""Saving the ECG from where it is seen: as a figure, or as a table of ms and mV."""

from collections.abc import Callable, Mapping
from pathlib import Path

from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_latent_explorer._qt.figure_menu import MakeFigure, QtFigureMenu
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.ecg_export import write_ecg_table
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.provenance import provenance_of

MakeTable = Callable[[bool], tuple[tuple[ECG, ...], Mapping[str, str]]]
"""From whether participants are named to the ECGs that are shown now, and what is known of them."""


def save_ecgs(explorer: Explorer, ecgs: tuple[ECG, ...], facts: Mapping[str, str], path: Path) -> Job[Path]:
    """Start the job that writes ECGs as CSV with what the session knows of where they come from."""
    said = {**facts, **provenance_of(explorer.state)}
    return explorer.jobs.start(f"Save {path.name}", lambda: write_ecg_table(path, ecgs, said), lambda _: None)


class QtEcgSaveMenu(QtFigureMenu):
    """The kinds of a figure, and CSV.

    Parameters
    ----------
    explorer
        The session.
    make_figure, make_table
        Make what is saved when it is asked for.
    parent
        The dock.
    """

    def __init__(self, explorer: Explorer, make_figure: MakeFigure, make_table: MakeTable, parent: QWidget) -> None:
        super().__init__(explorer, make_figure, parent, can_name=True)
        self._make_table = make_table
        table = QAction("CSV, mV per lead and ms …", self)
        table.setToolTip("One row per ECG and sample, with where it comes from in comments above")
        table.triggered.connect(self._save_table)
        self.insertAction(self.has_ids, table)

    def _save_table(self) -> None:
        ecgs, facts = self._make_table(self.has_ids.isChecked())  # as they are now, not after the dialog
        chosen, _ = QFileDialog.getSaveFileName(self.parentWidget(), "Save ECG", "ecg.csv", "Table (*.csv)")
        if chosen:
            path = Path(chosen)
            try:
                save_ecgs(self._explorer, ecgs, facts, path if path.suffix else path.with_suffix(".csv"))
            except LatentExplorerError as error:
                self._explorer.failed.emit(error)
