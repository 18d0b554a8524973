"""ECGs in the WFDB format of PhysioNet: a ``.hea`` header over ``.dat`` or ``.mat`` samples.

| what | how |
|---|---|
| leads | any spelling (``avr``, ``AVR``, ``LEAD II``) becomes the standard one; Frank's ``vx vy vz`` become X, Y, Z |
| units | mV, uV, nV or V in any spelling, converted to mV; channels without a voltage (pressure, breath) are left out |
| gaps | samples marked invalid are bridged by straight lines, up to 5 % of a lead; more is refused |

A header is text that anyone may have written: file names in it that leave its folder are refused, and so are sizes that
its files cannot hold.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError

_MV_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "nv": 1e-6, "v": 1e3}
_LEAD_SPELLINGS = {name.lower(): name for name in LEAD_NAMES} | {"vx": "X", "vy": "Y", "vz": "Z"}
_MAX_MISSING_FRACTION = 0.05
_MAX_SAMPLES = 200_000_000
_MAX_HEADER_BYTES = 1_000_000


def read_ecg_wfdb(path: str | Path) -> ECG:
    """Read one rhythm ECG.

    Parameters
    ----------
    path
        The header, one of its sample files, their common name without suffix, or a folder that holds one header.

    Raises
    ------
    RecordingError
        When a file is missing or damaged, no channel is a voltage, or a lead has too many invalid samples.
    """
    header_path = header_of(Path(path))
    header = _read_header(header_path)
    record = _read_samples(header_path)
    signal = np.asarray(record.p_signal, dtype=np.float64)
    if signal.ndim != 2 or len(signal) != header.sig_len:
        raise RecordingError(
            f"{header_path} announces {header.sig_len} samples, its files hold {len(signal)}. Copy the record again."
        )
    units, written_names = ([str(text or "none") for text in texts] for texts in (record.units, record.sig_name))
    scales = {index: _MV_PER_UNIT.get(_plain_unit(unit)) for index, unit in enumerate(units)}
    leads = {index: scale for index, scale in scales.items() if scale is not None}
    if not leads:
        raise RecordingError(
            f"No channel of {header_path} is a voltage; its units are {', '.join(units)}, expected mV, uV or V."
        )
    names = tuple(canonical_lead(written_names[index]) for index in leads)
    signal_mv = np.stack([signal[:, index] * scale for index, scale in leads.items()])
    bridged = np.stack([_bridge(lead, name, header_path) for lead, name in zip(signal_mv, names, strict=True)])
    return ECG(bridged.astype(np.float32), names, float(record.fs), "rhythm", source=str(header_path))


def header_of(path: Path) -> Path:
    """Header that belongs to `path`: itself, the only one in a folder, or the file of the same name with ``.hea``."""
    if path.is_dir():
        headers = sorted(path.glob("*.hea"))
        return headers[0] if len(headers) == 1 else path / "*.hea"
    if path.suffix == ".hea":
        return path
    return path.parent / f"{path.stem if path.is_file() else path.name}.hea"


def canonical_lead(name: str) -> str:
    """Name of a lead in its standard spelling; an unknown one stays as it is."""
    plain = re.sub(r"^lead[\s_-]*", "", name.strip().lower())
    return _LEAD_SPELLINGS.get(plain, name.strip())


def _read_header(path: Path) -> Any:
    import wfdb

    if not path.is_file():
        raise RecordingError(f"There is no WFDB header {path}. Copy it beside the sample files.")
    if path.stat().st_size > _MAX_HEADER_BYTES:
        raise RecordingError(f"{path} is larger than a WFDB header can be ({_MAX_HEADER_BYTES} bytes).")
    try:
        header = wfdb.rdheader(str(path.with_suffix("").absolute()))
        files = {str(name) for name in getattr(header, "file_name", None) or ()}
        n_samples = int(header.sig_len or 0) * int(header.n_sig or 0)
    except Exception as damage:  # wfdb raises many kinds for a text that is no header
        raise RecordingError(f"{path} is not a WFDB header: {damage}. Choose another file.") from damage
    if not files or n_samples <= 0:
        raise RecordingError(f"{path} describes no samples in one piece (multi-segment records are not read).")
    if n_samples > _MAX_SAMPLES:
        raise RecordingError(f"{path} announces {n_samples} samples; at most {_MAX_SAMPLES} are read. Cut out a strip.")
    _refuse_bad_files(path, files)
    return header


def _refuse_bad_files(header_path: Path, files: set[str]) -> None:
    outside = sorted(name for name in files if Path(name).name != name or "\\" in name or ":" in name)
    if outside:
        raise RecordingError(f"{header_path} names files outside its folder: {outside}. It is not safe to read.")
    missing = sorted(name for name in files if not (header_path.parent / name).is_file())
    if missing:
        raise RecordingError(f"{', '.join(missing)} is missing beside {header_path}. Copy all files of the record.")
    empty = sorted(name for name in files if (header_path.parent / name).stat().st_size == 0)
    if empty:
        raise RecordingError(f"{', '.join(empty)} beside {header_path} is empty. Copy the record again.")


def _read_samples(header_path: Path) -> Any:
    import wfdb

    try:
        return wfdb.rdrecord(str(header_path.with_suffix("").absolute()))
    except Exception as damage:  # wfdb raises many kinds for files that do not fit their header
        raise RecordingError(
            f"The samples of {header_path} do not fit their header: {damage}. Copy the record again."
        ) from damage


def _plain_unit(unit: str) -> str:
    return unit.strip().lower().replace("µ", "u").replace("μ", "u")


def _bridge(lead_mv: NDArray[np.float64], name: str, path: Path) -> NDArray[np.float64]:
    missing = ~np.isfinite(lead_mv)
    if not missing.any():
        return lead_mv
    if missing.mean() > _MAX_MISSING_FRACTION:
        raise RecordingError(
            f"Lead {name} of {path} has {100 * missing.mean():.0f} % invalid samples; at most "
            f"{100 * _MAX_MISSING_FRACTION:.0f} % are bridged. Use another recording, or cut out a part that is whole."
        )
    samples = np.arange(len(lead_mv))
    return np.interp(samples, samples[~missing], lead_mv[~missing])
