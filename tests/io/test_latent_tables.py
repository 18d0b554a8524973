from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.io.latent_tables import import_latents, write_latent_h5ad, write_latent_tsv
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.simulation.population import simulate_population

FINGERPRINT = "bundle01"
N, LATENT_DIM = 12, 5


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Twelve people with latents of all but the first, and a map."""
    population = simulate_population(N, seed=1)
    writer = StudyWriter.create(
        tmp_path / "study", population.cohort(), factors=population.to_table(), recording_source="simulation"
    )
    study = writer.finish()
    values = np.random.default_rng(0).normal(size=(N - 1, LATENT_DIM)).astype(np.float32)
    values[0] = [0.1, -0.0, 1e-38, 3.4e38, 1 / 3]
    ids = study.cohort().participant_ids[1:]
    study.save_latents(LatentSpace(values, ids, "mri", FINGERPRINT))
    coordinates = np.arange(2 * (N - 1), dtype=np.float32).reshape(-1, 2)
    study.save_projection("mri", FINGERPRINT, {"coordinates": coordinates, "participant_ids": ids}, {"method": "tsne"})
    return study


WRITERS = {"tsv": write_latent_tsv, "h5ad": write_latent_h5ad}


@pytest.mark.parametrize("suffix", WRITERS)
def test_latents_come_back_to_the_bit(study: Study, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"latents.{suffix}"
    WRITERS[suffix](path, study, "mri", FINGERPRINT, with_ids=True)
    found = import_latents(path, study, "mri")
    known = study.latents("mri", FINGERPRINT)
    np.testing.assert_array_equal(found.latents.values.view(np.uint32), known.values.view(np.uint32))
    assert found.latents.participant_ids.tolist() == known.participant_ids.tolist()
    assert [str(finding) for finding in found.findings] == [
        "1 ids of the table without a recording (e.g. SIM000001): kept, without recordings"
    ]


def test_the_tsv_is_laid_out_as_ml4h_does(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "hidden_lax_4ch_heart_center.tsv"
    write_latent_tsv(path, study, "mri", FINGERPRINT, with_ids=True)
    lines = path.read_bytes().split(b"\n")
    assert lines[0] == b"sample_id\tlatent_0\tlatent_1\tlatent_2\tlatent_3\tlatent_4"
    assert lines[1] == b"SIM000002\t0.1\t-0.0\t1e-38\t3.4e+38\t0.33333334"
    assert len(lines) == N + 1  # the header, eleven people, nothing after the last line's end
    assert lines[-1] == b""


def test_without_ids_people_are_called_by_their_row(study: Study, tmp_path: Path) -> None:
    for suffix, write in WRITERS.items():
        path = tmp_path / f"latents.{suffix}"
        write(path, study, "mri", FINGERPRINT)
        assert b"SIM0" not in path.read_bytes()
        with pytest.raises(TableError, match=r"\(e\.g\. anonymous_2, .*has none of them\. Was it exported without ids"):
            import_latents(path, study, "mri")


def test_the_name_of_imported_latents(study: Study, tmp_path: Path) -> None:
    tsv, h5ad = tmp_path / "a.tsv", tmp_path / "a.h5ad"
    write_latent_tsv(tsv, study, "mri", FINGERPRINT, with_ids=True)
    write_latent_h5ad(h5ad, study, "mri", FINGERPRINT, with_ids=True)
    assert import_latents(h5ad, study, "mri").latents.bundle_fingerprint == FINGERPRINT
    made = import_latents(tsv, study, "mri").latents.bundle_fingerprint
    assert made.startswith("tsv-")
    tsv.write_text(tsv.read_text().replace("0.1\t", "0.2\t"))
    assert import_latents(tsv, study, "mri").latents.bundle_fingerprint not in (made, FINGERPRINT)
    assert import_latents(tsv, study, "ecg", "dropfuse").latents.bundle_fingerprint == "dropfuse"
    with pytest.raises(StudyError, match="cannot be used as the name of latents"):
        import_latents(tsv, study, "mri", "../outside")


def test_what_a_bundle_made_is_not_written_over(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    write_latent_tsv(path, study, "mri", FINGERPRINT, with_ids=True)
    assert import_latents(path, study, "mri", FINGERPRINT).latents.latent_dim == LATENT_DIM  # the same: nothing is lost
    path.write_text(path.read_text().replace("0.1\t", "0.2\t"))
    with pytest.raises(StudyError, match="has other mri latents under the name bundle01 already"):
        import_latents(path, study, "mri", FINGERPRINT)


def test_files_of_ml4hs_genetics_style_and_other_spellings(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(
        "FID\tIID\tlatent_1\tlatent_0\tage\n0\tSIM000003\t2.5\t1e0\t60\n0\tsim000002\t4\t3\t50\n0\tX\t0\t0\t1\n"
    )
    found = import_latents(path, study, "ecg")
    assert found.latents.participant_ids.tolist() == ["SIM000002", "SIM000003"]
    assert found.latents.values.tolist() == [[3.0, 4.0], [1.0, 2.5]]
    assert [finding.examples for finding in found.findings] == [
        ("SIM000001", *(f"SIM{n:06d}" for n in range(4, 8))),
        ("X",),
    ]
    assert any("Other columns" in note and "age" in note for note in found.notes)
    assert any("sim000002" in note for note in found.notes)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a\tlatent_0\nSIM000002\t1\n", "has no column sample_id"),
        ("sample_id\tx\nSIM000002\t1\n", "must have the columns latent_0, latent_1, ... without gaps.*found none"),
        ("sample_id\tlatent_0\tlatent_2\nSIM000002\t1\t1\n", "found 2 up to latent_2"),
        ("sample_id\tlatent_0\nSIM000002\tx\n", "latent_0 in row 1 is 'x', expected a finite number"),
        ("sample_id\tlatent_0\nSIM000002\tnan\n", "latent_0 in row 1 is 'nan'"),
        ("sample_id\tlatent_0\nSIM000002\t1e39\n", "SIM000002 hold NaN or infinity"),  # too large for float32
        ("sample_id\tlatent_0\n\t1\n", "row 1 has no id"),
        ("sample_id\tlatent_0\nSIM000002\t1\nSIM000002\t2\n", "1 ids occur again, e.g. SIM000002"),
        ("sample_id\tlatent_0\nnobody\t1\n", "the study .* has none of them"),
        ("", "is empty"),
    ],
)
def test_mistakes_are_named(study: Study, tmp_path: Path, written: str, message: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(written)
    with pytest.raises(TableError, match=message) as refusal:
        import_latents(path, study, "mri")
    assert str(path) in str(refusal.value)


def test_a_missing_file_is_one_message(study: Study, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.tsv", tmp_path):
        with pytest.raises(TableError, match="There is no file"):
            import_latents(path, study, "mri")


@given(hnp.arrays(np.float32, (3, 2), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_any_float_comes_back_from_text(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> None:
    class Known:
        path = "study"

        def __init__(self) -> None:
            self.made = LatentSpace(values, np.array(["a", "b", "c"]), "mri", "x")

        def latents(self, modality: str, fingerprint: str) -> LatentSpace:
            return self.made

        def has_latents(self, modality: str, fingerprint: str) -> bool:
            return False

        def cohort(self):
            return type("People", (), {"participant_ids": self.made.participant_ids})()

    path = tmp_path_factory.getbasetemp() / "any.tsv"
    write_latent_tsv(path, Known(), "mri", "x", with_ids=True)  # type: ignore[arg-type]
    back = import_latents(path, Known(), "mri").latents.values  # type: ignore[arg-type]
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))
