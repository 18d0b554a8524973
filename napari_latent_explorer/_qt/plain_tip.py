"""Tool tips of names that somebody else gave: Qt takes a tip that looks like markup for markup."""

from html import escape


def plain_tip(text: str) -> str:
    """Return a tool tip that shows the text as it is, line by line."""
    return f"<span>{escape(text)}</span>".replace("\n", "<br>") if "<" in text or "&" in text else text
