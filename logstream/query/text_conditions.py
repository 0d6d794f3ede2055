"""The SQL face of TextQuery: the same as its `matches`, in words an index can serve."""

import re
from typing import Any

import sqlalchemy as sa

from logstream.model import Severity
from logstream.query.text_fields import attribute_condition, compared, like
from logstream.query.text_lookup import skeletons_of_patterns
from logstream.tables import logs
from logstream.text_query import (
    All,
    AnyOf,
    AttributeTest,
    Comparison,
    Existence,
    Node,
    Not,
    Regex,
    TextPart,
    TextQuery,
    Wildcard,
)
from logstream.text_query.tree import is_counted

Condition = sa.ColumnElement[bool]
# To these signs nothing folds but themselves. Shorter runs are in too many messages.
_CASELESS_RUN = re.compile(r"[\x00-@\[-`{-\x7f]+")
_MIN_CASELESS = 3


def text_labels(text: TextQuery, table: sa.FromClause) -> list[Condition]:
    """What both `logs` and the counts know of it: service, env, severity and pattern.

    Of terms that ask for more too, what their labels imply: it only narrows.
    """
    conditions = (_implied(term, table) for term in text.terms)
    return [condition for condition in conditions if condition is not None]


def text_rows(text: TextQuery) -> list[Condition]:
    """Words, phrases, `trace:`, `latency` and attributes: what only the rows of `logs` know."""
    return [_condition(term, logs) for term in text.terms if not is_counted(term)]


def part_condition(part: TextPart, body: sa.ColumnElement[Any] = logs.c.body) -> Condition:
    """A message, or another text, holds the part.

    Cheap tests first, for they decide for most lines: signs that have no case by LIKE, at a
    third of what ILIKE costs; what may stand beside the text last, by a regular expression.
    """
    caseless = max(_CASELESS_RUN.findall(part.text), key=len, default="")
    is_caseless = caseless == part.text
    conditions = []
    if is_caseless or len(caseless) >= _MIN_CASELESS:
        conditions.append(body.contains(caseless, autoescape=True))
    if not is_caseless:
        conditions.append(body.icontains(part.text, autoescape=True))
    if part.is_bound:
        # In PostgreSQL's own lower case, as ILIKE has it.
        conditions.append(
            body.regexp_match(part.pattern)
            if is_caseless
            else sa.func.lower(body).regexp_match(sa.func.lower(part.pattern))
        )
    return sa.and_(*conditions)


def regex_condition(regex: Regex, body: sa.ColumnElement[Any] = logs.c.body) -> Condition:
    """The expression is found in a message, or in another text."""
    longest = max(regex.required, key=len, default="")
    matches = sa.func.lower(body).regexp_match(sa.func.lower(regex.pattern))
    if not longest:
        return matches
    return sa.and_(part_condition(TextPart(longest, True, True), body), matches)


def in_severity_group(column: sa.ColumnElement[Any], word: str) -> Condition:
    """The severity_number is of the group."""
    severity = Severity[word.upper()]
    return column.between(severity.value, severity.last_number)


def of_patterns(column: sa.ColumnElement[Any], ids: tuple[str, ...]) -> Condition:
    """The skeleton is of one of the patterns: its own, or one of the group's."""
    return column == sa.func.any(sa.func.array(skeletons_of_patterns(ids).scalar_subquery()))


def _implied(node: Node, table: sa.FromClause, is_denied: bool = False) -> Condition | None:
    """What the labels of a node (or of its opposite) say in any case; None: nothing."""
    match node:
        case Not():
            return _implied(node.node, table, not is_denied)
        case All() | AnyOf():
            found = [_implied(inner, table, is_denied) for inner in node.nodes]
            known = [condition for condition in found if condition is not None]
            if isinstance(node, All) != is_denied:
                return sa.and_(*known) if known else None
            return sa.or_(*known) if known and len(known) == len(found) else None
    if not is_counted(node):
        return None
    condition = _condition(node, table)
    return sa.not_(condition) if is_denied else condition


def _condition(node: Node, table: sa.FromClause, *, is_denied: bool = False) -> Condition:
    """Under a NOT never null, because NOT of null is null: no trace is another trace."""
    match node:
        case All():
            return sa.and_(*(_condition(one, table, is_denied=is_denied) for one in node.nodes))
        case AnyOf():
            return sa.or_(*(_condition(one, table, is_denied=is_denied) for one in node.nodes))
        case Not():
            return sa.not_(_condition(node.node, table, is_denied=True))
        case TextPart():
            return part_condition(node)
        case Regex():
            return regex_condition(node)
    if not node.is_label:
        return attribute_condition(node)
    condition = _label(node, table)
    can_be_null = is_denied and node.key in ("trace", "latency")
    return sa.func.coalesce(condition, sa.false()) if can_be_null else condition


def _label(
    test: AttributeTest | Wildcard | Existence | Comparison, table: sa.FromClause
) -> Condition:
    columns = {
        "service": "service_name",
        "env": "environment",
        "severity": "severity_number",
        "pattern": "skeleton_id",
        "trace": "trace_id",
        "latency": "duration_ms",
    }
    column = table.c[columns[test.key]]
    match test:
        case Existence():
            return column.is_not(None) if test.key in ("trace", "latency") else sa.true()
        case Wildcard():
            return like(column, test)
        case Comparison():
            number = float(test.number) if test.key == "latency" else int(test.number)
            return compared(column, test.operator, number)
    if test.key == "severity":
        return sa.or_(*(in_severity_group(column, word) for word in test.values))
    return of_patterns(column, test.values) if test.key == "pattern" else column.in_(test.values)
