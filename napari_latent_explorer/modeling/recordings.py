"""Studies of simulated people: making them, and opening those that make their recordings on demand.

This is where the simulation meets the study folder; `io` itself knows nothing of simulated hearts.
"""

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.recording_export import write_cine_dicom, write_ecg_wfdb
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_manifest import MANIFEST_FILE, RecordingOrigin, StudyManifest
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.modeling.worker_pool import work_through
from napari_latent_explorer.simulation.ecg import simulate_ecg, simulate_rhythm_ecg
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import Population, simulate_population


class SimulatedRecordings:
    """Recordings made on demand from the factors of simulated people; a `RecordingSource`."""

    def __init__(self, population: Population) -> None:
        self._factors = {factors.participant_id: factors for factors in population.factors}
        self._last: tuple[str, CineMRI, CineLabels] | None = None

    def cine(self, participant_id: str) -> CineMRI:
        """Simulate the cine of one participant."""
        return self._imaged(participant_id)[1]

    def labels(self, participant_id: str) -> CineLabels:
        """Simulate the label map of one participant's cine."""
        return self._imaged(participant_id)[2]

    def ecg(self, participant_id: str) -> ECG:
        """Simulate the ECG of one participant."""
        return simulate_ecg(self._factors_of(participant_id))

    def _imaged(self, participant_id: str) -> tuple[str, CineMRI, CineLabels]:
        """Cine and labels are made together, and are mostly wanted one after the other."""
        last = self._last
        if last is None or last[0] != participant_id:
            last = (participant_id, *simulate_cine(self._factors_of(participant_id)))
            self._last = last
        return last

    def _factors_of(self, participant_id: str) -> ParticipantFactors:
        if participant_id not in self._factors:
            raise StudyError(f"There are no simulated factors of participant {participant_id!r}.")
        return self._factors[participant_id]


def open_study(path: str | Path) -> Study:
    """Open a study, with the simulation behind it if its recordings are made on demand.

    Raises
    ------
    StudyError
        When there is no study, it is half-written, or its factors are missing.
    """
    study = Study.open(path)
    if study.manifest.recording_source != "simulation":
        return study
    factors = study.factors_table()
    if factors is None:
        raise StudyError(f"The study {study.path} makes recordings from factors, but its factors table is missing.")
    return Study.open(path, SimulatedRecordings(Population.from_table(factors)))


def export_recordings(study: Study, participant_id: str, folder: str | Path) -> tuple[Path, Path]:
    """Write one participant's cine as a DICOM series and their ECG as a WFDB record; returns folder and header.

    Simulated people have a ten-second strip written, as a device would record it; others what the study holds. No
    participant id is written.
    """
    root = Path(folder).expanduser()
    factors = study.factors_table()
    if factors is None:
        ecg = study.ecg(participant_id)
    else:
        people = Population.from_table(factors[factors["participant_id"] == participant_id])
        ecg = simulate_rhythm_ecg(people.factors[0]) if people.factors else study.ecg(participant_id)
    write_cine_dicom(study.cine(participant_id), root / "cine_dicom", study.name)
    return root / "cine_dicom", write_ecg_wfdb(replace(ecg, source=study.name), root / "ecg_wfdb", "ecg")


def create_simulated_study(
    path: str | Path,
    n_participants: int,
    seed: int,
    *,
    stored: bool = True,
    n_workers: int | None = None,
    name: str = "",
) -> Generator[Progress, None, Study]:
    """Simulate people and write them as a study; called again after a stop, it goes on where it was.

    Parameters
    ----------
    path
        Folder to be.
    n_participants, seed
        The population, see `simulate_population`.
    stored
        Whether to write recordings (about 0.3 MB each) or to make them from the factors each time they are wanted.
    n_workers
        Processes; None for one per processor.
    name
        Name of the study for people.

    Raises
    ------
    StudyError
        When something else is in that place, or there is no space.
    """
    provenance = {"made_by": "create_simulated_study", "n_participants": n_participants, "seed": seed}
    root = Path(path).expanduser().absolute()
    yield Progress(0, n_participants, "simulating the population")
    if (root / MANIFEST_FILE).is_file() and not StudyManifest.read(root).is_complete:
        writer = _resumed(root, provenance)
    else:
        population = simulate_population(n_participants, seed)
        source: RecordingOrigin = "stored" if stored else "simulation"
        table = population.to_table()
        writer = StudyWriter.create(root, population.cohort(), name, table, source, provenance=provenance)
    factors = {person.participant_id: person for person in _population(writer).factors}
    remaining = [factors[participant_id] for participant_id in writer.remaining_ids()]
    yield from work_through(partial(_simulate_into, writer), remaining, n_workers, "simulating recordings")
    writer.finish()
    return open_study(root)


def _resumed(root: Path, provenance: dict[str, object]) -> StudyWriter:
    writer = StudyWriter.resume(root)
    found = dict(writer.manifest.provenance)
    if found != provenance:
        raise StudyError(
            f"The half-written study in {root} was begun with {found}, not {provenance}. Give the same arguments to go "
            "on with it, or delete the folder."
        )
    return writer


def _population(writer: StudyWriter) -> Population:
    factors = writer.factors_table()
    if factors is None:
        raise StudyError(
            f"The half-written study {writer.path} has lost its factors; delete the folder and begin again."
        )
    return Population.from_table(factors)


def _simulate_into(writer: StudyWriter, person: ParticipantFactors) -> None:
    cine, labels = simulate_cine(person)
    writer.add_participant(person.participant_id, cine, labels, simulate_ecg(person))
