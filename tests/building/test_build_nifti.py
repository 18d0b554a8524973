"""Studies built from NIfTI files with labels, as public collections lay them out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nifti_files import write_nifti

from napari_latent_explorer.building.build import build_study
from napari_latent_explorer.building.plan import BuildConfig, plan_study
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.io.study import Study

SHAPE = (40, 32, 3, 10)
"""Columns, rows, slices, frames, as NIfTI counts them."""


def beating(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels (1 RV cavity, 2 LV muscle, 3 LV cavity) of a disc that beats around column 20, row 14."""
    columns, rows, _, frames = np.indices(SHAPE)
    distance = np.hypot(columns - 20, rows - 14)
    radius = 6 + 2 * np.cos(2 * np.pi * frames / SHAPE[3])
    labels = np.where(distance < radius, 3, np.where(distance < radius + 2, 2, 0)).astype(np.uint8)
    noise = np.random.default_rng(seed).integers(0, 50, SHAPE)
    return (noise + 300 * (labels > 0) + 200 * (labels == 3)).astype(np.int16), labels


def write_case(root: Path, case: str, seed: int) -> None:
    """One person as ACDC lays them out, labelled at the frames 1 and 6."""
    folder = root / case
    folder.mkdir(parents=True)
    pixels, labels = beating(seed)
    write_nifti(folder / f"{case}_4d.nii.gz", pixels)
    for number in (1, 6):
        write_nifti(folder / f"{case}_frame{number:02d}.nii.gz", pixels[..., number - 1])
        write_nifti(folder / f"{case}_frame{number:02d}_gt.nii.gz", labels[..., number - 1])
    (folder / "Info.cfg").write_text("ED: 1\nES: 6\nGroup: NOR\nHeight: 170.0\nNbFrame: 10\nWeight: 70.0\n")


def build(output: Path, **given: Any) -> Study:
    config = BuildConfig(output, imaging_plane="sa", crop_rule="published", **given)
    return finish(build_study(finish(plan_study(config)), n_workers=0)).study


def test_cases_come_with_their_labels_and_the_box_of_the_first_labelled_frame(tmp_path: Path) -> None:
    for number in (1, 2):
        write_case(tmp_path / "training", f"patient{number:03d}", number)
    study = build(tmp_path / "study", cine=tmp_path / "training")
    assert study.cohort().participant_ids.tolist() == ["patient001", "patient002"]
    assert study.has_labels
    pixels, labels = beating(2)
    cine = study.cine("patient002")
    np.testing.assert_array_equal(cine.frames, pixels.transpose(3, 2, 1, 0))
    assert cine.frames.dtype == np.int16
    stored = study.labels("patient002")
    assert stored.labelled_frames == (0, 5)
    np.testing.assert_array_equal(stored.frames[5], labels[..., 5].transpose(2, 1, 0))
    assert study.heart_box("patient002") == HeartBox(5, 11, 19, 19, "published", "labels")
    table = pd.read_parquet(study.path / "report.parquet")
    files = table[table["participant_id"] == "patient001"]
    assert {name.rpartition("/")[2] for name in files["file"] if "." in name} >= {
        "patient001_4d.nii.gz",
        "patient001_frame01_gt.nii.gz",
    }
    assert not table.duplicated(["file", "modality"]).any()
    assert set(table["stage"]) == {"reading"}
    assert "label" in (study.path / "report.html").read_text("utf-8")


def test_a_table_with_the_ids_of_the_cases_gives_their_phenotypes(tmp_path: Path) -> None:
    for number in (1, 2):
        write_case(tmp_path / "training", f"patient{number:03d}", number)
    (tmp_path / "people.csv").write_text("case,weight\npatient002,80\npatient001,60\npatient003,70\n")
    study = build(tmp_path / "study", cine=tmp_path / "training", table=tmp_path / "people.csv", id_column="case")
    assert study.cohort().participant_ids.tolist() == ["patient002", "patient001"]
    assert study.cohort().values("weight").tolist() == [80.0, 60.0]


@pytest.mark.parametrize("scheme", ["acdc", None])
def test_labels_of_their_own_folder_are_matched_by_name(tmp_path: Path, scheme: str | None) -> None:
    for folder in ("cine", "labels"):
        (tmp_path / folder).mkdir()
    for number in (1, 2):
        pixels, labels = beating(number)
        write_nifti(tmp_path / "cine" / f"P{number}.nii.gz", pixels)
        write_nifti(tmp_path / "labels" / f"P{number}_labels.nii.gz", labels[1:] if number == 2 else labels)
    (tmp_path / "people.csv").write_text("id\nP1\nP2\n")
    study = build(
        tmp_path / "study",
        cine=tmp_path / "cine",
        labels=tmp_path / "labels",
        table=tmp_path / "people.csv",
        id_column="id",
        label_scheme=scheme,
    )
    assert study.cohort().availability["mri"].tolist() == [True, True]
    table = pd.read_parquet(study.path / "report.parquet").set_index(["file", "modality"])
    if scheme is None:
        assert not study.has_labels
        assert "not known what the class numbers" in table.loc[("P1_labels.nii.gz", "labels"), "reason"]
        return
    np.testing.assert_array_equal(study.labels("P1").frames, beating(1)[1].transpose(3, 2, 1, 0))
    assert study.heart_box("P1") == HeartBox(5, 11, 19, 19, "published", "labels")
    assert table.loc[("P2_labels.nii.gz", "labels"), "outcome"] == "failed"
    box = study.heart_box("P2")
    assert box is not None
    assert box.source == "motion"
