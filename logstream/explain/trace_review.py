"""The review of traces: exact counts, root and times, and the calls between their services.

Landing keeps `trace_summaries` near enough to be listed and sets `needs_review`. Some seconds
after a trace was last touched it is read as a whole: each span once, the earliest root, and the
calls, of which the difference to the last review goes into `call_counts`. A trace that is
touched meanwhile stays as it is and is reviewed later. A round is one transaction of one
statement, and what it did is told by the rows, so any worker goes on after it.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import class_row

from logstream.explain import trace_calls
from logstream.explain.trace_calls import Call
from logstream.explain.trace_lines import MAX_SERVICES
from logstream.explain.trace_reading import (
    MAX_SPANS,
    TraceKey,
    WaitingTrace,
    lines_of,
    spans_of,
)
from logstream.model import LogLine, Span, to_datetime
from logstream.query.derived_spans import derived_spans
from logstream.query.service_links import linked_elsewhere, service_links
from logstream.query.span_tree import end_of, without_copies

log = logging.getLogger(__name__)

# So long after it was touched last; most spans of a request arrive within it.
QUIET_SECONDS = 5.0
MAX_TRACES = 200
_LONGEST = 2**63 - 1
# Of other traces that messages came from, looked up in one round.
_MAX_ELSEWHERE = 1_000

_WAITING = """
SELECT trace_id, environment, touched_at, start, duration_ns, span_count, line_count, services,
    first_span, last_span, calls::text AS calls
FROM trace_summaries
WHERE needs_review AND touched_at < now() - make_interval(secs => %s)
ORDER BY touched_at LIMIT %s
"""
# Rows that somebody else is writing are skipped, not waited for: they will be touched, and
# landing, which locks many, cannot meet us in a deadlock.
_STORE = """
WITH found AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(found)s) AS one (trace_id text, environment text,
        touched_at timestamptz, start timestamptz, duration_ns bigint, root_service text,
        root_name text, span_count int, error_count int, services text[], calls json)
), held AS MATERIALIZED (
    SELECT found.* FROM found JOIN trace_summaries AS known USING (trace_id, environment)
    WHERE known.needs_review AND known.touched_at = found.touched_at
    FOR UPDATE OF known SKIP LOCKED
), stored AS (
    UPDATE trace_summaries AS known SET needs_review = false, calls = held.calls,
        start = coalesce(held.start, known.start),
        duration_ns = coalesce(held.duration_ns, known.duration_ns),
        root_service = CASE WHEN held.span_count IS NULL THEN known.root_service
            ELSE held.root_service END,
        root_name = CASE WHEN held.span_count IS NULL THEN known.root_name
            ELSE held.root_name END,
        span_count = coalesce(held.span_count, known.span_count),
        error_count = coalesce(held.error_count, known.error_count),
        services = CASE WHEN known.services @> held.services THEN known.services ELSE
            ARRAY(SELECT DISTINCT unnest(known.services || held.services)
                  ORDER BY 1 LIMIT %(services)s) END
    FROM held WHERE known.trace_id = held.trace_id AND known.environment = held.environment
    RETURNING known.trace_id, known.environment
), called AS (
    INSERT INTO call_counts
        (bucket, environment, source, target, kind, is_error, duration_step, count)
    SELECT to_timestamp(minute), environment, source, target, kind, is_error, duration_step,
        sum(count)
    FROM json_to_recordset(%(changes)s) AS change (trace_id text, environment text, minute bigint,
        source text, target text, kind text, is_error boolean, duration_step smallint, count int)
    JOIN stored USING (trace_id, environment)
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(count) <> 0
)
SELECT count(*) FROM stored
"""
_ELSEWHERE = """
SELECT DISTINCT ON (trace_id, span_id) trace_id, span_id, service_name FROM spans
WHERE trace_id = ANY(%(traces)s) AND (trace_id, span_id) IN
    (SELECT * FROM unnest(%(traces)s::text[], %(spans)s::text[]))
