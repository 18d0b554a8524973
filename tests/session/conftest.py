"""The study in memory as fixtures."""

from collections.abc import Iterator

import pytest
from memory_study import LinearBundle, MemoryStudy, decode_linearly, make_study

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.explorer import Explorer


@pytest.fixture
def cohort(study: MemoryStudy) -> Cohort:
    return study.people


@pytest.fixture
def study() -> MemoryStudy:
    """MRI latents: the first number is the participant's own. ECG latents: of all but P00."""
    return make_study()


@pytest.fixture
def bundle() -> LinearBundle:
    return LinearBundle()


@pytest.fixture
def explorer(study: MemoryStudy, bundle: LinearBundle) -> Iterator[Explorer]:
    """Explore the study, all work at rest."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(study, bundle)
    assert explorer.jobs.wait(20.0)
    assert explorer.decode.wait(20.0)
    yield explorer
    explorer.close()


@pytest.fixture
def other_bundle() -> LinearBundle:
    """Make a bundle that did not encode the study, and says something to its user."""
    return LinearBundle("other00", warning="only seen lines")


@pytest.fixture
def empty_explorer() -> Iterator[Explorer]:
    """Make an explorer in which nothing is open."""
    explorer = Explorer(decode_fn=decode_linearly)
    yield explorer
    explorer.close()
