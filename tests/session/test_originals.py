"""The original stands beside its own reconstruction, and beside no other."""

import numpy as np

from napari_latent_explorer.session.originals import Originals
from napari_latent_explorer.session.recordings import LoadedRecording


def show(explorer, participant_id):
    assert explorer.show_participant(participant_id).wait(10.0)


def test_a_participant_is_the_original_while_the_probe_began_at_them(explorer):
    originals, changes = Originals(explorer), []
    originals.changed.connect(changes.append)
    explorer.probe_participant("P05", "mri")
    show(explorer, "P05")
    assert originals.current.label == "P05"
    explorer.probe.move(1, 4.0)
    assert originals.current.label == "P05"
    explorer.probe_participant("P05", "ecg")
    assert originals.current.label == "P05"
    explorer.probe_mean()
    assert originals.current is None
    assert [getattr(change, "label", None) for change in changes] == ["P05", None]


def test_a_recording_from_outside_is_the_original_of_its_own_vector(explorer, tmp_path):
    originals = Originals(explorer)
    cine, vector = explorer.study.cine("P05"), np.full(6, 0.5, np.float32)
    recording = LoadedRecording("mri", tmp_path / "real", cine, cine, vector, "as it was", "")
    explorer.recording_loaded.emit(recording)
    explorer.probe.set_origin(vector, "real, MRI")
    assert originals.current.cine is cine
    assert originals.current.ecg is None
    explorer.probe_participant("P05")
    assert originals.current is None
