"""What a step did, in a few words for a button's tooltip and for the script that repeats it.

Read off the states before and after, so that no method has to say what it does a second time.
"""

import numpy as np

from napari_latent_explorer.analysis.map_space import MAP_KINDS
from napari_latent_explorer.analysis.phenotype_comparison import NUMBER_TESTS
from napari_latent_explorer.session.color_sources import color_title
from napari_latent_explorer.session.comparison_choice import ComparisonChoice
from napari_latent_explorer.session.path_choice import PathChoice
from napari_latent_explorer.session.probe import ProbeState
from napari_latent_explorer.session.side_by_side_choice import SideBySideChoice
from napari_latent_explorer.session.state import ExplorerState, cohort_of

MAX_PARTS = 2


def describe_step(
    before: ExplorerState, probe_before: ProbeState, after: ExplorerState, probe_after: ProbeState
) -> str:
    """In words, e.g. ``Filter by Age 0 to 9 years``; what follows from something else is left out."""
    parts = [*_group_parts(before, after), *_exclusion_parts(before, after), *_filter_parts(before, after)]
    if not parts and not np.array_equal(before.selection, after.selection):
        parts.append(f"Select {_people(len(after.selection))}" if len(after.selection) else "Clear the selection")
    if before.map_kind != after.map_kind:
        parts.append(f"Show {MAP_KINDS[after.map_kind]} maps")
    if before.color_by != after.color_by:
        source = after.color_by
        parts.append(
            "Colour by group" if source is None else f"Colour by {color_title(source, cohort_of(after).specs)}"
        )
    if not parts and before.comparison != after.comparison:
        parts.append(_comparison_part(before.comparison, after.comparison))
    if not parts and before.direction != after.direction:
        parts.append(_direction_part(before, after))
    if before.side_by_side != after.side_by_side and (after.side_by_side.names or not parts):
        parts.append(_side_by_side_part(after.side_by_side))
    if before.representative_method != after.representative_method:
        parts.append(f"Represent groups by {after.representative_method}")
    elif not parts and after.active_group is not None and before.active_group is not after.active_group:
        parts.append(f"Start from {after.active_group.name}")
    if not parts and before.path != after.path:
        parts.append(_path_part(after.path))
    if not parts:
        parts.append(_probe_part(probe_before, probe_after))
    more = [f"{len(parts) - MAX_PARTS} more"] if len(parts) > MAX_PARTS else []
    return "; ".join([*parts[:MAX_PARTS], *more])


def _people(n: int) -> str:
    return f"{n:,} participant{'s' * (n != 1)}"


def _filter_parts(before: ExplorerState, after: ExplorerState) -> list[str]:
    specs = cohort_of(after).specs
    parts = [f"Filter by {chosen.describe(specs)}" for chosen in after.filters if chosen not in before.filters]
    kept = {chosen.key for chosen in after.filters}
    removed = [chosen for chosen in before.filters if chosen.key not in kept]
    if len(removed) > 1 and not after.filters:
        return ["Clear the filters"]
    return [*parts, *(f"Remove the filter {chosen.describe(specs)}" for chosen in removed)]


def _exclusion_parts(before: ExplorerState, after: ExplorerState) -> list[str]:
    if before.excluded is after.excluded:
        return []
    new = [who for who, why in after.excluded.items() if before.excluded.get(who) != why]
    n_restored = len(before.excluded.keys() - after.excluded.keys())
    parts = [f"Exclude {_people(len(new))} ({after.excluded[new[0]]})"] if new else []
    return [*parts, f"Bring back {_people(n_restored)}"] if n_restored else parts


def _group_parts(before: ExplorerState, after: ExplorerState) -> list[str]:
    were, are = [group.name for group in before.groups], [group.name for group in after.groups]
    new, gone = [name for name in are if name not in were], [name for name in were if name not in are]
    if len(were) == len(are) and len(new) == len(gone) == 1:
        return [f"Rename {gone[0]} to {new[0]}"]
    recolored = [
        now.name for was in before.groups for now in after.groups if was.name == now.name and was.color != now.color
    ]
    return [
        *(f"Make {name}" for name in new),
        *(f"Remove {name}" for name in gone),
        *(f"Colour {name}" for name in recolored),
    ]


def _comparison_part(before: ComparisonChoice, after: ComparisonChoice) -> str:
    if before.number_test != after.number_test:
        return f"Test numbers by {NUMBER_TESTS[after.number_test]}"
    if after.name_a is None:
        return "Compare the first two groups"
    return f"Compare {after.name_a} with {after.name_b or 'the rest'}"


def _direction_part(before: ExplorerState, after: ExplorerState) -> str:
    chosen, former = after.direction, before.direction
    if not chosen.is_complete:
        return "Choose no direction"
    if chosen.kind == "groups":
        return f"Choose the direction from {chosen.name_a} to {chosen.name_b}"
    if chosen.start is not None and chosen.end is not None and chosen.kind == "vectors":
        return f"Choose the direction from {chosen.start.name} to {chosen.end.name}"
    if chosen.kind == "component" or chosen.phenotype is None:
        subject = f"principal component {chosen.component + 1}"
    else:
        subject = color_title(chosen.phenotype, cohort_of(after).specs)
    if chosen.is_same_subject(former) and chosen.held != former.held:
        return f"Hold {_titles(after, chosen.held)} still on the way along {subject}"
    if chosen.is_same_subject(former) and chosen.covariates != former.covariates:
        return f"Adjust the direction of {subject} for {_titles(after, chosen.covariates)}"
    return f"Choose the direction of {subject}"


def _titles(state: ExplorerState, names: tuple[str, ...]) -> str:
    return ", ".join(color_title(name, cohort_of(state).specs) for name in names) or "nothing"


def _side_by_side_part(after: SideBySideChoice) -> str:
    if not after.names:
        return "Show the probe's heart"
    return (
        f"Show {', '.join(after.names[:-1])} and {after.names[-1]} side by side"
        if after.names[1:]
        else f"Show {after.names[0]}"
    )


def _path_part(after: PathChoice) -> str:
    if after.ends is None:
        return "Leave the path"
    start, end = after.ends
    return f"Go from {start.name} to {end.name}, {100 * after.share:.0f} % of the way"


def _probe_part(before: ProbeState, after: ProbeState) -> str:
    if not after.origin.size:
        return "Take the probe away"
    if before.label != after.label or not np.array_equal(before.origin, after.origin):
        return f"Start the probe at {after.label}"
    if np.array_equal(after.vector, before.vector) and before.locked != after.locked:
        return _lock_part(before.locked, after.locked)
    if np.array_equal(after.vector, after.origin):
        return "Take the probe back"
    if after.walk is not None and (before.walk is None or after.walk.base is before.walk.base):
        return f"Walk: {after.walk.text}"
    if before.walk is not None and after.walk is None and np.array_equal(after.vector, before.walk.base):
        return f"Take back the walk along {before.walk.direction.name}"
    moved = np.flatnonzero(before.vector != after.vector)
    return f"Move latent dimension {moved[0]}" if len(moved) == 1 else f"Move {len(moved)} latent dimensions"


def _lock_part(before: frozenset[int], after: frozenset[int]) -> str:
    changed = sorted(before ^ after)
    verb = "Lock" if after > before else "Unlock" if after < before else "Lock and unlock"
    return f"{verb} latent dimension {changed[0]}" if len(changed) == 1 else f"{verb} {len(changed)} latent dimensions"
