"""Texts that come from a study, a table or a file's name, as they may be printed."""

from rich.markup import escape

from napari_latent_explorer.errors import shown_text


def plain(text: str) -> str:
    """Text of a file, which acts neither on rich nor on the terminal."""
    return escape(shown_text(text))
