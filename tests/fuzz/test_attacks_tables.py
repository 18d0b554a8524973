"""Tables made to be executed, to explode, or to say more than they hold."""

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading_server import ReadingServer
from test_attacks_signals import Program

from napari_latent_explorer.io.phenotype_table import import_phenotypes
from napari_latent_explorer.io.table_file import read_table_file

TABLE = "table of phenotypes"


def _rewritten(content: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """A workbook whose members are changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, member in more.items():
            new.writestr(name, member)
    return stream.getvalue()


def workbook() -> bytes:
    stream = io.BytesIO()
    pd.DataFrame({"eid": [f"P{k}" for k in range(20)], "lvm": range(20)}).to_excel(stream, index=False)
    return stream.getvalue()


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3", '=HYPERLINK("http://x")', "=1+1"])
def test_formulas_stay_the_text_that_they_are(cell: str, tmp_path: Path) -> None:
    quoted = f'"{cell.replace(chr(34), chr(34) * 2)}"'
    (tmp_path / "table.csv").write_text("eid,comment\n" + "".join(f"P{k},{quoted}\n" for k in range(20)))
    assert read_table_file(tmp_path / "table.csv")["comment"].tolist() == [cell] * 20


def test_a_formula_in_a_workbook_is_not_evaluated(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("eid", "x"), *((f"P{k}", "=1+1") for k in range(20))]:
        book.active.append(row)
    book.save(tmp_path / "table.xlsx")
    values = read_table_file(tmp_path / "table.xlsx")["x"]
    assert values.isna().all() or not set(values.dropna()) & {2, "2"}


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 12)) + "]>"
).encode()
PASSWORDS = b'<!DOCTYPE x [<!ENTITY a11 SYSTEM "file:///etc/passwd">]>'


MEMBERS = ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "docProps/core.xml",
           "[Content_Types].xml", "_rels/.rels")  # fmt: skip


@pytest.mark.parametrize("prologue", [LAUGHS, PASSWORDS], ids=["laughs", "file"])
@pytest.mark.parametrize("member", MEMBERS)
def test_entities_in_a_workbook_are_refused(
    prologue: bytes, member: str, server: ReadingServer, tmp_path: Path
) -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != member:
            return content
        begin = content.index(b">", content.index(b"<", content.find(b"?>") + 2)) + 1
        declaration = content[: content.index(b"?>") + 2] if content.startswith(b"<?xml") else b""
        return declaration + prologue + content[len(declaration) : begin] + b"<y>&a11;</y>" + content[begin:]

    path = tmp_path / "table.xlsx"
    path.write_bytes(_rewritten(workbook(), change))
    verdict = server.ask(TABLE, path)
    assert verdict.is_fine, verdict
    assert "root:" not in verdict.message


def _replacing(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, content: content.replace(old, new)


def _bomb(name: str, content: bytes) -> bytes:
    return content.replace(b"</sheetData>", b"<row/>" * 30_000_000 + b"</sheetData>") if "sheet1" in name else content


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        pytest.param(_replacing(b'ref="A1:B21"', b'ref="A1:XFD1048576"'), True, id="announced extent"),
        pytest.param(_replacing(b'r="B21"', b'r="XFD1048576"'), None, id="one cell far away"),
        pytest.param(_replacing(b'<row r="21"', b'<row r="1048576"'), None, id="one row far away"),
        pytest.param(_replacing(b'<row r="21"', b'<row r="-5"'), None, id="row before the first"),
        pytest.param(_replacing(b't="s"', b't="nonsense"'), None, id="unknown type"),
        pytest.param(_replacing(b"<v>1</v>", b"<v>999999999</v>"), None, id="text that is not there"),
        pytest.param(_replacing(b"<v>1</v>", b"<v>1e999</v>"), None, id="over all numbers"),
        pytest.param(_bomb, False, id="180 MB of rows"),
    ],
)
def test_workbooks_that_lie(
    change: Callable[[str, bytes], bytes], is_read: bool | None, server: ReadingServer, tmp_path: Path
) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(_rewritten(workbook(), change))
    verdict = server.ask("table file", path)
    assert verdict.is_fine, verdict
    assert is_read is None or (verdict.kind == "read") == is_read, verdict


def test_macros_and_links_of_a_workbook_are_left_alone(server: ReadingServer, tmp_path: Path) -> None:
    link = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    )
    link += b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath" '
    link += b'Target="http://127.0.0.1:9/x.xlsx" TargetMode="External"/></Relationships>'
    more = {
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(1000),
        "xl/externalLinks/_rels/externalLink1.xml.rels": link,
    }
    path = tmp_path / "table.xlsm"
    path.write_bytes(_rewritten(workbook(), lambda name, content: content, **more))
    assert server.ask(TABLE, path).kind == "read"


# ---------------------------------------------------------------------------------------------------------- Parquet


def _parquet(table: pa.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def test_pickles_in_parquet_metadata_are_not_loaded(server: ReadingServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = pickle.dumps(Program(trace))
    ids = pa.array([f"P{k}" for k in range(20)])
    extension = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": program}
    field = pa.field("x", pa.int64(), metadata=extension)
    table = pa.table([ids, pa.array(range(20))], schema=pa.schema([pa.field("eid", pa.string()), field]))
    table = table.replace_schema_metadata({b"pandas": program, b"ARROW:schema": program})
    path = tmp_path / "table.parquet"
    path.write_bytes(_parquet(table))
    verdict = server.ask(TABLE, path)
    assert verdict.is_fine, verdict
    assert not trace.exists()


@pytest.mark.parametrize(
    "metadata",
    [
        b"not JSON",
        b"{}",
        json.dumps(
            {
                "index_columns": [{"kind": "range", "start": 0, "stop": 10**12, "step": 1, "name": None}],
                "columns": [],
                "column_indexes": [],
            }
        ).encode(),
        b"[" * 100_000,
        b'{"index_columns": ["nowhere"], "columns": null}',
    ],
    ids=["text", "empty", "endless index", "deep", "no index"],
)
def test_the_pandas_metadata_of_a_file_is_not_believed(metadata: bytes, server: ReadingServer, tmp_path: Path) -> None:
    table = pa.table({"eid": [f"P{k}" for k in range(20)], "x": range(20)}).replace_schema_metadata(
        {b"pandas": metadata}
    )
    path = tmp_path / "table.parquet"
    path.write_bytes(_parquet(table))
    verdict = server.ask(TABLE, path)
    assert verdict.kind == "read", verdict


def test_a_small_file_of_many_rows_is_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    """A column of 50 million equal numbers takes a few kB on disk."""
    path = tmp_path / "table.parquet"
    path.write_bytes(_parquet(pa.table({"eid": pa.repeat(7, 50_000_000)})))
    assert path.stat().st_size < 500_000
    refusal(path, "rows|cells", TABLE)


def test_a_long_text_repeated_costs_nothing(server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 100_000), pa.array(["A" * 1_000_000]))
    table = pa.table({"eid": pa.array([f"P{k}" for k in range(100_000)]), "x": texts})
    path.write_bytes(_parquet(table))
    verdict = server.ask(TABLE, path)
    assert verdict.is_fine, verdict


def test_nested_and_odd_types_are_left_out_or_refused(server: ReadingServer, tmp_path: Path) -> None:
    n = 20
    columns = {
        "eid": pa.array([f"P{k}" for k in range(n)]),
        "list": pa.array([[1, 2]] * n), "struct": pa.array([{"a": 1}] * n),
        "map": pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())), "null": pa.nulls(n),
        "date": pa.array([0] * n, pa.date32()),
        "time": pa.array([2**62] * n, pa.timestamp("ns", "Europe/Berlin")),
        "decimal": pa.array([None] * n, pa.decimal256(70, 3)),
        "binary": pa.array([b"\xff\x00"] * n),
        "half": pa.array([1.0] * n).cast(pa.float16()), "bool": pa.array([True, None] * (n // 2)),
        "duration": pa.array([1] * n, pa.duration("s")), "huge": pa.array([2**63 - 1] * n),
        "nan": pa.array([float("nan"), float("inf")] * (n // 2)),
    }  # fmt: skip
    path = tmp_path / "table.parquet"
    path.write_bytes(_parquet(pa.table(columns)))
    verdict = server.ask(TABLE, path)
    assert verdict.is_fine, verdict


# ------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"eid,x\n" + b"1,2\n" * 100 + b"7," + b"1" * 50_000_000, None, id="one endless cell"),
        pytest.param(b"eid," + b"x," * 200_000, "refused", id="200,000 columns"),
        pytest.param(b'eid,x\n"1,2\n' + b"3,4\n" * 500_000, "refused", id="open quote"),
        pytest.param(b"eid,x\n\x001,\x002\n", None, id="null"),
        pytest.param(b"eid,x\n" + b"1,\x1b[2J\x1b]0;owned\x07\n2,3\n", None, id="escapes"),
        pytest.param(b"\x1b[2Jeid,\x1b[31mx\n" + b"1,2\n2,3,4\n", "refused", id="escapes in names"),
        pytest.param(("eid,x\n" + "".join(f"P{k},{'1' * 400}\n" for k in range(50))).encode(), None, id="long numbers"),
        pytest.param(b"eid,eid\n1,2\n", "refused", id="one name twice"),
        pytest.param(b"eid,x\n" + b"1,2\n" * 1000, None, id="one id for all"),
        pytest.param(b"eid,x\n" + b",2\n" * 1000, "refused", id="no id"),
        pytest.param(
            ("eid,x\n" + "".join(f"P{k},nan\nQ{k},-inf\n" for k in range(50))).encode(), "read", id="not finite"
        ),
        pytest.param("eid,x\nP1,ä\nP2,٣\n".encode("utf-16-be"), None, id="UTF-16 without mark"),
        pytest.param(b"\xff\xfe", "refused", id="a mark alone"),
        pytest.param(b"\n" * 5_000_000, "refused", id="empty lines"),
        pytest.param(b"eid\n" + b"\n".join(b"%d" % k for k in range(400_000)), None, id="one column"),
        pytest.param(gzip.compress(bytes(300_000_000), 9), "refused", id="gzip bomb"),
        pytest.param(gzip.compress(gzip.compress(b"eid,x\n1,2\n" * 50)), "refused", id="gzip in gzip"),
        pytest.param(gzip.compress(b"eid,x\n1,2\n2,3\n")[:-9], "refused", id="cut gzip"),
    ],
)
def test_texts_that_are_no_good_tables(content: bytes, kind: str | None, server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    verdict = server.ask(TABLE, path)
    assert verdict.is_fine, verdict
    assert kind is None or verdict.kind == kind, verdict


def test_markup_in_cells_stays_text(tmp_path: Path) -> None:
    rows = "".join(f"P{k},<img src=x onerror=alert({k % 2})>\n" for k in range(40))
    (tmp_path / "table.csv").write_text("eid,<b>x</b>\n" + rows)
    table = import_phenotypes(tmp_path / "table.csv", "eid")
    (spec,) = table.specs.values()
    assert set(spec.categories) == {"<img src=x onerror=alert(0)>", "<img src=x onerror=alert(1)>"}


@pytest.mark.parametrize("content", ["x = " + "[" * 100_000, "a." * 50_000 + "b = 1", 'x = "' + "A" * 5_000_000, "\x00",
                                     "[[column]]\n" * 300_000, "x = {" * 10_000])  # fmt: skip
def test_deep_and_long_toml_is_refused(content: str, refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(content)
    refusal(path, "columns.toml", "columns file")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["study folder", "model bundle"])
@pytest.mark.parametrize(
    "content", ["[" * 1_000_000, '{"a":' * 100_000, '{"n_participants": 1e999}', "1" * 100_000, "NaN"]
)
def test_deep_and_odd_json_is_refused(target: str, content: str, server: ReadingServer, tmp_path: Path) -> None:
    from seeds import bundles, studies

    (whole,) = studies() if target == "study folder" else bundles()
    for name in [name for name in whole.files if name.endswith(".json") and "/" not in name]:
        folder = tmp_path / name
        whole.write(folder, {**whole.files, name: content.encode()})
        verdict = server.ask(target, folder)
        assert verdict.is_fine, (name, verdict)
