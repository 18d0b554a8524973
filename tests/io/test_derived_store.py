import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import derived_store as store


def make_latents(fingerprint: str = "abc", modality: str = "mri") -> LatentSpace:
    values = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    return LatentSpace(values, np.array(["a", "é", "c/d", "e"]), modality, fingerprint)


def test_latents_come_back(tmp_path: Path) -> None:
    latents = make_latents()
    store.write_latents(tmp_path, latents)
    back = store.read_latents(tmp_path, "mri", "abc")
    np.testing.assert_array_equal(back.values, latents.values)
    assert back.participant_ids.tolist() == latents.participant_ids.tolist()
    assert (back.modality, back.bundle_fingerprint) == ("mri", "abc")


def test_the_newest_fingerprint_comes_first(tmp_path: Path) -> None:
    assert store.fingerprints_with_latents(tmp_path) == ()
    for age_s, fingerprint in ((300, "old"), (100, "new"), (200, "middle")):
        store.write_latents(tmp_path, make_latents(fingerprint))
        os.utime(store.latents_path(tmp_path, "mri", fingerprint), (1e9 - age_s, 1e9 - age_s))
    assert store.fingerprints_with_latents(tmp_path) == ("new", "middle", "old")


def test_a_projection_comes_back_with_its_description(tmp_path: Path) -> None:
    arrays, meta = {"points": np.eye(2), "codes": np.arange(3)}, {"seed": 1, "note": "é"}
    store.write_projection(tmp_path, "pca", "abc", arrays, meta)
    back, description = store.read_projection(tmp_path, "pca", "abc")
    assert description == meta
    assert back.keys() == arrays.keys()
    np.testing.assert_array_equal(back["points"], arrays["points"])
    with pytest.raises(StudyError, match="cannot be called 'meta_json'"):
        store.write_projection(tmp_path, "pca", "abc", {"meta_json": np.eye(2)}, meta)


def test_what_is_absent_truncated_or_incomplete_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no mri latents of the bundle abc.*encode"):
        store.read_latents(tmp_path, "mri", "abc")
    store.write_latents(tmp_path, make_latents())
    path = store.latents_path(tmp_path, "mri", "abc")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(StudyError, match=r"is damaged.*encode"):
        store.read_latents(tmp_path, "mri", "abc")
    np.savez(path, values=np.eye(2))
    with pytest.raises(StudyError, match="lacks participant_ids"):
        store.read_latents(tmp_path, "mri", "abc")


def test_a_damaged_byte_is_named_or_harmless(tmp_path: Path) -> None:
    store.write_latents(tmp_path, make_latents())
    path = store.latents_path(tmp_path, "mri", "abc")
    content = path.read_bytes()
    refusals = []
    for place in range(0, len(content), 5):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            store.read_latents(tmp_path, "mri", "abc")
        except StudyError as refusal:
            refusals.append(str(refusal))
    assert len(refusals) > len(content) / 10
    assert all(str(path) in refusal for refusal in refusals)


def test_an_array_or_text_in_place_of_latents_is_refused(tmp_path: Path) -> None:
    store.write_latents(tmp_path, make_latents())
    path = store.latents_path(tmp_path, "mri", "abc")
    with path.open("wb") as stream:
        np.save(stream, np.eye(3))
    with pytest.raises(StudyError, match="is damaged"):
        store.read_latents(tmp_path, "mri", "abc")
    with path.open("wb") as stream:
        np.savez(stream, values=np.array([["x"]]), participant_ids=np.array(["a"]))
    with pytest.raises(StudyError, match="holds no latents"):
        store.read_latents(tmp_path, "mri", "abc")


def test_ids_of_characters_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    store.write_latents(tmp_path, make_latents())
    ids = np.full((4, 2), 0x110041, dtype=np.uint32).view("<U2").reshape(4)
    np.savez(store.latents_path(tmp_path, "mri", "abc"), values=np.zeros((4, 3), np.float32), participant_ids=ids)
    with pytest.raises(StudyError, match="characters that do not exist"):
        store.read_latents(tmp_path, "mri", "abc")


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_latents(tmp_path, make_latents())
    monkeypatch.setattr(store, "_MAX_BYTES", 100)
    with pytest.raises(StudyError, match=r"unpack to \d+ bytes, at most 100"):
        store.read_latents(tmp_path, "mri", "abc")


@pytest.mark.parametrize(
    "header", [b"{'descr': (", b"(" * 3000, b"{'descr': '<f4', 'fortran_order': False, 'shape': (2**70,)}"]
)
def test_headers_that_stop_pythons_own_parser_are_damage(tmp_path: Path, header: bytes) -> None:
    store.write_latents(tmp_path, make_latents())
    path = store.latents_path(tmp_path, "mri", "abc")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("values.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(StudyError, match="damaged"):
        store.read_latents(tmp_path, "mri", "abc")
