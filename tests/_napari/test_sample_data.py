"""File > Open Sample: the docks, a word at once, and the hearts when they are decoded."""

from napari_latent_explorer._napari import sample_data
from napari_latent_explorer._napari.explorers import explorer_of
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session import explorer as session_explorer
from napari_latent_explorer.session import opening


def yields(value):
    def load(path):
        yield Progress(0, 1, "Opening")
        return value

    return load


def test_the_sample_opens_with_its_docks(
    make_napari_viewer, shapes_study, shapes_bundle, monkeypatch, tmp_path, settle
):
    monkeypatch.setattr(sample_data, "sample_study_path", lambda: tmp_path)
    monkeypatch.setattr(sample_data, "sample_bundle_path", lambda: tmp_path)
    monkeypatch.setattr(opening, "load_study", yields(shapes_study))
    monkeypatch.setattr(session_explorer, "load_bundle", yields(shapes_bundle))
    viewer = make_napari_viewer()
    (captions,) = viewer.open_sample("napari-latent-explorer", "sample_study")
    assert "Opening" in str(captions.text.values[0])
    assert len(viewer.window.dock_widgets) == 8
    settle(explorer_of(viewer))
    assert {layer.name for layer in viewer.layers} == {"captions", "reconstruction", "reconstruction labels"}
    assert captions in viewer.layers
    assert str(captions.text.values[0]).startswith("Reconstruction")
    assert captions is viewer.layers[-1]
    # opened a second time it is not doubled
    viewer.open_sample("napari-latent-explorer", "sample_study")
    settle(explorer_of(viewer))
    assert len(viewer.layers) == 3
