"""Where the QRS complex begins, from how fast the heart's electrical vector moves.

The spatial velocity is the length of the derivative of all independent leads taken as one vector. It is near zero while
the impulse waits in the AV node and rises steeply when the ventricles are excited, in whatever lead that shows first;
its onset is therefore the earliest one over the leads, as a reader with calipers would take it.

References
----------
Van Bemmel, Kors, van Herpen, "Methodology of the modular ECG analysis system MEANS", Methods Inf Med 29 (1990) 346-353.
"""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError

INDEPENDENT_LEADS = [0, 1, 6, 7, 8, 9, 10, 11]
"""I, II and V1 to V6 among the twelve; III, aVR, aVL and aVF follow from I and II and tell nothing new."""

_DERIVATIVE_MS = 8.0
_THRESHOLD = 0.02
_ABOVE_NOISE = 0.6
_QUIET_MS = 12.0
_LONGEST_RISE_MS = 140.0


def spatial_velocity(leads_mv: NDArray[np.floating], sampling_rate_hz: float) -> NDArray[np.float64]:
    """Length ``(n_samples,)`` of the vector of all leads' derivatives, in mV per ms, over 8 ms.

    Parameters
    ----------
    leads_mv
        ``(12, n_samples)`` in the clinical order; the eight independent ones are used.
    sampling_rate_hz
        Samples per second.
    """
    independent = leads_mv[INDEPENDENT_LEADS].astype(np.float64)
    reach = max(1, round(_DERIVATIVE_MS / 2000.0 * sampling_rate_hz))
    padded = np.pad(independent, ((0, 0), (reach, reach)), mode="edge")
    change = padded[:, 2 * reach :] - padded[:, : -2 * reach]
    return np.asarray(np.linalg.norm(change, axis=0) * sampling_rate_hz / (2000.0 * reach))


def find_qrs_onset(leads_mv: NDArray[np.floating], sampling_rate_hz: float) -> float:
    """Onset of the QRS complex of one beat, in ms after the first sample.

    Going back from the largest spatial velocity, it is where the velocity was last quiet: for 12 ms less than 2 % of
    the largest one, or 60 % of the noise if that is more, above the level of the noise.

    Parameters
    ----------
    leads_mv
        ``(12, n_samples)`` one beat, in the clinical order.
    sampling_rate_hz
        Samples per second.

    Raises
    ------
    RecordingError
        When there is no signal.
    """
    velocity = spatial_velocity(leads_mv, sampling_rate_hz)
    peak = int(velocity.argmax())
    if not velocity[peak] > 0:
        raise RecordingError("This beat has no QRS complex: all its leads are flat. Choose another recording.")
    noise = float(np.median(velocity))
    is_quiet = velocity < noise + max(_THRESHOLD * (velocity[peak] - noise), _ABOVE_NOISE * noise)
    n_quiet = max(1, round(_QUIET_MS / 1000.0 * sampling_rate_hz))
    earliest = max(n_quiet, peak - round(_LONGEST_RISE_MS / 1000.0 * sampling_rate_hz))
    for onset in range(peak, earliest, -1):
        if is_quiet[onset - n_quiet : onset].all():
            return onset * 1000.0 / sampling_rate_hz
    return earliest * 1000.0 / sampling_rate_hz
