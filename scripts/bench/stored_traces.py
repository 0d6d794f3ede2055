"""Spans of a shop's requests, copied into the real tables with what landing sums up of them."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg

from logstream.durations import step_of
from logstream.land import close_segments, span_segments
from logstream.land.segments import IDS_PER_SEGMENT, SPANS

SPANS_PER_TRACE = 10
# So many traces run at once: their spans lie mixed.
_AT_ONCE = 200
_NANOS = 1_000_000
# Service, operation, kind, parent's place, start and usual duration in milliseconds.
_CALLS = (
    ("web", "GET /cart", "server", None, 0, 120),
    ("web", "GET", "client", 0, 2, 110),
    ("cart", "GET /cart/{id}", "server", 1, 4, 100),
    ("cart", "SELECT items", "client", 2, 6, 30),
    ("cart", "GET", "client", 2, 40, 50),
    ("pricing", "POST /prices", "server", 4, 42, 45),
    ("pricing", "SELECT prices", "client", 5, 44, 12),
    ("pricing", "EVALSHA", "client", 5, 60, 3),
    ("cart", "publish cart.seen", "producer", 2, 92, 1),
    ("mailer", "process cart.seen", "consumer", 8, 95, 20),
)
RARE_SERVICE, RARE_OPERATION = "helpdesk", "CALL for-help"
# One trace in so many has a span of the rare service.
_RARE = 5_000
_SPANS = (
    "COPY spans (id, start, observed_timestamp, duration_ns, start_nanos, trace_id, span_id,"
    " parent_span_id, environment, service_name, name, kind, status, status_message, attributes,"
    " events, links) FROM STDIN"
)
_SUMMARIES = (
    "COPY trace_summaries (environment, trace_id, start, duration_ns, root_service, root_name,"
    " span_count, error_count, services, first_span, last_span, needs_review) FROM STDIN"
)
_COUNTS = (
    "COPY operation_counts (bucket, environment, service_name, operation, kind, is_error,"
    " duration_step, count, is_folded) FROM STDIN"
)
_Count = tuple[datetime, str, str, str, bool, int]


class Filled(NamedTuple):
    """Some trace ids, and an order that one of them is about."""

    trace_ids: list[str]
    order: str
    newest: datetime


def fill(connection: psycopg.Connection, count: int, span_seconds: float) -> Filled:
    """About `count` spans over the time before now; counted, folded and sealed."""
    generator = random.Random(3)
    newest = datetime.now(UTC).replace(microsecond=0)
    _make_segments(connection, count)
    traces = count // SPANS_PER_TRACE
    counts: Counter[_Count] = Counter()
    kept: list[str] = []
    next_id = 0
    for first in range(0, traces, 10_000):
        spans: list[tuple[object, ...]] = []
        summaries: list[tuple[object, ...]] = []
        for some in range(first, min(first + 10_000, traces), _AT_ONCE):
            places = range(some, min(some + _AT_ONCE, traces))
            starts = [
                newest - timedelta(seconds=span_seconds * (1 - place / traces)) for place in places
            ]
            made = [
                list(_trace(generator, place, start))
                for place, start in zip(places, starts, strict=True)
            ]
            mixed = [(row, place) for place, rows in enumerate(made) for row in rows]
            generator.shuffle(mixed)
            ids: dict[int, list[int]] = {}
            for row, place in mixed:
                ids.setdefault(place, []).append(next_id)
                spans.append((next_id, *row))
                minute = row[0].replace(second=0, microsecond=0)  # type: ignore[attr-defined]
                is_error = row[11] == "error"
                step = step_of(row[2])  # type: ignore[arg-type]
                counts[minute, row[8], row[9], row[10], is_error, step] += 1  # type: ignore[index]
                next_id += 1
            for place, rows in enumerate(made):
                summaries.append(_summary(rows, ids[place]))
                if place == 0:
                    kept.append(str(rows[0][4]))
        _copy(connection, _SPANS, spans)
        _copy(connection, _SUMMARIES, summaries)
    _copy(
        connection,
        _COUNTS,
        [
            (minute, "production", service, name, kind, is_error, step, seen, True)
            for (minute, service, name, kind, is_error, step), seen in counts.items()
        ],
    )
    # As the worker leaves them: all but the newest segment sealed.
    for first in range(0, next_id // IDS_PER_SEGMENT * IDS_PER_SEGMENT, IDS_PER_SEGMENT):
        close_segments.close(connection, first, SPANS)
    span_segments.describe_closed(connection)
    while span_segments.seal_next(connection, lambda: None):
        pass
    connection.execute("VACUUM ANALYZE")
    return Filled(kept, f"order-{traces - traces // 1_000}", newest)


def _trace(generator: random.Random, number: int, start: datetime) -> Iterator[tuple[object, ...]]:
    trace_id = f"{generator.getrandbits(128):032x}"
    slow = generator.lognormvariate(0, 0.6)
    calls = _CALLS
    if number % _RARE == _RARE // 2:
        calls = (*calls, (RARE_SERVICE, RARE_OPERATION, "server", 0, 50, 40))
    for place, (service, name, kind, parent, offset, usual) in enumerate(calls):
        is_error = generator.random() < 0.002
        attributes = {
            "http.response.status_code": 500 if is_error else 200,
            "server.address": f"{service}-{generator.randrange(20)}.shop.internal",
            "thread.id": generator.randrange(64),
            "k8s.pod.name": f"{service}-7f9c{generator.randrange(16**4):04x}",
        }
        if place == 0:
            attributes["order.id"] = f"order-{number}"
        moment = start + timedelta(milliseconds=offset * slow)
        yield (
            moment,
            moment + timedelta(milliseconds=usual * slow),
            int(usual * slow * _NANOS),
            0,
            trace_id,
            f"{place:016x}",
            None if parent is None else f"{parent:016x}",
            "production",
            service,
            name,
            kind,
            "error" if is_error else "unset",
            "upstream refused" if is_error else None,
            json.dumps(attributes),
            "[]",
            "[]",
        )


def _summary(rows: list[tuple[object, ...]], ids: list[int]) -> tuple[object, ...]:
    root = rows[0]
    return (
        "production",
        root[4],
        root[0],
        root[2],
        root[8],
        root[9],
        len(rows),
        sum(row[11] == "error" for row in rows),
        sorted({str(row[8]) for row in rows}),
        ids[0],
        ids[-1],
        False,
    )


def _make_segments(connection: psycopg.Connection, count: int) -> None:
    for number in range(count * 11 // 10 // IDS_PER_SEGMENT + 1):
        first, name = number * IDS_PER_SEGMENT, f"spans_{number:06d}"
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF spans"
            f" FOR VALUES FROM ({first}) TO ({first + IDS_PER_SEGMENT})"
        )
        connection.execute(
            "INSERT INTO span_segments (first_id, end_id, name) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [first, first + IDS_PER_SEGMENT, name],
        )


def _copy(connection: psycopg.Connection, statement: str, rows: list[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
