"""Tables of participants for others to read, with where they come from in their first lines.

Ids stay at home: a table holds them only when its maker asks for them.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer import __version__
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.groups import find_group
from napari_latent_explorer.session.selection import mask_of
from napari_latent_explorer.session.session_document import latents_fingerprint
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


def participants_table(state: ExplorerState, whom: str, has_ids: bool = False) -> pd.DataFrame:
    """Phenotypes of some participants, one row each in the cohort's order, columns with their units.

    Parameters
    ----------
    state
        The open study.
    whom
        As in `participants_mask`.
    has_ids
        Whether the first column, ``participant_id``, is there.
    """
    cohort, mask = cohort_of(state), participants_mask(state, whom)
    columns = {
        f"{name} [{spec.unit}]" if spec.unit else name: cohort.phenotypes[name] for name, spec in cohort.specs.items()
    }
    table = pd.DataFrame({name: column.to_numpy()[mask] for name, column in columns.items()})
    if has_ids:
        table.insert(0, "participant_id", cohort.participant_ids[mask])
    return table


def provenance(state: ExplorerState, whom: str) -> list[str]:
    """Where a table comes from: study, filters, who was left out, date, program; no ids."""
    cohort = cohort_of(state)
    name = state.study.name if state.study is not None else ""
    n = int(participants_mask(state, whom).sum())
    lines = [
        f"Participants of the study {name!a}, fingerprint {cohort.fingerprint}: {n} of {len(cohort)}, {whom}",
        f"Latents: model {latents_fingerprint(state) or 'none'}",
        f"Filters: {'; '.join(chosen.describe(cohort.specs) for chosen in state.filters) or 'none'}",
        f"Excluded: {_reasons(state)}",
        f"Date: {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"Program: napari-latent-explorer {__version__}; not for clinical use",
    ]
    if whom.startswith(GROUP_PREFIX):
        lines.insert(1, f"Group: {find_group(state.groups, whom.removeprefix(GROUP_PREFIX)).recipe.describe()}")
    return [" ".join(line.split()) for line in lines]


def write_participants(path: str | Path, state: ExplorerState, whom: str, has_ids: bool = False) -> None:
    """Write the table of some participants as CSV, atomically, its provenance in comments above.

    Raises
    ------
    LatentExplorerError
        When nobody is in it or the place cannot be written.
    """
    table = participants_table(state, whom, has_ids)
    for name in table.columns:
        if table[name].dtype == object or isinstance(table[name].dtype, pd.CategoricalDtype | pd.StringDtype):
            table[name] = [_harmless(value) for value in table[name]]
    head = "".join(f"{COMMENT}{line}\n" for line in provenance(state, whom))
    write_file(Path(path), (head + table.to_csv(index=False, lineterminator="\n")).encode("utf-8", "replace"))


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _reasons(state: ExplorerState) -> str:
    reasons = list(state.excluded.values())
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    return "; ".join(f"{n} ({reason})" for reason, n in counts.items()) or "nobody"
