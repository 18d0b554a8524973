"""What is shown, as files: the beating hearts as a movie, the predictions as a table.

None of them holds a participant's id unless it is in a caption that the user sees.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_latent_explorer.analysis.prediction import PredictionTable

MIN_GIF_FRAME_MS = 20.0
MOVIE_CYCLES = 3


def write_movie(viewer: ViewerModel, folder: Path, time_axis: int, cycle_ms: float) -> list[Path]:
    """Write the canvas over one heart cycle as ``cine.gif``, and over three as ``cine.mp4``, at the heart's own rate.

    Parameters
    ----------
    viewer
        A viewer with a window.
    folder
        Where the files go.
    time_axis
        Axis of the viewer that is time.
    cycle_ms
        Length of the cycle in ms.
    """
    import imageio.v3 as imageio

    frames = _canvas_frames(viewer, time_axis)
    gif, movie = folder / "cine.gif", folder / "cine.mp4"
    frame_ms = cycle_ms / len(frames)
    stride = max(1, int(np.ceil(MIN_GIF_FRAME_MS / frame_ms)))
    imageio.imwrite(gif, frames[::stride], duration=frame_ms * stride, loop=0)
    repeated = np.concatenate([frames] * MOVIE_CYCLES)
    imageio.imwrite(movie, repeated, fps=1000.0 / frame_ms, codec="libx264", macro_block_size=2)
    return [gif, movie]


def _canvas_frames(viewer: ViewerModel, time_axis: int) -> NDArray[np.uint8]:
    """Return the canvas at each step of time, ``(n_frames, n_rows, n_columns, 3)``, of even size as video wants it."""
    before = viewer.dims.current_step
    pictures = []
    for step in range(int(viewer.dims.nsteps[time_axis])):
        viewer.dims.set_current_step(time_axis, step)
        pictures.append(viewer.screenshot(canvas_only=True, flash=False)[..., :3])
    viewer.dims.current_step = before
    frames = np.stack(pictures)
    height, width = (size - size % 2 for size in frames.shape[1:3])
    return frames[:, :height, :width]


def write_predictions(table: PredictionTable, path: Path) -> Path:
    """Write predictions with units, 95 % intervals and held-out scores, one line per input and phenotype."""
    lines = [
        {
            "input": name,
            "phenotype": spec.label or spec.name,
            "quantity": f"probability of {spec.categories[1]}" if spec.kind == "binary" else "value",
            "unit": "" if spec.kind == "binary" else spec.unit,
            "predicted": table.values[row, target],
            "interval_low": table.low[row, target],
            "interval_high": table.high[row, target],
            "held_out_metric": table.scores[row][target].metric,
            "held_out_score": table.scores[row][target].value,
            "score_low": table.scores[row][target].low,
            "score_high": table.scores[row][target].high,
            "n_participants": table.scores[row][target].n_participants,
        }
        for row, name in enumerate(table.rows)
        for target, spec in enumerate(table.targets)
    ]
    pd.DataFrame(lines).to_csv(path, index=False, float_format="%.4g")
    return path
