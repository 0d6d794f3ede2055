"""What can be known about the lines that `q` means before any line is read.

Words: a message's skeleton key holds the key of everything the message holds, so a part whose
key no stored skeleton holds occurs nowhere. Patterns are skeletons. Ids and numbers: tokens
for the filters of sealed segments. Attributes have an index of their own. All of it only
narrows, by what every match must satisfy (of a choice: one arm or another, when each has
something to say); the conditions of `text_conditions` decide.
"""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from logstream.skeleton import MAX_KEY_CHARACTERS, skeleton_key
from logstream.tables import INDEXED_ATTRIBUTES, skeletons
from logstream.text_query import All, AnyOf, AttributeTest, Node, Regex, TextPart, TextQuery
from logstream.tokens import tokens_of

Condition = sa.ColumnElement[bool]
# More skeletons than this are no restriction worth sending along.
MAX_SKELETONS = 2_000
# Of a search with many choices.
MAX_TOKEN_SETS = 16
# Keys that the index leaves out.
_NOT_INDEXED = frozenset(re.findall(r"'([^']+)'", INDEXED_ATTRIBUTES))
_NO_SKELETON = 0


def skeletons_holding(connection: sa.Connection, text: TextQuery) -> tuple[int, ...] | None:
    """Ids of all skeletons whose lines may match; None when that is no restriction.

    Lines without a skeleton of their own may hold anything: 0 (landed before there were
    skeletons), what a service's rare messages share, and keys that were cut.
    """
    holding = _narrowed(All(text.terms), _of_skeletons)
    if holding is None:
        return None
    found = connection.scalars(
        sa.select(skeletons.c.skeleton_id).where(holding).limit(MAX_SKELETONS + 1)
    ).all()
    return None if len(found) > MAX_SKELETONS else (_NO_SKELETON, *sorted(found))


def skeletons_of_patterns(ids: tuple[str, ...]) -> sa.Select[Any]:
    """The skeletons of the patterns that these ids of skeletons or groups belong to."""
    asked = sa.literal([int(one) for one in ids], sa.ARRAY(sa.BigInteger))
    named, member = skeletons.alias("named"), skeletons.alias("member")
    groups = sa.select(named.c.pattern_id).where(
        named.c.skeleton_id == sa.func.any(asked), named.c.pattern_id.is_not(None)
    )
    is_member = sa.or_(
        member.c.skeleton_id == sa.func.any(asked),
        member.c.pattern_id == sa.func.any(asked),
        member.c.pattern_id.in_(groups),
    )
    return sa.select(member.c.skeleton_id).where(is_member)


def text_tokens(text: TextQuery) -> list[set[str]]:
    """Sets of tokens, all of one of which every matching message holds whole.

    Empty when nothing is known.
    """
    return _token_sets(All(text.terms))


def names_trace(text: TextQuery) -> bool:
    """True when every matching line carries one of the traces that the text names."""
    return any(isinstance(term, AttributeTest) and term.key == "trace" for term in text.terms)


def indexed_attributes(text: TextQuery) -> list[Condition]:
    """Implied by the text, and known to the index on attributes that sealed segments have.

    Empty when that index cannot help.
    """
    conditions = (_narrowed(term, _by_index) for term in text.terms)
    return [condition for condition in conditions if condition is not None]


def _narrowed(node: Node, narrow: Callable[[Node], Condition | None]) -> Condition | None:
    match node:
        case All():
            known = [one for inner in node.nodes if (one := _narrowed(inner, narrow)) is not None]
            return sa.and_(*known) if known else None
        case AnyOf():
            known = [one for inner in node.nodes if (one := _narrowed(inner, narrow)) is not None]
            return sa.or_(*known) if len(known) == len(node.nodes) else None
    return narrow(node)


def _of_skeletons(node: Node) -> Condition | None:
    if isinstance(node, AttributeTest) and node.key == "pattern":
        return skeletons.c.skeleton_id.in_(skeletons_of_patterns(node.values))
    texts = _texts_in(node)
    keys = {skeleton_key(text.encode("utf-8", "replace")).decode() for text in texts} - {""}
    if not keys:
        return None
    columns = skeletons.c
    unknown = sa.or_(columns.is_overflow, sa.func.length(columns.key) >= MAX_KEY_CHARACTERS)
    holding = (columns.key.icontains(key, autoescape=True) for key in sorted(keys))
    return sa.or_(unknown, sa.and_(*holding))


def _texts_in(node: Node) -> tuple[str, ...]:
    match node:
        case TextPart():
            return (node.text,)
        case Regex():
            return node.required
    return ()


def _token_sets(node: Node) -> list[set[str]]:
    match node:
        case All():
            arms = [sets for inner in node.nodes if (sets := _token_sets(inner))]
            if not arms:
                return []
            while len(arms) > 1 and _count(arms) > MAX_TOKEN_SETS:
                # What narrows least goes: the choice of most arms.
                arms.remove(max(arms, key=len))
            sets = [set[str]().union(*chosen) for chosen in product(*arms)]
            return sets if len(sets) <= MAX_TOKEN_SETS else []
        case AnyOf():
            arms = [_token_sets(inner) for inner in node.nodes]
            sets = [tokens for arm in arms for tokens in arm]
            return sets if all(arms) and len(sets) <= MAX_TOKEN_SETS else []
        case TextPart():
            tokens = tokens_of(node.whole_text)
        case Regex():
            # Open on both sides: any of it may go on.
            tokens = {
                token
                for text in node.required
                for token in tokens_of(TextPart(text, True, True).whole_text)
            }
        case _:
            tokens = set()
    return [tokens] if tokens else []


def _count(arms: list[list[set[str]]]) -> int:
    count = 1
    for arm in arms:
        count *= len(arm)
    return count


def _by_index(node: Node) -> Condition | None:
    if not isinstance(node, AttributeTest) or node.is_label:
        return None
    if any(path[0] in _NOT_INDEXED for path in node.paths):
        return None
    documents = (sa.cast(sa.literal(one, sa.Text), JSONB) for one in node.documents())
    indexed = sa.literal_column(INDEXED_ATTRIBUTES, JSONB)
    return sa.or_(*(indexed.op("@>", is_comparison=True)(one) for one in documents))
