from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_proposal import ColumnProposal
from napari_latent_explorer.io.columns_file import read_columns_file, write_columns_file

AGE = ColumnProposal(
    ("21003-2.0",), "age", "continuous", note="numbers in years", label="Age", unit="years", missing_codes=("-9",),
    doubtful_codes=("999",), n_missing=3, n_distinct=40, examples=("55", "61"),
)  # fmt: skip
SEX = ColumnProposal(("sex",), "sex", "binary", categories=("female", "male"), codes=(("0", "female"), ("1", "male")))
NOTE = ColumnProposal(("note",), "note", "text", is_kept=False, note="free text")
PRESSURE = ColumnProposal(("4080-2.0", "4080-2.1"), "systolic_pressure", "continuous", rule="mean")


def decided(proposal: ColumnProposal) -> ColumnProposal:
    """Leave out what is only shown."""
    return replace(proposal, note="", n_missing=0, n_distinct=0, examples=())


def test_proposals_come_back(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    write_columns_file(path, [AGE, SEX, NOTE, PRESSURE])
    assert read_columns_file(path) == tuple(map(decided, (AGE, SEX, NOTE, PRESSURE)))
    written = path.read_text("utf-8")
    assert '# numbers in years\n# 3 missing, 40 different, e.g. 55, 61\n[[column]]\nname = "age"' in written


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=15)


@given(NAME, NAME, st.lists(NAME, min_size=2, max_size=4, unique=True), NAME)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, source: str, labels: list[str], note: str
):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    codes = tuple((f"{source}{place}", label) for place, label in enumerate(labels))
    proposal = ColumnProposal(
        (source,), name, "categorical", note=note, label=note, categories=tuple(labels), codes=codes, examples=(note,)
    )
    write_columns_file(path, [proposal])
    assert read_columns_file(path) == (decided(proposal),)


def test_a_correction_is_read(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    write_columns_file(path, [AGE])
    path.write_text(path.read_text("utf-8").replace('doubtful_codes = ["999"]', "").replace('["-9"]', '["-9", "999"]'))
    (age,) = read_columns_file(path)
    assert (age.missing_codes, age.doubtful_codes) == (("-9", "999"), ())


ENTRY = '[[column]]\nname = "a"\nsources = ["a"]\nkind = "continuous"\n'
BINARY = '[[column]]\nname = "a"\nsources = ["a"]\nkind = "binary"\ncategories = ["no", "yes"]\n'


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("nonsense", "is no TOML"),
        ("column = 3", "`column` is no list of tables"),
        ("colum = 3", "unknown key 'colum' outside"),
        (ENTRY + "units = 'g'", r"column 1 \(a\): unknown key 'units'"),
        ('[[column]]\nname = "a"', r"column 1 \(a\): sources is missing; column 1 \(a\): kind is missing"),
        (ENTRY.replace("continuous", "number"), "kind is 'number', expected one of continuous, binary"),
        (ENTRY + "rule = 'sum'", "rule is 'sum', expected one of first, mean"),
        (ENTRY + "keep = 'no'", "keep is neither true nor false"),
        (ENTRY + "missing_codes = [-9]", "missing_codes is no list of texts"),
        (ENTRY + "label = 3", "label is not text"),
        (ENTRY + "[column.codes]\n1 = 2", "codes is no table of texts"),
        (ENTRY.replace('["a"]', "[]"), "sources is empty"),
        (ENTRY + "categories = ['x']", "is continuous and cannot have categories"),
        (ENTRY.replace("continuous", "date"), "is taken for date and cannot become a phenotype"),
        (BINARY.replace(', "yes"', ""), "is binary but has 1 categories"),
        (BINARY.replace('"yes"', '"no"'), "categories repeat a label"),
        (BINARY + "[column.codes]\n1 = 'maybe'", "codes lead to 'maybe', which are not in categories"),
        (BINARY + "rule = 'mean'", "'mean' makes a continuous phenotype"),
        (BINARY + "rule = 'before'", "'before' needs two sources"),
        (ENTRY + "rule = 'ever'", "'ever' makes a binary phenotype"),
        (ENTRY.replace("continuous", "categorical"), "categories are missing"),
        (ENTRY + ENTRY, "several kept columns are called 'a'"),
        (ENTRY.replace('name = "a"', 'name = "participant_id"'), "'participant_id' is the column of the ids"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, written: str, message: str) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(written, "utf-8")
    with pytest.raises(TableError, match=message) as refusal:
        read_columns_file(path)
    assert str(path) in str(refusal.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="There is no file"):
        read_columns_file(tmp_path / "nowhere.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(TableError, match="is no TOML"):
        read_columns_file(tmp_path / "b.toml")
