import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_array import is_ecg_array, read_ecg_array

RNG = np.random.default_rng(0)
EIGHT = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
FACTS = {"sampling_rate_hz": 500, "unit": "mV", "lead_names": list(LEAD_NAMES)}


def twelve_leads(n_samples: int = 1500) -> np.ndarray:
    one, two, *chest = RNG.normal(size=(8, n_samples))
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, *chest]).astype(np.float32)


SIGNAL = twelve_leads()


def save(path: Path, array: np.ndarray, facts: dict[str, Any] | None = FACTS) -> Path:
    np.save(path, array)
    if facts is not None:
        path.with_name(f"{path.name}.json").write_text(json.dumps(facts))
    return path


def ecg_at(path: Path) -> ECG:
    assert is_ecg_array(path)
    recording = read_ecg_array(path).recording
    assert isinstance(recording, ECG)
    return recording


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_leads_lie_along_either_side(tmp_path: Path, order: Any, is_turned: bool) -> None:
    stored = np.asarray(SIGNAL.T if is_turned else SIGNAL, order=order)
    ecg = ecg_at(save(tmp_path / "a.npy", stored))
    np.testing.assert_array_equal(ecg.signal_mv, SIGNAL)
    assert (ecg.lead_names, ecg.sampling_rate_hz, ecg.kind) == (LEAD_NAMES, 500, "rhythm")


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<i4", ">f4", "<f8", "<f2", "u1"])
def test_numbers_of_any_type_take_the_stated_unit(tmp_path: Path, dtype: str) -> None:
    stored = RNG.integers(0, 200, size=(8, 1200)).astype(dtype)
    ecg = ecg_at(save(tmp_path / "a.npy", stored, {"fs": 500, "unit": "4.88 uV", "leads": EIGHT}))
    np.testing.assert_allclose(ecg.leads(tuple(EIGHT)), stored.astype(float) * 0.00488, rtol=1e-6)
    assert ecg.lead_names == LEAD_NAMES


def test_unnamed_leads_are_taken_in_the_clinical_order_if_the_laws_hold(tmp_path: Path) -> None:
    facts = {"sampling_rate_hz": 500, "unit": "mV"}
    reading = read_ecg_array(save(tmp_path / "a.npy", SIGNAL, facts))
    assert reading.recording.lead_names == LEAD_NAMES
    assert "taken in the clinical order, which the limb leads fit" in reading.notes[0]
    turned = SIGNAL[[0, 1, 2, 6, 7, 8, 9, 10, 11, 5, 4, 3]]
    for other in (turned, SIGNAL[::-1], np.zeros_like(SIGNAL)):
        with pytest.raises(RecordingError, match="laws do not hold"):
            read_ecg_array(save(tmp_path / "a.npy", other, facts))


def test_an_archive_may_hold_the_facts(tmp_path: Path) -> None:
    for name, array in (("packed", np.savez_compressed), ("plain", np.savez)):
        path = tmp_path / f"{name}.npz"
        array(
            path, signal=SIGNAL, fs=500.0, unit="uV", lead_names=np.array(LEAD_NAMES), kind="median", extra=np.zeros(3)
        )
        ecg = ecg_at(path)
        np.testing.assert_allclose(ecg.signal_mv, SIGNAL / 1000, rtol=1e-6)
        assert (ecg.kind, ecg.sampling_rate_hz) == ("median", 500)
    path = tmp_path / "mv.npz"
    np.savez(path, signal_mv=SIGNAL.T, sampling_rate=250)
    ecg = ecg_at(path)
    np.testing.assert_array_equal(ecg.signal_mv, SIGNAL)
    assert ecg.sampling_rate_hz == 250


def test_what_is_stated_nowhere_is_asked_for(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", SIGNAL, None)
    assert is_ecg_array(path)
    with pytest.raises(
        RecordingError, match=r'a\.json, with the true values: \{"sampling_rate_hz": 500, "unit": "mV"\}'
    ):
        read_ecg_array(path)
    with pytest.raises(RecordingError, match="12 leads cannot be told from samples"):
        read_ecg_array(save(tmp_path / "a.npy", SIGNAL[:, :12]))
    with pytest.raises(RecordingError, match="8 leads cannot be told from samples"):
        read_ecg_array(save(tmp_path / "a.npy", SIGNAL, FACTS | {"lead_names": EIGHT}))


@pytest.mark.parametrize(
    "array", [np.zeros(100), np.zeros((3, 64, 64)), np.zeros((50, 50)), np.array([["a"] * 200] * 12)]
)
def test_arrays_of_other_things_are_no_ecg(tmp_path: Path, array: np.ndarray) -> None:
    path = save(tmp_path / "a.npy", array, None)
    assert not is_ecg_array(path)
    with pytest.raises(RecordingError, match=r"a\.npy"):
        read_ecg_array(path)
    np.savez(tmp_path / "a.npz", images=array)
    assert not is_ecg_array(tmp_path / "a.npz")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    array = np.empty((12, 200), dtype=object)
    array[:] = Trap()
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "a.npz", signal=array, fs=500)
    for name in ("a.npy", "a.npz"):
        is_ecg_array(tmp_path / name)
        with pytest.raises(RecordingError, match="of type object; numbers are expected"):
            read_ecg_array(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def header_only(shape: str, dtype: str = "<f8") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        header_only("(12, 1000000000000)"),
        header_only("(12, 9" + "9" * 30 + ")"),
        header_only("(12, -1)"),
        header_only("(-12, -100)"),
        header_only("(12, 100)", "O"),
        header_only("(12, 100)", "<f9"),
        header_only("(12,, 100)"),
        header_only("(12, 0)"),
        header_only("(" * 5000),
        b"\x93NUMPY\x03\x00",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"",
    ],
)
def test_a_hostile_header_gives_an_error_for_people(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    is_ecg_array(path)
    with pytest.raises(RecordingError, match=r"a\.npy"):
        read_ecg_array(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("signal.npy", content)
        archive.writestr("fs.npy", content)
    is_ecg_array(tmp_path / "a.npz")
    with pytest.raises(RecordingError, match=r"a\.npz"):
        read_ecg_array(tmp_path / "a.npz")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros((12, 4_000_000)))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", stream.getvalue())
    with pytest.raises(RecordingError, match=r"a\.npz"):
        read_ecg_array(tmp_path / "a.npz")


def test_damage_anywhere_gives_no_other_kind_of_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, signal=SIGNAL[:, :20], fs=500.0, unit="mV", kind="rhythm")
    content = path.read_bytes()
    n_refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for position in RNG.integers(0, len(content), size=3):
            damaged[position] = RNG.integers(256)
        path.write_bytes(damaged)
        is_ecg_array(path)
        try:
            read_ecg_array(path)
        except RecordingError:
            n_refused += 1
    assert n_refused > 200
