"""Where the probe lies on maps of each kind."""

import numpy as np

from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.probe_places import ProbePlaces


def test_a_participant_lies_on_themselves_on_every_map(explorer: Explorer) -> None:
    places = ProbePlaces(explorer)
    explorer.probe_participant("P07", "mri")
    for kind in ("pca", "whitened_tsne"):
        explorer.set_map_kind(kind)  # type: ignore[arg-type]
        for name in ("mri", "ecg", "joint"):
            explorer.fit_projection(name)
            assert explorer.jobs.wait(60.0)
            projection = explorer.projections[name]
            row = projection.participant_ids.tolist().index("P07")
            if places.on(name) is None:  # its space is being made
                assert explorer.jobs.wait(20.0)
            place = places.on(name)
            assert place is not None
            np.testing.assert_allclose(place, projection.coordinates[row], atol=1e-3)


def test_a_map_of_another_space_is_told_when_it_is_ready_and_made_once(explorer: Explorer) -> None:
    places, heard, begun = ProbePlaces(explorer), [], []
    explorer.set_map_kind("pca")
    explorer.fit_projection("joint")
    assert explorer.jobs.wait(60.0)
    places.changed.connect(lambda: heard.append("ready"))
    explorer.jobs.started.connect(lambda job: begun.append(job.name))
    assert places.on("joint") is None
    assert explorer.jobs.wait(20.0)
    assert heard == ["ready"]
    assert places.on("joint") is not None
    assert begun == ["Prepare the joint map"]


def test_there_is_no_place_without_a_map_or_a_probe(explorer: Explorer) -> None:
    places = ProbePlaces(explorer)
    assert places.on("joint") is None
    explorer.probe.clear()
    assert places.on("mri") is None
