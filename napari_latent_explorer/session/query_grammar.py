"""The parser of sentences: tokens to a tree, and what to do where they do not fit.

The hard idea: a sentence that is still being written never fits. The first token that cannot stand where it stands is
taken for an unknown word, which may stand anywhere, and all is parsed again, so that one mistake costs one underline
and not the sentence. As each round makes one more token unknown, and few rounds are allowed, it always ends.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_latent_explorer.session.query_token import QueryToken

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

MAX_MISFITS: Final = 12

_CLOSERS: Final = {"$END", "COMMA", "COMMA_OR", "RPAR"}


@cache
def _parser() -> "Lark":
    from lark import Lark
    from lark.lexer import Lexer

    class GivenTokens(Lexer):
        """The tokens are made already."""

        def __init__(self, lexer_conf: Any) -> None:
            del lexer_conf

        def lex(self, lexer_state: Any, parser_state: Any) -> Iterator["Token"]:
            del lexer_state, parser_state
            return iter(())

    grammar = Path(__file__).with_name("query_grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=GivenTokens, maybe_placeholders=False)


def parse(tokens: Sequence[QueryToken]) -> "tuple[Tree[Token] | None, frozenset[int]]":
    """Parse the tokens; each leaf of the tree is the number of a token, as text.

    Returns
    -------
    tree
        None when too much does not fit.
    misfits
        Numbers of the tokens that had to be taken for unknown.
    """
    misfits: set[int] = set()
    while len(misfits) <= MAX_MISFITS:
        parsed = _parse_once(tokens, misfits)
        if not isinstance(parsed, int):
            return parsed, frozenset(misfits)
        while parsed in misfits or (parsed >= 0 and tokens[parsed].kind == "UNKNOWN"):
            parsed -= 1
        if parsed < 0:
            break
        misfits.add(parsed)
    return None, frozenset(misfits)


def _parse_once(tokens: Sequence[QueryToken], misfits: set[int]) -> "Tree[Token] | int":
    """Return the tree, or the number of the token that does not fit."""
    from lark import Token
    from lark.exceptions import UnexpectedToken

    state = _parser().parse_interactive("")
    number = -1
    try:
        for number, token in enumerate(tokens):
            state.feed_token(Token("UNKNOWN" if number in misfits else token.kind, str(number)))
        number += 1
        tree: Tree[Token] = state.feed_eof()  # type: ignore[no-untyped-call]
        return tree
    except UnexpectedToken as misfit:
        return number - 1 if misfit.token.type in _CLOSERS | {"UNKNOWN"} else number
