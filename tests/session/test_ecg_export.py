"""ECGs as a table: what was drawn comes back in mV and ms, and the file says where it is from."""

import io

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.ecg_export import ecg_table, write_ecg_table


@pytest.fixture
def ecgs():
    """A beat of twelve leads, and one of two at another rate whose name a spreadsheet would take for a formula."""
    rng = np.random.default_rng(0)
    return (
        ECG(rng.normal(size=(12, 600)), LEAD_NAMES, 500.0, "median", 435.0, "Original"),
        ECG(rng.normal(size=(2, 100)), ("V5", "II"), 250.0, "median", None, "=cmd()"),
    )


def test_the_table_comes_back_as_it_was_drawn(ecgs, tmp_path):
    path = finish(write_ecg_table(tmp_path / "ecg.csv", ecgs, {"Study": "Ours,\n2026", "Date": "today"}))
    text = path.read_text("utf-8")
    assert text.startswith("# Study: Ours, 2026\n# Date: today\n")
    table = pd.read_csv(io.StringIO(text), comment="#")
    assert list(table.columns) == ["ecg", "time_ms", *(f"{name}_mv" for name in LEAD_NAMES)]
    first, second = (table[table["ecg"] == name] for name in ("Original", "'=cmd()"))
    np.testing.assert_allclose(first.to_numpy()[:, 2:].T.astype(float), ecgs[0].signal_mv, atol=6e-6)
    np.testing.assert_allclose(first["time_ms"], np.arange(600) * 2.0)
    np.testing.assert_allclose(second["II_mv"], ecgs[1].signal_mv[1], atol=6e-6)
    np.testing.assert_allclose(second["time_ms"].iloc[-1], 396.0)
    assert second["I_mv"].isna().all()


def test_leads_stand_in_the_clinical_order_whatever_the_recording_has(ecgs):
    assert list(ecg_table(ecgs[1:]).dropna(axis=1).columns) == ["ecg", "time_ms", "II_mv", "V5_mv"]


def test_a_place_that_cannot_be_written_is_refused(ecgs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError):
        finish(write_ecg_table(tmp_path / "file" / "ecg.csv", ecgs, {}))
