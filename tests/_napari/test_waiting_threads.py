"""Threads of the networks wait asleep in napari, so that they leave the window its core."""

import os
import subprocess
import sys

import pytest

SCRIPT = "import napari_latent_explorer._napari, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"


@pytest.mark.parametrize(
    ("chosen", "expected"), [(None, "PASSIVE"), ("active", "active")], ids=["by default", "chosen"]
)
def test_it_is_settled_before_torch_is_loaded_unless_the_user_has_chosen(chosen, expected):
    known = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment = known if chosen is None else known | {"OMP_WAIT_POLICY": chosen}
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert printed == [expected, "False"]
