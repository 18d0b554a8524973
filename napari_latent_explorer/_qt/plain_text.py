"""Text of other people where Qt would take it for markup."""

from html import escape


def as_plain(text: str) -> str:
    """Write text so that a tooltip shows it as it is, and wraps it."""
    return f"<div style='white-space: pre-wrap;'>{escape(text)}</div>"
