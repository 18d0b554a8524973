"""The command `napari-latent-explorer`: which subcommands there are.

No command imports Qt, napari or torch before it runs, so that `--help` answers at once.
"""

import typer

from napari_latent_explorer import __version__
from napari_latent_explorer._cli import (
    evaluate,
    inspect,
    model,
    model_exchange,
    study,
    study_create,
    study_exchange,
    study_table,
    viewer,
)
from napari_latent_explorer._cli.errors import Commands

app = typer.Typer(
    cls=Commands,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
study.app.command()(study_create.create)
study.app.command()(study_create.add)
study.app.command()(study_table.table)
study.app.add_typer(study_exchange.app, name="export")
study.app.command()(study_exchange.import_latents)
app.add_typer(study.app, name="study")
app.command()(inspect.inspect)
app.command()(viewer.demo)
app.command()(viewer.tour)
app.command()(model.train)
app.command()(model_exchange.import_dropfuse)
app.command()(model_exchange.export_onnx)
app.command()(model.encode)
app.command()(model.project)
app.command()(evaluate.evaluate)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Say which version."),
) -> None:
    """Explore the shared latent space of cardiac MRI and ECG. Not for clinical use.

    In order: study simulate or study create, train, encode, project, evaluate, tour.
    """


def main() -> None:
    """Run the command line."""
    app(prog_name="napari-latent-explorer")
