from itertools import combinations

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.lead_names import standard_lead_name, with_derived_limb_leads

LIMB_LEADS = LEAD_NAMES[:6]


def limb_leads_from_electrodes() -> dict[str, np.ndarray]:
    """Six leads as they are defined: differences of potentials at right arm, left arm and left foot."""
    right, left, foot = np.random.default_rng(3).normal(size=(3, 50))
    return {
        "I": left - right,
        "II": foot - right,
        "III": foot - left,
        "aVR": right - (left + foot) / 2,
        "aVL": left - (right + foot) / 2,
        "aVF": foot - (right + left) / 2,
    }


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("avr", "aVR"),
        ("AVL", "aVL"),
        (" Lead II ", "II"),
        ("LEAD_iii", "III"),
        ("ECG Lead V3", "V3"),
        ("MDC_ECG_LEAD_AVF", "aVF"),
        ("MDC_ECG_LEAD_aVF", "aVF"),
        ("MDC_ECG_LEAD_V1", "V1"),
        ("Lead I (Einthoven)", "I"),
        ("aVR, augmented voltage, right", "aVR"),
        ("5.6.3-9-1", "I"),
        ("5.6.3-9-3", "V1"),
        ("2:64", "aVF"),
        ("DIII", "III"),
        ("vx", "X"),
        ("MDC_ECG_LEAD_X", "X"),
        ("MDC_ECG_LEAD_V7", "V7"),
        ("MDC_ECG_LEAD_dI", "dI"),
        ("-AVR", "-aVR"),
        ("aVR-", "-aVR"),
        ("MDC_ECG_LEAD_AVRneg", "-aVR"),
    ],
)
def test_spellings_of_the_standard_leads(written: str, standard: str) -> None:
    assert standard_lead_name(written) == standard
    assert standard_lead_name(standard) == standard


@pytest.mark.parametrize("name", ["MLII", "dI", "V3R", "V7", "CM5", "leadless", "2", "V", "aVR-aVL", "-I", "", "resp"])
def test_a_lead_at_another_place_is_no_standard_lead(name: str) -> None:
    assert standard_lead_name(name) == name


@pytest.mark.parametrize("pair", list(combinations(LIMB_LEADS, 2)), ids="-".join)
def test_any_two_limb_leads_give_the_other_four(pair: tuple[str, str]) -> None:
    truth = limb_leads_from_electrodes()
    signal_mv, names, note = with_derived_limb_leads(np.stack([truth[name] for name in pair]), pair)
    assert names == LIMB_LEADS
    np.testing.assert_allclose(signal_mv, np.stack([truth[name] for name in LIMB_LEADS]), atol=1e-12)
    assert all(name in note for name in LIMB_LEADS)


def test_what_is_recorded_stays_to_the_bit_even_where_it_contradicts_the_rest() -> None:
    signal_mv = np.random.default_rng(0).normal(size=(6, 20)).astype(np.float32)
    completed, names, note = with_derived_limb_leads(signal_mv, ("v2", "II", "AVR", "MLII", "I", "III"))
    assert names == ("I", "II", "III", "aVR", "aVL", "aVF", "V2", "MLII")
    recorded = [names.index(name) for name in ("V2", "II", "aVR", "MLII", "I", "III")]
    np.testing.assert_array_equal(completed[recorded].astype(np.float32), signal_mv)
    assert note == "Leads aVL, aVF are computed from I and II."


def test_one_limb_lead_gives_no_other() -> None:
    signal_mv, names, note = with_derived_limb_leads(np.ones((2, 4)), ("V1", "I"))
    assert (names, note, signal_mv.shape) == (("I", "V1"), "", (2, 4))


def test_an_inverted_avr_is_turned_over_unless_there_is_an_upright_one() -> None:
    truth = limb_leads_from_electrodes()
    signal_mv, names, note = with_derived_limb_leads(np.stack([truth["I"], -truth["aVR"]]), ("I", "-aVR"))
    assert names == LIMB_LEADS
    np.testing.assert_allclose(signal_mv[names.index("aVF")], truth["aVF"], atol=1e-12)
    assert "turned over" in note
    _, names, note = with_derived_limb_leads(np.ones((2, 4)), ("aVR-", "aVR"))
    assert (names, note) == (("aVR", "-aVR"), "")


@pytest.mark.parametrize("names", [("I", "Lead I"), ()])
def test_leads_that_cannot_be_told_apart_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(RecordingError, match="told apart"):
        with_derived_limb_leads(np.zeros((len(names), 3)), names)
