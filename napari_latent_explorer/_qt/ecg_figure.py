"""The ECG as it leaves the window: as a figure at the size of clinical paper, or as a table; nobody named unasked.

Printed at its own size, a figure's millimetre is a millimetre, so that a ruler laid on it reads what it says.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_latent_explorer._qt.ecg_interval_table import HEADS, UNITS, IntervalRow, cells
from napari_latent_explorer._qt.ecg_layout import AUTOMATIC, BOTTOM_PX, LAYOUTS, SIDE_PX, TOP_PX, needed_mm
from napari_latent_explorer._qt.ecg_marks import WAVES_PX
from napari_latent_explorer._qt.ecg_plot import EcgTrace, QtEcgPlot
from napari_latent_explorer._qt.figure import Figure, recorded
from napari_latent_explorer._qt.figure_files import PX_PER_INCH
from napari_latent_explorer._qt.rhythm_plot import QtRhythmPage
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.provenance import without_names

PX_PER_MM = PX_PER_INCH / 25.4
LEAST_WIDTH_PX = 640
"""The legend needs it."""
PRINTED = "3 x 4"
"""Layout of a figure where the room on the screen chooses that of the screen."""


def ecg_figure(
    explorer: Explorer,
    plot: QtEcgPlot,
    has_ids: bool,
    private: tuple[str, ...] = (),
    intervals: Sequence[IntervalRow] = (),
) -> Figure:
    """Make a figure of the beats that an ECG plot shows, without its cursor; on the GUI's thread.

    Parameters
    ----------
    explorer
        The session.
    plot
        On the screen.
    has_ids
        Whether participants and files keep their names.
    private
        Names besides participants' ids that are left out, such as that of a file.
    intervals
        Told in the figure's metadata.
    """
    traces = named(explorer, plot.traces, has_ids, private)
    layout = PRINTED if plot.lead_layout == AUTOMATIC else plot.lead_layout
    copy = QtEcgPlot()
    copy.set_view(layout, plot.scale)
    copy.set_traces(traces)
    copy.set_marks(plot.waves, plot.difference)
    width_mm, height_mm = needed_mm(LAYOUTS[layout], copy.extent_mv, plot.scale)
    waves_px = WAVES_PX if plot.waves is not None else 0
    width_px = max(LEAST_WIDTH_PX, round(width_mm * PX_PER_MM) + SIDE_PX + 4)
    size_px = (width_px, round(height_mm * PX_PER_MM) + TOP_PX + BOTTOM_PX + waves_px)
    facts = {"Shows": "; ".join(trace.label for trace in traces)}
    facts |= interval_facts(explorer, intervals, has_ids, private)
    return _printed(copy, "ecg", f"Electrocardiogram, {plot.scale}", size_px, facts)


def strip_figure(explorer: Explorer, page: QtRhythmPage, has_ids: bool, private: tuple[str, ...] = ()) -> Figure:
    """Make a figure of the page of a rhythm strip that is on the screen; otherwise as `ecg_figure`."""
    copy = QtRhythmPage()
    label = named_text(explorer, page.label, has_ids, private)
    copy.show_same(page, label)
    width_mm, height_mm = copy.needed_mm()
    size_px = (round(width_mm * PX_PER_MM) + 2 * SIDE_PX, round(height_mm * PX_PER_MM) + TOP_PX + BOTTOM_PX)
    return _printed(copy, "ecg_strip", f"Rhythm strip, {page.scale}", size_px, {"Shows": label})


def ecgs_of(traces: Sequence[EcgTrace]) -> tuple[ECG, ...]:
    """Return the beats that are drawn as ECGs with the leads that there are, each called by its label."""
    beats = []
    for trace in reversed(traces):
        names = [name for name, lead in zip(LEAD_NAMES, trace.signal_mv, strict=True) if not np.isnan(lead).any()]
        signal_mv = trace.signal_mv[[LEAD_NAMES.index(name) for name in names]]
        beats.append(ECG(signal_mv, tuple(names), trace.sampling_rate_hz, "median", trace.qrs_onset_ms, trace.label))
    return tuple(beats)


def interval_facts(
    explorer: Explorer, rows: Sequence[IntervalRow], has_ids: bool, private: tuple[str, ...] = ()
) -> dict[str, str]:
    """Say the intervals in words, and by which heart rate QT was corrected."""
    said = []
    for row in rows:
        numbers = ", ".join(f"{head} {cell}" for head, cell in zip(HEADS, cells(row), strict=True))
        said.append(f"{named_text(explorer, row.label, has_ids, private)}: {numbers} (HR {row.rate_source})")
    return {f"Intervals ({UNITS})": "; ".join(said)} if said else {}


def named(
    explorer: Explorer, traces: Sequence[EcgTrace], has_ids: bool, private: tuple[str, ...] = ()
) -> tuple[EcgTrace, ...]:
    """Return the traces as they may be called outside the window."""
    return tuple(replace(trace, label=named_text(explorer, trace.label, has_ids, private)) for trace in traces)


def named_text(explorer: Explorer, text: str, has_ids: bool, private: tuple[str, ...] = ()) -> str:
    """Return a label as it may be said outside the window: without ids of participants unless `has_ids`."""
    return text if has_ids else without_names(text, explorer.state, (*private, *_names(explorer)))


def _printed(
    copy: QtEcgPlot | QtRhythmPage, name: str, title: str, size_px: tuple[int, int], facts: dict[str, str]
) -> Figure:
    copy.set_theme(LIGHT)
    copy.resize(*size_px)
    paint = recorded(copy.render_to)
    copy.deleteLater()
    return Figure(name, title, size_px, paint, facts)


def _names(explorer: Explorer) -> tuple[str, ...]:
    """Names that labels of the session may hold: of participants, and of the recording that the probe began at."""
    chosen = [group.representative for group in explorer.groups]
    known = [one.participant_id for one in chosen if one is not None] + [explorer.current_participant]
    origin, _, modality = explorer.probe.label.rpartition(", ")
    is_recording = modality.lower() in explorer.latents and not origin.startswith("mean of ")
    return tuple(name for name in (*known, origin if is_recording else None) if name)
