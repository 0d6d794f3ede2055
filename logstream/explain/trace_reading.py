"""Reading what waiting traces hold: spans, or log lines where there are none, of many at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import psycopg

from logstream.explain.trace_lines import NAME_CHARACTERS
from logstream.model import LogLine, Span

# Of one trace, and of all that are read together. What a bigger one has more is not looked at.
MAX_SPANS = 10_000
MAX_LINES = 1_000
# Lines of traces that begin so near to each other are read together.
_NEAR = timedelta(minutes=10)
# A start in the database has no nanoseconds.
_ROUNDING = timedelta(milliseconds=1)

TraceKey = tuple[str, str]


class WaitingTrace(msgspec.Struct, frozen=True):
    """A trace that waits for its review, as `trace_summaries` has it."""

    trace_id: str
    environment: str
    touched_at: datetime
    start: datetime
    duration_ns: int
    span_count: int
    line_count: int
    services: list[str]
    first_span: int | None
    last_span: int | None
    calls: str | None

    @property
    def key(self) -> TraceKey:
        """What tells it from other traces."""
        return self.trace_id, self.environment

    @property
    def end(self) -> datetime:
        """When its last span or line was."""
        return _moved(self.start, timedelta(microseconds=self.duration_ns / 1_000))

    @property
    def weight(self) -> int:
        """How many rows a review of it reads."""
        if self.span_count:
            return min(self.span_count, MAX_SPANS)
        return self.line_count if self.has_calls_in_lines else 0

    @property
    def has_calls_in_lines(self) -> bool:
        """True when its lines may say who called whom: of several services, and not too many."""
        return not self.span_count and len(self.services) > 1 and self.line_count <= MAX_LINES


# Events only tell copies from others, so their hash will do: a stack trace each is much to carry.
_SPANS = """
SELECT trace_id, span_id, environment, service_name, name,
    (extract(epoch FROM start) * 1000000)::bigint, start_nanos, duration_ns, parent_span_id,
    kind, status, status_message, attributes::text, links::text,
    hashtextextended(events::text, 0)::text
FROM spans WHERE trace_id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s
    AND (trace_id, environment) IN (SELECT * FROM unnest(%(ids)s::text[], %(environments)s::text[]))
ORDER BY id LIMIT %(most)s
"""
_LINES = """
SELECT id, (extract(epoch FROM timestamp) * 1000000)::bigint, timestamp_nanos, trace_id,
    environment, service_name, severity_number, left(body, %(characters)s), span_id, duration_ms
FROM logs WHERE trace_id = ANY(%(ids)s) AND timestamp BETWEEN %(first)s AND %(last)s
    AND (trace_id, environment) IN (SELECT * FROM unnest(%(ids)s::text[], %(environments)s::text[]))
ORDER BY timestamp, id LIMIT %(most)s
"""


def spans_of(
    connection: psycopg.Connection, traces: Sequence[WaitingTrace]
) -> dict[TraceKey, list[Span]] | None:
    """The spans of each trace in the order of their arrival, with a hash for their events.

    At most MAX_SPANS in all: of one trace the first ones (and one more tells that it was cut),
    and None when several traces have more.
    """
    known = [trace for trace in traces if trace.first_span is not None]
    if not known:
        return {}
    rows = connection.execute(
        _SPANS,
        {
            **_keys_of(known),
            "first": min(trace.first_span or 0 for trace in known),
            "last": max(trace.last_span or 0 for trace in known),
            "most": MAX_SPANS + 1,
        },
    ).fetchall()
    if len(rows) > MAX_SPANS and len(known) > 1:
        return None
    found: dict[TraceKey, list[Span]] = defaultdict(list)
    for row in rows:
        span = _to_span(*row)
        found[span.trace_id, span.environment].append(span)
    return found


def lines_of(
    connection: psycopg.Connection, traces: Sequence[WaitingTrace]
) -> dict[TraceKey, list[LogLine]]:
    """The lines of each trace, oldest first, with the beginnings of their messages only."""
    found: dict[TraceKey, list[LogLine]] = defaultdict(list)
    for near in _near_each_other(traces):
        rows = connection.execute(
            _LINES,
            {
                **_keys_of(near),
                "first": _moved(near[0].start, -_ROUNDING),
                "last": _moved(max(trace.end for trace in near), _ROUNDING),
                "characters": NAME_CHARACTERS,
                "most": MAX_LINES * len(near),
            },
        )
        for row in rows:
            line = _to_line(*row)
            found[line.trace_id or "", line.environment].append(line)
    return found


def _keys_of(traces: Sequence[WaitingTrace]) -> dict[str, list[str]]:
    return {
        "ids": [trace.trace_id for trace in traces],
        "environments": [trace.environment for trace in traces],
    }


def _near_each_other(traces: Sequence[WaitingTrace]) -> Iterator[list[WaitingTrace]]:
    near: list[WaitingTrace] = []
    for trace in sorted(traces, key=lambda trace: trace.start):
        if near and trace.end - near[0].start > _NEAR:
            yield near
            near = []
        near.append(trace)
    if near:
        yield near


def _moved(moment: datetime, by: timedelta) -> datetime:
    """Where the calendar ends nothing moves further."""
    try:
        return moment + by
    except OverflowError:
        return moment.replace(year=9999) if by > timedelta(0) else moment


def _to_span(
    trace_id: str,
    span_id: str,
    environment: str,
    service_name: str,
    name: str,
    start_micros: int,
    start_nanos: int,
    duration_nano: int,
    parent_span_id: str | None,
    kind: str,
    status: str,
    status_message: str | None,
    attributes: str,
    links: str,
    events_hash: str,
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        environment=environment,
        service_name=service_name,
        name=name,
        start_unix_nano=start_micros * 1_000 + start_nanos,
        duration_nano=duration_nano,
        observed_unix_nano=0,
        parent_span_id=parent_span_id,
        kind=kind,
        status=status,
        status_message=status_message,
        attributes=attributes.encode(),
        events=events_hash.encode(),
        links=links.encode(),
    )


def _to_line(
    line_id: int,
    micros: int,
    nanos: int,
    trace_id: str,
    environment: str,
    service_name: str,
    severity_number: int,
    body: str,
    span_id: str | None,
    duration_ms: float | None,
) -> LogLine:
    return LogLine(
        id=line_id,
        timestamp_unix_nano=micros * 1_000 + nanos,
        observed_unix_nano=0,
        environment=environment,
        service_name=service_name,
        severity_number=severity_number,
        body=body,
        trace_id=trace_id,
        span_id=span_id,
        duration_ms=duration_ms,
    )
