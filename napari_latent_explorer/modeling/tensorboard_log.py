"""Numbers of each epoch as logs that TensorBoard shows; an optional extra, imported only when asked for.

The same numbers stand in ``training_curve.csv``, which needs nothing to be read.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from napari_latent_explorer.errors import TrainingError


def check_tensorboard() -> None:
    """Refuse early what could not be written later.

    Raises
    ------
    TrainingError
        When TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise TrainingError(
            "Logs for TensorBoard were asked for, but it is not installed. Install it with `pip install "
            "napari-latent-explorer[tensorboard]`, or train without; the same numbers stand in training_curve.csv."
        )


@contextmanager
def tensorboard_log(folder: Path, n_epochs_before: int) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Give a function that logs one epoch's numbers by name, ``epoch`` being the step.

    Parameters
    ----------
    folder
        Of this run; TensorBoard shows each folder as a curve of its own.
    n_epochs_before
        Epochs that count; what an interrupted run logged after them is not shown.
    """
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder), purge_step=n_epochs_before + 1)

    def log(row: Mapping[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name.replace("_", "/", 1), value, int(row["epoch"]))
        writer.flush()

    try:
        yield log
    finally:
        writer.close()
