"""Long work that runs now: what it does, how far it is, and a button that stops it."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.jobs import Job, Jobs


class QtJobStrip(QWidget):
    """One line for the job that began last; there only while something runs.

    Parameters
    ----------
    jobs
        The jobs of an explorer.
    parent
        Qt parent.
    names
        Of the jobs that are shown; all if empty.
    """

    def __init__(self, jobs: Jobs, parent: QWidget | None = None, names: Sequence[str] = ()) -> None:
        super().__init__(parent)
        self._jobs, self._names = jobs, frozenset(names)
        self._job: Job[Any] | None = None
        self._label = QLabel(self)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(90, 8)
        self._cancel = QToolButton(self)
        self._cancel.setText("Cancel")
        self._cancel.setStyleSheet("QToolButton { padding: 1px 6px; }")
        self._cancel.clicked.connect(self._on_cancel_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._bar)
        layout.addWidget(self._cancel)
        listen(self, jobs.started, self._on_jobs_started)
        listen(self, jobs.ended, self._on_jobs_ended)
        self._show_newest()

    def _show_newest(self) -> None:
        running = [job for job in self._jobs.running if not self._names or job.name in self._names]
        self._show_job(running[-1] if running else None)

    def _show_job(self, job: Job[Any] | None) -> None:
        if self._job is not None:
            self._job.progressed.disconnect(self._on_job_progressed, missing_ok=True)
        self._job = job
        self.setVisible(job is not None)
        if job is not None:
            self._label.setText(job.name)
            self._label.setToolTip(job.name)
            self._cancel.setAccessibleName(f"Cancel: {job.name}")
            self._bar.setRange(0, 0)
            listen(self, job.progressed, self._on_job_progressed)

    def _on_jobs_started(self, job: Job[Any]) -> None:
        if not self._names or job.name in self._names:
            self._show_job(job)

    def _on_jobs_ended(self, job: Job[Any]) -> None:
        self._show_newest()

    def _on_job_progressed(self, progress: Progress) -> None:
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        if self._job is not None:
            self._label.setText(progress.message or self._job.name)
            self._label.setToolTip(f"{self._job.name}: {progress.message}")

    def _on_cancel_clicked(self) -> None:
        if self._job is not None:
            self._job.cancel()
