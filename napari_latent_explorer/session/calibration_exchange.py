"""What walks change of decoded hearts, as plain JSON values, and back: in sessions, and in the folder of the study."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.walk_calibration import MEASURES, MeasuredChange, WalkCalibration
from napari_latent_explorer.session.json_fields import JsonFields

Calibrations = Mapping[str, WalkCalibration]
"""By `WalkCalibration.key`."""


def calibration_to_dict(calibration: WalkCalibration) -> dict[str, Any]:
    """Write what one walk changes."""
    return {**asdict(calibration), "changes": [asdict(change) for change in calibration.changes]}


def calibration_from_fields(fields: JsonFields) -> WalkCalibration:
    """Read what one walk changes; what is wrong is noted."""
    spread, reach = fields.number("spread"), fields.number("reach")
    if not 0 < spread < math.inf or not 0 < reach < math.inf:
        fields.note("spread", "like reach a positive number", f"{spread} and {reach}")
    changes = tuple(_change(entry) for entry in fields.children("changes"))
    return WalkCalibration(fields.text("key"), fields.text_or_none("phenotype"), spread, reach, changes)


def _change(fields: JsonFields) -> MeasuredChange:
    phenotype = fields.one_of("phenotype", MEASURES)
    title, unit, _ = MEASURES[phenotype]
    per_unit, low, high, person_low, person_high = (
        fields.number(name) for name in ("per_unit", "low", "high", "person_low", "person_high")
    )
    if not person_low <= low <= per_unit <= high <= person_high:
        fields.note("per_unit", "between low and high, and these between person_low and person_high", per_unit)
    return MeasuredChange(
        phenotype, title, unit, per_unit, low, high, person_low, person_high, fields.count("n_hearts")
    )


def calibration_from_json(data: object, key: str) -> WalkCalibration:
    """Read what the walk of this key changes; StudyError when anything in it is wrong."""
    fields = JsonFields(data, "", [])
    calibration = calibration_from_fields(fields)
    if calibration.key != key:
        fields.note("key", key, calibration.key)
    if fields.problems:
        raise StudyError(f"The measured walk {key} is damaged: {'; '.join(fields.problems)}. Measure it again.")
    return calibration


def calibrations_from_fields(document: JsonFields, known: Calibrations) -> Calibrations:
    """Add what the walks of a session change to what is known; older sessions have none."""
    if document.is_null("calibrations"):
        return known
    read = [calibration_from_fields(fields) for fields in document.children("calibrations")]
    return MappingProxyType({**known, **{calibration.key: calibration for calibration in read}})
