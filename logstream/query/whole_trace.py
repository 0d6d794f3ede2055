"""Everything stored of one trace: its spans and its log lines."""

from collections.abc import Sequence

import sqlalchemy as sa

from logstream.filter import Choice, LogFilter
from logstream.model import LogLine, Span, to_unix_nano
from logstream.query import feed
from logstream.query.catalogue import Segment
from logstream.query.conditions import Condition, choice_conditions
from logstream.query.span_tree import without_copies
from logstream.query.traces import forms_of_trace_id
from logstream.tables import spans, trace_summaries
from logstream.trace_port import WholeTrace

# JSON that is passed on as it is.
_TEXTS = ("attributes", "events", "links")
# So many times the spans wanted are read when most of them are copies.
_MAX_COPIES = 4


def whole_trace(
    connection: sa.Connection,
    segments: list[Segment],
    trace_id: str,
    *,
    environment: Choice,
    max_spans: int,
    max_lines: int,
    now_unix_nano: int,
) -> WholeTrace | None:
    """See TraceReader.trace."""
    # No stored id holds a NUL or half a character, and the database takes no question with one.
    clean = trace_id.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    forms = forms_of_trace_id(clean)
    if not forms[0]:
        return None
    stored, has_more_spans = _spans(connection, forms, environment, max_spans)
    found = without_copies(stored)
    lines: list[LogLine] = []
    for form in forms:
        lines += feed.recent(
            connection,
            segments,
            LogFilter(environment=environment, trace_id=form),
            limit=max_lines + 1,
            now_unix_nano=now_unix_nano,
        )
    if not found and not lines:
        return None
    lines.sort(key=lambda line: (line.timestamp_unix_nano, line.id))
    return WholeTrace(
        trace_id=forms[0],
        spans=found[:max_spans],
        lines=lines[-max_lines:] if max_lines else [],
        has_more_spans=has_more_spans or len(found) > max_spans,
        has_more_lines=len(lines) > max_lines,
        has_copies=len(found) < len(stored),
    )


def _spans(
    connection: sa.Connection, forms: Sequence[str], environment: Choice, most: int
) -> tuple[list[Span], bool]:
    """The spans by their starts, some copies among them, and whether there are more."""
    limit = most + 1
    while True:
        statement = (
            sa.select(
                *(column for column in spans.c if column.name not in _TEXTS),
                *(sa.cast(spans.c[name], sa.Text).label(name) for name in _TEXTS),
            )
            .where(
                spans.c.trace_id.in_(forms),
                *choice_conditions(spans.c.environment, environment),
                *between_ids(connection, forms, environment),
            )
            .order_by(spans.c.start, spans.c.start_nanos, spans.c.id)
            .limit(limit)
        )
        found = [to_span(row) for row in connection.execute(statement)]
        if len(found) < limit or limit > most * _MAX_COPIES:
            return found, len(found) == limit
        if len(without_copies(found)) > most:
            return found, True
        limit *= 2


def between_ids(
    connection: sa.Connection, forms: Sequence[str], environment: Choice
) -> list[Condition]:
    """The ids that the spans of traces lie between, so that few segments are looked at.

    None without a summary that knows them.
    """
    columns = trace_summaries.c
    first, last = connection.execute(
        sa.select(sa.func.min(columns.first_span), sa.func.max(columns.last_span)).where(
            columns.trace_id.in_(forms), *choice_conditions(columns.environment, environment)
        )
    ).one()
    return [] if first is None else [spans.c.id.between(first, last)]


def to_span(row: sa.Row[tuple[object, ...]]) -> Span:
    """A row of `spans`, its JSON read as text."""
    return Span(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_span_id=row.parent_span_id,
        environment=row.environment,
        service_name=row.service_name,
        name=row.name,
        kind=row.kind,
        start_unix_nano=to_unix_nano(row.start) + row.start_nanos,
        duration_nano=row.duration_ns,
        observed_unix_nano=to_unix_nano(row.observed_timestamp),
        status=row.status,
        status_message=row.status_message,
        attributes=row.attributes.encode(),
        events=row.events.encode(),
        links=row.links.encode(),
    )
