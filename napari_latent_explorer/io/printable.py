"""Names of files and other foreign text, made fit to be shown.

A file's name may be any bytes: ones that are no UTF-8 break tables and terminals, control characters fool the reader
of a message.
"""

from napari_latent_explorer.errors import escaped


def printable(text: str) -> str:
    r"""Return text with everything unprintable escaped (``\n``, ``\x1b``; ``\xff`` for a byte that was no UTF-8)."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else escaped(sign) for sign in text)
