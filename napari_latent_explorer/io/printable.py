"""Names of files and other foreign text, made fit to be shown.

A file's name may be any bytes: ones that are no UTF-8 break tables and terminals, control characters fool the reader
of a message.
"""


def printable(text: str) -> str:
    r"""Return text with everything unprintable escaped (``\n``, ``\x1b``; ``\xff`` for a byte that was no UTF-8)."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
