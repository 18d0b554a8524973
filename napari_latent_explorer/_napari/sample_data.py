"""The sample study, opened with its docks from File > Open Sample."""

from typing import Any

import napari

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.workspace import open_workspace
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path


def open_sample_study() -> list[Any]:
    """Open the workspace and, in it, the sample study with its model.

    The hearts come when the model has decoded; until then a caption says so.
    """
    viewer = napari.current_viewer()
    if viewer is None:
        raise LatentExplorerError("The sample study is shown in docks; open it in a napari window.")
    open_workspace(viewer).open_folder(sample_study_path(), sample_bundle_path())
    return [session_of(viewer).layers.captions.announcement("Opening the sample study and its model ...")]
