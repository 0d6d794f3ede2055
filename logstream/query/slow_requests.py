"""The newest requests of an operation, with all that may tell why some are slow.

    checkout  ├──────────── POST /orders ───────────┤     the request
    checkout    ├─ internal ──────────────────┤           looked through
    checkout      ├ SELECT ┤  ├ POST /charge ┤           its calls: what leaves its service
    payments                    ├ POST /charge ┤          (not looked at further)

Everything is bounded: requests, the spans of their traces, and lines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, to_unix_nano
from logstream.query.attributes import each_object, leaves, value_text
from logstream.query.catalogue import Segment, id_condition, of_window
from logstream.query.conditions import Condition, choice_conditions, time_conditions
from logstream.query.counts import HOUR, MINUTE
from logstream.query.operations import count_requests
from logstream.query.service_sums import ENTRY_KINDS
from logstream.query.whole_time import WholeTime, minutes_since, whole_time
from logstream.query.whole_trace import between_ids
from logstream.tables import logs, skeletons, spans

# Landing counts operations by names cut to so many characters.
LONGEST_COUNTED_NAME = 200
# Of all requests together; the requests whose turn comes after that are not looked at.
MOST_SPANS = 60_000
MOST_LINES = 50_000
_TRACES_AT_ONCE = 250
_LEAVING = ("client", "producer")
# Name of an attribute, value as text.
Attribute = tuple[str, str]


class RequestCall(msgspec.Struct, frozen=True, gc=False):
    """A call that a request made itself: to `service`, its own where only its half is known."""

    service: str
    operation: str
    duration_nano: int
    is_error: bool


class SlowRequest(msgspec.Struct, frozen=True):
    """One request of an operation. `patterns` are those of the log lines of its trace."""

    trace_id: str
    span_id: str
    duration_nano: int
    is_error: bool
    attributes: frozenset[Attribute]
    calls: Sequence[RequestCall] = ()
    patterns: frozenset[int] = frozenset()


class NewestRequests(msgspec.Struct, frozen=True):
    """The requests looked at, and how many there are."""

    requests: Sequence[SlowRequest]
    total: int


def newest_requests(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    service: str,
    operation: str,
    *,
    limit: int,
    now_unix_nano: int,
) -> NewestRequests:
    """The newest requests of an operation in the time meant, at most `limit`.

    Spans that answer somebody else (server, consumer) where there are any of that name.
    """
    time = whole_time(log_filter, now_unix_nano)
    counted_name = operation[:LONGEST_COUNTED_NAME]
    counted = count_requests(connection, log_filter, time, service, counted_name)
    wanted = [kind for kind in ENTRY_KINDS if kind in counted] or list(counted)
    totals = _by(HOUR, counted, wanted)
    newest = _newest(time, totals, limit)
    first = newest.start // HOUR * HOUR
    if totals[first] > limit and newest.start >= minutes_since(now_unix_nano):
        # In this hour alone there are more than enough: its minutes say from when on.
        hour = replace(newest, end=first + HOUR)
        minutes = count_requests(
            connection, log_filter, hour, service, counted_name, by_minute=True
        )
        later = sum(count for bucket, count in totals.items() if bucket > first)
        start = _newest(hour, _by(MINUTE, minutes, wanted), limit - later).start
        newest = replace(newest, start=start)
    rows = _newest_spans(connection, log_filter, newest, service, operation, wanted, limit)
    looked, calls = _with_calls(connection, log_filter, service, rows)
    patterns = _patterns(connection, segments, log_filter, looked)
    found = [
        SlowRequest(
            trace_id=row.trace_id,
            span_id=row.span_id,
            duration_nano=row.duration_ns,
            is_error=row.status == "error",
            attributes=_flat(attributes),
            calls=calls.get((row.trace_id, row.span_id), ()),
            patterns=patterns.get(row.trace_id, frozenset()),
        )
        for row, attributes in zip(
            looked, each_object(row.attributes for row in looked), strict=True
        )
    ]
    return NewestRequests(found, max(totals.total(), len(rows)))


def _by(seconds: int, counted: Mapping[str, Counter[int]], kinds: Iterable[str]) -> Counter[int]:
    """How many of these kinds there were by a unit of time, named by when it begins."""
    totals: Counter[int] = Counter()
    for kind in kinds:
        for bucket, count in counted.get(kind, {}).items():
            totals[bucket // seconds * seconds] += count
    return totals


def _newest(time: WholeTime, counts: Mapping[int, int], limit: int) -> WholeTime:
    """The newest part of a time that holds so many: reading all of a busy day would take long."""
    found = 0
    for bucket in sorted(counts, reverse=True):
        found += counts[bucket]
        if found >= limit:
            return replace(time, start=max(bucket, time.start))
    return time


def _newest_spans(
    connection: sa.Connection,
    log_filter: LogFilter,
    time: WholeTime,
    service: str,
    operation: str,
    kinds: Iterable[str],
    limit: int,
) -> list[sa.Row[Any]]:
    columns = spans.c
    is_named = columns.name == operation
    if len(operation) >= LONGEST_COUNTED_NAME:
        is_named = (
            sa.func.left(columns.name, LONGEST_COUNTED_NAME) == (operation[:LONGEST_COUNTED_NAME])
        )
    within = time_conditions(
        columns.start, time.start * NANOS_PER_SECOND, time.end * NANOS_PER_SECOND
    )
    statement = (
        sa.select(
            columns.trace_id,
            columns.span_id,
            columns.start,
            columns.duration_ns,
            columns.status,
            sa.cast(columns.attributes, sa.Text).label("attributes"),
        )
        .where(columns.service_name == service, is_named, *within)
        .where(*choice_conditions(columns.environment, log_filter.environment))
        .order_by(columns.start.desc(), columns.start_nanos.desc(), columns.id.desc())
        .limit(limit)
    )
    kinds = list(kinds)
    if kinds:
        statement = statement.where(columns.kind.in_(kinds))
    by_id = {(row.trace_id, row.span_id): row for row in connection.execute(statement)}
    return list(by_id.values())


def _with_calls(
    connection: sa.Connection, log_filter: LogFilter, service: str, rows: Sequence[sa.Row[Any]]
) -> tuple[list[sa.Row[Any]], dict[tuple[str, str], list[RequestCall]]]:
    """The requests whose traces could be read within the bounds, and the calls of each."""
    by_trace: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        by_trace[row.trace_id].append(row)
    looked: list[sa.Row[Any]] = []
    calls: dict[tuple[str, str], list[RequestCall]] = {}
    left = MOST_SPANS
    every = list(by_trace)
    for at in range(0, len(every), _TRACES_AT_ONCE):
        if left <= 0:
            break
        traces = every[at : at + _TRACES_AT_ONCE]
        children = _children(connection, log_filter, traces, left)
        left -= sum(map(len, children.values()))
        for trace_id in traces:
            for row in by_trace[trace_id]:
                looked.append(row)
                calls[trace_id, row.span_id] = _calls_of(service, row.span_id, trace_id, children)
    return looked, calls


_Children = dict[tuple[str, str], dict[str, Any]]


def _children(
    connection: sa.Connection, log_filter: LogFilter, traces: Sequence[str], most: int
) -> _Children:
    """The spans under a span, by trace and id of that."""
    columns = spans.c
    ids = sa.literal(list(traces), sa.ARRAY(sa.Text))
    environment = log_filter.environment
    statement = (
        sa.select(
            columns.trace_id,
            columns.span_id,
            columns.parent_span_id,
            columns.service_name,
            columns.name,
            columns.kind,
            columns.status,
            columns.duration_ns,
        )
        .where(
            columns.trace_id == sa.func.any(ids),
            columns.parent_span_id.is_not(None),
            *choice_conditions(columns.environment, environment),
            *between_ids(connection, traces, environment),
        )
        .limit(most)
    )
    found: _Children = defaultdict(dict)
    for row in connection.execute(statement):
        found[row.trace_id, row.parent_span_id].setdefault(row.span_id, row)
    return found


def _calls_of(service: str, span_id: str, trace_id: str, children: _Children) -> list[RequestCall]:
    """What leaves the service under a span, looked for through the spans inside of it."""
    found = []
    waiting, seen = [span_id], {span_id}
    while waiting:
        for child in children.get((trace_id, waiting.pop()), {}).values():
            if child.span_id in seen:
                continue
            seen.add(child.span_id)
            is_own = child.service_name == service
            if is_own and child.kind not in _LEAVING:
                waiting.append(child.span_id)
                continue
            answers = children.get((trace_id, child.span_id), {}).values() if is_own else ()
            other = next((one for one in answers if one.service_name != service), child)
            found.append(
                RequestCall(
                    other.service_name,
                    other.name,
                    child.duration_ns,
                    "error" in (child.status, other.status),
                )
            )
    return found


def _patterns(
    connection: sa.Connection,
    segments: list[Segment],
    log_filter: LogFilter,
    requests: Sequence[sa.Row[Any]],
) -> dict[str, frozenset[int]]:
    """The patterns of the lines of each trace, of as many lines as may be read."""
    if not requests:
        return {}
    starts = [to_unix_nano(row.start) for row in requests]
    ends = [start + max(0, row.duration_ns) for start, row in zip(starts, requests, strict=True)]
    # A line may be written a little before its request's first span, or after its last.
    window = (
        min(starts) - NANOS_PER_MINUTE,
        min(max(ends), max(starts) + _LONGEST) + (NANOS_PER_MINUTE),
    )
    columns = logs.c
    ids = sa.literal(list({row.trace_id for row in requests}), sa.ARRAY(sa.Text))
    conditions: list[Condition] = [
        id_condition(of_window(segments, *window)),
        columns.trace_id == sa.func.any(ids),
        *time_conditions(columns.timestamp, *window),
        *choice_conditions(columns.environment, log_filter.environment),
    ]
    lines = (
        sa.select(columns.trace_id, columns.skeleton_id)
        .where(*conditions)
        .limit(MOST_LINES)
        .subquery()
    )
    pattern = sa.func.coalesce(skeletons.c.pattern_id, lines.c.skeleton_id)
    statement = (
        sa.select(lines.c.trace_id, pattern.label("pattern_id"))
        .select_from(lines.outerjoin(skeletons, skeletons.c.skeleton_id == lines.c.skeleton_id))
        .where(pattern != 0)
        .distinct()
    )
    found: dict[str, set[int]] = defaultdict(set)
    for trace_id, pattern_id in connection.execute(statement):
        found[trace_id].add(pattern_id)
    return {trace_id: frozenset(ids) for trace_id, ids in found.items()}


_LONGEST = 60 * NANOS_PER_MINUTE


def _flat(attributes: dict[str, Any]) -> frozenset[Attribute]:
    pairs = ((name, value_text(value)) for name, value in leaves(attributes))
    return frozenset((name, text) for name, text in pairs if text is not None)
