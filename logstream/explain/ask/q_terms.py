"""Terms of `q`, written so that they mean what is meant: quoted where they must be."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_][\w.@-]*")
_WORDS_OF_THE_LANGUAGE = frozenset({"or", "and", "not"})
MOST_Q = 900


def text_term(text: str) -> str:
    """A term that finds a text in messages; "" when nothing is left of it.

    A quote cannot be searched for: the texts around it are, one by one.
    """
    pieces = [" ".join(piece.split()) for piece in re.split(r"[\"\\]", text)]
    terms = [
        piece
        if _PLAIN.fullmatch(piece) and piece.lower() not in _WORDS_OF_THE_LANGUAGE
        else f'"{piece}"'
        for piece in pieces
        if piece
    ]
    return " ".join(terms)


def any_of(terms: list[str]) -> str:
    """A term that one of the terms is enough for."""
    kept = list(dict.fromkeys(term for term in terms if term))
    if len(kept) < 2:
        return "".join(kept)
    return f"({' OR '.join(f'({term})' if _is_compound(term) else term for term in kept)})"


def not_term(term: str) -> str:
    """The opposite of a term."""
    return f"-({term})" if _is_compound(term) and not term.startswith("(") else f"-{term}"


def _is_compound(term: str) -> bool:
    return len(re.sub(r'"[^"]*"', "x", term).split()) > 1 and not term.startswith("(")
