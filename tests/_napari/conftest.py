"""A viewer with the workspace, the study of shapes open in it, and all work at rest."""

from collections.abc import Callable
from typing import Any

import pytest

from napari_latent_explorer._napari import explorers
from napari_latent_explorer.session import session_file
from napari_latent_explorer.session.explorer import Explorer


@pytest.fixture(autouse=True)
def _decode_shapes(monkeypatch, shapes_decoder) -> None:
    """Make sessions decode without a network."""
    monkeypatch.setattr(explorers, "Explorer", lambda dispatch: Explorer(dispatch, shapes_decoder))


@pytest.fixture(autouse=True)
def _keep_sessions_elsewhere(monkeypatch, tmp_path) -> None:
    """Make automatic sessions land in the test's own folder."""
    monkeypatch.setattr(session_file, "user_state_path", lambda *_, **__: tmp_path / "state")


@pytest.fixture
def settle(qtbot) -> Callable[[Explorer], None]:
    """Wait until nothing runs and all results are shown."""

    def wait(explorer: Explorer) -> None:
        qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=30_000)
        qtbot.wait(30)

    return wait


@pytest.fixture
def viewer(make_napari_viewer_proxy) -> Any:
    """Make an empty viewer, as plugins see it."""
    return make_napari_viewer_proxy()


@pytest.fixture
def explorer(viewer, shapes_study, shapes_bundle, settle) -> Explorer:
    """Open the study in the viewer."""
    explorer = explorers.explorer_of(viewer)
    explorer.open(shapes_study, shapes_bundle)
    explorer.jobs.cancel_all()
    settle(explorer)
    return explorer
