"""What a sentence does to the session: it sets the filters, and makes a representative if one is asked for.

The hard idea: a sentence says who is looked at, so it takes the place of every filter on phenotypes, also of those that
were set on charts. A lasso on a map stays: words cannot say what it says. All of it is one step to undo.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Final

import numpy as np

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import Filter
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.query import Understanding, UnderstoodFilter, understand
from napari_latent_explorer.session.query_words import FUNCTION_WORDS

_MAX_NAME_CHARS: Final = 40
_LEADS: Final = tuple(FUNCTION_WORDS["LEAD"].split("|"))


def learn_words(cohort: Cohort) -> Generator[Progress, None, None]:
    """Prepare for sentences about a study, which takes a moment the first time.

    Yields
    ------
    Progress
        Once.
    """
    yield Progress(0, 1, "Learning the words of the study")
    understand("people", cohort)


def count_understood(explorer: Explorer, understanding: Understanding) -> int:
    """How many participants there would be if the sentence were applied."""
    state = replace(explorer.state, filters=filters_with(explorer, understanding.filters))
    return int(changes.visible_of(state).sum())


def is_applied(explorer: Explorer, understanding: Understanding) -> bool:
    """Whether the filters are those that the sentence says."""
    return set(explorer.filters) == set(filters_with(explorer, understanding.filters))


def apply_sentence(explorer: Explorer, understanding: Understanding) -> None:
    """Filter as a sentence says.

    Where it asks for a representative, all of it is understood and somebody is left, make the group of those, begin the
    probe at its representative, and show the recordings of the participant who that is, if any.
    """
    explorer.begin_gesture()
    try:
        with explorer.batch():
            wanted = filters_with(explorer, understanding.filters)
            for former in explorer.filters:
                if former.key not in {chosen.key for chosen in wanted}:
                    explorer.remove_filter(former.key)
            for chosen in wanted:
                explorer.set_filter(chosen)
        if understanding.wants_representative and understanding.is_complete and explorer.view_state.n_visible:
            _represent(explorer, understanding)
    finally:
        explorer.end_gesture()


def filters_with(explorer: Explorer, understood: Sequence[UnderstoodFilter]) -> tuple[Filter, ...]:
    """List the filters after a sentence: its own, and those that have nothing to do with phenotypes."""
    kept = tuple(chosen for chosen in explorer.filters if not chosen.phenotypes)
    return (*kept, *(one.filter for one in understood))


def _represent(explorer: Explorer, understanding: Understanding) -> None:
    explorer.clear_selection()
    group = represented_group(explorer)
    if group is None:
        group = explorer.create_group(_free_name(explorer, understanding.sentence))
    elif group is not explorer.active_group:
        explorer.set_active_group(group.name)
    if group.representative is not None and group.representative.participant_id is not None:
        explorer.show_participant(group.representative.participant_id)


def represented_group(explorer: Explorer) -> Group | None:
    """Find the group of all who are visible now, if it was made of them by the same filters."""
    alike = [
        group
        for group in explorer.groups
        if group.recipe.origin == "filters"
        and set(group.recipe.filters) == set(explorer.filters)
        and len(group) == explorer.view_state.n_visible
    ]
    if not alike:
        return None
    ids = changes.cohort_of(explorer.state).participant_ids[explorer.view_state.visible_mask]
    return next((group for group in alike if np.array_equal(group.participant_ids, ids)), None)


def _free_name(explorer: Explorer, sentence: str) -> str | None:
    """Name of the group: the sentence without "representative"; None, for the next free one, where it is taken."""
    words = " ".join(sentence.split())
    lead = next((lead for lead in _LEADS if words.lower().startswith(f"{lead} ")), "")
    name = shorten(words[len(lead) :], _MAX_NAME_CHARS, placeholder=" …")
    taken = {group.name for group in explorer.groups}
    return name if name and name not in taken else None
