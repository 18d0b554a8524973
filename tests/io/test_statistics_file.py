import datetime
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io import statistics_file
from napari_latent_explorer.io.statistics_file import read_statistics_file
from napari_latent_explorer.io.table_facts import ColumnFacts, facts_of

FRAME = pd.DataFrame(
    {"id": ["001", "002", "003"], "smoking": [0.0, 2.0, 9.0], "visit": [datetime.date(2019, 3, 1), None, None]}
)
LABELS = {"smoking": {0: "never", 1: "previous", 2: "current", 9: "refused"}}


def test_spss_keeps_codes_and_tells_labels_and_missing_codes(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    missing = {"smoking": [{"lo": 8, "hi": 10}]}
    titles = {"smoking": "Smoking status"}
    pyreadstat.write_sav(FRAME, path, column_labels=titles, variable_value_labels=LABELS, missing_ranges=missing)
    table = read_statistics_file(path, "SPSS")
    assert table["id"].tolist() == ["001", "002", "003"]
    assert table["smoking"].tolist() == [0, 2, 9]
    assert table["visit"].tolist()[0] == datetime.date(2019, 3, 1)
    known = (("0", "never"), ("1", "previous"), ("2", "current"))
    assert facts_of(table).columns["smoking"] == ColumnFacts("Smoking status", known, ("9",))


def test_stata_tells_labels_and_its_lettered_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "t.dta"
    frame = FRAME[["id", "smoking"]].astype({"smoking": object})
    frame.loc[2, "smoking"] = "a"
    labels = {"smoking": {0: "never", 1: "previous", 2: "current"}}
    pyreadstat.write_dta(frame, path, variable_value_labels=labels, missing_user_values={"smoking": ["a"]}, version=15)
    table = read_statistics_file(path, "Stata")
    assert table["smoking"].tolist() == [0, 2, "a"]
    facts = facts_of(table).columns["smoking"]
    assert facts.missing_codes == ("a",)
    assert dict(facts.value_labels) == {"0": "never", "1": "previous", "2": "current"}


def test_more_cells_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(FRAME, path)
    monkeypatch.setattr(statistics_file, "MAX_CELLS", 8)
    with pytest.raises(TableError, match="announces 3 rows of 3 columns; at most 8 cells"):
        read_statistics_file(path, "SPSS")


@pytest.mark.parametrize("suffix", ["sav", "dta"])
def test_cut_files_are_one_message(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    frame = FRAME[["id", "smoking"]]
    pyreadstat.write_sav(frame, path) if suffix == "sav" else pyreadstat.write_dta(frame, path)
    whole = path.read_bytes()
    for n_bytes in (40, len(whole) // 2):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(TableError, match=rf"t\.{suffix} is a damaged"):
            read_statistics_file(path, "SPSS" if suffix == "sav" else "Stata")
