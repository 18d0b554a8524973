"""The manifest: valid, at the door and in the package, and every name in it is there."""

from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_latent_explorer

PACKAGED = Path(napari_latent_explorer.__file__).with_name("napari.yaml")
pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(PACKAGED)


def test_everything_it_names_can_be_imported(manifest):
    manifest.validate_imports()


def test_it_is_the_plugin_of_this_package(manifest):
    assert manifest.name == "napari-latent-explorer"
    assert manifest.display_name == "Latent Explorer"


def test_the_one_at_the_door_is_a_relative_link_to_the_packaged_one():
    door = Path(__file__).parents[1] / "napari.yaml"
    if not door.is_symlink():
        pytest.skip("this is no checkout, or it was made without links")
    assert not door.readlink().is_absolute()
    assert door.resolve() == (Path(__file__).parents[1] / "napari_latent_explorer" / "napari.yaml").resolve()


def test_it_offers_what_is_promised(manifest):
    contributions = manifest.contributions
    assert [widget.display_name for widget in contributions.widgets] == [
        "Cohort",
        "Maps",
        "Groups",
        "Compare",
        "Predictions",
        "Probe",
        "Path",
        "ECG",
        "Build a study",
        "Train a model",
        "Heart box",
    ]
    assert [sample.key for sample in contributions.sample_data] == ["sample_study"]
    assert contributions.readers[0].accepts_directories
    commands = {command.id for command in contributions.commands}
    assert {"napari-latent-explorer.open_workspace", "napari-latent-explorer.tour"} <= commands
