"""The table of changes as others read it."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.analysis.region_change import RegionChange
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.session.change_export import change_facts, change_table, write_change_table
from napari_latent_explorer.session.explorer import Explorer

CHANGES = (
    RegionChange("ventricle", "LVM", "g", 100.0, 120.123456789),
    RegionChange("area_ed", "LV_cavity", "cm²", 30.0, float("nan")),
)


def test_each_number_is_a_row_in_words_with_its_unit() -> None:
    table = change_table(CHANGES)
    assert table["structure"].tolist() == ["LV mass", "LV cavity"]
    assert table["quantity"].tolist() == ["Left ventricle", "Area at end-diastole"]
    assert table["unit"].tolist() == ["g", "cm²"]
    assert table["change"][0] == pytest.approx(20.123456789, rel=1e-5)
    assert np.isnan(table["change"][1])


def test_a_file_says_what_is_compared_and_names_nobody(explorer: Explorer, tmp_path: Path) -> None:
    who = str(explorer.cohort.participant_ids[3])
    explorer.probe_participant(who)
    explorer.probe.move(0, 2.0)
    facts = change_facts(explorer.state, explorer.probe)
    path = finish(write_change_table(tmp_path / "changes.csv", CHANGES, facts))
    text = path.read_text(encoding="utf-8")
    assert who not in text
    assert "# Before: a participant, MRI\n" in text
    assert "# Now: a participant, MRI, 1 dimension moved\n" in text
    assert "# Measured on: decoded hearts" in text
    read = pd.read_csv(io.StringIO(text), comment="#")
    pd.testing.assert_frame_equal(read, change_table(CHANGES))
