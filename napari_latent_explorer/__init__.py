"""Explore the shared latent space of cardiac MRI and ECG in napari."""

__version__ = "0.1.0"
