"""The life of segments of spans: made, filled, closed behind the fence, sealed, removed."""

import asyncio
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from logstream.land import close_segments, leaves, seal, span_retention, span_segments
from logstream.land.segments import SPANS
from logstream.land.upkeep import summarize_segments
from logstream.query.reader import PostgresReader
from logstream.query.trace_reader import PostgresTraceReader
from logstream.retention_rules import RetentionRules
from tests.contract.conftest import Store
from tests.contract.test_landing_spans import land, spans_of
from tests.contract.test_log_writer import ask
from tests.records import a_record, a_span

ROUNDS = 4
_STORED = """
SELECT state, row_count, (SELECT count(*) FROM spans WHERE id >= first_id AND id < end_id)
FROM span_segments
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as opened:
        yield opened


def never() -> None:
    """A pause that goes on."""


def make_old(connection: psycopg.Connection, days: float = 3) -> None:
    """As if every segment had been made, and closed, so many days earlier."""
    connection.execute(
        "UPDATE span_segments SET created_at = created_at - make_interval(secs => %(seconds)s),"
        " closed_at = closed_at - make_interval(secs => %(seconds)s)",
        {"seconds": days * 86_400},
    )


def close_all(connection: psycopg.Connection) -> None:
    make_old(connection)
    span_segments.close_due(connection, 3600)


def states(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT name, state, row_count, environments FROM span_segments ORDER BY first_id"
    ).fetchall()


async def test_ids_of_spans_grow_and_cross_into_the_next_segment(
    store: Store, database_url: str
) -> None:
    await land(store, *(a_span(f"{n}") for n in range(3)), records=[a_record()])
    assert ask(database_url, "SELECT id, span_id FROM spans ORDER BY id") == [
        (1, "0"), (2, "1"), (3, "2"),
    ]  # fmt: skip
    ask(database_url, "SELECT setval('span_id_blocks', 98)")
    # Block 99 holds ids 990,000 to 999,999; 25,000 more than the first block has left.
    await land(store, *(a_span() for _ in range(25_000)))
    names = ask(database_url, "SELECT name FROM span_segments ORDER BY first_id")
    assert names == [("spans_000000",), ("spans_000001",), ("spans_000002",)]
    counted = "SELECT (SELECT count(*) FROM spans_000000), (SELECT count(*) FROM spans_000001)"
    assert ask(database_url, counted) == [(10_003, 15_000)]
    assert ask(database_url, "SELECT count(DISTINCT id) FROM spans") == [(25_003,)]
    # Lines have ids of their own.
    assert ask(database_url, "SELECT max(id) FROM logs") == [(1,)]


async def test_spans_never_land_in_a_closed_segment(store: Store, database_url: str) -> None:
    is_over = asyncio.Event()

    async def land_until_over(number: int) -> int:
        landed = 0
        while not is_over.is_set():
            spans = [a_span(f"{number}-{landed + n}") for n in range(50)]
            await land(store, *spans, records=[a_record()])
            landed += 50
        return landed

    newest = (
        "SELECT count(*) FROM spans WHERE id >= (SELECT max(first_id) FROM span_segments,"
        " span_id_blocks WHERE state = 'open' AND last_value * 10000 >= first_id)"
    )

    def care() -> None:
        with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as connection:
            for _ in range(ROUNDS):
                while connection.execute(newest).fetchall()[0][0] < 200:
                    pass
                make_old(connection)
                assert span_segments.close_due(connection, 3600) == 1
                assert span_segments.seal_next(connection, never)

    senders = [asyncio.create_task(land_until_over(number)) for number in range(3)]
    try:
        await asyncio.to_thread(care)
    finally:
        is_over.set()
    landed = sum(await asyncio.gather(*senders))
    stored = ask(database_url, _STORED)
    sealed = [(described, found) for state, described, found in stored if state == "sealed"]
    assert len(sealed) == ROUNDS
    assert all(described == found for described, found in sealed)
    assert ask(database_url, "SELECT count(*), count(DISTINCT id) FROM spans") == [(landed, landed)]
    counted = "SELECT sum(span_count) FROM trace_summaries"
    assert ask(database_url, counted) == [(landed,)]


async def test_a_closed_segment_says_what_it_holds(
    store: Store, connection: psycopg.Connection
) -> None:
    late = msgspec.structs.replace(a_span(start_ms=-86_400_000), observed_unix_nano=0)
    await land(store, a_span(), a_span(start_ms=5), late, a_span(environment="staging"))
    close_all(connection)
    assert states(connection) == [
        ("spans_000000", "closed", 4, {"production": 3, "staging": 1}),
        ("spans_000001", "open", None, None),
    ]
    facts = connection.execute(
        "SELECT first_start::text, last_start::text, lower(received)::text, upper(received)::text"
        " FROM span_segments WHERE first_id = 0"
    ).fetchone()
    assert facts == (
        "2026-02-28 12:00:30+00", "2026-03-01 12:00:30.005+00",
        "1970-01-01 00:00:00+00", "2026-03-01 12:00:30+00",
    )  # fmt: skip


async def test_few_spans_keep_their_segment_open_for_a_day(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, a_span())
    make_old(connection, days=0.5)
    assert span_segments.close_due(connection, 3600) == 0
    make_old(connection, days=0.6)
    assert span_segments.close_due(connection, 3600) == 1


async def test_a_sealed_segment_answers_by_operation_and_still_by_trace(
    store: Store,
    connection: psycopg.Connection,
    reader: PostgresReader,
    trace_reader: PostgresTraceReader,
) -> None:
    spans = [a_span(f"{n}", name=f"GET /{n % 50}", start_ms=n) for n in range(3_000)]
    await land(store, *spans)
    close_all(connection)
    assert span_segments.seal_next(connection, never)
    assert not span_segments.seal_next(connection, never)
    await land(store, a_span("newest", start_ms=9_000))
    plan = connection.execute(
        "EXPLAIN SELECT * FROM spans WHERE service_name = 'payment-gateway' AND name = 'GET /7'"
        " AND start > '2026-03-01' ORDER BY start DESC LIMIT 5"
    ).fetchall()
    assert any("spans_000000_operation" in line for (line,) in plan), plan
    found = spans_of(trace_reader, most=5_000)
    assert [span.span_id for span in found] == [*(f"{n}" for n in range(3_000)), "newest"]
    facts = reader.system()
    assert facts["spansEstimate"] == 3_000 and facts["spansBytes"] > 500_000


async def test_a_name_that_no_index_holds_does_not_keep_a_segment_from_being_sealed(
    store: Store, connection: psycopg.Connection
) -> None:
    name = "".join(f"{n:x}" for n in range(10_000))
    await land(store, a_span(name=name), a_span())
    close_all(connection)
    assert span_segments.seal_next(connection, never)
    assert states(connection)[0][1:3] == ("sealed", 2)


async def test_a_segment_in_use_is_sealed_later(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, a_span())
    close_all(connection)
    with seal.taking_care(connection, 0, SPANS) as is_ours:
        assert is_ours
        with psycopg.connect(connection.info.dsn, autocommit=True, password="") as other:
            assert not span_segments.seal_next(other, never)
    assert span_segments.seal_next(connection, never)


async def test_the_care_of_lines_and_that_of_spans_do_not_exclude_each_other(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, a_span(), records=[a_record()])
    connection.execute("UPDATE segments SET created_at = created_at - interval '3 days'")
    assert close_segments.close_due(connection, 3600) == 1
    assert [state for _, state, *_ in states(connection)] == ["open", "open"]


async def seal_one_segment(
    store: Store, connection: psycopg.Connection, **by_environment: int
) -> None:
    await land(
        store,
        *(
            a_span(f"{environment}-{n}", environment=environment)
            for environment, count in by_environment.items()
            for n in range(count)
        ),
    )
    close_all(connection)
    assert span_segments.seal_next(connection, never)


RULES = RetentionRules.parse("staging=7,audit=0,production/debug=1", 30)


async def test_a_segment_goes_when_everything_in_it_is_due(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    await seal_one_segment(store, connection, production=20, staging=5)
    make_old(connection, 29)
    assert span_retention.enforce(connection, RetentionRules(), never) == 0
    # Staging, a fifth of all: written anew without.
    assert span_retention.enforce(connection, RULES, never) == 5
    assert states(connection)[0] == ("spans_000000", "closed", 20, {"production": 20})
    assert span_retention.enforce(connection, RULES, never) == 0
    assert span_segments.seal_next(connection, never)
    make_old(connection, 1.1)
    assert span_retention.enforce(connection, RULES, never) == 20
    assert states(connection)[0] == ("spans_000000", "dropped", 0, {})
    assert ask(database_url, "SELECT to_regclass('spans_000000'), count(*) FROM spans") == [
        (None, 0)
    ]
    await land(store, a_span())
    assert ask(database_url, "SELECT count(*) FROM spans_000001") == [(1,)]


async def test_what_is_kept_of_a_segment_is_found_after_it_was_written_anew(
    store: Store, connection: psycopg.Connection, trace_reader: PostgresTraceReader
) -> None:
    await seal_one_segment(store, connection, staging=30, audit=3)
    make_old(connection, 8)
    assert span_retention.enforce(connection, RULES, never) == 30
    found = spans_of(trace_reader)
    assert [span.span_id for span in found] == ["audit-0", "audit-1", "audit-2"]
    indexes = connection.execute(
        "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid"
        " WHERE indrelid = 'spans_000000'::regclass"
    ).fetchone()
    assert indexes == (3,)


async def test_little_that_is_due_is_deleted_piece_by_piece(
    store: Store, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "PAGES_AT_ONCE", 1)
    await seal_one_segment(store, connection, production=900, staging=100)
    make_old(connection, 8)
    pauses = []
    assert span_retention.enforce(connection, RULES, lambda: pauses.append(1)) == 100
    assert len(pauses) > 10
    assert states(connection)[0] == ("spans_000000", "sealed", 900, {"production": 900})
    left = connection.execute("SELECT environment, count(*) FROM spans GROUP BY 1").fetchall()
    assert left == [("production", 900)]


async def test_an_empty_segment_goes_after_a_day(
    store: Store, connection: psycopg.Connection
) -> None:
    await land(store, a_span())
    connection.execute("DELETE FROM spans")
    assert close_segments.close(connection, 0, SPANS)
    span_segments.describe_closed(connection)
    assert span_segments.seal_next(connection, never)
    assert span_retention.due(connection, RetentionRules()) == []
    make_old(connection, 1)
    span_retention.enforce(connection, RetentionRules(), never)
    assert states(connection)[0][1] == "dropped"


async def test_brin_indexes_of_open_segments_are_kept_up_to_date(
    store: Store, connection: psycopg.Connection
) -> None:
    # 32 pages of 8 kB make a range: one of spans is about 250 bytes.
    await land(store, *(a_span(f"{n}") for n in range(3_000)))
    assert summarize_segments(connection) > 0
