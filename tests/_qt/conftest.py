"""An explorer as the GUI has it: results of its workers arrive on the GUI's thread."""

from collections.abc import Iterator

import pytest

from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch
from napari_latent_explorer.session.explorer import Explorer


@pytest.fixture
def empty_explorer(qtbot, shapes_decoder) -> Iterator[Explorer]:
    """Make an explorer in which nothing is open."""
    dispatch = QtMainThreadDispatch()
    explorer = Explorer(dispatch, shapes_decoder)
    yield explorer
    dispatch.close()
    explorer.close()
    dispatch.deleteLater()


@pytest.fixture
def explorer(qtbot, empty_explorer, shapes_study, shapes_bundle) -> Explorer:
    """Open the study of shapes, all work at rest."""
    empty_explorer.open(shapes_study, shapes_bundle)
    empty_explorer.jobs.cancel_all()
    qtbot.waitUntil(lambda: not empty_explorer.jobs.running and empty_explorer.decode.is_idle, timeout=20_000)
    return empty_explorer
