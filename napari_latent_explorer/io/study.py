"""A study: the folder on disk that holds a cohort, its recordings, and what was computed from them.

    manifest.json                                what the study is; the last thing written
    participants.parquet  phenotypes.json        the table, and what its columns mean
    availability.parquet                         who has which recording
    factors.parquet                              known factors, for simulated participants
    recordings.zarr/<row>/{cine,cine_labels,ecg} one group per participant
    heart_boxes/<row>.json                       boxes around the heart that somebody drew
    report.html  report.parquet                  what became of each file that it was built from
    latents/<bundle fingerprint>/<modality>.npz
    projections/<bundle fingerprint>/<name>.npz
    calibrations/<bundle fingerprint>/<key>.json what walks change of decoded hearts (see `session.calibration_store`)

Opening reads the manifest only; tables and recordings are read when they are asked for.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import derived_store, heart_boxes, recording_store, study_table
from napari_latent_explorer.io.study_manifest import StudyManifest

Recording = CineMRI | CineLabels | ECG
Kind = TypeVar("Kind", CineMRI, CineLabels, ECG)

CACHE_BYTES = 256 << 20
_FROM_CINE = ("mri", "joint")


class RecordingSource(Protocol):
    """Where recordings come from: the study's own store, or something that makes them on demand."""

    def cine(self, participant_id: str) -> CineMRI:
        """Cine of one participant."""

    def labels(self, participant_id: str) -> CineLabels:
        """Label map of that cine, on the same grid."""

    def ecg(self, participant_id: str) -> ECG:
        """ECG of one participant."""


