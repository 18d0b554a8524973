import json
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.io import latent_h5ad

IDS = np.array(["007", "é", "a b"])
VALUES = np.array([[1.5, 0.1], [-2.0, 3.0], [0.0, 1e-30]], dtype=np.float32)
MAP = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.float32)


def cohort() -> Cohort:
    specs = {
        "mass/area": PhenotypeSpec("mass/area", "continuous", "LV mass", "g/m²"),
        "sex": PhenotypeSpec("sex", "binary", categories=("female", "male")),
    }
    sex = pd.Categorical(["male", None, "female"], categories=["female", "male"])
    return Cohort(IDS, pd.DataFrame({"mass/area": [50.5, np.nan, 70.0], "sex": sex}), specs)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "latents.h5ad"
    provenance = {"modality": "mri", "bundle_fingerprint": "abc", "has_participant_ids": True}
    latents = LatentSpace(VALUES, IDS, "mri", "abc")
    latent_h5ad.write(path, latents, cohort(), IDS.tolist(), {"X_tsne": MAP}, provenance)
    return path


def test_anndata_reads_latents_phenotypes_map_and_provenance(file: Path) -> None:
    table = anndata.read_h5ad(file)
    np.testing.assert_array_equal(table.X, VALUES)
    assert table.obs_names.tolist() == IDS.tolist()
    assert table.var_names.tolist() == ["latent_0", "latent_1"]
    np.testing.assert_array_equal(table.obs["mass per area"], [50.5, np.nan, 70.0])
    assert table.obs["sex"].cat.categories.tolist() == ["female", "male"]
    assert table.obs["sex"].isna().tolist() == [False, True, False]
    np.testing.assert_array_equal(table.obsm["X_tsne"], MAP)
    told = table.uns["napari_latent_explorer"]
    assert (told["modality"], told["bundle_fingerprint"], bool(told["has_participant_ids"])) == ("mri", "abc", True)
    (mass, sex) = json.loads(told["phenotypes"])
    assert (mass["name"], mass["column"], mass["unit"]) == ("mass/area", "mass per area", "g/m²")
    assert sex["categories"] == ["female", "male"]


def test_bare_h5py_finds_plain_arrays_and_texts(file: Path) -> None:
    with h5py.File(file) as archive:
        assert archive["X"].dtype == np.float32
        np.testing.assert_array_equal(archive["X"][()], VALUES)
        index = archive["obs"][archive["obs"].attrs["_index"]]
        assert index.asstr()[()].tolist() == IDS.tolist()


def test_what_is_read_back(file: Path) -> None:
    values, ids, told, notes = latent_h5ad.read(file)
    np.testing.assert_array_equal(values, VALUES)
    assert (ids, told, notes) == (IDS.tolist(), "abc", ())


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.h5ad"
    anndata.AnnData(VALUES.astype(np.float64), obs=pd.DataFrame(index=IDS)).write_h5ad(path)
    values, ids, told, _ = latent_h5ad.read(path)
    np.testing.assert_array_equal(values, VALUES)
    assert (ids, told) == (IDS.tolist(), None)


def test_nothing_is_left_where_writing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match="Cannot write"):
        latent_h5ad.write(
            tmp_path / "file" / "x.h5ad", LatentSpace(VALUES, IDS, "mri", "abc"), cohort(), IDS.tolist(), {}, {}
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def link_out(archive: h5py.File, name: str) -> None:
    del archive[name]
    archive[name] = h5py.ExternalLink("/etc/hostname", "/X")


def soft_link(archive: h5py.File, name: str) -> None:
    archive["hidden"] = archive[name][()]
    del archive[name]
    archive[name] = h5py.SoftLink("/hidden")


def external_storage(archive: h5py.File, name: str) -> None:
    del archive[name]
    archive.create_dataset(name, (3, 2), "f4", external=[("/etc/hostname", 0, 24)])


def virtual(archive: h5py.File, name: str) -> None:
    del archive[name]
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "X", (3, 2))
    archive.create_virtual_dataset(name, layout)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda archive: link_out(archive, "X"), "holds no X of its own"),
        (lambda archive: soft_link(archive, "X"), "holds no X of its own"),
        (lambda archive: external_storage(archive, "X"), "X lies in other files"),
        (lambda archive: virtual(archive, "X"), "X lies in other files"),
        (lambda archive: link_out(archive, "obs"), "holds no obs of its own|holds no obs/_index of its own"),
        (lambda archive: archive.pop("X"), "holds no X of its own"),
        (lambda archive: archive.pop("obs"), "holds no obs/_index of its own"),
        (lambda archive: archive["obs"].attrs.__setitem__("_index", "../X"), "obs has no index"),
        (lambda archive: archive["obs"].attrs.__setitem__("_index", 3), "obs has no index"),
        (lambda archive: archive["obs"].attrs.__setitem__("_index", "sex"), "stored in parts"),
        (lambda archive: (archive.pop("X"), archive.create_dataset("X", (3, 70_000), "f4")), "X is float32 of shape"),
        (lambda archive: (archive.pop("X"), archive.create_dataset("X", (10**9, 50_000), "f4")), "more than 8 GiB"),
        (lambda archive: (archive.pop("X"), archive.create_dataset("X", (3,), "f4")), r"of shape \(3,\), expected"),
        (lambda archive: (archive.pop("X"), archive.create_dataset("X", (3, 2), h5py.string_dtype())), "X is object"),
        (lambda archive: (archive.pop("X"), archive.create_dataset("X", (4, 2), "f4")), "4 rows of latents but ids of"),
    ],
)
def test_files_that_lead_elsewhere_or_claim_too_much_are_refused(file: Path, damage, message: str) -> None:
    with h5py.File(file, "r+") as archive:
        damage(archive)
    with pytest.raises(TableError, match=message) as refusal:
        latent_h5ad.read(file)
    assert str(file) in str(refusal.value)


def test_cut_and_flipped_files_are_read_or_refused(file: Path) -> None:
    whole = file.read_bytes()
    refused = 0
    for place in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        for content in (damaged, whole[:place]):
            file.write_bytes(content)
            try:
                assert latent_h5ad.read(file)[0].shape == VALUES.shape
            except TableError:
                refused += 1
    assert refused > 10
