"""The SQL face of TextQuery: the same as its `matches`, in words an index can serve."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from logstream.model import SEVERITY_WORDS, Severity
from logstream.tables import logs
from logstream.text_query import AttributeTest, TextPart, TextQuery

Condition = sa.ColumnElement[bool]
# To these signs nothing folds but themselves. Shorter runs are in too many messages.
_CASELESS_RUN = re.compile(r"[\x00-@\[-`{-\x7f]+")
_MIN_CASELESS = 3
# As the index on attributes has it.
_attributes = sa.cast(logs.c.attributes, JSONB)


def text_labels(text: TextQuery, table: sa.FromClause) -> list[Condition]:
    """`service:`, `env:` and `severity:`: what both `logs` and the counts know."""
    return [
        sa.not_(_label(test, table)) if is_not else _label(test, table)
        for is_not, tests in ((False, text.attributes), (True, text.not_attributes))
        for test in tests
        if test.is_label and test.key != "trace"
    ]


def text_rows(text: TextQuery) -> list[Condition]:
    """Words, phrases, `trace:` and attributes: what only the rows of `logs` know."""
    conditions = [part_condition(part) for part in text.include]
    conditions += [sa.not_(part_condition(part)) for part in text.exclude]
    for is_not, tests in ((False, text.attributes), (True, text.not_attributes)):
        for test in tests:
            if test.key == "trace":
                # Never null, because NOT of null is null: no trace is another trace.
                trace_id = sa.func.coalesce(logs.c.trace_id, "") if is_not else logs.c.trace_id
                conditions.append(
                    trace_id.not_in(test.values) if is_not else trace_id.in_(test.values)
                )
            elif not test.is_label:
                condition = _attribute(test)
                conditions.append(sa.not_(condition) if is_not else condition)
    return conditions


def part_condition(part: TextPart) -> Condition:
    """A message holds the part.

    Cheap tests first, for they decide for most lines: signs that have no case by LIKE, at a
    third of what ILIKE costs; what may stand beside the text last, by a regular expression.
    """
    body = logs.c.body
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


def in_severity_group(column: sa.ColumnElement[Any], word: str) -> Condition:
    """The severity_number is of the group."""
    severity = Severity[word.upper()]
    return column.between(severity.value, severity.last_number)


def _label(test: AttributeTest, table: sa.FromClause) -> Condition:
    match test.key:
        case "service":
            return table.c.service_name.in_(test.values)
        case "env":
            return table.c.environment.in_(test.values)
    known = (word for word in test.values if word in SEVERITY_WORDS)
    return sa.or_(sa.false(), *(in_severity_group(table.c.severity_number, word) for word in known))


def _attribute(test: AttributeTest) -> Condition:
    return sa.or_(
        *(
            _attributes.op("@>", is_comparison=True)(sa.cast(sa.literal(document, sa.Text), JSONB))
            for document in test.documents()
        )
    )
