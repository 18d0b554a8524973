"""Latents in the files of other programs: the TSV of ml4h, and AnnData's ``.h5ad``.

| format | layout |
|---|---|
| ml4h TSV | ``sample_id latent_0 ... latent_255`` between tabs, a line each; read also ``FID IID latent_0 ...`` |
| ``.h5ad`` | ``X`` latents (n, latent_dim), ``obs`` phenotypes by id, ``obsm["X_tsne"]`` the map, ``uns`` provenance |

What is written may be passed on, so participants are called ``anonymous_<row in the study>`` unless ids are asked for;
files of the two modalities then still belong together, and no other study takes these names for its own people's.

References
----------
ml4h, mode ``infer_encoders`` (github.com/broadinstitute/ml4h): files ``hidden_<tensor map>_<model>.tsv``.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.io import latent_h5ad
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.latent_h5ad import MAX_LATENT_BYTES, MAX_LATENT_DIM, distinct_ids
from napari_latent_explorer.io.participant_ids import IdFinding, match_ids
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_manifest import path_component
from napari_latent_explorer.io.table_file import read_table_file

_HDF5_MARK: Final = b"\x89HDF\r\n\x1a\n"
_LATENT_COLUMN: Final = re.compile(r"latent_(0|[1-9][0-9]{0,5})")
_ID_COLUMNS: Final = ("sample_id", "IID")


@dataclass(frozen=True, slots=True)
class LatentImport:
    """Latents that were read for the participants of a study.

    Attributes
    ----------
    latents
        Of those participants that the file has, in the study's order, under the study's ids.
    findings
        Ids that only one side has.
    notes
        What else was noticed, in sentences.
    """

    latents: LatentSpace
    findings: tuple[IdFinding, ...]
    notes: tuple[str, ...]


def write_latent_tsv(path: Path, study: Study, modality: str, fingerprint: str, with_ids: bool = False) -> LatentSpace:
    """Write latents of a study as ml4h does; numbers come back equal to the bit.

    Parameters
    ----------
    path
        File to write.
    study, modality, fingerprint
        Whose latents, of which modality, by which bundle.
    with_ids
        Whether participants are called by their ids.

    Raises
    ------
    StudyError
        When there are no such latents, or the place cannot be written.
    """
    latents = study.latents(modality, fingerprint)
    header = ["sample_id", *(f"latent_{dimension}" for dimension in range(latents.latent_dim))]
    lines = ["\t".join(header)]
    for name, vector in zip(_names(study, latents, with_ids), latents.values, strict=True):
        lines.append("\t".join([name, *map(str, vector)]))
    write_file(path, ("\n".join(lines) + "\n").encode())
    return latents


def write_latent_h5ad(path: Path, study: Study, modality: str, fingerprint: str, with_ids: bool = False) -> LatentSpace:
    """Write latents with phenotypes, map and provenance as AnnData; see `write_latent_tsv`."""
    latents = study.latents(modality, fingerprint)
    cohort = study.cohort().subset(latents.participant_ids)
    provenance = {
        "modality": modality,
        "bundle_fingerprint": fingerprint,
        "study_fingerprint": study.fingerprint,
        "has_participant_ids": with_ids,
    }
    latent_h5ad.write(path, latents, cohort, _names(study, latents, with_ids), _maps(study, latents), provenance)
    return latents


def import_latents(path: str | Path, study: Study, modality: str, fingerprint: str | None = None) -> LatentImport:
    """Read latents from an ml4h TSV or an ``.h5ad`` for the participants of a study.

    Parameters
    ----------
    path
        File, recognised by its content.
    study
        Study that has the participants.
    modality
        Whose encoder made them, ``mri`` or ``ecg``.
    fingerprint
        Name to keep them under; by default the bundle's that an ``.h5ad`` names, else one made of the file's content.

    Raises
    ------
    TableError
        When the file is damaged, holds no latents, or nobody of the study.
    StudyError
        When the fingerprint cannot be a name, or the study has other latents under it.
    """
    file = Path(path)
    try:
        if not file.is_file():  # a pipe would be waited for
            raise TableError(f"There is no file {file}.")
        with file.open("rb") as stream:
            is_hdf5 = stream.read(len(_HDF5_MARK)) == _HDF5_MARK
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as refusal:
        raise TableError(f"Cannot read {file}: {refusal.strerror or refusal}.") from refusal
    values, ids, told, notes = latent_h5ad.read(file) if is_hdf5 else _read_tsv(file)
    name = path_component(fingerprint or told or f"{'h5ad' if is_hdf5 else 'tsv'}-{digest}", "the name of latents")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise TableError(f"{file}: the latents of {ids[row]} hold NaN or infinity. Leave that participant out.")
    match = match_ids(study.cohort().participant_ids.tolist(), ids)
    if not match.matched:
        raise TableError(
            f"{file} has latents of {len(ids)} participants (e.g. {', '.join(ids[:3])}); the study {study.path} has "
            "none of them. Was it exported without ids?"
        )
    row_of = {participant_id: row for row, participant_id in enumerate(ids)}
    rows = [row_of[found] for _, found in match.matched]
    own = np.array([participant_id for participant_id, _ in match.matched], dtype=np.str_)
    latents = LatentSpace(values[rows], own, modality, name)
    _refuse_other_latents(study, latents)
    return LatentImport(latents, match.findings(), (*notes, *match.notes))


def _refuse_other_latents(study: Study, latents: LatentSpace) -> None:
    """Raise where the study has other latents under that name: what a bundle made is not written over."""
    modality, name = latents.modality, latents.bundle_fingerprint
    if not study.has_latents(modality, name):
        return
    known = study.latents(modality, name)
    if not (
        np.array_equal(known.participant_ids, latents.participant_ids) and np.array_equal(known.values, latents.values)
    ):
        raise StudyError(
            f"The study {study.path} has other {modality} latents under the name {name} already. Give another name "
            "with `--bundle`."
        )


def _names(study: Study, latents: LatentSpace, with_ids: bool) -> list[str]:
    """Ids, or what stands for them: the participant's row in the study's table, from 1."""
    if with_ids:
        return [str(participant_id) for participant_id in latents.participant_ids]
    return [f"anonymous_{row + 1}" for row in study.cohort().rows_of(latents.participant_ids.tolist())]


def _maps(study: Study, latents: LatentSpace) -> Mapping[str, NDArray[np.float32]]:
    """Read the stored map of the same participants, if there is one, under the key that scanpy looks for."""
    if not study.has_projection(latents.modality, latents.bundle_fingerprint):
        return {}
    arrays, meta = study.projection(latents.modality, latents.bundle_fingerprint)
    if arrays["participant_ids"].tolist() != latents.participant_ids.tolist():
        return {}
    return {f"X_{meta.get('method', 'map')}": np.asarray(arrays["coordinates"], dtype=np.float32)}


def _read_tsv(file: Path) -> tuple[NDArray[np.float32], list[str], str | None, tuple[str, ...]]:
    table = read_table_file(file)
    id_column = next((name for name in _ID_COLUMNS if name in table.columns), None)
    if id_column is None:
        raise TableError(f"{file} has no column sample_id (or FID and IID), as ml4h writes it. Rename the ids' column.")
    found = {int(match[1]): name for name in table.columns if (match := _LATENT_COLUMN.fullmatch(str(name)))}
    latent_dim = len(found)
    if not found or sorted(found) != list(range(latent_dim)) or latent_dim > MAX_LATENT_DIM:
        raise TableError(
            f"{file} must have the columns latent_0, latent_1, ... without gaps, at most {MAX_LATENT_DIM}; found "
            + (f"{latent_dim} up to latent_{max(found)}." if found else "none.")
        )
    if len(table) * latent_dim * 4 > MAX_LATENT_BYTES:
        raise TableError(f"{file} holds more than {MAX_LATENT_BYTES >> 30} GiB of latents.")
    values = np.empty((len(table), latent_dim), dtype=np.float32)
    with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
        for dimension in range(latent_dim):
            values[:, dimension] = _numbers(table[found[dimension]], file)
    others = [str(name) for name in table.columns if name not in (*found.values(), *_ID_COLUMNS, "FID")]
    notes = (f"Other columns of {file} were not read: {', '.join(others[:5])}.",) if others else ()
    return values, distinct_ids(table[id_column], file), None, notes


def _numbers(column: "pd.Series[Any]", file: Path) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise TableError(
            f"{file}: {column.name} in row {wrong[0] + 1} is {column.iloc[wrong[0]]!r}, expected a finite number. "
            "Leave that participant out."
        )
    return numbers
