"""Peak memory of steps of training, and of encoding a study, each in a process of its own.

As a script, ``python memory_peaks.py KIND FOLDER``, it does the one and prints what it took as JSON. The peak is what
Linux calls VmHWM, with the pages of mapped files that were looked at; the second figure is that after the imports.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

N_STEPS = 4
SIZE = 32


def measured(kind: str, folder: Path) -> dict[str, int]:
    """Peaks in MB of a fresh process that trains on, or encodes, what lies in `folder`."""
    places = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-P", __file__, kind, str(folder)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": places}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peaks: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return peaks


def peak_mb() -> int:
    """Most memory that this process has had in RAM at once."""
    return _status_mb("VmHWM")


def now_mb() -> int:
    """Memory that this process has in RAM."""
    return _status_mb("VmRSS")


def _status_mb(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6)


def train(folder: Path) -> int:
    """Some steps of the cross-modal stage on mapped inputs; returns the peak before the first."""
    import numpy as np
    from test_training import N_PEOPLE, make_training_step, people_of

    from napari_latent_explorer.modeling.dataset import load_model_inputs

    step: Any = make_training_step(load_model_inputs(folder, people_of(N_PEOPLE)), folder)
    before = peak_mb()
    order = np.random.default_rng(1).permutation(N_PEOPLE)
    for start in range(0, N_STEPS * SIZE, SIZE):
        step(order[start : start + SIZE])
    return before


def encode(folder: Path) -> int:
    """Encode the cines of a study; returns the peak before that."""
    from test_encoding import make_bundle

    from napari_latent_explorer.data.progress import finish
    from napari_latent_explorer.modeling.encoding import encode_study
    from napari_latent_explorer.modeling.recordings import open_study

    bundle, study = make_bundle("compact"), open_study(folder)
    before = peak_mb()
    finish(encode_study(study, bundle, "mri", SIZE))
    return before


if __name__ == "__main__":
    loaded = {"train": train, "encode": encode}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"peak_mb": peak_mb(), "loaded_mb": loaded, "increment_mb": peak_mb() - loaded}))
