"""Hearts of several groups: which are shown, of which vectors, and when the probe's comes back."""

import numpy as np
import pytest
from memory_study import LinearBundle

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.side_by_side import SideBySide


@pytest.fixture
def explorer(explorer: Explorer, cohort) -> Explorer:
    for name, rows in (("Young", slice(0, 10)), ("Middle", slice(15, 25)), ("Old", slice(30, 40))):
        explorer.create_group(name, cohort.participant_ids[rows].tolist())
    assert explorer.decode.wait(20.0)
    return explorer


@pytest.fixture
def side_by_side(explorer: Explorer) -> SideBySide:
    return SideBySide(explorer)


def show(explorer: Explorer, *names: str) -> None:
    explorer.show_side_by_side(names)
    assert explorer.decode.wait(20.0)


def test_each_heart_is_decoded_from_what_stands_for_its_group(explorer, side_by_side):
    told = []
    side_by_side.changed.connect(told.append)
    show(explorer, "Old", "Young")
    assert [[heart.group.name for heart in hearts] for hearts in told] == [["Old", "Young"]]
    for heart in side_by_side.hearts:
        stands = heart.group.representative
        np.testing.assert_array_equal(heart.outcome.vector, stands.vector)
        assert float(heart.outcome.result.cine[0, 0, 0]) == stands.vector[0]
        assert heart.group.participant_ids[0] <= stands.participant_id <= heart.group.participant_ids[-1]


def test_predictions_are_made_of_the_participants_own_vectors_of_both_modalities(explorer, side_by_side):
    show(explorer, "Old")
    (heart,) = side_by_side.hearts
    who = heart.group.representative.participant_id
    seen = {name: space.of([who])[0] for name, space in explorer.latents.items()}
    expected = explorer.predictors.predict(seen)
    column = [spec.name for spec in expected.targets].index("age")
    assert heart.predicted("age") == pytest.approx(expected.values[-1, column])
    assert heart.predicted("shoe size") is None


def test_another_name_or_colour_is_told_without_decoding_again(explorer, side_by_side):
    show(explorer, "Old", "Young")
    before = side_by_side.hearts
    explorer.rename_group("Old", "Elderly")
    explorer.set_group_color("Young", (0.0, 0.0, 1.0, 1.0))
    assert explorer.side_by_side.names == ("Elderly", "Young")
    assert [heart.group.name for heart in side_by_side.hearts] == ["Elderly", "Young"]
    assert side_by_side.hearts[1].group.color == (0.0, 0.0, 1.0, 1.0)
    assert all(now.outcome is then.outcome for now, then in zip(side_by_side.hearts, before, strict=True))


def test_another_way_to_represent_groups_decodes_them_again_and_keeps_them_side_by_side(explorer, side_by_side):
    show(explorer, "Old", "Young")
    explorer.set_representative_method("mean")
    assert explorer.decode.wait(20.0)
    firsts = [float(heart.outcome.vector[0]) for heart in side_by_side.hearts]
    assert firsts == pytest.approx([34.5, 4.5])


def test_a_removed_group_leaves_the_others_and_the_last_one_the_probe(explorer, side_by_side):
    show(explorer, "Old", "Young")
    explorer.remove_group("Old")
    assert explorer.decode.wait(20.0)
    assert [heart.group.name for heart in side_by_side.hearts] == ["Young"]
    explorer.remove_group("Young")
    assert side_by_side.hearts == ()


@pytest.mark.parametrize(
    "act",
    [
        lambda explorer: explorer.probe.move(0, 3.0),
        lambda explorer: explorer.probe_mean(),
        lambda explorer: explorer.probe_participant("P05"),
        lambda explorer: explorer.set_active_group("Old"),
        lambda explorer: explorer.create_group("More", ["P01", "P02"]),
        lambda explorer: explorer.show_side_by_side([]),
    ],
    ids=["moved", "mean", "participant", "active group", "new group", "asked for"],
)
def test_the_last_wish_counts_and_is_one_step(explorer, side_by_side, act):
    show(explorer, "Old", "Young")
    before = explorer.moment()
    act(explorer)
    assert explorer.side_by_side.names == ()
    assert side_by_side.hearts == ()
    explorer.undo()
    assert explorer.side_by_side.names == ("Old", "Young")
    np.testing.assert_array_equal(explorer.probe.vector, before.probe.vector)
    assert explorer.decode.wait(20.0)
    assert len(side_by_side.hearts) == 2
    explorer.undo()
    assert explorer.redo_text == "Show Old and Young side by side"


def test_what_cannot_be_shown_is_refused_in_words(explorer):
    with pytest.raises(LatentExplorerError, match="no group 'Nobody'"):
        explorer.show_side_by_side(["Nobody"])
    with pytest.raises(LatentExplorerError, match="Old named twice"):
        explorer.show_side_by_side(["Old", "Old"])
    for number in range(13):
        explorer.create_group(f"More {number}", ["P01"])
    with pytest.raises(LatentExplorerError, match="At most 12"):
        explorer.show_side_by_side([f"More {number}" for number in range(13)])


def test_without_a_model_nothing_is_shown_until_there_is_one(explorer, side_by_side, bundle):
    explorer.set_bundle(None)
    show(explorer, "Old", "Young")
    assert side_by_side.hearts == ()
    explorer.set_bundle(bundle)
    assert explorer.decode.wait(20.0)
    assert len(side_by_side.hearts) == 2


def test_the_script_shows_them_again(explorer, side_by_side, study):
    show(explorer, "Old", "Young")
    namespace = {"__name__": "script"}
    exec(compile(explorer.script(), "script.py", "exec"), namespace)
    explorer.open(study, LinearBundle())
    assert explorer.side_by_side.names == ()
    namespace["repeat"](explorer)
    assert explorer.side_by_side.names == ("Old", "Young")
