"""What is said of a walk: how far it went, how sure that is, and what decoded hearts change."""

import numpy as np

from napari_latent_explorer._qt.effects_model import signed
from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer.analysis.directions import SD, Direction
from napari_latent_explorer.modeling.walk_calibration import MeasuredChange, WalkCalibration
from napari_latent_explorer.session.direction_finding import WalkEffects

WAY = "\N{MULTIPLICATION SIGN} way"

BARELY_BEYOND = 1.05


def unit_of(direction: Direction, measured: MeasuredChange | None = None) -> str:
    """Name the unit of the slider's second scale; empty where it would be the first again."""
    if measured is not None:
        return measured.unit
    return "" if direction.unit == SD else direction.unit or WAY


def held_out_text(direction: Direction, effects: WalkEffects | None) -> str:
    """Say what one unit of the slider is in people from whom the direction was not laid."""
    own = None if effects is None else effects.own
    if own is None or direction.phenotype is None:
        return ""
    unit = direction.unit or WAY
    return (
        f"Held out: 1 {unit} here reads as {format_value(own.per_unit, 2)} {unit} "
        f"({format_value(own.low, 2)} to {format_value(own.high, 2)}) in people left out."
    ).replace(f" {WAY}", " way")


def predicted_text(unit: str, is_measuring: bool) -> str:
    """Say what the scale is worth before decoded hearts were measured."""
    words = f"Predicted {unit}, as people differ who lie so far apart. "
    return words + ("Decoded hearts are being measured." if is_measuring else "Decoded hearts were not measured.")


def calibration_text(calibration: WalkCalibration, amount: float) -> str:
    """Say what decoded hearts change on a walk of so many units, or of one SD before it has begun."""
    own = calibration.own
    amount, walked = (amount, "") if amount else (calibration.spread, "for +1 SD: ")
    if own is None:
        parts = [f"{one.title} {signed(amount * one.per_unit)} {one.unit}" for one in calibration.changes]
        text = f"Measured on decoded hearts, {walked}{', '.join(parts)}."
    else:
        mean, one = (sorted(amount * end for end in ends) for ends in _intervals(own))
        text = (
            f"Measured on {own.n_hearts} decoded hearts, {walked}{signed(amount * own.per_unit)} {own.unit} in the "
            f"mean ({signed(mean[0])} to {signed(mean[1])}), one heart {signed(one[0])} to {signed(one[1])}."
        )
    if own is not None and not own.is_scale:
        text += " That cannot be told from no change, so the scale stays predicted."
    is_beyond = abs(amount) > BARELY_BEYOND * calibration.reach
    return text + (" Beyond 2 SD nothing was measured." if is_beyond else "")


def heart_text(change: float | None, unit: str) -> str:
    """Say what was measured on the one heart that is shown; None is still to come."""
    return f" This heart: {'…' if change is None or not np.isfinite(change) else f'{signed(change)} {unit}'}"


def _intervals(change: MeasuredChange) -> tuple[tuple[float, float], tuple[float, float]]:
    return (change.low, change.high), (change.person_low, change.person_high)
