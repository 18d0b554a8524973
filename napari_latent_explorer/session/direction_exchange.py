"""Directions and walks as plain JSON values, and back.

The direction that was walked is written as it was laid: who opens the session is where its user was, even if the choice
would be laid a little differently by then.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.session.direction_choice import (
    DIRECTION_KINDS,
    DIRECTION_METHODS,
    NO_DIRECTION,
    DirectionChoice,
    NamedVector,
)
from napari_latent_explorer.session.json_fields import JsonFields
from napari_latent_explorer.session.probe import ProbeState, Walk
from napari_latent_explorer.session.state import ExplorerState, cohort_of, latents_of


def direction_to_dict(choice: DirectionChoice) -> dict[str, Any]:
    """Write a choice."""
    ends = {name: _vector_to_dict(getattr(choice, name)) for name in ("start", "end")}
    return {**asdict(choice), **ends, "covariates": list(choice.covariates), "held": list(choice.held)}


def _vector_to_dict(vector: NamedVector | None) -> dict[str, Any] | None:
    return None if vector is None else {"name": vector.name, "values": list(vector.values)}


def _vector_from_fields(fields: JsonFields, name: str, latent_dim: int) -> NamedVector | None:
    if fields.is_null(name):
        return None
    part = fields.child(name)
    values = part.numbers("values")
    with np.errstate(over="ignore"):
        is_finite = bool(np.isfinite(np.array(values, np.float32)).all())
    if len(values) != latent_dim or not is_finite:
        part.note("values", f"{latent_dim} numbers within the range of float32", f"{len(values)} numbers")
    return NamedVector(part.text("name"), tuple(values))


def direction_from_fields(document: JsonFields, state: ExplorerState) -> DirectionChoice:
    """Read the choice of a session; none from one that was written before there were directions."""
    if document.is_null("direction"):
        return NO_DIRECTION
    fields = document.child("direction")
    kind: Any = fields.one_of("kind", DIRECTION_KINDS)
    method: Any = fields.one_of("method", DIRECTION_METHODS)
    phenotype, modality = fields.text_or_none("phenotype"), fields.text_or_none("modality")
    covariates, held = fields.texts("covariates"), fields.texts("held")
    specs = cohort_of(state).specs
    if strangers := [name for name in (phenotype, *covariates, *held) if name is not None and name not in specs]:
        fields.note("phenotype", "like covariates and held, of the study", strangers[0])
    if modality is not None and modality not in state.latents:
        fields.note("modality", "one of which the study has latents", modality)
        modality = None
    latent_dim = latents_of(state, modality).latent_dim if state.latents else 0
    return DirectionChoice(
        kind,
        phenotype,
        method,
        tuple(covariates),
        fields.count("component"),
        fields.text_or_none("name_a"),
        fields.text_or_none("name_b"),
        _vector_from_fields(fields, "start", latent_dim),
        _vector_from_fields(fields, "end", latent_dim),
        tuple(held),
        modality,
    )


def walk_to_dict(walk: Walk | None) -> dict[str, Any] | None:
    """Write a walk."""
    if walk is None:
        return None
    direction = walk.direction
    return {
        "amount": walk.amount,
        "base": walk.base.tolist(),
        "name": direction.name,
        "step": direction.vector.tolist(),
        "unit": direction.unit,
        "spread": direction.spread,
        "phenotype": direction.phenotype,
    }


def walk_from_fields(probe: JsonFields, state: ProbeState) -> Walk | None:
    """Read the walk of a probe; None where it was written without one."""
    if probe.is_null("walk"):
        return None
    fields = probe.child("walk")
    base, step = fields.numbers("base"), fields.numbers("step")
    amount, spread = fields.number("amount"), fields.number("spread")
    if not len(base) == len(step) == state.vector.size:
        fields.note("step", f"like base, {state.vector.size} numbers", f"{len(step)} and {len(base)}")
    with np.errstate(over="ignore"):
        began, way = np.array(base, np.float32), np.array(step, np.float32)
    if not (np.isfinite(began).all() and np.isfinite(way).all()):
        fields.note("step", "within the range of float32, as base", "larger numbers")
    if amount == 0 or spread < 0:
        fields.note("amount", "not 0, and spread not negative", f"{amount} and {spread}")
    direction = Direction(fields.text("name"), way, fields.text("unit"), spread, fields.text_or_none("phenotype"))
    return Walk(direction, amount, read_only(began))
