"""What napari hands to a reader file by file, gathered again to what the user dropped.

Of many files dropped at once napari opens one after the other, and lets events through in between. Whatever comes
before a short silence belongs together, and is opened by one job.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QTimer

SILENCE_MS = 100


class Inbox(QObject):
    """Gathers paths.

    Parameters
    ----------
    open_all
        Called with all paths of a drop, each once, on the GUI's thread.
    """

    def __init__(self, open_all: Callable[[Sequence[Path]], object]) -> None:
        super().__init__()
        self._open_all = open_all
        self._paths: dict[Path, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SILENCE_MS)
        self._timer.timeout.connect(self._on_silence)

    def put(self, paths: Sequence[str | Path]) -> None:
        """Add paths to the drop that is under way, or begin one."""
        self._paths.update(dict.fromkeys(Path(path) for path in paths))
        self._timer.start()

    def close(self) -> None:
        """Open nothing any more."""
        self._timer.stop()

    def _on_silence(self) -> None:
        paths, self._paths = tuple(self._paths), {}
        self._open_all(paths)
