"""From the text of `q` to pieces: nodes of the tree, and where in the text each stands."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.exceptions import VisitError

from logstream.text_query import meanings
from logstream.text_query.lexer import QueryLexer
from logstream.text_query.mistakes import MAX_CHARACTERS, QueryError, did_you_mean
from logstream.text_query.tree import All, AnyOf, Node, opposite_of


@dataclass(frozen=True)
class Piece:
    """A node, and what of the text says it: `parts` are the terms of a conjunction."""

    node: Node
    start: int
    end: int
    parts: tuple["Piece", ...] = ()


class _BadTerm(Exception):
    def __init__(self, token: Token, problem: meanings.TermProblem) -> None:
        super().__init__(problem.problem)
        self.token, self.problem = token, problem


@lru_cache(maxsize=2_000)
def parsed(text: str) -> tuple[Piece, ...]:
    """The terms of a text that must all hold; raises QueryError."""
    if len(text) > MAX_CHARACTERS:
        problem = f"it has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}"
        raise QueryError(text, MAX_CHARACTERS, 1, problem, "ask for less at once")
    if "\x00" in text:
        raise QueryError(text, text.index("\x00"), 1, "it holds a NUL character", "remove it")
    try:
        pieces: tuple[Piece, ...] = _grammar().parse(text)  # type: ignore[assignment]
        return pieces
    except UnexpectedToken as error:
        raise _misplaced(text, error.token) from error
    except (_BadTerm, VisitError) as error:
        bad = error.orig_exc if isinstance(error, VisitError) else error
        if not isinstance(bad, _BadTerm):
            raise
        at, why = bad.token.start_pos or 0, bad.problem
        raise QueryError(text, at + why.offset, why.length, why.problem, why.hint) from error


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    grammar = files(__package__).joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer=QueryLexer, transformer=_Builder())


def _leaf(meaning: Callable[[str], Node]) -> Callable[["_Builder", Token], Piece]:
    def build(_: "_Builder", token: Token) -> Piece:
        try:
            node = meaning(str(token))
        except meanings.TermProblem as problem:
            raise _BadTerm(token, problem) from problem
        return Piece(node, token.start_pos or 0, token.end_pos or 0)

    return build


@v_args(inline=True)
class _Builder(Transformer[Token, tuple[Piece, ...]]):
    word = _leaf(meanings.word)
    phrase = _leaf(meanings.phrase)
    regex = _leaf(meanings.regex)
    test = _leaf(meanings.test)
    comparison = _leaf(meanings.comparison)

    def start(self, piece: Piece | None = None) -> tuple[Piece, ...]:
        return () if piece is None else piece.parts or (piece,)

    def any_of(self, *arms: Piece) -> Piece:
        if len(arms) == 1:
            return arms[0]
        nodes: dict[Node, None] = {}
        for arm in arms:
            nodes.update(
                dict.fromkeys(arm.node.nodes if isinstance(arm.node, AnyOf) else [arm.node])
            )
        return Piece(_joined(AnyOf, nodes), arms[0].start, arms[-1].end)

    def all_of(self, *parts: Piece) -> Piece:
        if len(parts) == 1:
            return parts[0]
        nodes = dict.fromkeys(part.node for part in parts)
        return Piece(_joined(All, nodes), parts[0].start, parts[-1].end, parts)

    def denied(self, minus: Token, piece: Piece) -> Piece:
        return Piece(opposite_of(piece.node), minus.start_pos or 0, piece.end)

    def group(self, opening: Token, piece: Piece, closing: Token) -> Piece:
        return Piece(piece.node, opening.start_pos or 0, closing.end_pos or 0)


def _joined(join: type[All] | type[AnyOf], nodes: dict[Node, None]) -> Node:
    return next(iter(nodes)) if len(nodes) == 1 else join(tuple(nodes))


def _misplaced(text: str, token: Token) -> QueryError:
    """For a token where none of its kind can be, or for the end."""
    if token.type != "$END":
        at, sign = token.start_pos or 0, str(token)
        if sign == ")":
            before = text[:at].rstrip()
            if before.endswith("("):
                return QueryError(
                    text, at, 1, "there is nothing between the brackets", "remove them"
                )
            return _dangling(text, before)
        problem = f"`{sign}` has nothing at its left"
        return QueryError(text, at, len(sign), problem, f'for the word itself: "{sign}"')
    return _dangling(text, text.rstrip())


def _dangling(text: str, before: str) -> QueryError:
    sign = before.split()[-1].lstrip("(") if before else ""
    at = len(before) - len(sign)
    hint = f'add a term, or for the word itself: "{sign}"'
    if sign in ("OR", "AND") and (kept := before[:at].rstrip()) and text == before:
        hint = f'{did_you_mean(kept)} For the word itself: "{sign}"'
    return QueryError(text, at, len(sign), f"`{sign}` has nothing at its right", hint)
