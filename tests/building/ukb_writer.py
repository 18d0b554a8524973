"""Writes simulated people as UK Biobank delivers its participants, for tests that build them back.

``<eid>_20208_2_0.zip`` (long-axis cines as DICOM, flat, named by UID, with ``manifest.csv``), ``<eid>_20205_2_0.xml``
(CardioSoft), and a table in field columns. Pixels are the simulated ones, voltages whole steps of 5 uV.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from cardiosoft_writer import as_written, write_cardiosoft_xml
from dicom_writer import cine_images, content
from pydicom.uid import generate_uid

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.simulation.ecg import simulate_ecg
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.heart import COLUMN_AXIS, ROW_AXIS
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population

FIRST_EID = 1_000_001
_SMOKING = {"never": 0, "previous": 1, "current": 2}
_LONG_AXIS = np.radians(61.0)
"""Mean angle in the 4-chamber plane from the columns' direction to the long axis of the left ventricle."""
_OTHER_PLANES = {"CINE_segmented_LAX_3Ch": 60.0, "CINE_segmented_LAX_2Ch": 120.0}
"""Turns about the long axis of the left ventricle, in degrees, from the 4-chamber plane."""


def people(n: int, seed: int = 7) -> tuple[ParticipantFactors, ...]:
    """Simulated people whose ids are numbers as the biobank's are."""
    found = simulate_population(n, seed).factors
    return tuple(replace(one, participant_id=str(FIRST_EID + row)) for row, one in enumerate(found))


def cine_of(one: ParticipantFactors) -> CineMRI:
    """Cine as a reader should get it back."""
    cine, _ = simulate_cine(one)
    return replace(cine, frames=cine.frames.astype(np.uint16), source=one.participant_id)


def ecg_of(one: ParticipantFactors) -> ECG:
    """ECG as a reader should get it back."""
    return as_written(simulate_ecg(one))


def write_person(folder: Path, one: ParticipantFactors, has_other_planes: bool = True) -> None:
    """Write the recordings of one person into `folder`."""
    eid = one.participant_id
    cine = cine_of(one)
    images = cine_images(cine, "CINE_segmented_LAX_4Ch")
    if has_other_planes:
        for name, degrees in _OTHER_PLANES.items():
            images += cine_images(turned(cine, degrees), name)
    study = generate_uid(entropy_srcs=[eid, "study"])
    lines = ["filename,patientid,studyid,series"]
    with zipfile.ZipFile(folder / f"{eid}_20208_2_0.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, image in enumerate(images):
            image.SOPInstanceUID = generate_uid(entropy_srcs=[eid, str(number)])
            image.StudyInstanceUID, image.PatientID = study, eid
            name = f"{image.SOPInstanceUID}.dcm"
            lines.append(f"{name},{eid},{study},{image.SeriesDescription}")
            archive.writestr(zipfile.ZipInfo(name), content(image), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("manifest.csv"), "\n".join(lines) + "\n")
    xml = write_cardiosoft_xml(simulate_ecg(one), participant_id=eid)
    (folder / f"{eid}_20205_2_0.xml").write_bytes(xml)


def write_people(folder: Path, some: Sequence[ParticipantFactors], has_other_planes: bool = True) -> None:
    """Write the recordings of some people into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in some:
        write_person(folder, one, has_other_planes)


def write_table(path: Path, some: Sequence[ParticipantFactors]) -> Path:
    """Write the table of some people in field columns: sex, age, body mass index and smoking at the imaging visit."""
    rows = [
        {
            "eid": one.participant_id,
            "31-0.0": int(one.is_male),
            "21003-2.0": round(one.age_years),
            "21001-0.0": "",
            "21001-2.0": round(one.weight_kg / (one.height_cm / 100.0) ** 2, 4),
            "20116-2.0": -3 if one.smoking is None else _SMOKING[one.smoking],
        }
        for one in some
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def turned(cine: CineMRI, degrees: float) -> CineMRI:
    """Turn the same pictures about the long axis of the left ventricle, through the middle of the picture."""
    axis = np.cos(_LONG_AXIS) * np.asarray(COLUMN_AXIS) + np.sin(_LONG_AXIS) * np.asarray(ROW_AXIS)
    angle = np.radians(degrees)
    cross = np.cross(np.eye(3), axis)
    turn = np.eye(3) + np.sin(angle) * cross.T + (1 - np.cos(angle)) * cross.T @ cross.T
    rows, columns = cine.frames.shape[2:]
    middle = (cine.affine @ [0, (rows - 1) / 2, (columns - 1) / 2, 1])[:3]
    affine = cine.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = middle + turn @ (cine.affine[:3, 3] - middle)
    return replace(cine, affine=affine, frames=cine.frames[:, :, ::-1])
