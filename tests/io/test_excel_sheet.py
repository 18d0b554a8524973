import datetime
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io import excel_sheet
from napari_latent_explorer.io.excel_sheet import read_excel_sheet
from napari_latent_explorer.io.table_facts import facts_of


def workbook(**sheets: list[list[object]]) -> io.BytesIO:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream


def with_member(stream: io.BytesIO, name: str, content: bytes) -> io.BytesIO:
    """Replace one member of an archive."""
    changed = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return changed


def test_values_keep_their_types() -> None:
    rows = [["id", "age", "visit"], ["001", 50.5, datetime.datetime(2019, 3, 1)], [2, None, None]]
    table = read_excel_sheet(workbook(T=rows), "t.xlsx")
    assert table.columns.tolist() == ["id", "age", "visit"]
    assert table["id"].tolist() == ["001", 2]
    assert table["visit"].tolist() == [datetime.datetime(2019, 3, 1), None]


def test_the_first_sheet_that_holds_anything_and_what_else_there_is() -> None:
    stream = workbook(Empty=[], Data=[["id"], ["a"]], More=[["id"], ["b"]])
    table = read_excel_sheet(stream, "t.xlsx")
    assert table["id"].tolist() == ["a"]
    assert facts_of(table).notes == ("The sheet 'Data' of t.xlsx was read; there are also 'Empty', 'More'.",)
    assert read_excel_sheet(stream, "t.xlsx", "More")["id"].tolist() == ["b"]
    with pytest.raises(TableError, match="has no sheet 'Nope'; it has 'Empty', 'Data', 'More'"):
        read_excel_sheet(stream, "t.xlsx", "Nope")
    with pytest.raises(TableError, match="has no table in the sheet 'Empty'"):
        read_excel_sheet(stream, "t.xlsx", "Empty")


def test_formulas_are_not_evaluated() -> None:
    table = read_excel_sheet(workbook(T=[["id", "x"], ["a", "=1+1"], ["b", 3]]), "t.xlsx")
    assert table["x"].tolist() == [None, 3]  # a formula that Excel never calculated has no stored value


def test_empty_rows_and_the_announced_extent_are_not_believed() -> None:
    stream = workbook(T=[["id", "x"], ["a", 1]])
    with zipfile.ZipFile(stream) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    lying = xml.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')
    assert lying != xml
    lying = lying.replace(b"</sheetData>", b'<row r="1048576"><c r="A1048576" t="n"><v>9</v></c></row></sheetData>')
    table = read_excel_sheet(with_member(stream, "xl/worksheets/sheet1.xml", lying), "t.xlsx")
    assert table.shape == (1, 2)


def test_an_entity_bomb_is_refused() -> None:
    stream = workbook(T=[["id"], ["a"]])
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "ha">{entities}]><worksheet>&e9;</worksheet>'
    with pytest.raises(TableError, match="is a damaged Excel workbook"):
        read_excel_sheet(with_member(stream, "xl/worksheets/sheet1.xml", bomb.encode()), "t.xlsx")


@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_an_external_entity_is_not_followed(tmp_path: Path, member: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("very secret", "utf-8")
    stream = workbook(T=[["very open"], ["a"]])
    with zipfile.ZipFile(stream) as archive:
        xml = archive.read(member).decode()
    declared = f'<!DOCTYPE x [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    head, _, rest = xml.rpartition("?>")
    attack = f"{head}?>{declared}{rest}" if head else f"{declared}{rest}"
    attack = attack.replace("very open", "&x;").replace('name="T"', 'name="&x;"')
    try:
        table = read_excel_sheet(with_member(stream, member, attack.encode()), "t.xlsx")
    except TableError as refusal:
        told = str(refusal)
    else:
        told = f"{table} {facts_of(table)}"
    assert "very secret" not in told


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_sheet, "MAX_UNPACKED_BYTES", 100_000)
    stream = with_member(workbook(T=[["id"]]), "xl/worksheets/sheet1.xml", b" " * 1_000_000)
    with pytest.raises(TableError, match="at most 100000 bytes"):
        read_excel_sheet(stream, "t.xlsx")


def test_more_cells_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_sheet, "MAX_SHEET_CELLS", 30)
    with pytest.raises(TableError, match="more than 30 cells"):
        read_excel_sheet(workbook(T=[["id", "x"]] + [["a", 1]] * 20), "t.xlsx")


def test_other_archives_are_named() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("table.csv", "id\n1\n")
    with pytest.raises(TableError, match="is a zip archive but no Excel workbook"):
        read_excel_sheet(stream, "t.zip")
