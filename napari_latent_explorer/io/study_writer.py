"""Making a study, so that being killed at any moment costs at most one participant.

The folder appears with its tables and an incomplete manifest in one step; each participant's recordings appear in one
step; `StudyWriter.finish` marks the study complete. A writer is small and can be pickled, so several processes (started
with ``spawn``) can add different participants to one study.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store, study_table
from napari_latent_explorer.io.atomic import folder_in_one_step, remove_partials
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_manifest import MANIFEST_FILE, MODALITIES, RecordingOrigin, StudyManifest

_TABLE_BYTES_PER_PARTICIPANT = 1_000


@dataclass(frozen=True)
class StudyWriter:
    """A study that is being made.

    Attributes
    ----------
    path
        Root folder.
    manifest
        Its manifest.
    participant_ids
        ``(n_participants,)`` ids in the table's order.
    """

    path: Path
    manifest: StudyManifest
    participant_ids: tuple[str, ...]
    _row_of: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row_of", {pid: row for row, pid in enumerate(self.participant_ids)})

    @classmethod
    def create(
        cls,
        path: str | Path,
        cohort: Cohort,
        name: str = "",
        factors: pd.DataFrame | None = None,
        recording_source: RecordingOrigin = "stored",
        modalities: tuple[str, ...] = MODALITIES,
        has_labels: bool = True,
        provenance: Mapping[str, Any] | None = None,
    ) -> "StudyWriter":
        """Begin a study in `path`, which must not exist yet or be an empty folder.

        Parameters
        ----------
        path
            Root folder to be.
        cohort
            Participants and phenotypes; its availability is not used, who has what follows from what is written.
        name
            Name for people; the folder's name if empty.
        factors
            Known factors of simulated participants, one row each in the cohort's order.
        recording_source
            `stored`, or `simulation` when recordings are made on demand from the factors.
        modalities, has_labels
            What the study has at all.
        provenance
            What makes it (command, seed, version), as plain JSON.

        Raises
        ------
        StudyError
            When something is there already, the disk is full, or the place cannot be written.
        """
        root = Path(path).expanduser().absolute()
        _refuse_occupied(root)
        if factors is not None and len(factors) != len(cohort):
            raise StudyError(f"{len(factors)} rows of factors for {len(cohort)} participants; expected one each.")
        if recording_source == "simulation" and factors is None:
            raise StudyError("A study whose recordings are simulated on demand needs the table of factors.")
        manifest = StudyManifest(
            name=name or root.name,
            n_participants=len(cohort),
            modalities=modalities,
            recording_source=recording_source,
            has_labels=has_labels,
            provenance=provenance or {},
        )
        remove_partials(root.parent, root.name)
        with folder_in_one_step(root, len(cohort) * _TABLE_BYTES_PER_PARTICIPANT) as folder:
            study_table.write_cohort(folder, cohort)
            if factors is not None:
                study_table.write_table(folder / study_table.FACTORS_FILE, factors)
            if recording_source == "stored":
                recording_store.create_store(folder)
            manifest.write(folder)
        return cls(root, manifest, tuple(cohort.participant_ids.tolist()))

    @classmethod
    def resume(cls, path: str | Path) -> "StudyWriter":
        """Go on with a study that was begun; no other process may be writing it at this moment.

        Raises
        ------
        StudyError
            When there is no study.
        """
        root = Path(path).expanduser().absolute()
        manifest = StudyManifest.read(root)
        remove_partials(root)
        remove_partials(root / recording_store.STORE_FOLDER)
        ids = study_table.read_cohort(root, {}).participant_ids
        return cls(root, manifest, tuple(ids.tolist()))

    def factors_table(self) -> pd.DataFrame | None:
        """Known factors as they were given to `create`."""
        path = self.path / study_table.FACTORS_FILE
        return study_table.read_table(path) if path.is_file() else None

    def remaining_ids(self) -> tuple[str, ...]:
        """Participants whose recordings have not been written yet, in the table's order."""
        if self.manifest.recording_source != "stored":
            return ()
        written = recording_store.written_rows(self.path)
        return tuple(pid for pid, row in self._row_of.items() if row not in written)

    def add_participant(
        self,
        participant_id: str,
        cine: CineMRI | None = None,
        labels: CineLabels | None = None,
        ecg: ECG | None = None,
        heart_box: HeartBox | None = None,
        facts: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write all recordings of one participant; those left out are missing for good.

        Parameters
        ----------
        participant_id
            Whose they are.
        cine, labels, ecg
            Those that there are.
        heart_box
            Where the heart lies in the cine.
        facts
            What else is to be kept about this participant, as plain JSON.

        Raises
        ------
        StudyError
            For a stranger, one who has been written already, or when the disk is full.
        """
        row = self._row_of.get(participant_id)
        if row is None:
            raise StudyError(f"The study {self.path} has no participant {participant_id!r} in its table.")
        if recording_store.is_written(self.path, row):
            raise StudyError(f"Participant {participant_id} has been written to the study {self.path} already.")
        recording_store.write_recordings(self.path, row, cine, labels, ecg, heart_box, facts)

    def finish(self, has_labels: bool | None = None) -> Study:
        """Mark the study complete and open it.

        Parameters
        ----------
        has_labels
            Whether its cines come with label maps, where that was not known at the beginning.

        Raises
        ------
        StudyError
            When participants have not been added yet.
        """
        remaining = self.remaining_ids()
        if remaining:
            raise StudyError(
                f"The study {self.path} cannot be finished: {len(remaining)} of {len(self.participant_ids)} "
                f"participants have not been added, the first is {remaining[0]}. Add each of them (with no recording "
                "if they have none)."
            )
        if self.manifest.recording_source == "stored":
            self._write_availability()
        manifest = self.manifest if has_labels is None else replace(self.manifest, has_labels=has_labels)
        replace(manifest, is_complete=True).write(self.path)
        return Study.open(self.path)

    def _write_availability(self) -> None:
        rows = range(len(self.participant_ids))
        columns = {
            modality: np.array([recording_store.has_recording(self.path, row, modality) for row in rows], dtype=bool)
            for modality in self.manifest.modalities
        }
        study_table.write_table(self.path / study_table.AVAILABILITY_FILE, pd.DataFrame(columns))


def _refuse_occupied(root: Path) -> None:
    if (root / MANIFEST_FILE).exists():
        raise StudyError(
            f"{root} already holds a study. Choose another folder, or resume that one (run the command that was making "
            "it again) if it is half-written."
        )
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise StudyError(f"{root} exists and is not an empty folder. Choose another place for the study.")
