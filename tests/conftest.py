"""Fixtures that every folder of tests may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of real recordings, which are never part of the repository; tests that need them skip without it."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "realdata"
    folder = Path(os.environ.get("LATENT_EXPLORER_REALDATA", default))
    if not folder.is_dir():
        pytest.skip(f"real recordings are not at {folder}; set LATENT_EXPLORER_REALDATA")
    return folder