class Study:
    """A study that is open for reading; derived results may be added to it.

    Methods may be called from several threads.

    Parameters
    ----------
    path
        Root folder.
    manifest
        The study's manifest.
    recordings
        Source of recordings, when they do not lie in the folder itself.
    """

    def __init__(self, path: Path, manifest: StudyManifest, recordings: RecordingSource | None = None) -> None:
        self.path = path
        self.manifest = manifest
        self._cache = _RecordingCache(CACHE_BYTES)
        self._recordings = recordings

    @classmethod
    def open(cls, path: str | Path, recordings: RecordingSource | None = None) -> "Study":
        """Open the study in the folder `path`; reads the manifest only.

        Parameters
        ----------
        path
            Root folder of a study.
        recordings
            Maker of recordings, for a study that holds factors instead of recordings.

        Raises
        ------
        StudyError
            When there is no study, it is half-written, damaged, or of a newer version.
        """
        root = Path(path).expanduser().absolute()
        manifest = StudyManifest.read(root)
        if not manifest.is_complete:
            n_written = len(recording_store.written_rows(root))
            raise StudyError(
                f"The study {root} is half-written: {n_written} of {manifest.n_participants} participants are there. "
                "Run the command that was making it again, with the same arguments; it goes on where it stopped. "
                "Or delete the folder."
            )
        return cls(root, manifest, recordings)

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {self.manifest.n_participants} participants, {str(self.path)!r})"

    @property
    def name(self) -> str:
        """Name for people."""
        return self.manifest.name

    @property
    def modalities(self) -> tuple[str, ...]:
        """Kinds of recordings that the study has at all, of ``mri`` and ``ecg``."""
        return self.manifest.modalities

    @property
    def has_labels(self) -> bool:
        """Whether its cines come with label maps."""
        return self.manifest.has_labels

    @cached_property
    def fingerprint(self) -> str:
        """Name of the study's content: it changes when its table, factors, kind of recordings or heart boxes change."""
        digest = hashlib.sha256()
        digest.update(repr((self.manifest.recording_source, self.modalities, self.has_labels)).encode())
        for name in (study_table.PARTICIPANTS_FILE, study_table.PHENOTYPES_FILE, study_table.FACTORS_FILE):
            path = self.path / name
            digest.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"absent")
        digest.update(heart_boxes.digest(self.path))
        return digest.hexdigest()[:16]

    # ------------------------------------------------------------------------------------------------------ tables

    def cohort(self) -> Cohort:
        """Participants, their phenotypes, and who has which recording."""
        return self._cohort

    @cached_property
    def _cohort(self) -> Cohort:
        cohort = study_table.read_cohort(self.path, self._availability(), self.manifest.n_participants)
        if len(cohort) != self.manifest.n_participants:
            raise StudyError(
                f"The table of the study {self.path} has {len(cohort)} rows; its manifest says "
                f"{self.manifest.n_participants}. Create the study again."
            )
        return cohort

    def _availability(self) -> dict[str, NDArray[np.bool_]]:
        if self.manifest.recording_source == "simulation":
            return {modality: np.ones(self.manifest.n_participants, dtype=bool) for modality in self.modalities}
        table = study_table.read_table(self.path / study_table.AVAILABILITY_FILE)
        missing = [modality for modality in self.modalities if modality not in table.columns]
        if missing:
            raise StudyError(
                f"{self.path / study_table.AVAILABILITY_FILE} lacks the columns {', '.join(missing)}. "
                "Create the study again."
            )
        n = self.manifest.n_participants
        return {modality: table[modality].to_numpy(bool)[:n] for modality in self.modalities}

    def factors_table(self) -> pd.DataFrame | None:
        """Known factors of simulated participants, one row each in the cohort's order; None for real people."""
        path = self.path / study_table.FACTORS_FILE
        return study_table.read_table(path) if path.is_file() else None

    # -------------------------------------------------------------------------------------------------- recordings

    def cine(self, participant_id: str) -> CineMRI:
        """Cine of one participant; `StudyError` when they have none."""
        return self._cache.get(("mri", participant_id), lambda: self._source.cine(participant_id))

    def labels(self, participant_id: str) -> CineLabels:
        """Label map of one participant's cine; `StudyError` when they have none."""
        return self._cache.get(("labels", participant_id), lambda: self._source.labels(participant_id))

    def ecg(self, participant_id: str) -> ECG:
        """ECG of one participant; `StudyError` when they have none."""
        return self._cache.get(("ecg", participant_id), lambda: self._source.ecg(participant_id))

    def heart_box(self, participant_id: str) -> HeartBox | None:
        """Box around the heart in one participant's cine: the one that somebody drew, else the one found; or None.

        Raises
        ------
        StudyError
            For a stranger, or when it is damaged.
        """
        row = self._row(participant_id)
        drawn = heart_boxes.read_box(self.path, row)
        return drawn if drawn is not None else recording_store.read_heart_box(self.path, row)

    def set_heart_box(self, participant_id: str, box: HeartBox | None) -> None:
        """Draw the box around the heart in one participant's cine; None goes back to the one that was found.

        Their latents of the cine are dropped, for they were made with another box; encoding the study makes them anew.

        Raises
        ------
        StudyError
            For a stranger, one without a cine, or a box that reaches beyond the picture.
        """
        row = self._row(participant_id)
        if box is not None:
            n_rows, n_columns = self.cine(participant_id).frames.shape[2:]
            if box.row_start + box.n_rows > n_rows or box.column_start + box.n_columns > n_columns:
                raise StudyError(
                    f"The heart box of {participant_id} (rows {box.row_start} to {box.row_start + box.n_rows - 1}, "
                    f"columns {box.column_start} to {box.column_start + box.n_columns - 1}) reaches beyond the picture "
                    f"of {n_rows} x {n_columns} pixels. Draw it inside."
                )
            box = replace(box, source="by hand")
        heart_boxes.write_box(self.path, row, box)
        self.__dict__.pop("fingerprint", None)
        for modality in _FROM_CINE:
            derived_store.drop_latents_of(self.path, modality, participant_id)

    def _row(self, participant_id: str) -> int:
        if participant_id not in self.cohort():
            raise StudyError(f"The study {self.path} has no participant {participant_id!r}.")
        return int(self.cohort().rows_of([participant_id])[0])

    @cached_property
    def _source(self) -> RecordingSource:
        if self._recordings is not None:
            return self._recordings
        if self.manifest.recording_source == "simulation":
            raise StudyError(
                f"The study {self.path} makes its recordings on demand from simulated factors and was opened without "
                "the simulation. Open it with `napari_latent_explorer.modeling.recordings.open_study`."
            )
        return StoredRecordings(self.path, self.cohort())

    # ------------------------------------------------------------------------------------------------------ derived

    def latents(self, modality: str, bundle_fingerprint: str) -> LatentSpace:
        """Latents that the bundle's encoder of `modality` gave; `StudyError` when there are none."""
        latents = derived_store.read_latents(self.path, modality, bundle_fingerprint)
        strangers = set(latents.participant_ids.tolist()) - set(self.cohort().participant_ids.tolist())
        if strangers:
            raise StudyError(
                f"The {modality} latents of the bundle {bundle_fingerprint} name {len(strangers)} participants that "
                f"the study {self.path} does not have, e.g. {min(strangers)}. Encode the study again."
            )
        return latents

    def save_latents(self, latents: LatentSpace) -> None:
        """Keep latents under the fingerprint of their bundle, replacing older ones."""
        derived_store.write_latents(self.path, latents)

    def has_latents(self, modality: str, bundle_fingerprint: str) -> bool:
        """Whether latents of that modality and bundle are there."""
        return derived_store.latents_path(self.path, modality, bundle_fingerprint).is_file()

    def latent_fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the bundles whose latents are there, the newest first."""
        return derived_store.fingerprints_with_latents(self.path)

    def save_projection(
        self, name: str, bundle_fingerprint: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
    ) -> None:
        """Keep a projection's arrays and its description (plain JSON), replacing an older one of that name."""
        derived_store.write_projection(self.path, name, bundle_fingerprint, arrays, meta)

    def projection(self, name: str, bundle_fingerprint: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays and description of a projection; `StudyError` when there is none."""
        return derived_store.read_projection(self.path, name, bundle_fingerprint)

    def has_projection(self, name: str, bundle_fingerprint: str) -> bool:
        """Whether a projection of that name is there for the bundle."""
        return derived_store.projection_path(self.path, name, bundle_fingerprint).is_file()


class StoredRecordings:
    """Recordings that lie in the study's own folder."""

    def __init__(self, root: Path, cohort: Cohort) -> None:
        self._root = root
        self._cohort = cohort

    def cine(self, participant_id: str) -> CineMRI:
        """Cine of one participant."""
        return recording_store.read_cine(self._root, self._row(participant_id, "mri"))

    def labels(self, participant_id: str) -> CineLabels:
        """Label map of that cine."""
        return recording_store.read_labels(self._root, self._row(participant_id, "labels"))

    def ecg(self, participant_id: str) -> ECG:
        """ECG of one participant."""
        return recording_store.read_ecg(self._root, self._row(participant_id, "ecg"))

    def _row(self, participant_id: str, modality: str) -> int:
        if participant_id not in self._cohort:
            raise StudyError(f"The study {self._root} has no participant {participant_id!r}.")
        row = int(self._cohort.rows_of([participant_id])[0])
        if not recording_store.has_recording(self._root, row, modality):
            what = recording_store.ARRAY_OF[modality]
            raise StudyError(f"Participant {participant_id} of the study {self._root} has no {what}.")
        return row


class _RecordingCache:
    """The most recently used recordings, up to `max_bytes` of them."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.Lock()
        self._n_bytes = 0

    def get(self, key: tuple[str, str], make: Callable[[], Kind]) -> Kind:
        """Return the recording kept under `key`, or make and keep it (outside the lock, so that readers overlap)."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                kept: Kind = self._entries[key]
                return kept
        recording = make()
        with self._lock:
            self._keep(key, recording)
        return recording

    def _keep(self, key: tuple[str, str], recording: Recording) -> None:
        if key in self._entries:
            return
        self._entries[key] = recording
        self._n_bytes += _n_bytes(recording)
        while self._n_bytes > self._max_bytes and len(self._entries) > 1:
            _, oldest = self._entries.popitem(last=False)
            self._n_bytes -= _n_bytes(oldest)


def _n_bytes(recording: Recording) -> int:
    return recording.signal_mv.nbytes if isinstance(recording, ECG) else recording.frames.nbytes
