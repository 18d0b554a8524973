"""Building a study in UK Biobank's layout, against what pydicom alone needs to decode the same files.

Both use the same number of processes and are measured one after the other in one run. How many people:
``LATENT_EXPLORER_BUILD_PEOPLE`` (2,000 take a quarter of an hour and 8 GB, mostly for writing the files); where they
are kept for another run: ``LATENT_EXPLORER_BUILD_FOLDER``.
"""

import os
import resource
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pydicom
import pytest
from ukb_writer import cine_of, ecg_of, people, write_person, write_table

from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.worker_pool import default_workers
from napari_latent_explorer.simulation.factors import ParticipantFactors

pytestmark = [pytest.mark.benchmark, pytest.mark.skipif(os.name == "nt", reason="processor times are POSIX")]

N_PEOPLE = int(os.environ.get("LATENT_EXPLORER_BUILD_PEOPLE", "24"))
N_WORKERS = min(default_workers(), 4)
MAX_RATIO = 2.0
"""Processor time of the build over that of bare decoding, from 500 people on: before, starting counts most."""
MAX_TREE_BYTES = 2 << 30


def decode_all(archive: Path) -> int:
    """Decode every image of an archive with pydicom, and do nothing else."""
    n_images = 0
    with zipfile.ZipFile(archive) as members:
        for name in members.namelist():
            if name.endswith(".dcm"):
                pydicom.dcmread(BytesIO(members.read(name))).pixel_array.sum()
                n_images += 1
    return n_images


def differing(study: Path, some: Sequence[ParticipantFactors]) -> list[str]:
    """Who of some people came back with other pixels or voltages."""
    built = Study.open(study)
    return [
        one.participant_id
        for one in some
        if not np.array_equal(built.cine(one.participant_id).frames, cine_of(one).frames)
        or not np.array_equal(built.ecg(one.participant_id).signal_mv, ecg_of(one).signal_mv)
    ]


def in_processes(work: Callable[..., object], *items: Sequence[object]) -> tuple[list[object], float, float]:
    """Results of `work`, the seconds that passed, and the seconds of processor time that it took."""
    start_s, start_cpu_s = time.monotonic(), children_s()
    with ProcessPoolExecutor(N_WORKERS, get_context("spawn")) as pool:
        results = list(pool.map(work, *items, chunksize=4))
    return results, time.monotonic() - start_s, children_s() - start_cpu_s


def children_s() -> float:
    """Processor time of all processes that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class PeakMemory(threading.Thread):
    """Looks at a process and those that it started until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.tree_bytes = self.process_bytes = 0
        self._pid = pid

    def run(self) -> None:
        while True:
            try:
                process = psutil.Process(self._pid)
                sizes = [one.memory_info().rss for one in (process, *process.children(recursive=True))]
            except psutil.Error:
                if not psutil.pid_exists(self._pid):
                    return
                continue
            self.tree_bytes, self.process_bytes = max(self.tree_bytes, sum(sizes)), max(self.process_bytes, *sizes)
            time.sleep(0.02)


def test_a_biobank_is_built_about_as_fast_as_its_files_decode(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    some = people(N_PEOPLE)
    root = Path(os.environ.get("LATENT_EXPLORER_BUILD_FOLDER", tmp_path))
    bulk = root / f"bulk{N_PEOPLE}"
    if not bulk.exists():
        unfinished = root / "unfinished"
        unfinished.mkdir(parents=True)
        in_processes(partial(write_person, unfinished), some)
        unfinished.rename(bulk)
    table = write_table(root / f"people{N_PEOPLE}.csv", some)
    archives = sorted(bulk.glob("*.zip"))
    counts, bare_s, bare_cpu_s = in_processes(decode_all, archives)
    command = ["study", "create", tmp_path / "study", "--table", table, "--cine", bulk, "--ecg", bulk]
    # some simulated hearts lie as no real one does, so their planes are told by name
    command += ["--series", "CINE_segmented_LAX_4Ch", "--plane", "la_4ch", "--workers", N_WORKERS]
    start_s, start_cpu_s = time.monotonic(), children_s()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "napari_latent_explorer", *map(str, command)], stdout=subprocess.PIPE, env=environment
    ) as process:
        memory = PeakMemory(process.pid)
        memory.start()
        process.communicate()
    build_s, build_cpu_s = time.monotonic() - start_s, children_s() - start_cpu_s
    assert process.returncode == 0
    memory.join(5)
    figures = {
        "participants": N_PEOPLE,
        "processes": N_WORKERS,
        "images": sum(map(int, counts)),  # type: ignore[call-overload]
        "participants_per_s": round(N_PEOPLE / build_s, 2),
        "bare_participants_per_s": round(N_PEOPLE / bare_s, 2),
        "build_ms_of_processor": round(1000 * build_cpu_s / N_PEOPLE, 1),
        "bare_ms_of_processor": round(1000 * bare_cpu_s / N_PEOPLE, 1),
        "ratio_of_processor_time": round(build_cpu_s / bare_cpu_s, 2),
        "peak_tree_mb": round(memory.tree_bytes / 1e6),
        "peak_process_mb": round(memory.process_bytes / 1e6),
    }
    for name, value in figures.items():
        record_property(name, value)
        print(f"\n{name}: {value}", end="")
    print()
    parts = [some[start::N_WORKERS] for start in range(N_WORKERS)]
    wrong, _, _ = in_processes(partial(differing, tmp_path / "study"), parts)
    assert wrong == [[]] * N_WORKERS
    assert memory.tree_bytes < MAX_TREE_BYTES
    if N_PEOPLE >= 500:
        assert figures["ratio_of_processor_time"] < MAX_RATIO
