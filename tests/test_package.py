"""What whoever installs the package gets, however it was built: a wheel, a wheel made from the sdist, or a checkout."""

import re
import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_latent_explorer
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_recordings_path, sample_study_path

NAME = "napari-latent-explorer"
QT_BINDINGS = re.compile(r"(pyqt\d|pyside\d)", re.IGNORECASE)


def base_requirements():
    return [requirement for requirement in requires(NAME) if "extra ==" not in requirement]


def test_napari_finds_the_manifest():
    manifest = PluginManifest.from_distribution(NAME)
    assert manifest.name == NAME
    assert manifest.package_version == napari_latent_explorer.__version__


@pytest.mark.parametrize(
    "path", [sample_study_path, sample_bundle_path, sample_recordings_path], ids=lambda f: f.__name__
)
def test_sample_data_is_inside_the_package(path):
    assert path().is_relative_to(Path(napari_latent_explorer.__file__).parent)
    assert any(path().iterdir())


def test_whoever_installs_it_chooses_the_qt_binding():
    assert any(requirement.startswith("napari>=") for requirement in base_requirements())
    assert not [
        requirement for requirement in base_requirements() if QT_BINDINGS.search(requirement) or "[" in requirement
    ]


def test_dependencies_are_ranges():
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", requirement) for requirement in base_requirements())


def test_hub_lists_it():
    metadata = distribution(NAME).metadata
    assert "Framework :: napari" in metadata.get_all("Classifier")
    assert metadata["License-Expression"] == "BSD-3-Clause"


def test_command_line_answers():
    command = Path(sys.executable).with_name("napari-latent-explorer")
    printed = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == napari_latent_explorer.__version__


def test_types_are_shipped_and_tests_are_not():
    package = Path(napari_latent_explorer.__file__).parent
    assert (package / "py.typed").is_file()
    assert not list(package.rglob("test_*.py"))
