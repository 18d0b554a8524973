"""The command `napari-latent-explorer`."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Explore the shared latent space of cardiac MRI and ECG."""


def main() -> None:
    """Run the command line."""
    app()
