"""One chart of the cohort as a figure: the bars of the screen on white paper, with title, counts and filter."""

from napari_latent_explorer._qt.figure import (
    CAPTION_PX,
    MARGIN_PX,
    TITLE_PX,
    Figure,
    in_order,
    moved,
    recorded_widget,
    words,
)
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.phenotype_card import QtPhenotypeCard
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.explorer import Explorer

WIDTH_PX = 420


def chart_figure(explorer: Explorer, spec: PhenotypeSpec, is_log: bool = False) -> Figure:
    """Make a figure of a phenotype's chart as the session has it now; on the GUI's thread.

    Parameters
    ----------
    explorer
        The session.
    spec
        The phenotype.
    is_log
        Whether bars are as high as the logarithm of their counts.
    """
    state = explorer.view_state
    filters = {chosen.key: chosen for chosen in explorer.filters}
    card = QtPhenotypeCard(spec)
    card.set_theme(LIGHT)
    card.chart.set_log(is_log)
    legend = state.legend if explorer.color_by == spec.name else None
    card.set_counts(state.bars[spec.name], filters.get(spec.name), legend)
    height = card.chart.sizeHint().height()
    card.chart.setParent(None)
    card.chart.resize(WIDTH_PX, height)
    drawn = recorded_widget(card.chart)
    for widget in (card.chart, card):
        widget.deleteLater()
    top = MARGIN_PX + TITLE_PX
    bottom = top + height + CAPTION_PX
    caption = f"{format_count(state.n_visible)} of {format_count(state.n_total)} participants"
    if is_log:
        caption += "; bars by the logarithm of counts"
    paint = in_order(
        words(spec.title, MARGIN_PX, top - 10, is_bold=True),
        moved(drawn, MARGIN_PX, top),
        words(caption, MARGIN_PX, bottom, color=LIGHT.color("muted")),
    )
    size = WIDTH_PX + 2 * MARGIN_PX, bottom + MARGIN_PX
    return Figure(f"chart_{spec.name}", spec.title, size, paint, {"Shows": caption})
