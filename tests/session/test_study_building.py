"""Putting a study together: each answer makes what follows from it, and drops what no longer fits."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.session import study_building
from napari_latent_explorer.session.build_form import BuildForm
from napari_latent_explorer.session.study_building import StudyBuilding, suggested_output


@dataclass
class FakeResult:
    study: Any
    report: Path
    counts: dict[str, int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lay out ten participants as UK Biobank delivers them: all with an ECG, eight with a cine."""
    for name in ("cine", "ecg"):
        (tmp_path / name).mkdir()
    lines = ["eid,31-0.0,21003-2.0,21003-3.0,20116-2.0,site"]
    for number in range(10):
        eid = 1_000_001 + number
        (tmp_path / "ecg" / f"{eid}_20205_2_0.xml").touch()
        (tmp_path / "ecg" / f"{eid}_20205_3_0.xml").touch()
        if number > 1:
            (tmp_path / "cine" / f"{eid}_20208_2_0.zip").touch()
        lines.append(f"{eid},{number % 2},{50 + number},{60 + number},{number % 3},{'abc'[number % 3]}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def building() -> Any:
    building = StudyBuilding()
    yield building
    building.close()


def settle(building: StudyBuilding) -> None:
    assert building.jobs.wait(30.0)


def names(building: StudyBuilding) -> dict[str, int]:
    assert building.table is not None
    return {column.name: row for row, column in enumerate(building.table.columns)}


def test_a_table_and_folders_give_ids_columns_and_a_plan(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv")
    building.fill_in(cine=folder / "cine", ecg=folder / "ecg")
    settle(building)
    assert building.form.id_column == "eid"
    assert building.plan is not None
    assert (len(building.plan.participants), building.plan.n_with_both()) == (10, 8)
    assert building.table is not None
    (age,) = [column for column in building.table.columns if "21003-2.0" in column.sources]
    assert age.is_kept
    assert building.problems() == ("Choose the folder that the study is to be made in.",)


def test_the_columns_follow_the_visit_of_the_recordings(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv", ecg=folder / "ecg", instance=3)
    settle(building)
    assert building.table is not None
    assert building.table.instance == 3
    (age,) = [column for column in building.table.columns if column.is_kept and column.unit == "years"]
    assert age.sources == ("21003-3.0",)
    building.fill_in(instance=None)
    settle(building)
    assert building.plan is not None
    assert building.table.instance == building.plan.instance == 2


def test_without_an_id_column_the_user_is_asked_and_nothing_is_looked_for(
    building: StudyBuilding, folder: Path
) -> None:
    (folder / "other.csv").write_text("who,age\n1000001,50\n1000002,60\n1000003,70\n")
    building.fill_in(table=folder / "other.csv", ecg=folder / "ecg")
    settle(building)
    assert building.plan is None
    assert building.table is not None
    assert (building.table.column_names, building.table.columns) == (("who", "age"), ())
    assert "Choose the column of the table that holds the participant ids." in building.problems()
    building.fill_in(id_column="who")
    settle(building)
    assert [column.name for column in building.table.columns] == ["age"]
    assert building.plan is not None
    assert len(building.plan.participants) == 3


def test_another_table_drops_columns_and_plan_at_once(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv", ecg=folder / "ecg")
    settle(building)
    building.fill_in(table=folder / "absent.csv")
    assert building.table is None
    assert building.plan is None
    settle(building)
    assert f"There is no file {folder / 'absent.csv'}." in building.problems()
    building.fill_in(table=None)
    settle(building)
    assert building.plan is not None  # the ids come from the files then


def test_a_table_that_cannot_be_read_is_told_once(building: StudyBuilding, folder: Path) -> None:
    errors: list[Exception] = []
    building.failed.connect(errors.append)
    (folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    building.fill_in(table=folder / "broken.parquet")
    settle(building)
    assert [type(error) for error in errors] == [TableError]
    assert "broken.parquet" in str(errors[0])


def test_the_same_answer_changes_nothing(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(ecg=folder / "ecg")
    settle(building)
    plan = building.plan
    building.fill_in(ecg=folder / "ecg")
    building.fill_in(crop_rule="published", output=folder / "out", name="mine")
    settle(building)
    assert building.plan is plan  # none of these decides what is found


def test_a_column_taken_for_another_kind_is_checked_against_its_values(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv")
    settle(building)
    changed: list[int] = []
    building.column_changed.connect(changed.append)
    row = names(building)["site"]
    building.take_for(row, "binary")
    settle(building)
    assert building.table is not None
    assert "3 different values" in building.table.problems[row]
    building.take_for(row, "categorical")
    settle(building)
    assert (building.table.columns[row].kind, building.table.problems) == ("categorical", {})
    assert changed == [row, row]


def test_a_missing_code_that_leaves_a_value_unnamed_is_refused(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv", output=folder / "out", ecg=folder / "ecg")
    settle(building)
    row = names(building)["site"]
    building.take_for(row, "categorical")
    settle(building)
    building.correct_column(row, categories=("a", "b"))
    settle(building)
    assert building.table is not None
    assert "'c'" in building.table.problems[row]
    assert building.table.columns[row].categories == ("a", "b", "c")  # as it was
    building.correct_column(row, categories=("a", "b"), missing_codes=("c",))
    settle(building)
    assert building.table.problems == {}
    assert building.table.columns[row].n_missing == 3


def test_two_kept_columns_of_one_name_cannot_be_built(building: StudyBuilding, folder: Path) -> None:
    building.fill_in(table=folder / "table.csv", output=folder / "out", ecg=folder / "ecg")
    settle(building)
    rows = [row for name, row in names(building).items() if building.table.columns[row].is_kept]  # type: ignore[union-attr]
    building.correct_column(rows[0], name="twice")
    building.correct_column(rows[1], name="twice")
    assert any("'twice'" in problem for problem in building.problems())
    with pytest.raises(StudyError, match="twice"):
        building.build()


def test_the_build_gets_the_columns_as_they_are_shown(
    building: StudyBuilding, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Any] = []
    results: list[Any] = []

    def build_study(plan: Any) -> Any:
        plans.append(plan)
        yield Progress(1, 2, "half")
        return FakeResult(None, folder / "report.html", {"used": 3})

    monkeypatch.setattr(study_building, "build_study", build_study)
    building.fill_in(table=folder / "table.csv", output=folder / "out", cine=folder / "cine", ecg=folder / "ecg")
    settle(building)
    building.correct_column(names(building)["site"], is_kept=False)
    building.built.connect(results.append)
    building.build()
    settle(building)
    (plan,) = plans
    assert plan.config.output == folder / "out"
    assert "site" not in plan.cohort.specs
    assert plan.cohort.specs.keys() == {column.name for column in building.table.columns if column.is_kept}  # type: ignore[union-attr]
    assert building.result is results[0]
    building.fill_in(name="another")
    assert building.result is None


def test_a_build_can_be_stopped_and_gone_on_with(
    building: StudyBuilding, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    step = threading.Event()

    def build_study(plan: Any) -> Any:
        while len(done) < 5:
            done.append(len(done))
            yield Progress(len(done), 5, "building")
            step.wait(0.05)
        return FakeResult(None, folder / "report.html", {"used": 5})

    monkeypatch.setattr(study_building, "build_study", build_study)
    building.fill_in(ecg=folder / "ecg", output=folder / "out")
    settle(building)
    job = building.build()
    assert building.is_building
    building.stop()
    assert not building.is_building
    assert job.wait(10.0)
    assert building.result is None
    building.build()
    settle(building)
    assert done == [0, 1, 2, 3, 4]
    assert building.result is not None


def test_a_place_beside_the_files_is_suggested(tmp_path: Path) -> None:
    assert suggested_output(BuildForm()) is None
    assert suggested_output(BuildForm(table=tmp_path / "a" / "t.csv")) == tmp_path / "a" / "study"
    assert suggested_output(BuildForm(table=tmp_path / "a" / "t.csv", cine=tmp_path / "c")) == tmp_path / "study"
