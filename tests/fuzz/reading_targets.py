"""What is fuzzed: each way by which foreign bytes come into the program, and what it must give back or raise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from misbehaving import DEEDS

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.errors import BundleError, LatentExplorerError, RecordingError, StudyError, TableError
from napari_latent_explorer.io.formats import FORMATS, RecordingFormat, read_place
from napari_latent_explorer.io.reading import ANY, Reading, ReadOptions


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes
    ----------
    read
        Takes a place and gives what it read, or raises one of `errors`.
    errors
        The project's errors that fit.
    problems
        What is wrong with a value that was read.
    imports
        Large modules to import before the watch begins, as their import is no input's doing.
    """

    read: Callable[[Path], Any]
    errors: tuple[type[LatentExplorerError], ...] = (RecordingError,)
    problems: Callable[[Any], list[str]] = lambda value: []
    imports: tuple[str, ...] = ()


def reading_problems(reading: Reading) -> list[str]:
    """Which promises of a recording are broken."""
    recording = reading.recording
    problems = cine_problems(recording) if isinstance(recording, CineMRI) else ecg_problems(recording)
    if reading.labels is not None and reading.labels.frames.shape != getattr(recording, "frames", np.empty(0)).shape:
        problems.append("labels lie on another grid")
    if not all(isinstance(note, str) and note for note in reading.notes):
        problems.append("empty note")
    return problems


def cine_problems(cine: CineMRI) -> list[str]:
    """Which promises of a cine are broken."""
    checks = {
        "signal is not a real number": cine.frames.dtype.kind in "uif",
        "signal is not finite": bool(np.isfinite(cine.frames).all()) if cine.frames.dtype.kind == "f" else True,
        "times are not finite": bool(np.isfinite(cine.frame_times_ms).all()),
        "affine is not finite": bool(np.isfinite(cine.affine).all()),
        "affine is singular": abs(float(np.linalg.det(cine.affine))) > 0,
        "plane is unknown": cine.imaging_plane in ("la_4ch", "la_2ch", "la_3ch", "sa", "unknown"),
        "affine and spacing differ": np.allclose(
            np.linalg.norm(cine.affine[:3, :3], axis=0), cine.spacing_mm, rtol=0.05
        ),
    }
    return [problem for problem, is_kept in checks.items() if not is_kept]


def ecg_problems(ecg: ECG) -> list[str]:
    """Which promises of an ECG are broken."""
    checks = {
        "voltages are not finite": bool(np.isfinite(ecg.signal_mv).all()),
        "lead names are no text": all(isinstance(name, str) and name for name in ecg.lead_names),
        "a lead occurs twice": len(set(ecg.lead_names)) == len(ecg.lead_names),
        "unknown kind": ecg.kind in ("rhythm", "median"),
        "QRS onset outside": ecg.qrs_onset_ms is None or 0 <= ecg.qrs_onset_ms <= ecg.duration_ms,
    }
    return [problem for problem, is_kept in checks.items() if not is_kept]


def _read_as(known: RecordingFormat) -> Callable[[Path], Reading]:
    """Look, then read as that format whatever the look says, so that damage to a file's mark goes deep too."""

    def read(path: Path) -> Reading:
        if not isinstance(known.is_recognised(path), bool):
            raise AssertionError("is_recognised gave no truth value")
        if known.modality == "ecg" and path.exists() and path.stat().st_mtime_ns % 2:
            return known.read(path, ReadOptions(ecg_kind="rhythm"))
        return known.read(path, ANY)

    return read


def _study_contents(path: Path) -> Any:
    from napari_latent_explorer.io import heart_boxes
    from napari_latent_explorer.io.study import Study

    study = Study.open(path)
    cohort = study.cohort()
    contents: list[Any] = [study.fingerprint, study.factors_table()]
    contents += [heart_boxes.read_box(path, row) for row in heart_boxes.rows_with_box(path)[:3]]
    for participant_id in cohort.participant_ids[:2].tolist():
        contents += [read(participant_id) for read in (study.cine, study.labels, study.ecg)]
    for fingerprint in study.latent_fingerprints():
        contents.append(study.latents("mri", fingerprint))
        contents.append(study.projection("tsne", fingerprint))
    return contents


