"""`python -m napari_latent_explorer` is the command line `napari-latent-explorer`."""

from napari_latent_explorer._cli.app import main

if __name__ == "__main__":
    main()
