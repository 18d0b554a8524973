"""A cardiologist's hour with the sample study, through the session: the scenario of the paper's section 4.

She leaves out a group of MRIs that cannot be read and a group of ECGs with spikes, looks at what sex does to the map
and the heart, and asks whether it does the same where there is hypertension and hypercholesterolaemia. She chooses by
what she sees (`beholder`); what the simulation knows of the people only judges her choice.

References
----------
Kwon BC et al. (2022), Latent Space Explorer: Visual Analytics for Multimodal Latent Space Exploration, section 4.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from beholder import Island, islands, largest_jump_mv, sharpness, strip

from napari_latent_explorer.analysis.comparison import ComparisonTable, compare
from napari_latent_explorer.analysis.map_axes import MapAxis, best_axis
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.recordings import open_study
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.session.color_sources import Unusual
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter
from napari_latent_explorer.session.query import understand
from napari_latent_explorer.session.query_apply import apply_sentence
from napari_latent_explorer.session.side_by_side import GroupHeart, SideBySide

pytestmark = pytest.mark.slow

BLURRED = 0.8
"""Of the sharpness of a usual heart: below it the eye says that a heart cannot be read."""
SPIKE_MV = 0.5
"""In 2 ms; the steepest QRS complex rises half as fast."""
MRI_REASON, ECG_REASON = "MRI cannot be read", "spikes in the ECG"


@dataclass
class Hour:
    """What she found."""

    explorer: Explorer
    hearts: dict[str, GroupHeart] = field(default_factory=dict)
    jumps_mv: dict[str, float] = field(default_factory=dict)
    axes: dict[str, MapAxis] = field(default_factory=dict)
    subgroups: ComparisonTable | None = None

    def lasso(self, modality, shore):
        """Draw around people of a map."""
        projection = self.explorer.projections[modality]
        vertices = tuple((float(x), float(y)) for x, y in shore)
        self.explorer.select_inside(MapFilter(modality, vertices, projection.fingerprint))

    def group(self, name):
        """Make a group of who is selected, or visible, and look at nobody any more."""
        group = self.explorer.create_group(name)
        self.explorer.clear_selection()
        return group

    def look(self, names):
        """Reconstruct groups beside each other, and remember what their hearts look like."""
        side_by_side = SideBySide(self.explorer)
        self.explorer.show_side_by_side(names)
        assert self.explorer.decode.wait(60)
        self.hearts |= {heart.group.name: heart for heart in side_by_side.hearts}
        return [self.hearts[name] for name in names]


@pytest.fixture(scope="module")
def hour():
    """Spend it."""
    explorer = Explorer()
    explorer.open(open_study(sample_study_path()), ModelBundle.load(sample_bundle_path()))
    assert explorer.jobs.wait(120)
    hour = Hour(explorer)
    clean(hour)
    look_at_sex(hour)
    look_at_those_with_both_diseases(hour)
    yield hour
    explorer.close()


def clean(hour):
    """Leave out what cannot be read, found as islands on the maps with equal scales, coloured by what is unusual."""
    explorer = hour.explorer
    explorer.set_map_kind("whitened_tsne")
    hour.group("Everybody")
    (usual,) = hour.look(["Everybody"])
    for modality in ("mri", "ecg"):
        explorer.set_color_by(Unusual(modality))
        assert explorer.jobs.wait(60)
        for number, island in enumerate(islands(explorer.projections[modality].coordinates), 1):
            visit(hour, modality, f"Island {number} ({modality})", island, sharpness(usual.outcome.result.cine))
    explorer.remove_group("Everybody")


def visit(hour, modality, name, island: Island, usual_sharpness):
    """Reconstruct an island, look at its heart or at the ECG of who stands for it, and leave it out if need be."""
    explorer = hour.explorer
    hour.lasso(modality, island.shore)
    group = hour.group(name)
    (heart,) = hour.look([name])
    recorded = explorer.study.ecg(group.representative.participant_id).signal_mv
    hour.jumps_mv[name] = largest_jump_mv(recorded)
    if modality == "mri" and sharpness(heart.outcome.result.cine) < BLURRED * usual_sharpness:
        explorer.exclude(group.participant_ids, MRI_REASON)
    if modality == "ecg" and hour.jumps_mv[name] > SPIKE_MV:
        explorer.exclude(group.participant_ids, ECG_REASON)


def look_at_sex(hour):
    """Colour by sex, and reconstruct who is at both ends of the map and where the colours meet.

    By the groups' means: one person near the boundary may have any heart.
    """
    explorer = hour.explorer
    explorer.set_representative_method("mean")
    explorer.set_map_kind("tsne")
    explorer.set_color_by("sex")
    for modality, projection in explorer.projections.items():
        hour.axes[modality] = best_axis(projection, explorer.cohort, "sex")
    places, axis = explorer.projections["mri"].coordinates, hour.axes["mri"]
    shares = {"Female": (0.0, 0.15), "Boundary": (0.425, 0.575), "Male": (0.85, 1.0)}
    for name, ends in shares.items():
        hour.lasso("mri", strip(places, axis.direction, *ends))
        hour.group(name)
    hour.look(list(shares))


def look_at_those_with_both_diseases(hour):
    """Ask by a sentence, and divide by sex."""
    explorer = hour.explorer
    apply_sentence(explorer, understand("people with hypertension and hypercholesterolaemia", explorer.cohort))
    hour.group("Both")
    for sex in ("female", "male"):
        explorer.set_filter(CategoryFilter("sex", frozenset({sex})))
        hour.group(f"Both, {sex}")
    explorer.clear_filters()
    hour.look(["Both, female", "Both, male"])
    members = {group.name: group.participant_ids for group in explorer.groups}
    women, men = members["Both, female"], members["Both, male"]
    hour.subgroups = compare(explorer.cohort, women, men, "women", "men", chosen_by=("sex",))


@pytest.fixture(scope="module")
def truth(hour):
    """What the simulation knows, which nobody is shown."""
    factors = pd.read_parquet(sample_study_path() / "factors.parquet")
    return factors.set_index("participant_id").loc[hour.explorer.cohort.participant_ids]


@pytest.mark.parametrize(("modality", "reason"), [("mri", MRI_REASON), ("ecg", ECG_REASON)], ids=["mri", "ecg"])
def test_who_is_left_out_cannot_be_read_and_nobody_else_is(hour, truth, record_property, modality, reason):
    left_out = [who for who, why in hour.explorer.excluded.items() if why == reason]
    is_bad = truth[f"{modality}_quality"] != "good"
    purity, found = is_bad[left_out].mean(), is_bad[left_out].sum() / is_bad.sum()
    record_property(
        "figure", f"scenario: {len(left_out)} {modality} left out, {purity:.0%} unreadable, {found:.0%} of all"
    )
    unusual = hour.explorer.unusualness[modality]
    assert np.median(unusual.percentiles[np.isin(unusual.participant_ids, left_out)]) > 95  # they stand out by colour
    assert purity >= 0.9
    assert found >= 0.35  # the others lie on the mainland, one by one
    assert len(left_out) >= 12
    assert not hour.explorer.view_state.visible_mask[hour.explorer.cohort.rows_of(left_out)].any()


def test_islands_of_readable_ecgs_are_looked_at_and_kept(hour, truth):
    kept = [
        group for group in hour.explorer.groups if group.name.endswith("(ecg)") and hour.jumps_mv[group.name] < SPIKE_MV
    ]
    assert kept
    for group in kept:  # each is something that a cardiologist can read from the ECG
        people = truth.loc[group.participant_ids]
        shares = people["has_atrial_fibrillation"].mean(), (people["conduction"] != "normal").mean()
        assert max(shares) > 0.9
        assert not set(group.participant_ids) & set(hour.explorer.excluded)


def test_the_maps_fall_into_two_halves_by_sex(hour, record_property):
    for modality, axis in hour.axes.items():
        score = axis.score
        record_property(
            "figure",
            f"scenario: AUROC of sex along the {modality} map {score.value:.3f} ({score.low:.3f} to {score.high:.3f})",
        )
    assert hour.axes["mri"].score.low > 0.75
    assert hour.axes["ecg"].score.low > 0.6


def test_the_left_ventricle_grows_from_women_over_the_boundary_to_men(hour, record_property):
    names = ["Female", "Boundary", "Male"]
    measured = [hour.hearts[name].outcome.measures.mass_g for name in names]
    predicted = [hour.hearts[name].predicted("lvm") for name in names]
    cohort = hour.explorer.cohort
    groups = {group.name: group for group in hour.explorer.groups}
    rows = [cohort.rows_of(groups[name].participant_ids) for name in names]
    is_male = [float(np.mean(cohort.values("sex")[one])) for one in rows]
    tabled = [float(np.nanmean(cohort.values("lvm")[one])) for one in rows]
    for words, values in (("measured", measured), ("predicted", predicted), ("group mean", tabled)):
        record_property("figure", f"scenario: LVM {words} " + " < ".join(f"{value:.0f} g" for value in values))
    assert is_male[0] < 0.2
    assert 0.25 < is_male[1] < 0.75
    assert is_male[2] > 0.8
    for values in (measured, predicted, tabled):
        assert values[0] < values[1] < values[2]


def test_with_both_diseases_men_have_more_mass_and_a_lower_right_ejection_fraction(hour, record_property):
    rows = {row.spec.name: row for row in hour.subgroups.rows}
    groups = {group.name: group for group in hour.explorer.groups}
    cohort = hour.explorer.cohort
    both = cohort.rows_of(groups["Both"].participant_ids)
    for disease in ("hypertension", "hypercholesterolemia"):
        assert (cohort.values(disease)[both] == 1.0).all()
    assert not set(groups["Both"].participant_ids) & set(hour.explorer.excluded)
    assert len(groups["Both"]) == len(groups["Both, female"]) + len(groups["Both, male"]) > 100
    for name in ("lvm", "rvef", "diabetes"):
        women, men = rows[name].a, rows[name].b
        values = (women.share(1), men.share(1)) if name == "diabetes" else (women.mean, men.mean)
        record_property(
            "figure", f"scenario: {name} {values[0]:.3g} in women, {values[1]:.3g} in men, q = {rows[name].q:.2g}"
        )
    assert rows["lvm"].effect.high < 0
    assert rows["rvef"].effect.low > 0
    women, men = hour.hearts["Both, female"], hour.hearts["Both, male"]
    assert women.outcome.measures.mass_g < men.outcome.measures.mass_g
    assert women.predicted("lvm") < men.predicted("lvm")
    assert women.predicted("rvef") > men.predicted("rvef")


def test_all_of_it_can_be_taken_back_and_done_again(hour):
    explorer = hour.explorer
    excluded, groups = dict(explorer.excluded), [group.name for group in explorer.groups]
    while explorer.undo_text:
        explorer.undo()
    assert not explorer.excluded
    assert not explorer.groups
    while explorer.redo_text:
        explorer.redo()
    assert dict(explorer.excluded) == excluded
    assert [group.name for group in explorer.groups] == groups
