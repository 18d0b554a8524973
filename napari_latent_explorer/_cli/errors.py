"""What a user sees when something is wrong: one message that says what to do, and no traceback.

The whole command line runs inside `Commands`, so that no command has to catch anything itself. A fault of the program
itself still shows its traceback.
"""

import errno
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from napari_latent_explorer._cli.progress import console
from napari_latent_explorer.errors import LatentExplorerError

WRONG_INPUT = 2
"""Exit status when the input, not the program, is at fault."""


class Commands(TyperGroup):
    """A group of commands that turns errors of the input into messages."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except LatentExplorerError as error:
            raise _exit_with(str(error)) from None
        except OSError as error:
            raise _exit_with(_message(error)) from None


def _exit_with(message: str) -> typer.Exit:
    console.print(f"[bold red]Error:[/bold red] {escape(message)}", highlight=False, soft_wrap=True)
    return typer.Exit(WRONG_INPUT)


def _message(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"There is no space left on the disk{where}. Free some or choose another folder, then try again."
    return f"{error.strerror or error}{where}."
