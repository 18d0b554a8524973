import ast
import os
import shutil
import sys

import pytest

from napari_latent_explorer._cli import virtual_display


def test_command_is_left_alone_where_there_is_no_virtual_display(monkeypatch):
    monkeypatch.setattr(virtual_display.shutil, "which", lambda _: None)
    assert virtual_display.under_virtual_display(["python", "-V"]) == ["python", "-V"]


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="xvfb-run is not installed")
def test_command_finds_a_display_and_its_status_comes_back(monkeypatch, tmp_path):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    seen = tmp_path / "seen"
    names = "(os.environ['DISPLAY'], 'WAYLAND_DISPLAY' in os.environ)"
    script = f"import os, sys; open({os.fspath(seen)!r}, 'w').write(repr({names})); sys.exit(7)"
    assert virtual_display.run_under_virtual_display([sys.executable, "-c", script]) == 7
    display, has_wayland = ast.literal_eval(seen.read_text())
    assert display.startswith(":")
    assert not has_wayland
