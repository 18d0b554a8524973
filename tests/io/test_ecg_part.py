from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_part import EcgPart, onset_within, read_part, refuse_many_leads, stack_leads
from napari_latent_explorer.io.reading import ANY, EcgKind, ReadOptions

EIGHT = ("I", "II", *LEAD_NAMES[6:])


def part(kind: EcgKind, names: tuple[str, ...] = EIGHT, n_samples: int = 500, rate_hz: float = 500.0) -> EcgPart:
    signal_mv = np.random.default_rng(len(names)).normal(size=(len(names), n_samples))
    return EcgPart(kind, names, signal_mv, rate_hz, notes=(f"Of {n_samples} samples.",))


@pytest.mark.parametrize(
    ("parts", "wish", "kind"),
    [
        ((part("rhythm"), part("median")), None, "median"),
        ((part("rhythm"), part("median", EIGHT[:-1])), None, "rhythm"),
        ((part("rhythm"), part("median", ("-aVR", "III", *EIGHT[2:]))), None, "median"),
        ((part("rhythm"), part("median", EIGHT[:-1])), "median", "median"),
        ((part("rhythm"), part("median")), "rhythm", "rhythm"),
        ((part("median", EIGHT[:-1]),), None, "median"),
        ((part("rhythm", ("I",)),), None, "rhythm"),
    ],
)
def test_the_median_is_read_if_it_has_twelve_leads(
    parts: tuple[EcgPart, ...], wish: EcgKind | None, kind: EcgKind
) -> None:
    assert read_part(parts, Path("x.xml"), ReadOptions(ecg_kind=wish)).recording.kind == kind


def test_of_several_strips_the_one_with_most_leads_is_read_then_the_longest_then_the_first() -> None:
    strips = [
        part("rhythm", EIGHT[:3], 9000),
        part("rhythm"),
        part("rhythm", n_samples=900),
        part("rhythm", n_samples=900),
    ]
    reading = read_part(strips, Path("x.xml"), ANY)
    assert reading.recording.signal_mv.shape == (12, 900)
    assert {"Of 900 samples.", "The file holds 4 rhythm strips; one of them is read."} <= set(reading.notes)
    assert [(outcome.file, outcome.is_used) for outcome in reading.outcomes] == [("x.xml", True)]


def test_leads_that_are_not_there_are_named() -> None:
    notes = read_part([part("rhythm", ("I", "V1"))], Path("x.xml"), ANY).notes
    assert "The file lacks lead II, III, aVR, aVL, aVF, V2, V3, V4, V5, V6." in notes


@pytest.mark.parametrize("rate_hz", [0.0, -500.0, 5.0, 1e6, float("inf")])
def test_an_impossible_rate_is_refused(rate_hz: float) -> None:
    with pytest.raises(RecordingError, match=r"x\.xml states .* samples per second"):
        read_part([part("rhythm", rate_hz=rate_hz)], Path("x.xml"), ANY)


def test_nothing_and_the_wrong_kind_are_refused() -> None:
    with pytest.raises(RecordingError, match=r"x\.xml holds no waveform"):
        read_part([], Path("x.xml"), ANY)
    with pytest.raises(RecordingError, match=r"x\.xml holds a rhythm strip, not a median beat"):
        read_part([part("rhythm")], Path("x.xml"), ReadOptions(ecg_kind="median"))


def test_what_no_ecg_holds_is_refused_before_it_is_made() -> None:
    made = []

    def endless() -> Iterator[EcgPart]:
        while True:
            made.append(1)
            yield part("rhythm", ("I",), 2)

    with pytest.raises(RecordingError, match=r"x\.xml holds more than 200 waveforms"):
        read_part(endless(), Path("x.xml"), ANY)
    assert len(made) == 201
    refuse_many_leads(256, Path("x.xml"))
    with pytest.raises(RecordingError, match=r"x\.xml holds 257 leads"):
        refuse_many_leads(257, Path("x.xml"))


def test_leads_of_different_length_are_not_stacked() -> None:
    with pytest.raises(RecordingError, match="samples: I 3, II 4"):
        stack_leads([np.zeros(3), np.zeros(4)], ["I", "II"], Path("x.xml"))
    assert stack_leads([np.zeros(3), np.ones(3)], ["I", "II"], Path("x.xml")).shape == (2, 3)


@pytest.mark.parametrize(
    ("onset_ms", "n_samples", "rate_hz", "accepted"),
    [
        (435.0, 600, 500.0, 435.0),
        (1200.0, 600, 500.0, None),
        (0.0, 600, 500.0, None),
        (None, 600, 500.0, None),
        (5.0, 9, 0.0, None),
    ],
)
def test_an_onset_lies_in_its_beat(
    onset_ms: float | None, n_samples: int, rate_hz: float, accepted: float | None
) -> None:
    assert onset_within(onset_ms, n_samples, rate_hz) == accepted
