"""Latents as AnnData (``.h5ad``): written by anndata for scanpy and its kin, read back by h5py alone.

Reading takes plain arrays and texts out of the file, never objects, and follows no link out of it: an HDF5 file can
name other files for its bytes, so each step on the way to a dataset is looked at.

References
----------
Virshup I et al., anndata: Access and store annotated data matrices, JOSS 9 (2024) 4371.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.atomic import partial_path, refusals_named
from napari_latent_explorer.io.hdf5_heaps import has_sound_heaps
from napari_latent_explorer.io.participant_ids import id_texts

PROVENANCE_KEY: Final = "napari_latent_explorer"
MAX_LATENT_DIM: Final = 65_536
MAX_LATENT_BYTES: Final = 8 << 30


def write(
    path: Path,
    latents: LatentSpace,
    cohort: Cohort,
    names: Sequence[str],
    maps: Mapping[str, NDArray[np.float32]],
    provenance: Mapping[str, Any],
) -> None:
    """Write latents with what belongs to them, atomically.

    Parameters
    ----------
    path
        File to write.
    latents
        What becomes ``X``.
    cohort
        The same participants in the same order; their phenotypes become ``obs``.
    names
        What the participants are called in the file.
    maps
        Coordinates ``(n_participants, 2)`` under the keys of ``obsm``.
    provenance
        Plain values for ``uns``, beside the phenotypes' specs.

    Raises
    ------
    StudyError
        When the place cannot be written.
    """
    import anndata

    columns = _column_names(list(cohort.specs))
    obs = cohort.phenotypes.rename(columns=columns).set_axis(pd.Index(names, dtype=object))
    var = pd.DataFrame(index=pd.Index([f"latent_{place}" for place in range(latents.latent_dim)], dtype=object))
    specs = [{**asdict(spec), "column": columns[spec.name]} for spec in cohort.specs.values()]
    told = {**provenance, "phenotypes": json.dumps(specs)}
    table = anndata.AnnData(np.array(latents.values), obs, var, {PROVENANCE_KEY: told}, obsm=dict(maps))
    partial = partial_path(path)
    with refusals_named(path, latents.values.nbytes * 2):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            table.write_h5ad(partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def read(file: Path) -> tuple[NDArray[np.float32], list[str], str | None, tuple[str, ...]]:
    """Read latents, ids, the fingerprint of the bundle if the file tells it, and notes.

    Raises
    ------
    TableError
        When the file is damaged, absurdly large, or its matrix is not a plain one of fractions.
    """
    import h5py

    try:
        if not has_sound_heaps(file):
            raise TableError(f"{file} is damaged: the heap of its texts leads nowhere. Copy or export it again.")
        with h5py.File(file, "r", locking=False) as archive:
            matrix = _dataset(archive, "X", file)
            if matrix.ndim != 2 or matrix.dtype.kind != "f" or matrix.shape[1] > MAX_LATENT_DIM:
                raise TableError(
                    f"{file}: X is {matrix.dtype} of shape {matrix.shape}, expected fractions (n, latent_dim)."
                )
            if matrix.size * 4 > MAX_LATENT_BYTES:
                raise TableError(f"{file} holds more than {MAX_LATENT_BYTES >> 30} GiB of latents.")
            ids = _texts(_dataset(archive, f"obs/{_index_name(archive, file)}", file), len(matrix), file)
            told = _told_fingerprint(archive, file)
            with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
                values = np.asarray(matrix[()], dtype=np.float32)
    except TableError:
        raise
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        AttributeError,
        MemoryError,
        OverflowError,
    ) as damage:
        raise TableError(f"{file} is a damaged .h5ad file: {reason_of(damage)}. Copy or export it again.") from damage
    return values, distinct_ids(pd.Series(ids, dtype=object), file), told, ()


def _dataset(archive: Any, name: str, file: Path) -> Any:
    """Open a dataset whose every byte lies in this file."""
    import h5py

    place = archive
    for part in name.split("/"):
        link = place.get(part, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise TableError(f"{file} holds no {name} of its own, as AnnData writes it. Save it again with anndata.")
        place = place[part]
    if not isinstance(place, h5py.Dataset):
        raise TableError(f"{file}: {name} is stored in parts (sparse or categorical); latents are a plain matrix.")
    if place.external or place.is_virtual:
        raise TableError(f"{file}: {name} lies in other files, which are not followed. Save it again with anndata.")
    return place


def _index_name(archive: Any, file: Path) -> str:
    link = archive.get("obs")
    name = link.attrs.get("_index", "_index") if link is not None else "_index"
    if not isinstance(name, str) or "/" in name:
        raise TableError(f"{file}: obs has no index of participant ids. Save it again with anndata.")
    return name


def _texts(dataset: Any, n: int, file: Path) -> list[str]:
    if dataset.shape != (n,):
        raise TableError(f"{file}: {n} rows of latents but ids of shape {dataset.shape}.")
    if dataset.dtype.kind not in "OS":
        return [str(value) for value in dataset[()].tolist()]
    return [str(value) for value in dataset.asstr()[()].tolist()]


def _told_fingerprint(archive: Any, file: Path) -> str | None:
    """Fingerprint of the bundle that an export of this program names."""
    name = f"uns/{PROVENANCE_KEY}/bundle_fingerprint"
    if name not in archive:
        return None
    dataset = _dataset(archive, name, file)
    return str(dataset.asstr()[()]) if dataset.shape == () else None


def distinct_ids(column: "pd.Series[Any]", file: Path) -> list[str]:
    """Ids of a column of which each must be there, and once.

    Raises
    ------
    TableError
        When one is missing or occurs again.
    """
    texts = id_texts(column)
    if any(text is None for text in texts):
        row = next(row for row, text in enumerate(texts) if text is None)
        raise TableError(f"{file}: row {row + 1} has no id. Leave it out.")
    ids = [str(text) for text in texts]
    repeated = pd.Series(ids, dtype=object)[pd.Series(ids, dtype=object).duplicated()].tolist()
    if repeated:
        raise TableError(f"{file}: {len(repeated)} ids occur again, e.g. {repeated[0]}. Keep one line of each.")
    return ids


def _column_names(phenotypes: list[str]) -> dict[str, str]:
    """Names for columns of HDF5, where a slash would begin a folder."""
    names: dict[str, str] = {}
    for phenotype in phenotypes:
        name = phenotype.replace("/", " per ").strip(". ") or "phenotype"
        while name in names.values() or name in ("_index", "index"):
            name += "_"
        names[phenotype] = name
    return names
