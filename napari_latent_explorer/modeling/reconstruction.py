"""The few validation participants that are shown after each epoch of a training.

The hard idea: looking must change nothing. Networks are in evaluation mode, no gradient is kept and no random number is
drawn, so a run that is watched ends with the same weights, bit for bit, as one that is not.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.modeling.objectives import Recordings
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.training_reports import Reconstructions
from napari_latent_explorer.nn.autoencoder import MODALITIES, CrossModalAutoencoder

N_SHOWN = 4
SHOWN_LEADS = ("II", "V1")
ORIGINAL = "original"


@torch.no_grad()
def reconstruct(
    network: CrossModalAutoencoder,
    inputs: Recordings,
    rows: NDArray[np.intp],
    participant_ids: NDArray[np.str_],
    precision: Precision,
    stage: str,
    epoch: int,
) -> Reconstructions:
    """Decode the recordings in `rows` from the latent of each modality that the network has.

    Cines are shown at end-diastole, their first frame; ECGs in those of `SHOWN_LEADS` that there are.

    Parameters
    ----------
    network
        Left in evaluation mode.
    inputs, rows, participant_ids
        Whose recordings, and the id of each row of the inputs.
    precision
        Device and number format of the run.
    stage, epoch
        For the result.
    """
    network.eval()
    names = [name for name in MODALITIES if name in network.config.coders]
    x = {name: inputs.batch(name, rows) for name in names}
    with precision.autocast():
        z = {name: network.encode(name, x[name].to(precision.device)) for name in names}
        made = {(to, source): network.decode(to, z[source]).float().cpu() for to in names for source in names}
    shown = {to: {ORIGINAL: x[to]} | {source: made[to, source] for source in names} for to in names}
    n_leads = shown["ecg"][ORIGINAL].shape[1] if "ecg" in shown else 0
    leads = tuple(name for name in SHOWN_LEADS if LEAD_NAMES.index(name) < n_leads)
    places = [LEAD_NAMES.index(name) for name in leads]
    return Reconstructions(
        stage,
        epoch,
        tuple(participant_ids[rows].tolist()),
        {source: cine[:, 0].numpy().copy() for source, cine in shown.get("mri", {}).items()},
        {source: ecg[:, places].numpy().copy() for source, ecg in shown.get("ecg", {}).items()},
        leads,
    )
