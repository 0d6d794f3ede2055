"""Spans with their summaries, written as landing and the worker leave them behind.

A test of questions wants thousands of traces at once, in ids that lie as it likes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg

from logstream.model import Span, to_datetime, to_unix_nano
from logstream.trace_port import TraceSummary

# As few as that, so that a handful of traces lies in several tables.
IDS_PER_TABLE = 500


class Lines(NamedTuple):
    """What a trace's log lines come to."""

    trace_id: str
    environment: str
    start_unix_nano: int
    duration_nano: int
    count: int
    errors: int
    services: Sequence[str]


class TraceStore:
    """Writes to one database over one connection, autocommit."""

    def __init__(self, connection: psycopg.Connection, ids_per_table: int = IDS_PER_TABLE) -> None:
        self._connection = connection
        self._ids_per_table = ids_per_table
        self._next_id = 0

    def store(self, spans: Iterable[Span], lines: Iterable[Lines] = ()) -> list[TraceSummary]:
        """The spans in that order, and what their traces' summaries now say."""
        first_ids: dict[tuple[str, str], list[int]] = defaultdict(list)
        of_trace: dict[tuple[str, str], list[Span]] = defaultdict(list)
        stored = list(spans)
        self._make_tables(len(stored))
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("SET LOCAL timezone = 'UTC'")
            rows = []
            for span in stored:
                key = (span.trace_id, span.environment)
                first_ids[key].append(self._next_id)
                of_trace[key].append(span)
                rows.append(_row(self._next_id, span))
                self._next_id += 1
            if rows:
                cursor.executemany(_INSERT_SPAN, rows)
            of_lines = {(one.trace_id, one.environment): one for one in lines}
            summaries = []
            for key in {**of_trace, **of_lines}:
                summary = summed_up(of_trace.get(key, []), of_lines.get(key))
                ids = first_ids.get(key)
                cursor.execute(_INSERT_SUMMARY, _summary_row(summary, ids))
                summaries.append(summary)
        return summaries

    def _make_tables(self, count: int) -> None:
        ids = self._ids_per_table
        for number in range(self._next_id // ids, (self._next_id + count) // ids + 1):
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS spans_{number:06d} PARTITION OF spans"
                f" FOR VALUES FROM ({number * ids}) TO ({(number + 1) * ids})"
            )


def summed_up(spans: Sequence[Span], lines: Lines | None = None) -> TraceSummary:
    """What a summary says of these spans of one trace and environment, and of its lines."""
    if not spans:
        assert lines is not None
        return TraceSummary(
            trace_id=lines.trace_id,
            environment=lines.environment,
            root_service=None,
            root_name=None,
            start_unix_nano=lines.start_unix_nano,
            duration_nano=lines.duration_nano,
            span_count=0,
            error_count=0,
            line_count=lines.count,
            error_line_count=lines.errors,
            services=sorted(lines.services),
        )
    start = min(span.start_unix_nano for span in spans)
    end = max(span.start_unix_nano + max(0, span.duration_nano) for span in spans)
    roots = [span for span in spans if span.parent_span_id is None]
    root = min(roots, key=lambda span: span.start_unix_nano, default=None)
    services = {span.service_name for span in spans} | set(lines.services if lines else ())
    return TraceSummary(
        trace_id=spans[0].trace_id,
        environment=spans[0].environment,
        root_service=root.service_name if root else None,
        root_name=root.name if root else None,
        start_unix_nano=to_unix_nano(to_datetime(start)),
        duration_nano=end - start,
        span_count=len(spans),
        error_count=sum(span.status == "error" for span in spans),
        line_count=lines.count if lines else 0,
        error_line_count=lines.errors if lines else 0,
        services=sorted(services),
    )


_INSERT_SPAN = """
INSERT INTO spans (id, start, observed_timestamp, duration_ns, start_nanos, trace_id, span_id,
    parent_span_id, environment, service_name, name, kind, status, status_message, attributes,
    events, links)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_INSERT_SUMMARY = """
INSERT INTO trace_summaries (trace_id, environment, root_service, root_name, start, duration_ns,
    span_count, error_count, line_count, error_line_count, services, first_span, last_span,
    needs_review)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false)
"""


def _row(span_id: int, span: Span) -> tuple[object, ...]:
    return (
        span_id,
        to_datetime(span.start_unix_nano),
        to_datetime(span.observed_unix_nano),
        span.duration_nano,
        span.start_unix_nano % 1_000,
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.environment,
        span.service_name,
        span.name,
        span.kind,
        span.status,
        span.status_message,
        span.attributes.decode(),
        span.events.decode(),
        span.links.decode(),
    )


def _summary_row(summary: TraceSummary, ids: Sequence[int] | None) -> tuple[object, ...]:
    return (
        summary.trace_id,
        summary.environment,
        summary.root_service,
        summary.root_name,
        to_datetime(summary.start_unix_nano),
        summary.duration_nano,
        summary.span_count,
        summary.error_count,
        summary.line_count,
        summary.error_line_count,
        list(summary.services),
        min(ids) if ids else None,
        max(ids) if ids else None,
    )
