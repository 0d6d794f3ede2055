"""What one trace consists of: its spans as they are stored, in the order of their starts."""

import sqlalchemy as sa

from logstream.filter import Choice
from logstream.model import Span, normal_trace_id, to_unix_nano
from logstream.query.conditions import choice_conditions
from logstream.tables import spans

_PADDING = "0" * 16


def forms_of_trace_id(text: str) -> tuple[str, ...]:
    """How the id may be stored: 64-bit ids are also sent with zeros before them, as 128-bit."""
    trace_id = normal_trace_id(text.strip())
    if len(trace_id) == 16:
        return trace_id, _PADDING + trace_id
    if len(trace_id) == 32 and trace_id.startswith(_PADDING):
        return trace_id, trace_id[16:]
    return (trace_id,)


def spans_of_trace(
    connection: sa.Connection, trace_id: str, *, environment: Choice, limit: int
) -> list[Span]:
    """See LogReader.spans_of_trace."""
    statement = (
        sa.select(
            *(column for column in spans.c if column.name not in _TEXTS),
            *(sa.cast(spans.c[name], sa.Text).label(name) for name in _TEXTS),
        )
        .where(
            spans.c.trace_id.in_(forms_of_trace_id(trace_id)),
            *choice_conditions(spans.c.environment, environment),
        )
        .order_by(spans.c.start, spans.c.start_nanos, spans.c.id)
        .limit(limit)
    )
    return [_to_span(row) for row in connection.execute(statement)]


# JSON that is passed on as it is.
_TEXTS = ("attributes", "events", "links")


def _to_span(row: sa.Row[tuple[object, ...]]) -> Span:
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
