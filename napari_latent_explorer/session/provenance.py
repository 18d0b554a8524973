"""Where what leaves the session comes from, in lines that name no participant: study, model, filters, who was left out.

Tables carry them in comments, figures in their metadata, so that a file found years later still says what it shows.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from napari_latent_explorer import __version__
from napari_latent_explorer.session.session_document import latents_fingerprint
from napari_latent_explorer.session.state import ExplorerState, cohort_of

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


def _reasons(state: ExplorerState) -> str:
    reasons = list(state.excluded.values())
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    return "; ".join(f"{n} ({reason})" for reason, n in counts.items()) or "nobody"
