import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ukb_writer import cine_of, ecg_of, people, write_people, write_table

from napari_latent_explorer.building.addition import AdditionPlan, add_to_study, as_in_the_study, plan_addition
from napari_latent_explorer.building.build import build_study
from napari_latent_explorer.building.plan import BuildConfig, plan_study
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.simulation.factors import ParticipantFactors


@pytest.fixture(scope="module")
def hearts() -> tuple[ParticipantFactors, ...]:
    return people(6)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, hearts: Sequence[ParticipantFactors]) -> Path:
    """Three people first, of whom the third has no ECG; then the three others, and that ECG."""
    root = tmp_path_factory.mktemp("added")
    write_people(root / "first", hearts[:3], has_other_planes=False)
    write_table(root / "first.csv", hearts[:4])
    write_people(root / "second", hearts[3:], has_other_planes=False)
    (root / "first" / "1000003_20205_2_0.xml").rename(root / "second" / "1000003_20205_2_0.xml")
    (root / "second" / "1000002_20205_2_0.xml").write_bytes(b"not to be looked at")
    table = pd.read_csv(write_table(root / "second.csv", hearts[3:]), dtype=str)
    table = table.drop(columns="21001-0.0").rename(columns={"21001-2.0": "93104-2.0"})
    table.to_csv(root / "second.csv", index=False)
    return root


def build(folders: Path, output: Path) -> Study:
    first = folders / "first"
    config = BuildConfig(output, folders / "first.csv", "eid", cine=first, ecg=first)
    return finish(build_study(finish(plan_study(config)), n_workers=0)).study


def plan(folders: Path, output: Path, **more: Any) -> AdditionPlan:
    second = folders / "second"
    given: dict[str, Any] = {"table": folders / "second.csv", "id_column": "eid", "cine": second, "ecg": second, **more}
    return finish(plan_addition(BuildConfig(output, **given)))


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_people_come_after_the_old_who_stay_untouched(
    folders: Path, hearts: Sequence[ParticipantFactors], tmp_path: Path
) -> None:
    before = build(folders, tmp_path / "study")
    old = content(before.path)
    fingerprint = before.fingerprint
    ages = before.cohort().values("age").tolist()
    before.save_latents(LatentSpace(np.ones((3, 4)), before.cohort().participant_ids, "mri", "bundle1"))
    study = finish(add_to_study(plan(folders, tmp_path / "study"), n_workers=0)).study
    cohort = study.cohort()
    assert cohort.participant_ids.tolist() == [one.participant_id for one in hearts]
    assert cohort.values("age").tolist() == ages + [round(one.age_years) for one in hearts[3:]]
    assert all(mask.all() for mask in cohort.availability.values())
    for one in hearts:
        np.testing.assert_array_equal(study.cine(one.participant_id).frames, cine_of(one).frames)
        np.testing.assert_array_equal(study.ecg(one.participant_id).signal_mv, ecg_of(one).signal_mv)
    assert study.latents("mri", "bundle1").participant_ids.tolist() == cohort.participant_ids.tolist()[:3]
    now = content(study.path)
    kept = [name for name in old if name.startswith("recordings.zarr/") and name != "recordings.zarr/000002/zarr.json"]
    assert [name for name in kept if now[name] != old[name]] == []
    assert not (study.path / "adding").exists()
    assert study.fingerprint != fingerprint


def test_the_report_tells_of_old_and_new(folders: Path, tmp_path: Path) -> None:
    first = build(folders, tmp_path / "study")
    table = pd.read_parquet(first.path / "report.parquet")
    assert table.loc[table["modality"] == "table", "participant_id"].tolist() == ["1000004"]
    found = plan(folders, tmp_path / "study")
    assert [one.participant_id for one in found.plan.participants] == ["1000004", "1000005", "1000006"]
    assert [(one.participant_id, one.cine) for one in found.extended] == [("1000003", None)]
    result = finish(add_to_study(found, n_workers=0))
    table = pd.read_parquet(result.study.path / "report.parquet")
    used = table[(table["outcome"] == "used") & ~table["file"].str.contains("!")]
    assert len(used) == 12
    assert "table" not in set(table["modality"])
    held = table[table["file"] == "1000002_20205_2_0.xml"]
    assert held["outcome"].tolist() == ["used", "skipped"]
    assert "holds such a recording" in held["reason"].iloc[1]


def test_phenotypes_that_do_not_fit_are_missing_and_said(folders: Path, tmp_path: Path) -> None:
    build(folders, tmp_path / "study")
    found = plan(folders, tmp_path / "study")
    said = " ".join(found.plan.warnings)
    study = finish(add_to_study(found, n_workers=0)).study
    cohort = study.cohort()
    assert np.isnan(cohort.values("bmi")[3:]).all()
    assert not np.isnan(cohort.values("bmi")[:3]).any()
    assert "The new people have no Body mass index" in said
    assert "columns that the study does not have are left out" in said
    assert (cohort.codes("sex") >= 0).all()


