"""Canvases for point clouds: arrays in, picks out."""
