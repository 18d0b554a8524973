import json
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.frame_timing import ASSUMED_RR_MS, read_sidecar, time_frames

TIMES_S = [0.01, 0.05, 0.09, 0.14]


def test_a_sensible_step_of_the_header_gives_the_times() -> None:
    timing = time_frames(25, step_ms=36.0, start_ms=5.0)
    np.testing.assert_allclose(timing.frame_times_ms, 5.0 + 36.0 * np.arange(25))
    assert timing.rr_interval_ms == pytest.approx(900.0)
    assert timing.is_known
    assert "900 ms" in timing.note


@pytest.mark.parametrize("step_ms", [1000.0, 3.2, 0.0, -40.0, np.nan, np.inf, None])
def test_a_step_that_makes_no_heart_cycle_is_not_believed(step_ms: float | None) -> None:
    timing = time_frames(30, step_ms=step_ms)
    np.testing.assert_allclose(timing.frame_times_ms, ASSUMED_RR_MS * np.arange(30) / 30)
    assert timing.rr_interval_ms == ASSUMED_RR_MS
    assert not timing.is_known
    assert "assumed cycle of 1000 ms" in timing.note
    assert "heart rate are not known" in timing.note


@pytest.mark.parametrize("start_ms", [-5.0, 36.0, 1e9, np.nan])
def test_a_start_outside_the_first_step_is_not_believed(start_ms: float) -> None:
    assert time_frames(25, step_ms=36.0, start_ms=start_ms).frame_times_ms[0] == 0


@pytest.mark.parametrize(
    ("facts", "first_ms", "rr_ms"),
    [
        ({"VolumeTiming": [0.0, 0.2, 0.4, 0.7]}, 0.0, 900.0),
        ({"FrameTimesStart": [0.01, 0.2, 0.4, 0.7]}, 10.0, 890.0),
        ({"TriggerTime": [12, 200, 400, 700]}, 12.0, 888.0),
        ({"TriggerTime": [0, 200, 400, 700], "NominalInterval": 1100}, 0.0, 1100.0),
        ({"TriggerTime": [0, 200, 400, 700], "NominalInterval": 600}, 0.0, 900.0),  # shorter than the frames last
        ({"HeartRate": 75}, 0.0, 800.0),
        ({"NominalInterval": 930.0}, 0.0, 930.0),
        ({"RepetitionTime": 0.2}, 0.0, 800.0),
        ({"RepetitionTime": 0.0032}, 0.0, 480.0),  # of an excitation: the header's 120 ms count
    ],
)
def test_the_sidecar_is_asked_first(facts: dict[str, object], first_ms: float, rr_ms: float) -> None:
    timing = time_frames(4, step_ms=120.0, sidecar=facts)
    assert timing.frame_times_ms[0] == pytest.approx(first_ms)
    assert timing.rr_interval_ms == pytest.approx(rr_ms)
    assert timing.is_known


@pytest.mark.parametrize(
    "facts",
    [
        {"VolumeTiming": [0.0, 0.2, 0.4]},
        {"VolumeTiming": [0.0, 0.4, 0.2, 0.6]},
        {"VolumeTiming": [0.0, 0.2, 0.2, 0.6]},
        {"VolumeTiming": [-0.1, 0.2, 0.4, 0.6]},
        {"VolumeTiming": [0.0, "x", 0.4, 0.6]},
        {"VolumeTiming": [0.0, 0.2, 0.4, float("nan")]},
        {"VolumeTiming": [0.0, 0.2, 0.4, 10**400]},
        {"VolumeTiming": "0 0.2 0.4 0.6"},
        {"VolumeTiming": [0.0, 2.0, 4.0, 6.0]},
        {"HeartRate": 0},
        {"HeartRate": -60},
        {"HeartRate": True},
        {"NominalInterval": [900]},
        {"NominalInterval": 10**400},
        {"RepetitionTime": None},
    ],
)
def test_facts_that_cannot_be_are_passed_over(facts: dict[str, object]) -> None:
    assert time_frames(4, step_ms=120.0, sidecar=facts).rr_interval_ms == pytest.approx(480.0)
    assert not time_frames(4, sidecar=facts).is_known


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr", "A.NII.GZ"])
def test_the_sidecar_has_the_files_name(tmp_path: Path, name: str) -> None:
    assert read_sidecar(tmp_path / name) == {}
    (tmp_path / f"{name[0]}.json").write_text(json.dumps({"RepetitionTime": 0.04}))
    assert read_sidecar(tmp_path / name) == {"RepetitionTime": 0.04}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b"null"])
def test_a_sidecar_that_is_no_object_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.json is not (a )?JSON"):
        read_sidecar(tmp_path / "a.nii.gz")
