"""The sample study, opened with its docks from File > Open Sample."""

from typing import Any

import napari

from napari_latent_explorer._napari.workspace import open_workspace
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path


def open_sample_study() -> list[Any]:
    """Open the workspace and, in it, the sample study with its model; the layers appear when the model has decoded."""
    viewer = napari.current_viewer()
    if viewer is not None:
        open_workspace(viewer).open_folder(sample_study_path(), sample_bundle_path())
    return []
