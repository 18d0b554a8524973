"""Which recorded heart stands beside the decoded one.

A reconstruction is compared with the recording that its vector came from, and with no other. So an original is shown
only while the probe begins at one of its own latent vectors; once the probe begins elsewhere (a group's mean, another
participant) it goes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.recordings import LoadedRecording, ShownParticipant


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """Recordings of one person, and the latent vectors ``(latent_dim,)`` that were made from them.

    Attributes
    ----------
    label
        Who or what it is, for people.
    cine, labels
        The heart, and what its pixels are.
    ecg
        The median beat.
    vectors
        What the encoders made of these recordings; empty for recordings that are shown without a reconstruction.
    strip
        The rhythm strip.
    """

    label: str
    cine: CineMRI | None
    labels: CineLabels | None
    ecg: ECG | None
    vectors: tuple[NDArray[np.float32], ...]
    strip: ECG | None = None

    def is_origin(self, vector: NDArray[np.float32]) -> bool:
        """Whether `vector` is one of its own."""
        return any(np.array_equal(vector, own) for own in self.vectors)


class Originals:
    """Follows an explorer and knows the original of now.

    Parameters
    ----------
    explorer
        The session.
    """

    changed = Signal(object, description="The `Original` to show, or None.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._current: Original | None = None
        explorer.participant_shown.connect(self._on_participant_shown)
        explorer.recording_loaded.connect(self._on_recording_loaded)
        explorer.probe.origin_changed.connect(self._on_origin_changed)

    @property
    def current(self) -> Original | None:
        """What is shown beside the reconstruction."""
        return self._current

    def show(self, original: Original) -> None:
        """Show this one, until the probe begins elsewhere."""
        self._set(original)

    def _on_participant_shown(self, shown: ShownParticipant) -> None:
        one = shown.participant_id
        spaces = [space for space in self._explorer.latents.values() if one in space.participant_ids]
        vectors = tuple(space.of([one])[0] for space in spaces)
        self._set(Original(one, shown.cine, shown.labels, shown.ecg, vectors, shown.strip))

    def _on_recording_loaded(self, recording: LoadedRecording) -> None:
        prepared = recording.prepared
        cine = prepared if isinstance(prepared, CineMRI) else None
        ecg = prepared if isinstance(prepared, ECG) else None
        self._set(Original(recording.path.name, cine, recording.labels, ecg, (recording.vector,), recording.strip))

    def _on_origin_changed(self) -> None:
        if self._current is not None and not self._current.is_origin(self._explorer.probe.origin):
            self._set(None)

    def _set(self, original: Original | None) -> None:
        self._current = original
        self.changed.emit(original)
