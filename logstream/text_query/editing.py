"""Changing the text of `q` by single conditions, as a click on a value does."""

from dataclasses import dataclass

from logstream.text_query.fields import AttributeTest, FieldTest
from logstream.text_query.mistakes import QueryError
from logstream.text_query.parser import Piece, parsed
from logstream.text_query.tree import Node, Not, asks_text_only, opposite_of


@dataclass(frozen=True)
class Term:
    """One of the conditions that must all hold: as it is written, and in words.

    The words: `text timeout`, `text not health`, `status is 503`, `not region is eu`.
    """

    text: str
    words: str


def terms(q: str) -> list[Term]:
    """The terms of `q` in their order; raises QueryError."""
    return [Term(q[piece.start : piece.end], _words(piece.node)) for piece in parsed(q)]


def term_for(key: str, value: str, excluded: bool = False) -> str:
    """One term of `q` that asks for (or rules out) a value, quoted where it must be.

    `key` is an attribute's name, `pattern`, `service` or another label; "" when no search can
    say it.
    """
    quoted = value.replace('"', '""')
    wanted: Node = AttributeTest(key, (value,))
    term = next(
        (one for one in (f"{key}:{value}", f'{key}:"{quoted}"') if _only_node(one) == wanted), ""
    )
    return f"-{term}" if term and excluded else term


def with_term(q: str, term: str) -> str:
    """`q` narrowed by one more term; its opposite goes, and what is there is not said twice.

    A broken `q` is kept as it is, with the term behind it.
    """
    term = term.strip()
    meant = _only_node(term)
    if meant is None:
        return f"{q} {term}".strip()
    try:
        pieces = parsed(q)
    except QueryError:
        return f"{q} {term}".strip()
    opposite = opposite_of(meant)
    kept = tuple(piece for piece in pieces if piece.node != opposite)
    text = q.strip() if len(kept) == len(pieces) else _written(q, kept)
    if any(piece.node == meant for piece in kept):
        return text
    return f"{_bracketed(text)} {_bracketed(term)}" if text else term


def without_term(q: str, term: str) -> str:
    """`q` without a term, however it is written; unchanged when it is not there."""
    meant = _only_node(term)
    try:
        pieces = parsed(q)
    except QueryError:
        return q
    kept = tuple(piece for piece in pieces if piece.node != meant)
    return q if len(kept) == len(pieces) else _written(q, kept)


def without_key(q: str, key: str) -> str:
    """`q` without its terms that are about values of this key alone, `(key:a OR key:b)` too."""
    try:
        pieces = parsed(q)
    except QueryError:
        return q
    kept = tuple(
        piece
        for piece in pieces
        if not all(isinstance(leaf, FieldTest) and leaf.key == key for leaf in piece.node.leaves())
    )
    return q if len(kept) == len(pieces) else _written(q, kept)


def _words(node: Node) -> str:
    if not asks_text_only(node):
        return node.words()
    return f"text not {node.node.words()}" if isinstance(node, Not) else f"text {node.words()}"


def _written(q: str, pieces: tuple[Piece, ...]) -> str:
    return " ".join(q[piece.start : piece.end] for piece in pieces)


def _bracketed(text: str) -> str:
    """In brackets when more terms beside it would change what it means: `a OR b`."""
    if not text:
        return text
    try:
        is_choice = len(parsed(f"{text} x")) != len(parsed(text)) + 1
    except QueryError:
        return text
    return f"({text})" if is_choice else text


def _only_node(term: str) -> Node | None:
    try:
        pieces = parsed(term)
    except QueryError:
        return None
    return pieces[0].node if len(pieces) == 1 else None
