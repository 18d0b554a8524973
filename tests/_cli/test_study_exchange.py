import shutil
from pathlib import Path

import anndata
import numpy as np
import pytest
from typer.testing import CliRunner

import napari_latent_explorer
from napari_latent_explorer._cli.app import app
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_table import AVAILABILITY_FILE

SAMPLE = Path(napari_latent_explorer.__file__).parent / "sample_data" / "study"


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "1000"})


@pytest.fixture
def study_folder(tmp_path):
    """Copy the sample study, without its recordings."""
    folder = tmp_path / "study"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("recordings.zarr", AVAILABILITY_FILE))
    return folder


def test_a_cohort_leaves_without_ids_unless_asked(study_folder, tmp_path):
    path = tmp_path / "cohort.h5ad"
    result = invoke("study", "export", "cohort", study_folder, path)
    assert result.exit_code == 0, result.stderr
    assert "2000 x 256 mri latents" in result.stdout
    assert "without participant ids (--ids writes them)" in result.stdout
    assert b"SIM0" not in path.read_bytes()
    assert anndata.read_h5ad(path).obs_names[0] == "anonymous_1"
    result = invoke("study", "export", "cohort", study_folder, path, "--ids", "--modality", "ecg")
    assert "with participant ids" in result.stdout
    study = Study.open(study_folder)
    table = anndata.read_h5ad(path)
    assert table.obs_names.tolist() == study.cohort().participant_ids.tolist()
    np.testing.assert_array_equal(table.X, study.latents("ecg", study.latent_fingerprints()[0]).values)


def test_latents_of_another_program_get_a_map(study_folder, tmp_path):
    study = Study.open(study_folder)
    ids = study.cohort().participant_ids[:40].tolist()
    values = np.random.default_rng(0).normal(size=(41, 3)).astype(np.float32)
    lines = ["sample_id\tlatent_0\tlatent_1\tlatent_2"]
    lines += ["\t".join([name, *map(str, vector)]) for name, vector in zip([*ids, "stranger"], values, strict=True)]
    path = tmp_path / "hidden_lax_4ch_heart_center.tsv"
    path.write_text("\n".join(lines) + "\n")
    result = invoke("study", "import-latents", study_folder, path, "--modality", "mri", "--bundle", "dropfuse")
    assert result.exit_code == 0, result.stderr
    assert "1 ids of recordings that the table lacks (e.g. stranger): left out" in result.stdout
    assert "mri: 40 x 3 latents under the name dropfuse" in result.stdout
    np.testing.assert_array_equal(study.latents("mri", "dropfuse").values, values[:40])
    arrays, meta = study.projection("mri", "dropfuse")
    assert arrays["coordinates"].shape == (40, 2)
    assert meta["method"] == "tsne"


def test_mistakes_are_one_message(study_folder, tmp_path):
    result = invoke("study", "export", "cohort", study_folder, tmp_path / "cohort.csv")
    assert result.exit_code == 2
    assert "Let it end in .h5ad or .tsv" in result.stderr
    result = invoke("study", "export", "cohort", study_folder, tmp_path / "cohort.tsv", "--modality", "joint")
    assert result.exit_code == 2
    assert "has no joint latents" in result.stderr
    result = invoke("study", "import-latents", study_folder, tmp_path / "nowhere.tsv", "--modality", "mri")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: There is no file")
