import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.exports import participants_table
from napari_latent_explorer.session.filters import CategoryFilter

WOMEN = CategoryFilter("sex", frozenset({"female"}))


def export(explorer, *arguments, **options) -> None:
    explorer.export_participants(*arguments, **options)
    assert explorer.jobs.wait(20.0)


def read(path) -> tuple[list[str], pd.DataFrame]:
    text = path.read_text("utf-8")
    head = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    return head, pd.read_csv(io.StringIO(text), comment="#")


def test_the_selected_are_written_with_units_and_without_ids(explorer, tmp_path) -> None:
    explorer.set_filter(WOMEN)
    explorer.select(["P04", "P02"])
    export(explorer, tmp_path / "some.csv", "selected")
    head, table = read(tmp_path / "some.csv")
    assert table.columns.tolist() == ["sex", "diabetes", "age [years]", "lvef [%]"]
    assert table["age [years]"].tolist() == [2.0, 4.0]
    assert table["sex"].tolist() == ["female", "female"]
    assert table["lvef [%]"].isna().all()
    assert "P0" not in (tmp_path / "some.csv").read_text()
    assert head[0].startswith("Participants of the study 'Memory', fingerprint ")
    assert head[0].endswith("2 of 40, selected")
    assert explorer.cohort.fingerprint in head[0]
    assert "Filters: Sex: female" in head


def test_ids_are_there_when_asked_for(explorer, tmp_path) -> None:
    explorer.exclude(["P00", "P02"], "motion")
    explorer.set_filter(WOMEN)
    export(explorer, tmp_path / "all.csv", has_ids=True)
    head, table = read(tmp_path / "all.csv")
    assert table["participant_id"].tolist() == [f"P{i:02}" for i in range(4, 40, 2)]
    assert "Excluded: 2 (motion)" in head


def test_a_group_says_how_it_was_made(explorer, tmp_path) -> None:
    explorer.set_filter(WOMEN)
    explorer.create_group("Ours: 1")
    explorer.clear_filters()
    export(explorer, tmp_path / "group.csv", "group:Ours: 1")
    head, table = read(tmp_path / "group.csv")
    assert len(table) == 20
    assert "Group: Sex: female" in head
    assert "Filters: none" in head


def test_what_cannot_be_exported_is_refused(explorer, tmp_path) -> None:
    for whom, words in (
        ("selected", "Nobody is selected"),
        ("friends", "choose selected"),
        ("group:A", "no group 'A'"),
    ):
        with pytest.raises(LatentExplorerError, match=words):
            explorer.export_participants(tmp_path / "none.csv", whom)
    assert list(tmp_path.iterdir()) == []


def test_no_cell_is_a_formula_and_no_name_breaks_the_header(explorer, tmp_path) -> None:
    spec = replace(explorer.cohort.specs["sex"], categories=("=1+1", "male"))
    cohort = explorer.cohort
    object.__setattr__(cohort, "specs", {**cohort.specs, "sex": spec})
    cohort.phenotypes["sex"] = pd.Categorical.from_codes(np.arange(40) % 2, ["=1+1", "male"])
    explorer.study.name = "Two\nlines"
    export(explorer, tmp_path / "all.csv")
    text = (tmp_path / "all.csv").read_text()
    assert "'=1+1" in text
    assert "\n=1+1" not in text
    assert text.splitlines()[0].startswith("# Participants of the study 'Two\\nlines'")


def test_the_table_is_the_cohorts(explorer) -> None:
    table = participants_table(explorer.cohort, np.ones(40, bool), has_ids=True)
    assert table["participant_id"].tolist() == explorer.cohort.participant_ids.tolist()
    np.testing.assert_array_equal(table["age [years]"], explorer.cohort.values("age"))
