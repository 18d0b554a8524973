"""Tables of participants for others to read, with where they come from in their first lines.

Ids stay at home: a table holds them only when its maker asks for them.
"""

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.groups import find_group
from napari_latent_explorer.session.provenance import provenance_of
from napari_latent_explorer.session.selection import mask_of
from napari_latent_explorer.session.state import ExplorerState, cohort_of, visible_of

SELECTED, VISIBLE = "selected", "visible"
GROUP_PREFIX = "group:"
COMMENT = "# "
"""Begins each line of provenance; `pandas.read_csv(path, comment="#")` leaves them out."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def participants_mask(state: ExplorerState, whom: str) -> NDArray[np.bool_]:
    """Mask ``(n_participants,)`` of the ``selected``, the ``visible``, or of ``group:`` and the name of a group.

    Raises
    ------
    LatentExplorerError
        When it is none of these, or nobody is in it.
    """
    cohort = cohort_of(state)
    if whom == SELECTED:
        mask = mask_of(cohort, state.selection)
    elif whom == VISIBLE:
        mask = visible_of(state)
    elif whom.startswith(GROUP_PREFIX):
        mask = mask_of(cohort, find_group(state.groups, whom.removeprefix(GROUP_PREFIX)).participant_ids)
    else:
        raise LatentExplorerError(f"Cannot export {whom!r}; choose selected, visible, or group: and a name.")
    if not mask.any():
        raise LatentExplorerError(f"Nobody is {whom}, so there is nothing to export.")
    return mask


def participants_table(cohort: Cohort, mask: NDArray[np.bool_], has_ids: bool = False) -> pd.DataFrame:
    """Phenotypes of the masked participants, one row each in the cohort's order, columns with their units.

    With `has_ids` the first column is ``participant_id``.
    """
    titles = {name: f"{name} [{spec.unit}]" if spec.unit else name for name, spec in cohort.specs.items()}
    table = pd.DataFrame({title: cohort.phenotypes[name].to_numpy()[mask] for name, title in titles.items()})
    if has_ids:
        table.insert(0, "participant_id", cohort.participant_ids[mask])
    return table


def provenance(state: ExplorerState, whom: str, n_participants: int) -> list[str]:
    """Where a table of so many participants comes from: who they are, then as in `provenance_of`; no ids."""
    facts = dict(provenance_of(state))
    study, size = facts.pop("Study"), len(cohort_of(state))
    lines = [f"Participants of the study {study}: {n_participants} of {size}, {whom}"]
    if whom.startswith(GROUP_PREFIX):
        lines.append(f"Group: {find_group(state.groups, whom.removeprefix(GROUP_PREFIX)).recipe.describe()}")
    return [*lines, *(f"{fact}: {words}" for fact, words in facts.items())]


def write_participants(
    path: Path, state: ExplorerState, whom: str, mask: NDArray[np.bool_], has_ids: bool
) -> Generator[Progress, None, Path]:
    """Write the table of some participants as CSV, atomically, its provenance in comments above.

    Parameters
    ----------
    path
        The file.
    state, whom, mask
        The open study, and what `participants_mask` says of it.
    has_ids
        Whether the table has a column of ids.

    Yields
    ------
    Progress
        Once.

    Raises
    ------
    StudyError
        When the place cannot be written.
    """
    yield Progress(0, 1, f"Writing {path.name}")
    table = participants_table(cohort_of(state), mask, has_ids)
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = [harmless(value) for value in table[name]]
    write_commented(path, provenance(state, whom, int(mask.sum())), table)
    return path


def write_commented(path: Path, lines: Iterable[str], table: pd.DataFrame) -> None:
    """Write a table as CSV, atomically, with lines in comments above; StudyError when the place cannot be written."""
    head = "".join(f"{COMMENT}{' '.join(line.split())}\n" for line in lines)
    write_file(path, (head + table.to_csv(index=False, lineterminator="\n")).encode("utf-8", "replace"))


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