def test_new_labels_come_after_the_old_and_a_binary_phenotype_has_two_for_good() -> None:
    binary = PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male"))
    smoking = PhenotypeSpec("smoking", "categorical", "Smoking", categories=("never", "current"))
    age = PhenotypeSpec("age", "continuous", "Age", "years")
    study = cohort_of({"sex": ["male"], "smoking": ["never"], "age": [50.0]}, binary, smoking, age)
    others = replace(binary, kind="categorical", categories=("female", "other"))
    months = replace(age, unit="months")
    pipe = replace(smoking, categories=("pipe", "never"))
    table = cohort_of({"sex": ["other", "female"], "smoking": ["pipe", None], "age": [6.0, 7.0]}, others, pipe, months)
    new, notes = as_in_the_study(table, study)
    assert new.specs["smoking"].categories == ("never", "current", "pipe")
    assert new.codes("smoking").tolist() == [2, -1]
    assert new.codes("sex").tolist() == [-1, 0]
    assert new.values("age").tolist() == [6.0, 7.0]
    said = " ".join(notes)
    assert "Sex is female or male; other count as missing" in said
    assert "Smoking has new labels: pipe" in said
    assert "the new table has the unit 'months'" in said


def cohort_of(columns: dict[str, list[Any]], *specs: PhenotypeSpec) -> Cohort:
    typed = {
        spec.name: columns[spec.name]
        if spec.kind == "continuous"
        else pd.Categorical(columns[spec.name], categories=list(spec.categories))
        for spec in specs
    }
    n = len(columns["age"])
    ids = np.array([f"P{row}" for row in range(n)])
    return Cohort(ids, pd.DataFrame(typed), {spec.name: spec for spec in specs})


def test_stopped_at_any_step_the_study_is_the_old_one_and_goes_on_to_the_same_bytes(
    folders: Path, tmp_path: Path
) -> None:
    build(folders, tmp_path / "a" / "study")
    whole = content(finish(add_to_study(plan(folders, tmp_path / "a" / "study"), n_workers=0)).study.path)
    build(folders, tmp_path / "b" / "study")
    found = plan(folders, tmp_path / "b" / "study")
    for n_steps in (1, 2, 4, 6):
        work = add_to_study(found, n_workers=0)
        for _ in range(n_steps):
            next(work)
        work.close()
        study = Study.open(tmp_path / "b" / "study")
        assert len(study.cohort()) == 3
        assert study.cohort().availability["ecg"].tolist() == [True, True, False]
    finish(add_to_study(found, n_workers=0))
    assert content(tmp_path / "b" / "study") == whole


def test_a_kill_between_the_tables_leaves_a_study_that_reads(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(folders, tmp_path / "a" / "study")
    whole = content(finish(add_to_study(plan(folders, tmp_path / "a" / "study"), n_workers=0)).study.path)
    build(folders, tmp_path / "b" / "study")
    old = Study.open(tmp_path / "b" / "study").cohort().phenotypes
    found = plan(folders, tmp_path / "b" / "study")
    replace_file, last = os.replace, [""]

    def killed(source: Any, goal: Any) -> None:
        if Path(goal) == tmp_path / "b" / "study" / last[0]:
            raise KeyboardInterrupt
        replace_file(source, goal)

    monkeypatch.setattr("napari_latent_explorer.io.atomic.os.replace", killed)
    for name in ("adding", "phenotypes.json", "participants.parquet", "availability.parquet", "manifest.json"):
        last[0] = name
        with pytest.raises(KeyboardInterrupt):
            finish(add_to_study(found, n_workers=0))
        study = Study.open(tmp_path / "b" / "study")
        pd.testing.assert_frame_equal(study.cohort().phenotypes, old, check_categorical=False)
        has_ecg = study.cohort().availability["ecg"].tolist()
        assert has_ecg == [True, True, name == "manifest.json"]  # the recording itself is there by then
        assert study.cine("1000003").frames.shape == (50, 1, 96, 96)
    monkeypatch.setattr("napari_latent_explorer.io.atomic.os.replace", replace_file)
    finish(add_to_study(found, n_workers=0))
    assert content(tmp_path / "b" / "study") == whole


def test_another_addition_in_between_is_refused(folders: Path, tmp_path: Path) -> None:
    build(folders, tmp_path / "study")
    found = plan(folders, tmp_path / "study")
    work = add_to_study(found, n_workers=0)
    next(work)
    next(work)
    work.close()
    with pytest.raises(StudyError, match=r"Another addition .* was begun and not finished"):
        finish(add_to_study(plan(folders, tmp_path / "study", crop_rule="none"), n_workers=0))
    finish(add_to_study(found, n_workers=0))
    with pytest.raises(StudyError, match="There is nothing to add"):
        plan(folders, tmp_path / "study")


def test_a_simulated_study_cannot_be_added_to(folders: Path, tmp_path: Path) -> None:
    from napari_latent_explorer.modeling.recordings import create_simulated_study

    finish(create_simulated_study(tmp_path / "study", 2, 5, stored=True, n_workers=1))
    with pytest.raises(StudyError, match="is of simulated people"):
        finish(add_to_study(plan(folders, tmp_path / "study"), n_workers=0))
