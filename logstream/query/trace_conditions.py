"""The SQL face of a LogFilter that means traces.

What a summary says is asked of `trace_summaries`; what only spans know, of the spans of some
traces at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from logstream.filter import LogFilter
from logstream.query.conditions import choice_conditions, time_conditions
from logstream.query.text_conditions import part_condition, regex_condition
from logstream.query.text_fields import attribute_condition, compared, like
from logstream.query.trace_terms import OneSpan, asks_spans, check, conjunction, number_of
from logstream.query.traces import forms_of_trace_id
from logstream.tables import spans, trace_summaries
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
    Wildcard,
)

Condition = sa.ColumnElement[bool]
_GRAVE = {"error", "fatal"}
_MS = 1_000_000
_columns = trace_summaries.c
# Spans that failed, and log lines of ERROR or worse.
errors = _columns.error_count + _columns.error_line_count
_SPAN_COLUMNS = {"operation": "name", "name": "name", "kind": "kind", "service": "service_name"}
# What a word may stand in: an attribute's text as it is, anything else of it as JSON.
# Once a span: OFFSET, or it would be read anew wherever it is asked about.
_parsed = (
    sa.select(sa.cast(spans.c.attributes, JSONB).label("attributes"))
    .correlate(spans)
    .offset(sa.literal_column("0"))
    .lateral("parsed")
)
_values = sa.func.json_each_text(spans.c.attributes).table_valued("key", "value")
_text = sa.func.concat_ws(
    "\n",
    spans.c.name,
    spans.c.status_message,
    sa.select(sa.func.string_agg(_values.c.value, "\n")).correlate(spans).scalar_subquery(),
    type_=sa.Text(),
)


Judgement = Callable[["Answers"], bool]


class Answers(NamedTuple):
    """Of one trace: what its summary answers to `of_trace`, and its spans to `of_span`."""

    of_trace: Sequence[bool]
    of_span: Sequence[bool]


@dataclass
class TraceConditions:
    """What must be true of a summary, and what beside that only its spans can tell.

    When `needs_spans`, a trace is meant that `of_summary` lets through and of which all of
    `judgements` hold, given what its summary answers to each of `of_trace`, and for each of
    `of_span` whether one of its spans is so.
    """

    of_summary: list[Condition] = field(default_factory=list)
    of_trace: list[Condition] = field(default_factory=list)
    of_span: list[Condition] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    # Every trace meant has such a span, and starts at this moment or later.
    required: Condition | None = None
    since_unix_nano: int | None = None

    @property
    def needs_spans(self) -> bool:
        """True when summaries are not enough."""
        return bool(self.of_span)

    def are_meant(self, answers: Answers) -> bool:
        """Whether a trace with these answers is meant."""
        return all(judge(answers) for judge in self.judgements)


def trace_conditions(log_filter: LogFilter, now_unix_nano: int) -> TraceConditions:
    """The conditions of a filter; raises FilterError for terms that mean nothing for traces."""
    terms = log_filter.text.terms
    check(terms)
    start, end = replace(log_filter, at=None).window_unix_nano(now_unix_nano)
    of_summary = [
        *choice_conditions(_columns.environment, log_filter.environment),
        *time_conditions(_columns.start, start, end),
    ]
    if log_filter.service.only:
        of_summary.append(_take_part(log_filter.service.only))
    if log_filter.service.excluded:
        of_summary.append(sa.not_(_take_part(log_filter.service.excluded)))
    if log_filter.trace_id:
        of_summary.append(_columns.trace_id.in_(forms_of_trace_id(log_filter.trace_id)))
    if log_filter.severity.only and _GRAVE.issuperset(log_filter.severity.only):
        of_summary.append(errors > 0)
    conditions = TraceConditions(of_summary, since_unix_nano=start)
    for part in conjunction(terms):
        if isinstance(part, OneSpan) or asks_spans([part]):
            conditions.judgements.append(_judgement(part, conditions))
            if isinstance(part, OneSpan):
                conditions.required = conditions.of_span[-1]
        else:
            of_summary.append(_of_trace(part))
    return conditions


def _of_trace(node: Node) -> Condition:
    """What the summary alone says of a node; never null."""
    match node:
        case All():
            return sa.and_(*map(_of_trace, node.nodes))
        case AnyOf():
            return sa.or_(*map(_of_trace, node.nodes))
        case Not():
            return sa.not_(_of_trace(node.node))
    return _of_summary(node)  # type: ignore[arg-type]


def _judgement(node: Node | OneSpan, conditions: TraceConditions) -> Judgement:
    """How a node follows from answers, whose questions are added to the conditions."""
    match node:
        case All():
            every = [_judgement(one, conditions) for one in conjunction(node.nodes)]
            return lambda answers: all(judge(answers) for judge in every)
        case AnyOf():
            some = [_judgement(one, conditions) for one in node.nodes]
            return lambda answers: any(judge(answers) for judge in some)
        case Not():
            denied = _judgement(node.node, conditions)
            return lambda answers: not denied(answers)
    if not isinstance(node, OneSpan) and not asks_spans([node]):
        conditions.of_trace.append(_of_summary(node))  # type: ignore[arg-type]
        place = len(conditions.of_trace) - 1
        return lambda answers: answers.of_trace[place]
    nodes = node.nodes if isinstance(node, OneSpan) else (node,)
    conditions.of_span.append(sa.and_(*map(_of_span, nodes)))
    place = len(conditions.of_span) - 1
    return lambda answers: answers.of_span[place]


def _of_summary(test: AttributeTest | Wildcard | Existence | Comparison) -> Condition:
    match test.key:
        case "status":
            condition = errors > 0
            return condition if test.values[0] == "error" else sa.not_(condition)  # type: ignore[union-attr]
        case "service":
            return _service_takes_part(test)
        case "root":
            is_named = sa.or_(_named(_columns.root_name, test), _named(_columns.root_service, test))
            return sa.func.coalesce(is_named, sa.false(), type_=sa.Boolean())
        case "trace" | "env":
            is_trace = test.key == "trace"
            if isinstance(test, AttributeTest) and is_trace:
                forms = [form for one in test.values for form in forms_of_trace_id(one)]
                return _columns.trace_id.in_(forms)
            return _named(_columns.trace_id if is_trace else _columns.environment, test)
    if isinstance(test, Existence):
        return sa.true()
    number = number_of(test)  # type: ignore[arg-type]
    column: sa.ColumnElement[Any] = _columns.span_count
    if number.key == "errors":
        column = errors
    if number.key == "duration":
        return compared(_columns.duration_ns, number.operator, _numeric(number.number * _MS))
    return compared(column, number.operator, _numeric(number.number))


def _of_span(node: Node) -> Condition:
    match node:
        case All():
            return sa.and_(*map(_of_span, node.nodes))
        case AnyOf():
            return sa.or_(*map(_of_span, node.nodes))
        case Not():
            raise ValueError("of one span nothing is denied, see conjunction")
        case TextPart():
            return part_condition(node, _text)
        case Regex():
            return regex_condition(node, _text)
    if node.key in _SPAN_COLUMNS:
        return _named(spans.c[_SPAN_COLUMNS[node.key]], node)
    if node.key != "latency":
        condition = attribute_condition(node, spans.c.attributes, _parsed.c.attributes)
        one: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(_parsed).where(condition)
        )
        return sa.exists(one.correlate(spans))
    if not isinstance(node, Comparison):
        return sa.true()
    return compared(spans.c.duration_ns, node.operator, _numeric(node.number * _MS))


def _named(
    column: sa.ColumnElement[Any], test: AttributeTest | Wildcard | Existence | Comparison
) -> Condition:
    match test:
        case AttributeTest():
            is_kind = test.key == "kind"
            return column.in_([one.lower() if is_kind else one for one in test.values])
        case Wildcard():
            return like(column, test)
    return column.is_not(None)


def _take_part(services: tuple[str, ...]) -> Condition:
    takes_part: Condition = _columns.services.overlap(list(services))
    return takes_part


def _service_takes_part(test: AttributeTest | Wildcard | Existence | Comparison) -> Condition:
    if isinstance(test, AttributeTest):
        return _take_part(test.values)
    if isinstance(test, Wildcard):
        each = sa.func.unnest(_columns.services).table_valued("name")
        one: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(each).where(like(each.c.name, test))
        )
        return sa.exists(one.correlate(trace_summaries))
    return sa.func.cardinality(_columns.services) > 0


def _numeric(number: Any) -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal(str(number)), sa.Numeric)
