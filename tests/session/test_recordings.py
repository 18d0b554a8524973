from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io import formats
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.recordings import read_participant
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population


@pytest.fixture(scope="module")
def cine() -> CineMRI:
    return simulate_cine(simulate_population(1, seed=0).factors[0])[0]


@pytest.fixture(scope="module")
def ecg() -> ECG:
    return simulate_ecg(simulate_population(1, seed=0).factors[0])


def load(explorer: Explorer, path: str) -> tuple[list[Any], list[Exception]]:
    loaded: list[Any] = []
    errors: list[Exception] = []
    explorer.recording_loaded.connect(loaded.append)
    explorer.failed.connect(errors.append)
    explorer.load_recording(path)
    assert explorer.jobs.wait(30.0)
    return loaded, errors


def test_an_ecg_is_read_prepared_encoded_and_the_probe_begins_there(
    explorer: Explorer, ecg: ECG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "read_recording", lambda path: ecg)
    (loaded,), errors = load(explorer, "record.hea")
    assert errors == []
    assert loaded.modality == "ecg"
    assert loaded.original is ecg
    assert loaded.prepared.signal_mv.shape == (12, 600)
    np.testing.assert_allclose(loaded.vector[0], loaded.prepared.signal_mv.mean() * 20, rtol=1e-3)
    np.testing.assert_array_equal(explorer.probe.origin, loaded.vector)
    assert explorer.probe.label == "record.hea, ECG"
    assert "mV x 20" in loaded.rule


def test_a_cine_is_encoded_from_its_z_scores(
    explorer: Explorer, cine: CineMRI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "read_recording", lambda path: cine)
    (loaded,), _ = load(explorer, "series")
    assert loaded.modality == "mri"
    np.testing.assert_allclose(loaded.vector[:3], [0.0, 1.0, 50 * 96 * 96], atol=1e-3)
    assert explorer.probe.label == "series, MRI"


def test_the_bundles_warning_reaches_the_user(
    empty_explorer: Explorer, study: Any, other_bundle: Any, ecg: ECG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "read_recording", lambda path: ecg)
    empty_explorer.open(study, other_bundle)
    warnings: list[str] = []
    empty_explorer.warning_raised.connect(warnings.append)
    (loaded,), _ = load(empty_explorer, "record")
    assert loaded.warning == "only seen lines"
    assert warnings == ["only seen lines"]


def test_a_file_that_is_no_recording_is_told_as_a_failure_and_the_probe_stays(
    explorer: Explorer, tmp_path: Path
) -> None:
    before = explorer.probe.vector
    path = tmp_path / "notes.txt"
    path.write_text("not a heart")
    loaded, errors = load(explorer, str(path))
    assert loaded == []
    assert [type(error) for error in errors] == [RecordingError]
    assert explorer.probe.vector is before


@pytest.mark.slow
def test_real_recordings_are_encoded(explorer: Explorer, realdata: Path) -> None:
    (cine,), errors = load(explorer, str(realdata / "cine" / "siemens_4ch"))
    assert errors == []
    assert (cine.modality, cine.prepared.frames.shape) == ("mri", (50, 1, 96, 96))
    (ecg, *_), errors = load(explorer, str(realdata / "ecg" / "ptb_s0010_re"))
    assert errors == []
    assert (ecg.modality, ecg.prepared.signal_mv.shape) == ("ecg", (12, 600))


def test_a_participant_without_any_recording_is_named() -> None:
    class Nothing:
        def refuse(self, participant_id: str) -> Any:
            raise StudyError(participant_id)

        cine = labels = ecg = refuse

    with pytest.raises(RecordingError, match="P00 has neither"):
        finish(read_participant(Nothing(), "P00"))


def test_a_stored_strip_gives_a_beat_to_compare_with_too(ecg: ECG) -> None:
    strip = simulate_rhythm_ecg(simulate_population(1, seed=0).factors[0])

    class Strips:
        def refuse(self, participant_id: str) -> Any:
            raise StudyError(participant_id)

        cine = labels = refuse

        def ecg(self, participant_id: str) -> ECG:
            return strip

    shown = finish(read_participant(Strips(), "P00"))
    assert shown.strip is strip
    assert shown.ecg is not None
    assert (shown.ecg.kind, shown.ecg.signal_mv.shape) == ("median", (12, 600))
    assert float(np.corrcoef(shown.ecg.signal_mv[1], ecg.signal_mv[1])[0, 1]) > 0.95
