"""A chosen path as plain JSON values, and back."""

from typing import Any, get_args

import numpy as np

from napari_latent_explorer.analysis.interpolation import PathKind
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.json_fields import JsonFields
from napari_latent_explorer.session.path import with_path
from napari_latent_explorer.session.path_choice import NO_PATH, EndKind, PathChoice, PathEnd
from napari_latent_explorer.session.state import ExplorerState


def path_to_dict(chosen: PathChoice) -> dict[str, Any] | None:
    """Write a path; None without one."""
    if chosen.ends is None:
        return None
    start, end = chosen.ends
    return {"start": _end_to_dict(start), "end": _end_to_dict(end), "kind": chosen.kind, "share": chosen.share}


def _end_to_dict(end: PathEnd) -> dict[str, Any]:
    if end.kind != "point":
        return {"kind": end.kind, "name": end.name}
    seen = {name: list(vector) for name, vector in end.seen}
    return {"kind": end.kind, "name": end.name, "vector": list(end.vector), "seen": seen}


def path_from_fields(document: JsonFields, state: ExplorerState) -> PathChoice:
    """Read the path of a session, whose groups are those of `state`; what is wrong is noted."""
    if document.is_null("path"):  # no path was chosen, or there was no such choice yet
        return NO_PATH
    fields = document.child("path")
    n_problems = len(fields.problems)
    kind: Any = fields.one_of("kind", get_args(PathKind))
    share = fields.raw("share")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0.0 <= share <= 1.0:
        fields.note("share", "a number in 0..1", share)
        share = 0.0
    start, end = (_end(fields.child(name), state) for name in ("start", "end"))
    chosen = PathChoice(start, end, kind, float(share))
    if len(fields.problems) == n_problems:
        try:
            with_path(state, chosen)
        except LatentExplorerError as error:
            fields.note("start", f"like end the end of a path ({str(error).rstrip('.')})", f"{start.name}, {end.name}")
    return chosen if len(fields.problems) == n_problems else NO_PATH


def _end(fields: JsonFields, state: ExplorerState) -> PathEnd:
    kind: Any = fields.one_of("kind", get_args(EndKind))
    name = fields.text("name")
    if kind != "point":
        return PathEnd(kind, name)
    seen = fields.child("seen")
    by_modality = tuple(
        (modality, _vector(seen, modality, space.latent_dim)) for modality, space in state.latents.items()
    )
    n_dims = next((space.latent_dim for space in state.latents.values()), 0)
    return PathEnd("point", name, _vector(fields, "vector", n_dims), by_modality)


def _vector(fields: JsonFields, name: str, latent_dim: int) -> tuple[float, ...]:
    values = fields.numbers(name)
    with np.errstate(over="ignore"):
        is_finite = bool(np.isfinite(np.array(values, np.float32)).all())
    if len(values) != latent_dim or not is_finite:
        fields.note(name, f"{latent_dim} numbers within the range of float32", f"{len(values)} numbers")
    return tuple(values)
