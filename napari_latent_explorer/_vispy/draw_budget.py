"""How many discs a card draws between two frames, measured on the card itself.

The hard idea: a driver returns before anything is drawn. Only when pixels are read back is the drawing over, and the
reading takes time of its own. So the time of some discs is that of a picture with them less that of one without.
"""

from collections.abc import Callable
from typing import Final

FEWEST_POINTS: Final = 60_000
"""Drawn as discs on any card: two processor cores without a card draw them in 40 ms."""
MOST_POINTS: Final = 250_000
"""Drawn as discs on the fastest card: more lie on top of each other on any screen, and a density image tells more."""
N_TRIED: Final = 5_000
N_TRIES: Final = 3
SECONDS_PER_FRAME: Final = 0.012


def discs_per_frame(seconds_to_draw: Callable[[int], float]) -> int:
    """Measure how many discs can be drawn between two frames.

    Parameters
    ----------
    seconds_to_draw
        Draws so many discs, and says how long it took.
    """
    with_discs, without = (min(seconds_to_draw(number) for _ in range(N_TRIES)) for number in (N_TRIED, 0))
    seconds_per_disc = max(with_discs - without, 1e-9) / N_TRIED
    return int(min(max(SECONDS_PER_FRAME / seconds_per_disc, FEWEST_POINTS), MOST_POINTS))
