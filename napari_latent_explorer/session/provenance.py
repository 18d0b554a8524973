"""Where what leaves the session comes from, in lines that name no participant: study, model, filters, who was left out.

Tables carry them in comments, figures in their metadata, so that a file found years later still says what it shows.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from napari_latent_explorer import __version__
from napari_latent_explorer.session.session_document import latents_fingerprint
from napari_latent_explorer.session.state import ExplorerState, cohort_of

A_PARTICIPANT, A_RECORDING = "a participant", "a recording"
_WORD = re.compile(r"[^\s,;:()]+")
PROGRAM = f"napari-latent-explorer {__version__}; not for clinical use"


def provenance_of(state: ExplorerState) -> Mapping[str, str]:
    """Say where it comes from: what and how, each in one line of plain text.

    Raises
    ------
    StudyError
        When no study is open.
    """
    cohort = cohort_of(state)
    name = state.study.name if state.study is not None else ""
    facts = {
        "Study": f"{name!a}, fingerprint {cohort.fingerprint}",
        "Latents": f"model {latents_fingerprint(state) or 'none'}",
        "Filters": "; ".join(chosen.describe(cohort.specs) for chosen in state.filters) or "none",
        "Excluded": _reasons(state),
        "Date": datetime.now(UTC).isoformat(timespec="seconds"),
        "Program": PROGRAM,
    }
    return {fact: " ".join(words.split()) for fact, words in facts.items()}


def without_names(text: str, state: ExplorerState, private: Iterable[str] = ()) -> str:
    """Take participants' ids, and other `private` words such as names of files, out of a line of text."""
    cohort = cohort_of(state)

    def instead(word: str) -> str:
        return A_PARTICIPANT if word in cohort else A_RECORDING

    for word in sorted(set(private) - {""}, key=len, reverse=True):
        text = text.replace(word, instead(word))
    return _WORD.sub(lambda found: A_PARTICIPANT if found[0] in cohort else found[0], text)


def _reasons(state: ExplorerState) -> str:
    reasons = list(state.excluded.values())
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    return "; ".join(f"{n} ({reason})" for reason, n in counts.items()) or "nobody"
