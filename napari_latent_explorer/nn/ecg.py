"""ECG networks: presets of widths for twelve leads of one median beat."""

from napari_latent_explorer.nn.coder import CoderConfig

N_LEADS = 12
N_SAMPLES = 600

PUBLISHED_ECG = CoderConfig(
    n_channels=N_LEADS, space=(N_SAMPLES,), kernel=71, stem=23, encoder_blocks=(46,), decoder_blocks=(46,),
    block_size=5, activation="mish", pooling="max",
)  # fmt: skip
"""5,469,501 parameters in the encoder and 5,800,934 in the decoder with 256 latents."""

COMPACT_ECG = CoderConfig(
    n_channels=N_LEADS, space=(N_SAMPLES,), kernel=31, stem=12, encoder_blocks=(20,), decoder_blocks=(20,),
    block_size=3, activation="mish", pooling="max",
)  # fmt: skip
"""Kernel of 62 ms instead of 142 ms and half the filters: a thirtieth of the published cost."""
