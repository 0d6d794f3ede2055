"""Tests of attributes in SQL; never null, and never an error whatever stands there."""

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from logstream.tables import logs
from logstream.text_query import AttributeTest, Comparison, Existence, Wildcard
from logstream.text_query.fields import (
    MAX_NUMBER_CHARACTERS,
    MAX_WHOLE_NUMBER,
    NUMBER,
    OPERATORS,
)

Condition = sa.ColumnElement[bool]
# No character that JSON may write in another way but by its number.
_PLAIN_VALUE = re.compile(r"[ !#-.0-\[\]-~]{3,}")


def attribute_condition(
    test: AttributeTest | Wildcard | Existence | Comparison,
    json: sa.ColumnElement[Any] = logs.c.attributes,
    parsed: sa.ColumnElement[Any] | None = None,
) -> Condition:
    """The attributes are as the test wants them, and a cheaper test that this implies.

    `parsed` is the same JSON as JSONB, where that is at hand.
    """
    # As the index on attributes has it.
    attributes = sa.cast(json, JSONB) if parsed is None else parsed
    found = [_at(attributes, path) for path in test.paths]
    match test:
        case AttributeTest():
            documents = (sa.cast(sa.literal(one, sa.Text), JSONB) for one in test.documents())
            condition = sa.or_(*(attributes.op("@>", is_comparison=True)(one) for one in documents))
            is_plain = not test.literal and _PLAIN_VALUE.fullmatch(test.values[0])
            return sa.and_(_holds_text(json, test.values[0]), condition) if is_plain else condition
        case Existence():
            condition = sa.or_(*(one.is_not(None) for one in found))
        case Wildcard():
            condition = sa.or_(*(_is_like(one, test) for one in found))
        case Comparison():
            condition = sa.or_(*(_is_compared(one, test) for one in found))
    # Of `a.b` both the member and the path end so in the JSON.
    ending = f'{test.key.rpartition(".")[2]}"'
    is_plain = _PLAIN_VALUE.fullmatch(ending.replace('"', "x"))
    return sa.and_(_holds_text(json, ending), condition) if is_plain else condition


def like(text: sa.ColumnElement[Any], test: Wildcard) -> Condition:
    """The text has the open ends of the test."""
    if test.is_open_left and test.is_open_right:
        return text.contains(test.text, autoescape=True)
    ended = text.endswith if test.is_open_left else text.startswith
    return ended(test.text, autoescape=True)


def compared(column: sa.ColumnElement[Any], operator: str, number: Any) -> Condition:
    """`column >= number`; `=` is equality."""
    compare: Callable[[Any, Any], Any] | None = OPERATORS.get(operator)
    so: Condition = column == number if compare is None else compare(column, number)
    return so


def _at(found: sa.ColumnElement[Any], path: tuple[str, ...]) -> sa.ColumnElement[Any]:
    """The member at a path of names; arrays have none. JSON's null is not null."""
    for name in path:
        found = found.op("->", return_type=JSONB())(sa.cast(sa.literal(name), sa.Text))
    return found


def _text(found: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return found.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))


def _is(found: sa.ColumnElement[Any], kind: str) -> Condition:
    return sa.func.jsonb_typeof(found) == kind


def _is_compared(found: sa.ColumnElement[Any], test: Comparison) -> Condition:
    text = _text(found)
    asked = sa.cast(sa.literal(str(test.number)), sa.Numeric)
    so = compared(sa.cast(text, sa.Numeric), test.operator, asked)
    reads_as_number = sa.and_(
        _is(found, "string"),
        sa.func.length(text) <= MAX_NUMBER_CHARACTERS,
        text.regexp_match(f"^{NUMBER}$"),
    )
    # CASE, because only it keeps what is not a number from being read as one.
    return sa.case((_is(found, "number"), so), (reads_as_number, so), else_=sa.false())


def _is_like(found: sa.ColumnElement[Any], test: Wildcard) -> Condition:
    text = _text(found)
    number = sa.cast(text, sa.Numeric)
    whole = sa.func.trunc(number)
    is_whole = sa.and_(sa.func.abs(number) < MAX_WHOLE_NUMBER, number == whole)
    return sa.case(
        (_is(found, "string"), like(text, test)),
        (_is(found, "number"), sa.and_(is_whole, like(sa.cast(whole, sa.Text), test))),
        else_=sa.false(),
    )


def _holds_text(json: sa.ColumnElement[Any], text: str) -> Condition:
    """Cheaper than reading the JSON, in which characters stand as they are, or some escaped."""
    whole = sa.cast(json, sa.Text)
    return sa.or_(whole.contains(text, autoescape=True), whole.contains("\\u", autoescape=True))
