"""What the card beside the pointer says of a participant."""

from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer._qt.participant_text import describe_participant
from napari_latent_explorer.session.color_sources import Trust


@pytest.fixture
def one(explorer):
    return str(explorer.cohort.participant_ids[0])


def test_it_says_who_it_is_with_units_and_what_colours_the_maps_first(explorer, one):
    explorer.set_color_by("lvm")
    text = describe_participant(explorer.state, one)
    assert one in text
    assert text.index("LV mass") < text.index("Sex")
    assert " g<" in text


def test_names_of_groups_are_written_as_they_are(explorer, one):
    explorer.create_group("<b>old</b> & ill", [one])
    assert "&lt;b&gt;old&lt;/b&gt; &amp; ill" in describe_participant(explorer.state, one)
    other = str(explorer.cohort.participant_ids[1])
    assert "ill" not in describe_participant(explorer.state, other)
    assert len(explorer.groups) == 1


def test_what_was_computed_is_said_with_its_title(explorer, one):
    name, projection = next(iter(explorer.projections.items()))
    trust = np.full(len(projection.participant_ids), 0.25)
    trust[0] = np.nan
    known = replace(projection, trust=trust)
    explorer.set_color_by(Trust(name))
    maps = {key: known if value is projection else value for key, value in explorer.state.maps.items()}
    state = replace(explorer.state, maps=maps)
    texts = [describe_participant(state, str(known.participant_ids[row])) for row in (0, 1)]
    assert "none<" in texts[0]
    assert ">0.25" in texts[1]
    assert all("Trust in the" in text for text in texts)
