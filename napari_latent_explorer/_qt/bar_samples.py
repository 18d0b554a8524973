"""Which bars of a chart its filter lets through, whatever the filter is put together of.

The hard idea: instead of taking filters apart, a cohort is made of one participant per bar (in the middle of a
histogram's) and one without a value, and the filter is asked about them.
"""

import numpy as np
import pandas as pd

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts
from napari_latent_explorer.session.filters import Filter


class BarSamples:
    """One participant per bar of a chart, and one without a value.

    Parameters
    ----------
    spec
        The chart's phenotype.
    counts
        Its bars.
    """

    def __init__(self, spec: PhenotypeSpec, counts: BarCounts) -> None:
        n_bars = len(counts.labels)
        ids = np.array([str(number) for number in range(n_bars + 1)])
        column: object
        if counts.edges is None:
            column = pd.Categorical.from_codes([*range(n_bars), -1], list(counts.labels))
        else:
            column = np.append((counts.edges[:-1] + counts.edges[1:]) / 2, np.nan)
        self._people = Cohort(ids, pd.DataFrame({spec.name: column}), {spec.name: spec})

    def passing(self, chosen: Filter | None) -> tuple[bool, ...]:
        """Whether each bar, and last the missing, passes; all without a filter, or one of other phenotypes too."""
        if chosen is None or chosen.phenotypes != frozenset(self._people.specs):
            return (True,) * len(self._people)
        return tuple(chosen.mask(self._people).tolist())
