"""Every hot question about traces uses the index meant for it and leaves other segments alone."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from logstream.filter import Choice, LogFilter
from logstream.query.trace_reader import PostgresTraceReader
from logstream.trace_port import TracePage
from tests.contract.test_plans import Plans
from tests.records import NOON, a_span
from tests.trace_store import TraceStore

SPANS_PER_TABLE = 6_000
TABLES = ("spans_000000", "spans_000001", "spans_000002")
OLDEST, MIDDLE, NEWEST = TABLES
BY_TRACE = "btree (trace_id)"
BY_START = "btree (start)"
BY_KEY = "btree (trace_id, environment)"

Explain = Callable[[Callable[[PostgresTraceReader], object]], Plans]


@pytest.fixture
def explain(database_url: str, trace_reader: PostgresTraceReader) -> Iterator[Explain]:
    """Asks and explains; 1,800 traces of ten spans, one every 6 s, 600 a table and hour."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        TraceStore(connection, SPANS_PER_TABLE).store(
            a_span(
                f"{place:016x}",
                trace_id=f"{trace:032x}",
                start_ms=-6_000 * (1_800 - trace) + place,
                name="GET /cart" if place else "GET /",
            )
            for trace in range(1_800)
            for place in range(10)
        )
        connection.execute("VACUUM ANALYZE")
        definitions = {
            name: (table, definition)
            for table, name, definition in connection.execute(
                "SELECT tablename, indexname, indexdef FROM pg_indexes"
            ).fetchall()
        }

    def explained(ask: Callable[[PostgresTraceReader], object]) -> Plans:
        plans = Plans()
        asked: list[tuple[str, Any]] = []

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: object) -> None:
            if "FROM spans" in statement or "FROM trace_summaries" in statement:
                asked.append((statement, parameters))

        sa.event.listen(trace_reader._engine, "after_cursor_execute", note)
        try:
            ask(trace_reader)
        finally:
            sa.event.remove(trace_reader._engine, "after_cursor_execute", note)
        with psycopg.connect(database_url) as connection:
            for statement, parameters in asked:
                found = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                plan = found.fetchone()
                assert plan is not None
                plans.add(plan[0][0]["Plan"], definitions)
        return plans

    yield explained


def page(reader: PostgresTraceReader, **url: str) -> TracePage:
    cursor = url.pop("cursor", None)
    asked = LogFilter.from_url({name.rstrip("_"): value for name, value in url.items()})
    return reader.traces(asked, limit=20, now_unix_nano=NOON, cursor=cursor)


def test_a_trace_is_read_from_its_own_segment_by_its_id(explain: Explain) -> None:
    def ask(reader: PostgresTraceReader) -> None:
        found = reader.trace(f"{700:032x}", environment=Choice(), max_spans=100, max_lines=10)
        assert found is not None and len(found.spans) == 10

    plans = explain(ask)
    assert plans.tables & set(TABLES) == {MIDDLE}
    assert any(table == MIDDLE and BY_TRACE in index for table, index in plans.indexes)
    assert ("trace_summaries", True) in {(table, BY_KEY in one) for table, one in plans.indexes}
    assert not plans.scanned


def test_the_newest_traces_are_read_by_their_starts_page_after_page(explain: Explain) -> None:
    plans = explain(lambda reader: page(reader, cursor=page(reader).cursor or ""))
    assert plans.tables == {"trace_summaries"} and not plans.scanned
    assert all(BY_START in index for _, index in plans.indexes)


def test_an_hour_of_traces_is_read_by_their_starts(explain: Explain) -> None:
    plans = explain(lambda reader: page(reader, service="payment-gateway", range="15m"))
    assert plans.tables == {"trace_summaries"} and not plans.scanned


def test_terms_about_spans_look_at_the_spans_of_some_traces_only(explain: Explain) -> None:
    newest = explain(lambda reader: page(reader, q='operation:"GET /cart" latency>1'))
    assert newest.tables & set(TABLES) == {NEWEST}
    hour = {"from_": "2026-03-01T10:10:00Z", "to": "2026-03-01T10:40:00Z"}
    nowhere = explain(lambda reader: page(reader, q="operation:nowhere", **hour))
    assert nowhere.tables & set(TABLES) == {MIDDLE}
    assert not nowhere.scanned & set(TABLES)


def test_one_trace_and_a_term_read_that_trace(explain: Explain) -> None:
    plans = explain(lambda reader: page(reader, q="GET", trace=f"{700:032x}"))
    assert plans.tables & set(TABLES) == {MIDDLE} and not plans.scanned
