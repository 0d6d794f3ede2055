"""The review of traces: exact counts, and calls between services counted once."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from logstream.explain import trace_lines, trace_review
from logstream.land import fold_durations
from logstream.model import LogRecord, Span, to_unix_nano
from logstream.ports import Batch
from logstream.query.service_links import service_links
from tests.contract.conftest import Store
from tests.records import NOON, a_record, a_span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "a3ce929d0e0e47364bf92f3577b34da6"
# What a reader adds up, whichever rows it lies in.
CALLS = """
SELECT source, target, kind, is_error, sum(count)::int FROM (
    SELECT source, target, kind, is_error, count FROM call_counts_hourly
    UNION ALL SELECT source, target, kind, is_error, count FROM call_counts WHERE NOT is_folded
) AS counted GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0 ORDER BY 1, 2, 3, 4
"""
ENTRY = a_span("a1", name="POST /orders", service="gateway", kind="server", duration_ms=100)
REQUEST = a_span(
    "a2", parent="a1", name="POST", service="gateway", kind="client", start_ms=10, duration_ms=60
)
RESERVE = a_span(
    "b1", parent="a2", name="reserve", service="stock", kind="server", start_ms=20, duration_ms=40
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as opened:
        yield opened


async def land(
    store: Store,
    connection: psycopg.Connection,
    *spans: Span,
    records: Sequence[LogRecord] = (),
) -> None:
    """Land spans and lines, and tell traces of the lines as the worker does."""
    await store.writer.land(Batch(records, environment="production", spans=spans))
    for block in trace_lines.waiting_blocks(connection):
        trace_lines.count_block(connection, block)


def review(connection: psycopg.Connection) -> None:
    """Review until nothing waits."""
    while trace_review.review_next(connection, 0):
        pass


def summary(connection: psycopg.Connection, trace_id: str = TRACE) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "SELECT * FROM trace_summaries WHERE trace_id = %s", [trace_id]
        ).fetchone()
    assert row is not None
    return row


def calls(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(CALLS).fetchall()


def waiting(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM trace_summaries WHERE needs_review").fetchone()
    assert row is not None
    return int(row[0])


async def test_a_review_counts_each_span_once_and_finds_root_times_and_calls(
    store: Store, connection: psycopg.Connection
) -> None:
    failed = msgspec.structs.replace(RESERVE, status="error")
    await land(store, connection, REQUEST, failed)
    # Not answered, the sender sends them again with the next one.
    await land(store, connection, REQUEST, failed, ENTRY)
    assert summary(connection)["span_count"] == 5
    review(connection)
    found = summary(connection)
    assert (found["span_count"], found["error_count"]) == (3, 1)
    assert (found["root_service"], found["root_name"]) == ("gateway", "POST /orders")
    assert to_unix_nano(found["start"]) == NOON
    assert found["duration_ns"] == 100_000_000
    assert found["services"] == ["gateway", "stock"]
    assert not found["needs_review"]
    assert calls(connection) == [
        ("", "gateway", "call", False, 1),
        ("gateway", "stock", "call", True, 1),
    ]
    # Of the callee: 40 ms is step floor(4 * log2(40,000)) = floor(61.15).
    assert connection.execute(
        "SELECT bucket, environment, duration_step, count, is_folded FROM call_counts"
        " WHERE target = 'stock'"
    ).fetchall() == [(datetime(2026, 3, 1, 12, tzinfo=UTC), "production", 61, 1, False)]


async def test_a_second_review_adds_nothing(store: Store, connection: psycopg.Connection) -> None:
    await land(store, connection, ENTRY, REQUEST, RESERVE)
    review(connection)
    first = calls(connection), summary(connection)["calls"]
    for _ in range(2):
        await land(store, connection, ENTRY, REQUEST, RESERVE)
        review(connection)
    assert (calls(connection), summary(connection)["calls"]) == first
    assert connection.execute("SELECT count(*) FROM call_counts").fetchone() == (2,)
    assert trace_review.review_next(connection, 0) is False


async def test_a_caller_that_comes_minutes_after_its_callee_corrects_the_calls(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, connection, RESERVE)
    review(connection)
    assert calls(connection) == [("", "stock", "call", False, 1)]
    assert summary(connection)["root_service"] is None
    fold_durations.fold(connection, "call_counts")
    await land(store, connection, REQUEST, ENTRY)
    review(connection)
    expected = [("", "gateway", "call", False, 1), ("gateway", "stock", "call", False, 1)]
    assert calls(connection) == expected
    fold_durations.fold(connection, "call_counts")
    assert calls(connection) == expected
    # Nothing is left of the call that was none.
    for table in ("call_counts", "call_counts_hourly"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)


async def test_lines_tell_calls_until_spans_tell_them_better(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(
        store,
        connection,
        records=[
            # 100 ms of the gateway; in it 20 ms of stock.
            a_record("POST /orders 201", service="gateway", trace_id=TRACE, duration_ms=100),
            a_record(
                "4 items reserved",
                service="stock",
                trace_id=TRACE,
                duration_ms=20,
                nanos=-30_000_000,
            ),
            a_record("POST /orders 201", service="gateway", trace_id=OTHER, duration_ms=100),
        ],
    )
    review(connection)
    assert calls(connection) == [("gateway", "stock", "derived", False, 1)]
    assert (summary(connection)["line_count"], summary(connection)["span_count"]) == (2, 0)
    assert waiting(connection) == 0
    await land(store, connection, ENTRY, REQUEST, RESERVE)
    review(connection)
    assert calls(connection) == [
        ("", "gateway", "call", False, 1),
        ("gateway", "stock", "call", False, 1),
    ]
    found = summary(connection)
    assert (found["line_count"], found["span_count"]) == (2, 3)
    assert (found["root_name"], to_unix_nano(found["start"])) == ("POST /orders", NOON)


async def test_lines_of_traces_far_apart_in_time_are_found(
    store: Store, connection: psycopg.Connection
) -> None:
    hours = {f"{number:032x}": number * 3_600.0 for number in (1, 2, 500_000)}
    await land(
        store,
        connection,
        records=[
            a_record("done", service=service, trace_id=trace, duration_ms=ms, seconds_ago=seconds)
            for trace, seconds in hours.items()
            for service, ms in (("gateway", 100), ("stock", 20))
        ],
    )
    review(connection)
    assert calls(connection) == [("gateway", "stock", "derived", False, 3)]


async def test_spans_that_land_during_a_review_are_reviewed_next(
    store: Store, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await land(store, connection, RESERVE)

    def touched_meanwhile(*_: object, **__: object) -> None:
        connection.execute("UPDATE trace_summaries SET touched_at = clock_timestamp()")

    real = trace_review.lines_of
    monkeypatch.setattr(
        trace_review, "lines_of", lambda *given: (touched_meanwhile(), real(*given))[1]
    )
    assert trace_review.review_next(connection, 0) is False
    assert (waiting(connection), calls(connection)) == (1, [])
    monkeypatch.undo()
    review(connection)
    assert (waiting(connection), calls(connection)) == (0, [("", "stock", "call", False, 1)])


async def test_a_trace_that_is_being_written_is_not_waited_for(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    elsewhere = msgspec.structs.replace(ENTRY, trace_id=OTHER)
    await land(store, connection, RESERVE, elsewhere)
    connection.execute("SET statement_timeout = '5s'")
    with psycopg.connect(database_url) as landing:
        landing.execute("SELECT FROM trace_summaries WHERE trace_id = %s FOR UPDATE", [TRACE])
        review(connection)
        assert calls(connection) == [("", "gateway", "call", False, 1)]
        assert summary(connection)["needs_review"]
    review(connection)
    assert len(calls(connection)) == 2


async def test_a_worker_that_dies_in_a_review_has_counted_nothing(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    await land(store, connection, ENTRY, REQUEST, RESERVE)
    with psycopg.connect(database_url, autocommit=True) as dying:
        dying.execute("SET statement_timeout = '200ms'")
        with connection.transaction():
            connection.execute("LOCK TABLE call_counts IN SHARE MODE")
            with pytest.raises(psycopg.errors.QueryCanceled):
                trace_review.review_next(dying, 0)
    assert (waiting(connection), calls(connection)) == (1, [])
    review(connection)
    assert (waiting(connection), len(calls(connection))) == (0, 2)


async def test_two_workers_at_once_count_once(
    store: Store, connection: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await land(store, connection, ENTRY, REQUEST, RESERVE)
    real = trace_review.lines_of

    def other_first(*given: Any) -> Any:
        monkeypatch.undo()
        with psycopg.connect(database_url, autocommit=True) as other:
            review(other)
        return real(*given)

    # Both have read the same traces when the first of them writes.
    monkeypatch.setattr(trace_review, "lines_of", other_first)
    review(connection)
    assert [row[-1] for row in calls(connection)] == [1, 1]


async def test_the_longest_waiting_are_reviewed_first_and_not_too_many_at_once(
    store: Store, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_review, "MAX_TRACES", 2)
    traces = [f"{number:032x}" for number in range(1, 6)]
    for trace in traces:
        await land(store, connection, msgspec.structs.replace(ENTRY, trace_id=trace))
    assert trace_review.review_next(connection, 0) is True
    done = connection.execute(
        "SELECT trace_id FROM trace_summaries WHERE NOT needs_review ORDER BY 1"
    ).fetchall()
    assert [trace for (trace,) in done] == traces[:2]
    review(connection)
    assert calls(connection) == [("", "gateway", "call", False, 5)]
    # Those touched just now have time.
    await land(store, connection, ENTRY)
    assert trace_review.review_next(connection) is False
    assert waiting(connection) == 1


async def test_traces_of_many_spans_are_read_a_few_at_a_time(
    store: Store, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_review, "MAX_SPANS", 7)
    monkeypatch.setattr("logstream.explain.trace_reading.MAX_SPANS", 7)
    for number in range(1, 6):
        await land(
            store,
            connection,
            *(
                msgspec.structs.replace(span, trace_id=f"{number:032x}")
                for span in (ENTRY, REQUEST, RESERVE)
            ),
        )
    # 3 + 3 of at most 7; a third would be 9.
    assert trace_review.review_next(connection, 0) is True
    assert waiting(connection) == 3
    # More than its summary says: read alone.
    connection.execute("UPDATE trace_summaries SET span_count = 1")
    assert trace_review.review_next(connection, 0) is True
    assert waiting(connection) == 2
    review(connection)
    assert waiting(connection) == 0
    assert calls(connection) == [
        ("", "gateway", "call", False, 5),
        ("gateway", "stock", "call", False, 5),
    ]


@pytest.mark.slow
async def test_a_trace_of_fifty_thousand_spans_is_cut_and_holds_nobody_up(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, connection, ENTRY, REQUEST)
    for first in range(0, 50_000, 2_500):
        await store.writer.land(
            Batch(
                [],
                environment="production",
                spans=[
                    msgspec.structs.replace(RESERVE, span_id=f"f{number:015x}")
                    for number in range(first, first + 2_500)
                ],
            )
        )
    await land(store, connection, msgspec.structs.replace(ENTRY, trace_id=OTHER))
    review(connection)
    assert waiting(connection) == 0
    found = summary(connection)
    # As many as were counted when they landed; the calls of the first 10,000.
    assert found["span_count"] == 50_002
    assert calls(connection) == [
        ("", "gateway", "call", False, 2),
        ("gateway", "stock", "call", False, 9_998),
    ]
    assert trace_review.review_next(connection, 0) is False


async def test_a_service_without_a_name_is_nobody(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(
        store,
        connection,
        ENTRY,
        REQUEST,
        msgspec.structs.replace(RESERVE, service_name=""),
        a_span("c1", parent="b1", service="mail", kind="server", start_ms=30, duration_ms=5),
    )
    review(connection)
    # Whoever calls without a name is as good as somebody from outside.
    assert calls(connection) == [
        ("", "gateway", "call", False, 1),
        ("", "mail", "call", False, 1),
    ]
    assert summary(connection)["services"] == ["", "gateway", "mail"]


async def test_clocks_may_be_anywhere(store: Store, connection: psycopg.Connection) -> None:
    def at(year: int, span: Span) -> Span:
        start = to_unix_nano(datetime(year, 1, 1, tzinfo=UTC))
        return msgspec.structs.replace(span, start_unix_nano=start)

    await land(store, connection, at(1970, ENTRY), at(2026, REQUEST), at(2100, RESERVE))
    endless = [at(1, ENTRY), msgspec.structs.replace(at(9999, REQUEST), duration_nano=2**62)]
    await land(
        store,
        connection,
        *(msgspec.structs.replace(span, trace_id=OTHER) for span in endless),
    )
    review(connection)
    assert waiting(connection) == 0
    assert summary(connection)["start"].year == 1970
    # From 1970 to 2100 are 130 years with 32 leap days, and the 40 ms of the last span.
    days = 130 * 365 + 32
    assert summary(connection)["duration_ns"] == days * 86_400 * 10**9 + 40_000_000
    assert summary(connection, OTHER)["duration_ns"] == 2**63 - 1
    while fold_durations.fold(connection, "call_counts"):
        pass
    years = connection.execute("SELECT DISTINCT extract(year FROM bucket)::int FROM call_counts")
    assert sorted(year for (year,) in years) == [1, 1970, 2100]


async def test_a_trace_that_cannot_be_read_stops_no_other(
    store: Store,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = trace_review.service_links

    def failing(spans: Sequence[Span], **more: Any) -> Any:
        if spans[0].trace_id == TRACE:
            raise RecursionError
        return real(spans, **more)

    monkeypatch.setattr(trace_review, "service_links", failing)
    await land(store, connection, ENTRY, msgspec.structs.replace(ENTRY, trace_id=OTHER))
    review(connection)
    assert waiting(connection) == 0
    assert calls(connection) == [("", "gateway", "call", False, 1)]
    assert f"the calls of trace '{TRACE}' are not known" in caplog.text


async def test_a_message_from_another_trace_has_its_sender(
    store: Store, connection: psycopg.Connection
) -> None:
    sent = a_span("d1", service="checkout", kind="producer", trace_id=OTHER)
    received = msgspec.structs.replace(
        a_span("e1", service="mail", kind="consumer"),
        links=msgspec.json.encode([{"traceId": OTHER, "spanId": "d1", "attributes": {}}]),
    )
    await land(store, connection, sent, received)
    review(connection)
    assert ("checkout", "mail", "messaging", False, 1) in calls(connection)


async def test_calls_are_those_of_whole_traces_in_whatever_pieces_they_came(
    store: Store, connection: psycopg.Connection
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    generator = random.Random(seed)
    services = ("gateway", "checkout", "stock", "mail")
    traces = []
    for number in range(1, 9):
        spans: list[Span] = []
        for place in range(generator.randint(1, 12)):
            span = a_span(
                f"{place + 1:016x}",
                parent=generator.choice(spans).span_id if spans else None,
                trace_id=f"{number:032x}",
                service=generator.choice(services),
                kind=generator.choice(("server", "client", "internal", "producer", "consumer")),
                start_ms=generator.choice((0, 5, 120_000)),
                duration_ms=generator.choice((-1, 0, 3, 700)),
            )
            status = generator.choice(("unset", "ok", "error"))
            spans.append(msgspec.structs.replace(span, status=status))
        traces.append(spans)
    everything = [span for spans in traces for span in spans]
    pieces = everything + generator.choices(everything, k=20)
    generator.shuffle(pieces)
    while pieces:
        size = generator.randint(1, 15)
        await land(store, connection, *pieces[:size])
        del pieces[:size]
        if generator.random() < 0.5:
            trace_review.review_next(connection, 0)
        if generator.random() < 0.3:
            fold_durations.fold(connection, "call_counts")
    review(connection)
    expected = Counter(
        (link.source, link.target, link.kind, link.is_error)
        for spans in traces
        for link in service_links(spans)
        if link.target
    )
    assert calls(connection) == [(*key, count) for key, count in sorted(expected.items())]
    fold_durations.fold(connection, "call_counts")
    assert calls(connection) == [(*key, count) for key, count in sorted(expected.items())]
    for spans in traces:
        assert summary(connection, spans[0].trace_id)["span_count"] == len(spans)
