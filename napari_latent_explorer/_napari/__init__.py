"""The only importer of napari."""
