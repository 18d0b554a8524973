"""The questions whose answers make a study: where the files are, and how they are to be read."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QComboBox, QLineEdit, QWidget

from napari_latent_explorer._qt.arrangement import question_rows
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.path_field import QtPathField
from napari_latent_explorer.session.study_building import StudyBuilding, suggested_output

TABLE_FILTER = "Tables (*.csv *.tsv *.txt *.gz *.parquet *.xlsx *.xlsm *.sav *.zsav *.dta);;All files (*)"
PLANES = (
    ("4-chamber long axis", "la_4ch"),
    ("2-chamber long axis", "la_2ch"),
    ("3-chamber long axis", "la_3ch"),
    ("short axis", "sa"),
    ("whatever there is, if only one", None),
)
ECG_KINDS = (
    ("median beat of the device, else rhythm", None),
    ("median beat of the device", "median"),
    ("rhythm strip", "rhythm"),
)
CROP_RULES = (
    ("centred on the heart", "centred"),
    ("as published (upper left of the box)", "published"),
    ("none", "none"),
)
LABEL_SCHEMES = (
    ("as the files' names tell", None),
    ("ml4h, 4-chamber", "ml4h_la_4ch"),
    ("ml4h, short axis", "ml4h_sa"),
    ("ACDC", "acdc"),
    ("M&Ms", "mnms"),
)
VISITS = (("automatic", None), *((f"visit {number}", number) for number in range(4)))
CROP_TOOL_TIP = (
    "How the heart is cut out for the model. Centred: 96 x 96 pixels of 1.8 mm around the heart. As published: the box "
    "itself at the upper left, as ml4h does it. The box comes from the labels where there are some, else from what "
    "moves, and can be drawn by hand later."
)


class QtStudyBuilderForm(QWidget):
    """One line per question; each answer goes to the session at once.

    Parameters
    ----------
    building
        The study that is being put together.
    parent
        Qt parent.
    """

    def __init__(self, building: StudyBuilding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._building = building
        self.table = QtPathField(
            "Table of phenotypes", "file", "CSV, TSV, Parquet, Excel, SPSS or Stata; one row for each participant",
            TABLE_FILTER, self,
        )  # fmt: skip
        self.id_column = _combo("Column of participant ids", "Which column of the table names the participant", self)
        self.instance = _combo("Visit", "Which visit of UK Biobank; automatic takes the first with imaging", self)
        self.cine = QtPathField(
            "Folder of cines", "folder", "DICOM folders or zips, NIfTI, HDF5; one per participant", "", self
        )
        self.imaging_plane = _combo("Imaging plane", "Which cine to take where there are several", self)
        self.ecg = QtPathField(
            "Folder of ECGs", "folder", "XML, DICOM, WFDB, SCP-ECG, CSV; one per participant", "", self
        )
        self.ecg_kind = _combo("Kind of ECG", "Which ECG to take where a file holds several", self)
        self.labels = QtPathField(
            "Folder of label maps", "folder", "Segmentations of the cines, if there are any: NIfTI or HDF5", "", self
        )
        self.label_scheme = _combo("Meaning of the labels", "What the class numbers of the label maps stand for", self)
        self.crop_rule = _combo("Heart crop", CROP_TOOL_TIP, self)
        self.id_pattern = QLineEdit(self)
        self.output = QtPathField("Folder of the new study", "new folder", "It is made, or gone on with", "", self)
        self.name = QLineEdit(self)
        self._set_up()
        self._build_layout()
        self._connect()
        self.synchronize()

    def _set_up(self) -> None:
        choices = (
            (self.imaging_plane, PLANES),
            (self.ecg_kind, ECG_KINDS),
            (self.label_scheme, LABEL_SCHEMES),
            (self.crop_rule, CROP_RULES),
            (self.instance, VISITS),
        )
        for combo, entries in choices:
            for label, value in entries:
                combo.addItem(label, value)
        self.id_pattern.setAccessibleName("Id pattern")
        self.id_pattern.setPlaceholderText("found from the names")
        self.id_pattern.setToolTip(
            "Regular expression with a group called id, searched for in each path below the folders, e.g. "
            "sub-(?P<id>[0-9]+). Only needed where names do not hold the id in a usual way."
        )
        self.name.setAccessibleName("Name of the study")
        self.name.setPlaceholderText("the folder's name")
        self.name.setToolTip("What the study is called for people")

    def _build_layout(self) -> None:
        fields: tuple[tuple[str, QWidget], ...] = (
            ("Table", self.table),
            ("Id column", self.id_column),
            ("Visit", self.instance),
            ("Cines", self.cine),
            ("Plane", self.imaging_plane),
            ("ECGs", self.ecg),
            ("Kind", self.ecg_kind),
            ("Labels", self.labels),
            ("Meaning", self.label_scheme),
            ("Heart crop", self.crop_rule),
            ("Id pattern", self.id_pattern),
            ("New study", self.output),
            ("Name", self.name),
        )
        self._rows = question_rows([(words, field, field) for words, field in fields], self)
        self._rows.setContentsMargins(6, 8, 6, 6)
        self._rows.setVerticalSpacing(5)
        self.setLayout(self._rows)

    def _connect(self) -> None:
        fill_in = self._building.fill_in
        self.table.path_changed.connect(lambda path: fill_in(table=path))
        self.ecg.path_changed.connect(lambda path: fill_in(ecg=path))
        self.cine.path_changed.connect(lambda path: fill_in(cine=path))
        self.labels.path_changed.connect(lambda path: fill_in(labels=path))
        self.output.path_changed.connect(lambda path: fill_in(output=path))
        self.id_column.activated.connect(lambda: fill_in(id_column=self.id_column.currentData()))
        self.instance.activated.connect(lambda: fill_in(instance=self.instance.currentData()))
        self.imaging_plane.activated.connect(lambda: fill_in(imaging_plane=self.imaging_plane.currentData()))
        self.ecg_kind.activated.connect(lambda: fill_in(ecg_kind=self.ecg_kind.currentData()))
        self.label_scheme.activated.connect(lambda: fill_in(label_scheme=self.label_scheme.currentData()))
        self.crop_rule.activated.connect(lambda: fill_in(crop_rule=self.crop_rule.currentData()))
        self.id_pattern.editingFinished.connect(lambda: fill_in(id_pattern=self.id_pattern.text().strip() or None))
        self.name.editingFinished.connect(lambda: fill_in(name=self.name.text().strip()))
        listen(self, self._building.form_changed, self.synchronize)
        listen(self, self._building.table_changed, self.synchronize)

    def synchronize(self) -> None:
        """Show the session's answers."""
        form, reading = self._building.form, self._building.table
        for field, path in (
            (self.table, form.table),
            (self.cine, form.cine),
            (self.ecg, form.ecg),
            (self.labels, form.labels),
            (self.output, form.output),
        ):
            if path != field.path:
                field.set_path(path)
        self.output.suggest(suggested_output(form))
        self._show_columns(reading.column_names if reading is not None else ())
        for combo, value in (
            (self.id_column, form.id_column),
            (self.instance, form.instance),
            (self.imaging_plane, form.imaging_plane),
            (self.ecg_kind, form.ecg_kind),
            (self.label_scheme, form.label_scheme),
            (self.crop_rule, form.crop_rule),
        ):
            combo.setCurrentIndex(combo.findData(value))
        self._rows.setRowVisible(self.id_column, form.table is not None)
        self._rows.setRowVisible(self.label_scheme, form.labels is not None)
        self._rows.setRowVisible(self.instance, reading is not None and reading.has_visits)

    def _show_columns(self, names: Sequence[str]) -> None:
        shown = [self.id_column.itemData(row) for row in range(self.id_column.count())]
        if shown != list(names):
            self.id_column.clear()
            for name in names:
                self.id_column.addItem(name, name)
        self.id_column.setPlaceholderText("choose the column" if names else "reading the table …")


def _combo(name: str, tool_tip: str, parent: QWidget) -> Any:
    combo = QComboBox(parent)
    combo.setAccessibleName(name)
    combo.setToolTip(tool_tip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo
