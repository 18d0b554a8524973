"""`inspect`: what recordings are, without making anything of them."""

from pathlib import Path
from typing import Annotated

import typer

from napari_latent_explorer._cli.progress import INTERRUPTED
from napari_latent_explorer.errors import shown_text


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders of recordings.")],
) -> None:
    """Say what each recording under some paths is, or why it is refused, in one line each.

    Of a cine: frames, slices, pixels (mm), times and heart cycle (ms), imaging plane. Of an ECG: kind, leads, samples,
    rate (Hz), range (mV). Nothing is written.
    """
    from napari_latent_explorer.building.inspection import inspect_path

    n_read = n_refused = 0
    try:
        for path in paths:
            for one in inspect_path(path):
                typer.echo(shown_text(f"{one.path}: {one.text}"))
                n_read, n_refused = n_read + one.is_read, n_refused + (not one.is_read)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{n_read} recordings, {n_refused} refused")
