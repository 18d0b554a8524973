"""How phenotypes go together among people."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort

MIN_PAIRS = 20


def correlate_phenotypes(cohort: Cohort, along: NDArray[np.float64]) -> Mapping[str, float]:
    """Pearson's correlation of each continuous or binary phenotype with one number per person.

    Parameters
    ----------
    cohort
        The people.
    along
        ``(n_participants,)``; NaN where it is unknown.

    Returns
    -------
    Mapping
        By phenotype, in -1..1; those without 20 pairs, or that do not vary among them, are left out.
    """
    found = {}
    for name, spec in cohort.specs.items():
        if spec.kind == "categorical":
            continue
        values = cohort.values(name)
        both = np.isfinite(values) & np.isfinite(along)
        one, other = values[both], along[both]
        if both.sum() >= MIN_PAIRS and np.ptp(one) > 0 and np.ptp(other) > 0:
            found[name] = float(np.corrcoef(one, other)[0, 1])
    return found