def _latents(path: Path) -> Any:
    from napari_latent_explorer.io.latent_tables import import_latents
    from napari_latent_explorer.io.study import Study

    return import_latents(path, Study.open(path.parent / "study"), "mri").latents.values


def _latent_problems(values: Any) -> list[str]:
    return [] if np.isfinite(values).all() else ["latents are not finite"]


def _bundle(path: Path) -> Any:
    from napari_latent_explorer.modeling.bundle import ModelBundle

    return _used(ModelBundle.load(path))


def _onnx(path: Path) -> Any:
    from napari_latent_explorer.modeling.onnx_bundle import OnnxBundle

    return _used(OnnxBundle.load(path))


def _dropfuse(path: Path) -> Any:
    """Take halves of the sizes that `seeds.dropfuse_files` writes."""
    from napari_latent_explorer.modeling.dropfuse_weights import import_dropfuse
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig
    from napari_latent_explorer.nn.coder import CoderConfig

    config = AutoencoderConfig(4, None, CoderConfig(12, (256,), 5, 3, (6,), (6,), 5, "mish", "max"))
    halves = {("encoder", "ecg"): path / "encoder.h5", ("decoder", "ecg"): path / "decoder.h5"}
    return _used(import_dropfuse(halves, config))  # type: ignore[arg-type]


def _used(model: Any) -> Any:
    """Ask a model for all that the program asks for; gives what it made of zeros."""
    facts = [model.fingerprint, model.warning, model.label_names, model.modalities, model.training.get("seed")]
    spec, found = model.input_spec, []
    for modality in model.modalities:
        mri = (spec.mri.n_frames, *spec.mri.space)
        shape = mri if modality == "mri" else (12, spec.ecg.n_samples)
        latents = model.encode(modality, np.zeros((2, *shape), np.float32))
        decoded = model.decode(latents, with_labels=True)
        found += [latents, decoded.cine, decoded.ecg_mv]
    return facts, [array for array in found if array is not None]


def _model_problems(value: Any) -> list[str]:
    facts, arrays = value
    return [] if len(facts[0]) == 16 and all(array.dtype == np.float32 for array in arrays) else ["no model"]


def _phenotypes(path: Path) -> Any:
    from napari_latent_explorer.io.phenotype_table import import_phenotypes

    return import_phenotypes(path)


def _table(path: Path) -> Any:
    from napari_latent_explorer.io.table_file import read_table_file

    return read_table_file(path)


def _phenotype_problems(table: Any) -> list[str]:
    ids = table.participant_ids.tolist()
    checks = {
        "an id occurs twice": len(set(ids)) == len(ids),
        "an id is empty": all(ids),
        "rows and ids differ": len(table.phenotypes) == len(ids),
        "infinite number": not any(
            np.isinf(table.phenotypes[name].to_numpy(float)).any()
            for name, spec in table.specs.items()
            if spec.kind == "continuous"
        ),
    }
    return [problem for problem, is_kept in checks.items() if not is_kept]


def _columns_file(path: Path) -> Any:
    from napari_latent_explorer.io.columns_file import read_columns_file

    return read_columns_file(path)


_NETWORKS = ("torch", "napari_latent_explorer.modeling.trained_model")

TARGETS: dict[str, Target] = {
    **{known.name: Target(_read_as(known), (RecordingError,), reading_problems) for known in FORMATS},
    **{f"misbehaving {deed.__name__}": Target(deed) for deeds in DEEDS.values() for deed in deeds},
    "any recording": Target(read_place, (RecordingError,), reading_problems),
    "study folder": Target(_study_contents, (StudyError, RecordingError)),
    "table of phenotypes": Target(_phenotypes, (TableError,), _phenotype_problems),
    "table file": Target(_table, (TableError,)),
    "columns file": Target(_columns_file, (TableError,)),
    "latents file": Target(_latents, (TableError, StudyError), _latent_problems),
    "model bundle": Target(_bundle, (BundleError,), _model_problems, _NETWORKS),
    "networks in ONNX": Target(_onnx, (BundleError,), _model_problems, (*_NETWORKS, "onnx", "onnxruntime")),
    "DropFuse weights": Target(_dropfuse, (BundleError,), _model_problems, _NETWORKS),
}
