"""The ECG page as a figure: the leads of the screen on white paper, nobody named unless asked for."""

from dataclasses import replace

from napari_latent_explorer._qt.ecg_plot import QtEcgPlot
from napari_latent_explorer._qt.figure import Figure, recorded
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.provenance import without_names

SIZE_PX = (900, 420)


def ecg_figure(explorer: Explorer, plot: QtEcgPlot, has_ids: bool, private: tuple[str, ...] = ()) -> Figure:
    """Make a figure of what an ECG plot shows, without its cursor; on the GUI's thread.

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
    """
    names = (*private, *_names(explorer))
    traces = plot.traces
    if not has_ids:
        traces = tuple(replace(trace, label=without_names(trace.label, explorer.state, names)) for trace in traces)
    copy = QtEcgPlot()
    copy.set_theme(LIGHT)
    copy.resize(*SIZE_PX)
    copy.set_traces(traces)
    paint = recorded(copy.render_to)
    copy.deleteLater()
    return Figure(
        "ecg", "Electrocardiogram, 25 mm/s, 10 mm/mV", SIZE_PX, paint, {"Shows": "; ".join(t.label for t in traces)}
    )


def _names(explorer: Explorer) -> tuple[str, ...]:
    """Names that labels of the session may hold: of participants, and of the recording that the probe began at."""
    chosen = [group.representative for group in explorer.groups]
    known = [one.participant_id for one in chosen if one is not None] + [explorer.current_participant]
    origin, _, modality = explorer.probe.label.rpartition(", ")
    is_recording = modality.lower() in explorer.latents and not origin.startswith("mean of ")
    return tuple(name for name in (*known, origin if is_recording else None) if name)
