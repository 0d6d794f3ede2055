"""What is known of traces and operations goes when their spans do, and not before."""

from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from logstream.land import seal
from logstream.land.trace_upkeep import COUNTS, forget_counts, forget_traces
from logstream.model import NANOS_PER_DAY, Span
from logstream.retention_rules import RetentionRules
from tests.contract.conftest import Store
from tests.contract.test_landing_spans import land
from tests.contract.test_log_writer import ask
from tests.contract.test_span_segments import close_all, make_old, never, span_retention
from tests.records import NOON, a_record, a_span

RULES = RetentionRules.parse("staging=7,audit=0,production/debug=1", 30)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as opened:
        yield opened


def days_ago(connection: psycopg.Connection, days: float, trace: int, environment: str) -> Span:
    """A span of so many days before now."""
    row = connection.execute("SELECT extract(epoch FROM now())::bigint").fetchone()
    assert row is not None
    shift_ms = (row[0] * 10**9 - NOON - days * NANOS_PER_DAY) / 1e6
    return a_span(trace_id=f"{trace:032x}", environment=environment, start_ms=shift_ms)


def touch_days_ago(connection: psycopg.Connection, span: Span, days: float) -> None:
    connection.execute(
        "UPDATE trace_summaries SET touched_at = now() - make_interval(secs => %s)"
        " WHERE trace_id = %s",
        [days * 86_400, span.trace_id],
    )


async def test_a_trace_is_forgotten_when_its_environment_keeps_it_no_longer(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    kinds = [
        # Environment, days since it started, days since something was added to it.
        ("production", 40, 29),  # 0: imported
        ("production", 40, 31),  # 1: due
        ("staging", 10, 6),  # 2
        ("staging", 10, 8),  # 3: due
        ("audit", 400, 400),  # 4: kept for ever
        ("production", -3, 31),  # 5: due, the clock of its sender was ahead
        ("production", 1, 0),  # 6
    ]
    for number, (environment, started, touched) in enumerate(kinds):
        span = days_ago(connection, started, number, environment)
        await land(store, span)
        touch_days_ago(connection, span, touched)
    assert forget_traces(connection, RetentionRules()) == 0
    assert forget_traces(connection, RULES) == 3
    assert forget_traces(connection, RULES) == 0
    left = ask(database_url, "SELECT right(trace_id, 1) FROM trace_summaries ORDER BY 1")
    assert left == [("0",), ("2",), ("4",), ("6",)]


async def test_a_trace_that_is_being_written_to_is_not_waited_for(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    span = days_ago(connection, 40, 1, "production")
    await land(store, span)
    touch_days_ago(connection, span, 40)
    with psycopg.connect(database_url) as writer:
        writer.execute("UPDATE trace_summaries SET touched_at = now()")
        assert forget_traces(connection, RULES) == 0


async def test_counts_go_with_the_last_span_of_their_time(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    """An import of last year's requests is counted under last year, and kept as long as they."""
    spans = [
        days_ago(connection, days, number, environment)
        for number, (days, environment) in enumerate(
            [(400, "production"), (40, "production"), (10, "production"), (10, "staging")]
        )
    ]
    await land(store, *spans)
    for rules in (RetentionRules(), RULES):
        assert forget_counts(connection, rules) == 0
    close_all(connection)
    assert forget_counts(connection, RULES) == 0
    make_old(connection, 31)
    assert span_retention.enforce(connection, RULES, never) == 4
    # 400 and 40 days in production, 10 days in staging.
    assert forget_counts(connection, RULES) == 3
    left = "SELECT environment, count FROM operation_counts"
    assert ask(database_url, left) == [("production", 1)]


async def test_counts_of_lines_stay_as_long_as_lines_of_their_time(
    store: Store, connection: psycopg.Connection, database_url: str
) -> None:
    await store.land(
        msgspec.structs.replace(
            a_record(duration_ms=7),
            timestamp_unix_nano=days_ago(connection, 300, 1, "production").start_unix_nano,
        )
    )
    assert forget_counts(connection, RULES) == 0
    connection.execute("DELETE FROM logs")
    assert forget_counts(connection, RULES) == 1


async def test_hours_and_calls_are_forgotten_too(
    connection: psycopg.Connection, database_url: str
) -> None:
    for table in COUNTS:
        names = (
            "service_name, operation, kind" if table.startswith("op") else "source, target, kind"
        )
        connection.execute(
            f"INSERT INTO {table} (bucket, environment, {names}, is_error, duration_step, count)"
            " SELECT date_trunc('hour', now() - make_interval(days => days)), 'production',"
            " 'a', 'b', 'server', false, 57, 1 FROM unnest(ARRAY[29, 31, 300]) AS days"
        )
    assert forget_counts(connection, RULES) == 8
    for table in COUNTS:
        assert ask(database_url, f"SELECT now() - bucket < '30 days' FROM {table}") == [(True,)]