"""


class _Found(msgspec.Struct, omit_defaults=True):
    """What a review found; fields are columns, and what is None stays as landing has it."""

    trace_id: str
    environment: str
    touched_at: datetime
    calls: list[tuple[Call, int]] | None = None
    start: datetime | None = None
    duration_ns: int | None = None
    root_service: str | None = None
    root_name: str | None = None
    span_count: int | None = None
    error_count: int | None = None
    services: list[str] = []


class _Review(msgspec.Struct, frozen=True):
    """What was found of a trace, and by how much the counts of its calls change."""

    found: _Found
    changes: Mapping[Call, int]


def review_next(connection: psycopg.Connection, quiet_seconds: float = QUIET_SECONDS) -> bool:
    """Review the traces that have waited longest; False when no more wait that can be reviewed."""
    with connection.cursor(row_factory=class_row(WaitingTrace)) as cursor:
        waiting = cursor.execute(_WAITING, [quiet_seconds, MAX_TRACES]).fetchall()
    if not waiting:
        return False
    traces = _together(waiting)
    spans = spans_of(connection, traces)
    if spans is None:
        # Copies of them landed since they were counted: one is never too many.
        traces = traces[:1]
        spans = spans_of(connection, traces) or {}
    lines = lines_of(connection, [trace for trace in traces if trace.has_calls_in_lines])
    elsewhere = _services_elsewhere(connection, spans)
    reviews = [
        _review(trace, spans.get(trace.key, []), lines.get(trace.key, []), elsewhere)
        for trace in traces
    ]
    stored = _store(connection, reviews)
    # Those that are being written to would only be met again at once.
    return stored > 0 and (len(waiting) == MAX_TRACES or len(traces) < len(waiting))


def _together(waiting: Sequence[WaitingTrace]) -> list[WaitingTrace]:
    """The first of them, as many as may be read at once, at least one."""
    traces: list[WaitingTrace] = []
    total = 0
    for trace in waiting:
        total += trace.weight
        if traces and total > MAX_SPANS:
            break
        traces.append(trace)
    return traces


def _review(
    trace: WaitingTrace,
    spans: Sequence[Span],
    lines: Sequence[LogLine],
    elsewhere: Mapping[tuple[str, str], str],
) -> _Review:
    before = trace_calls.from_kept(trace.calls)
    once = without_copies(spans[:MAX_SPANS])
    try:
        if once:
            links = service_links(once, elsewhere=elsewhere)
            calls = trace_calls.counted(links)
        elif lines:
            calls = trace_calls.counted(service_links(derived_spans(lines)), is_derived=True)
        else:
            # Too much to read, or removed by retention.
            calls = before
    except Exception:
        # At the edge of a loop: one trace that we cannot read must not stop all others.
        log.exception("the calls of trace %r are not known", trace.trace_id)
        calls = before
    found = _Found(trace.trace_id, trace.environment, trace.touched_at, trace_calls.kept(calls))
    if once and len(spans) <= MAX_SPANS:
        _count(found, once)
    return _Review(found, trace_calls.difference(calls, before))


def _count(found: _Found, spans: Sequence[Span]) -> None:
    start = min(span.start_unix_nano for span in spans)
    end = max(max(span.start_unix_nano, end_of(span)) for span in spans)
    roots = [span for span in spans if span.parent_span_id is None]
    root = min(roots, key=lambda span: span.start_unix_nano, default=None)
    found.start = to_datetime(start)
    found.duration_ns = min(end - start, _LONGEST)
    if root is not None:
        found.root_service, found.root_name = root.service_name, root.name
    found.span_count = len(spans)
    found.error_count = sum(span.status == "error" for span in spans)
    found.services = sorted({span.service_name for span in spans})


def _store(connection: psycopg.Connection, reviews: Sequence[_Review]) -> int:
    """Write what was found, and which calls are new, of traces not touched since; how many."""
    changes = [
        {
            "trace_id": review.found.trace_id,
            "environment": review.found.environment,
            "count": count,
            **msgspec.structs.asdict(call),
        }
        for review in reviews
        for call, count in review.changes.items()
    ]
    row = connection.execute(
        _STORE,
        {
            "found": msgspec.json.encode([review.found for review in reviews]).decode(),
            "services": MAX_SERVICES,
            "changes": msgspec.json.encode(changes).decode(),
        },
    ).fetchone()
    return int(row[0]) if row else 0


def _services_elsewhere(
    connection: psycopg.Connection, spans: Mapping[TraceKey, Sequence[Span]]
) -> dict[tuple[str, str], str]:
    """The services of spans of other traces that consumers name as where messages came from."""
    wanted = list(
        dict.fromkeys(link for trace in spans.values() for link in linked_elsewhere(trace))
    )[:_MAX_ELSEWHERE]
    if not wanted:
        return {}
    rows = connection.execute(
        _ELSEWHERE,
        {"traces": [trace for trace, _ in wanted], "spans": [span for _, span in wanted]},
    )
    return {(trace, span): service for trace, span, service in rows}
