"""Adding people and recordings to a study that is complete, so that it is the old one or the new one at any moment.

New people get the rows after the last one, whose recordings nobody looks at until the manifest counts them. The new
tables are made in ``adding/``; at the end they replace the old ones, and the manifest follows last. In between, readers
take as many rows as the manifest says, and those are the same in the old tables and the new (but for recordings that
old people get, which are there by then).
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store, study_table
from napari_latent_explorer.io.atomic import folder_in_one_step, remove_partials, write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_manifest import MODALITIES, StudyManifest

ADDING_FOLDER = "adding"
ADDITION_FILE = "addition.json"

_REPLACED = (study_table.PHENOTYPES_FILE, study_table.PARTICIPANTS_FILE, study_table.AVAILABILITY_FILE)
"""In this order; each of them, alone, agrees with the old ones about the old rows."""
_BYTES_PER_PARTICIPANT = 1_000


@dataclass(frozen=True, slots=True)
class StudyAddition:
    """An addition that is being made.

    Attributes
    ----------
    path
        Root folder of the study.
    n_before
        People who were in it before.
    n_after
        People who will be.
    """

    path: Path
    n_before: int
    n_after: int

    @classmethod
    def begin(cls, path: Path, new: Cohort, asked: Mapping[str, Any]) -> "StudyAddition":
        """Begin an addition, or go on with one that was begun in the same way.

        Parameters
        ----------
        path
            Root folder of a complete study.
        new
            The new people, with the phenotypes of the study and no others; categories may have more labels at their
            end.
        asked
            What makes the addition, as plain JSON.

        Raises
        ------
        StudyError
            When the study cannot be added to, another addition was begun, or there is no space.
        """
        manifest = StudyManifest.read(path)
        _refuse_unfit(path, manifest)
        n_before = manifest.n_participants
        facts = {"n_before": n_before, "n_after": n_before + len(new), "asked": dict(asked)}
        folder = path / ADDING_FOLDER
        _drop_what_is_done(folder, n_before)
        if not folder.is_dir():
            remove_partials(path)
            old = study_table.read_cohort(path, {}, n_before)
            with folder_in_one_step(folder, (n_before + len(new)) * _BYTES_PER_PARTICIPANT) as partial:
                study_table.write_cohort(partial, _joined(old, new))
                write_file(partial / ADDITION_FILE, (json.dumps(facts, indent=2) + "\n").encode())
        _refuse_another(path, facts, new)
        remove_partials(path / recording_store.STORE_FOLDER)
        return cls(path, n_before, n_before + len(new))

    def finish(self) -> Study:
        """Make the new people and recordings part of the study, and open it.

        Raises
        ------
        StudyError
            When new people have not been written yet.
        """
        missing = [row for row in range(self.n_before, self.n_after) if not recording_store.is_written(self.path, row)]
        if missing:
            raise StudyError(
                f"The addition to {self.path} cannot be finished: {len(missing)} of {self.n_after - self.n_before} new "
                "people have not been written. Run the command that was adding them again."
            )
        manifest = StudyManifest.read(self.path)
        availability = self._availability()
        held = [modality for modality in MODALITIES if modality in manifest.modalities or availability[modality].any()]
        folder = self.path / ADDING_FOLDER
        study_table.write_table(folder / study_table.AVAILABILITY_FILE, availability[held])
        for name in _REPLACED:
            write_file(self.path / name, (folder / name).read_bytes())
        has_labels = manifest.has_labels or bool(availability["labels"].any())
        replace(manifest, n_participants=self.n_after, modalities=tuple(held), has_labels=has_labels).write(self.path)
        shutil.rmtree(folder, ignore_errors=True)
        return Study.open(self.path)

    def _availability(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                kind: [recording_store.has_recording(self.path, row, kind) for row in range(self.n_after)]
                for kind in (*MODALITIES, "labels")
            },
            dtype=bool,
        )


def _refuse_unfit(path: Path, manifest: StudyManifest) -> None:
    if not manifest.is_complete:
        raise StudyError(f"The study {path} is half-written; finish it before adding to it, with the same command.")
    if manifest.recording_source != "stored" or (path / study_table.FACTORS_FILE).exists():
        raise StudyError(f"The study {path} is of simulated people; only studies of recordings can be added to.")


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = {**json.loads((folder / ADDITION_FILE).read_text("utf-8"))}
        return facts
    except (OSError, ValueError, TypeError, RecursionError) as damage:
        raise StudyError(f"Cannot read {folder / ADDITION_FILE}: {damage}. Delete the folder {folder}.") from damage


def _drop_what_is_done(folder: Path, n_participants: int) -> None:
    """Remove what a kill left of an addition after the manifest had counted it in."""
    if folder.is_dir():
        facts = _read_facts(folder)
        if facts.get("n_after") == n_participants != facts.get("n_before"):
            shutil.rmtree(folder, ignore_errors=True)


def _refuse_another(path: Path, facts: Mapping[str, Any], new: Cohort) -> None:
    """Refuse to mix two additions."""
    folder = path / ADDING_FOLDER
    begun = _read_facts(folder)
    ids = study_table.read_cohort(folder, {}).participant_ids[facts["n_before"] :]
    if begun != facts or ids.tolist() != new.participant_ids.tolist():
        raise StudyError(
            f"Another addition to the study {path} was begun and not finished. Run that command again to finish it, or "
            f"delete the folder {folder} to drop it; the study itself is whole."
        )


def _joined(old: Cohort, new: Cohort) -> Cohort:
    columns = {}
    for name, spec in new.specs.items():
        parts = (old.phenotypes[name], new.phenotypes[name])
        if spec.kind == "continuous":
            columns[name] = np.concatenate([part.to_numpy(np.float64) for part in parts])
        else:
            labels = np.concatenate([part.astype(object).to_numpy() for part in parts])
            columns[name] = pd.Categorical(labels, categories=list(spec.categories))
    ids = np.concatenate([old.participant_ids, new.participant_ids])
    return Cohort(ids, pd.DataFrame(columns, index=range(len(ids))), new.specs)
