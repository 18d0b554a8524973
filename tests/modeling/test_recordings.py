from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.cine import ACDC_CLASSES, CineLabels
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.modeling.dataset import build_model_inputs
from napari_latent_explorer.modeling.preprocessing import PreparedECG, prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.recordings import create_simulated_study, export_recordings, open_study
from napari_latent_explorer.modeling.tensors import read_tensors
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population


def test_recordings_on_demand_are_those_that_would_be_stored(tmp_path: Path) -> None:
    stored = finish(create_simulated_study(tmp_path / "stored", 2, 5, n_workers=1))
    on_demand = finish(create_simulated_study(tmp_path / "on_demand", 2, 5, stored=False))
    person = simulate_population(2, 5).factors[1]
    cine, labels = simulate_cine(person)
    for study in (stored, on_demand, open_study(on_demand.path)):
        found = study.cine(person.participant_id)
        np.testing.assert_array_equal(found.frames, cine.frames)
        np.testing.assert_allclose(found.affine, cine.affine)
        np.testing.assert_array_equal(study.labels(person.participant_id).frames, labels.frames)
        np.testing.assert_allclose(study.ecg(person.participant_id).signal_mv, simulate_ecg(person).signal_mv)
    with pytest.raises(StudyError, match="STRANGER"):
        on_demand.cine("STRANGER")


def test_a_stopped_simulation_goes_on(tmp_path: Path) -> None:
    work = create_simulated_study(tmp_path / "study", 3, 5, n_workers=1)
    next(work)
    next(work)
    work.close()
    with pytest.raises(StudyError, match="half-written"):
        open_study(tmp_path / "study")
    with pytest.raises(StudyError, match="same arguments"):
        finish(create_simulated_study(tmp_path / "study", 3, 6, n_workers=1))
    study = finish(create_simulated_study(tmp_path / "study", 3, 5, n_workers=1))
    assert study.cohort().participant_ids.tolist() == ["SIM000001", "SIM000002", "SIM000003"]
    with pytest.raises(StudyError, match="already holds a study"):
        finish(create_simulated_study(tmp_path / "study", 3, 5, n_workers=1))


def test_model_inputs_are_the_prepared_recordings_and_are_built_once(tmp_path: Path) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 3, 5, stored=False))
    work = build_model_inputs(study, tmp_path / "inputs", n_workers=1)
    next(work)
    work.close()  # stopped after the first participant
    inputs = finish(build_model_inputs(study, tmp_path / "inputs", n_workers=1))
    row = np.array([2])
    prepared = prepare_cine(study.cine("SIM000003"))
    np.testing.assert_allclose(inputs.batch("mri", row)[0].numpy(), prepared.tensor, atol=1e-4)
    np.testing.assert_allclose(inputs.batch("ecg", row)[0].numpy(), prepare_ecg(study.ecg("SIM000003")).tensor)
    np.testing.assert_array_equal(inputs.labels[2], study.labels("SIM000003").frames[:, 0])
    assert inputs.rows_with("joint").tolist() == [0, 1, 2]
    assert list(build_model_inputs(study, tmp_path / "inputs", n_workers=1)) == []


@pytest.mark.parametrize("how", ["complete", "partly labelled", "numbered otherwise"])
def test_labels_teach_only_where_they_name_every_pixel_in_the_networks_numbers(tmp_path: Path, how: str) -> None:
    population = simulate_population(1, 5)
    cine, labels = simulate_cine(population.factors[0])
    if how == "partly labelled":
        frames = np.zeros_like(labels.frames)
        frames[:2] = labels.frames[:2]
        labels = CineLabels(frames, labels.names, (0, 1))
    if how == "numbered otherwise":
        labels = CineLabels((labels.frames == 11) * 3, ACDC_CLASSES)
    writer = StudyWriter.create(tmp_path / "study", population.cohort())
    participant_id = writer.participant_ids[0]
    writer.add_participant(participant_id, cine, labels, simulate_ecg(population.factors[0]))
    study = writer.finish()
    inputs = finish(build_model_inputs(study, tmp_path / "inputs", n_workers=1))
    assert inputs.has_labels.tolist() == [how == "complete"]
    assert inputs.labels.any() == (how == "complete")
    assert (read_tensors(study, [participant_id]).labels is not None) == (how == "complete")
    assert study.labels(participant_id).labelled_frames == labels.labelled_frames


def test_exported_recordings_prepare_to_what_the_study_holds(tmp_path: Path) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 2, 5, stored=False))
    cine_folder, header = export_recordings(study, "SIM000002", tmp_path / "out")
    cine = prepare_cine(read_recording(cine_folder), labels=study.labels("SIM000002"))
    np.testing.assert_allclose(cine.tensor, prepare_cine(study.cine("SIM000002")).tensor, atol=0.01)
    beat = prepare_ecg(read_recording(header)).tensor
    assert np.corrcoef(beat.ravel(), prepare_ecg(study.ecg("SIM000002")).tensor.ravel())[0, 1] > 0.97
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert not [file for file in files if b"SIM000002" in file.read_bytes()]


def test_a_recording_that_does_not_fit_the_grid_is_left_out_of_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 2, 5, stored=False))

    def prepare(ecg: ECG) -> PreparedECG:
        if ecg.source.endswith("SIM000001"):
            raise RecordingError("it lacks V3")
        return prepare_ecg(ecg)

    monkeypatch.setattr("napari_latent_explorer.modeling.dataset.prepare_ecg", prepare)
    said = [progress.message for progress in build_model_inputs(study, tmp_path / "inputs", n_workers=1)]
    inputs = finish(build_model_inputs(study, tmp_path / "inputs", n_workers=1))
    assert inputs.has_ecg.tolist() == [False, True]
    assert inputs.has_mri.tolist() == [True, True]
    assert said[-1] == "1 recordings do not fit the model's grid and are left out"
