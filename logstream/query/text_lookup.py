"""What can be known about the lines that `q` means before any line is read.

Words: a message's skeleton key holds the key of everything the message holds, so a part whose
key no stored skeleton holds occurs nowhere. Ids and numbers: tokens for the filters of sealed
segments. Attributes have an index of their own. All of it only narrows; the conditions
of `text_conditions` decide.
"""

import re

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from logstream.skeleton import MAX_KEY_CHARACTERS, skeleton_key
from logstream.tables import INDEXED_ATTRIBUTES, logs, skeletons
from logstream.text_query import TextQuery
from logstream.tokens import tokens_of

# More skeletons than this are no restriction worth sending along.
MAX_SKELETONS = 2_000
# No character that JSON may write in another way but by its number.
_PLAIN_VALUE = re.compile(r"[ !#-.0-\[\]-~]{3,}")
# Keys that the index leaves out.
_NOT_INDEXED = frozenset(re.findall(r"'([^']+)'", INDEXED_ATTRIBUTES))
_NO_SKELETON = 0


def skeletons_holding(connection: sa.Connection, text: TextQuery) -> tuple[int, ...] | None:
    """Ids of all skeletons whose lines may match; None when that is no restriction.

    Lines without a skeleton of their own may hold anything: 0 (landed before there were
    skeletons), what a service's rare messages share, and keys that were cut.
    """
    keys = {skeleton_key(part.text.encode()).decode() for part in text.include} - {""}
    if not keys:
        return None
    columns = skeletons.c
    holding = sa.and_(*(columns.key.icontains(key, autoescape=True) for key in keys))
    unknown = sa.or_(columns.is_overflow, sa.func.length(columns.key) >= MAX_KEY_CHARACTERS)
    statement = (
        sa.select(columns.skeleton_id).where(sa.or_(unknown, holding)).limit(MAX_SKELETONS + 1)
    )
    found = connection.scalars(statement).all()
    return None if len(found) > MAX_SKELETONS else (_NO_SKELETON, *sorted(found))


def text_tokens(text: TextQuery) -> set[str]:
    """Tokens that every matching message holds whole."""
    return {token for part in text.include for token in tokens_of(part.whole_text)}


def names_trace(text: TextQuery) -> bool:
    """True when every matching line carries one of the traces that the text names."""
    return any(test.key == "trace" for test in text.attributes)


def indexed_attributes(text: TextQuery) -> list[sa.ColumnElement[bool]]:
    """Implied by the text, and known to the index on attributes that sealed segments have.

    Empty when that index cannot help.
    """
    conditions = []
    for test in text.attributes:
        if not test.is_label and all(path[0] not in _NOT_INDEXED for path in test.paths):
            documents = (sa.cast(sa.literal(one, sa.Text), JSONB) for one in test.documents())
            indexed = sa.literal_column(INDEXED_ATTRIBUTES, JSONB)
            conditions.append(
                sa.or_(*(indexed.op("@>", is_comparison=True)(one) for one in documents))
            )
    return conditions


def attribute_hints(text: TextQuery) -> list[sa.ColumnElement[bool]]:
    """True for every row that matches, and cheaper to test than reading its JSON.

    The characters of a value stand in the JSON as they are, unless some are escaped there.
    """
    json_text = sa.cast(logs.c.attributes, sa.Text)
    return [
        sa.or_(
            json_text.contains(test.values[0], autoescape=True),
            json_text.contains("\\u", autoescape=True),
        )
        for test in text.attributes
        if not test.is_label and not test.literal and _PLAIN_VALUE.fullmatch(test.values[0])
    ]
