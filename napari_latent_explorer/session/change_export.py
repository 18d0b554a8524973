"""What changed in which structure as a table for others to read: one row per number, provenance above."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from napari_latent_explorer.analysis.region_change import Quantity, RegionChange
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.exports import write_commented
from napari_latent_explorer.session.probe import LatentProbe
from napari_latent_explorer.session.provenance import provenance_of, without_names
from napari_latent_explorer.session.state import ExplorerState

DIGITS = 6
TITLES: Mapping[Quantity, str] = {
    "ventricle": "Left ventricle",
    "thickness": "Mean thickness at end-diastole",
    "area_ed": "Area at end-diastole",
    "area_es": "Area at end-systole",
    "signal": "Mean signal",
    "difference": "Change of the picture, root mean square",
}
_VENTRICLE = {"LVM": "LV mass", "EDV": "LV EDV", "ESV": "LV ESV", "EF": "LV EF"}
SOURCE = (
    "decoded hearts and their decoded labels, not recordings; left ventricle by the area-length rule in one plane; "
    "SD: of all frames and pixels of a cine"
)


def region_title(change: RegionChange) -> str:
    """Name of the structure, for people."""
    return _VENTRICLE.get(change.region, change.region.replace("_", " "))


def change_table(changes: Sequence[RegionChange]) -> pd.DataFrame:
    """Make a table with the columns ``quantity``, ``structure``, ``unit``, ``before``, ``now`` and ``change``."""
    rows = [
        (TITLES[one.quantity], region_title(one), one.unit, *(_rounded(x) for x in (one.before, one.after, one.change)))
        for one in changes
    ]
    return pd.DataFrame(rows, columns=["quantity", "structure", "unit", "before", "now", "change"])


def change_facts(state: ExplorerState, probe: LatentProbe) -> Mapping[str, str]:
    """Say what is compared and where it comes from; no participant is named."""
    before = without_names(probe.label, state)
    facts = {"Before": before, "Now": f"{before}, {probe.moves_text or 'as it began'}", "Measured on": SOURCE}
    return {**facts, **provenance_of(state)}


def write_change_table(
    path: Path, changes: Sequence[RegionChange], facts: Mapping[str, str]
) -> Generator[Progress, None, Path]:
    """Write the table as CSV, atomically, with `facts` in comments above.

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
    write_commented(path, (f"{fact}: {words}" for fact, words in facts.items()), change_table(changes))
    return path


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
