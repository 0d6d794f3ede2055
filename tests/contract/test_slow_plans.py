"""The newest requests of an operation are found by indexes, and their calls in few segments."""

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from logstream.filter import LogFilter
from logstream.query.trace_reader import PostgresTraceReader
from tests.records import a_span
from tests.trace_store import TraceStore

OLDEST, MIDDLE, NEWEST = "spans_000000", "spans_000001", "spans_000002"


def test_requests_are_found_by_operation_and_their_calls_by_trace(
    trace_reader: PostgresTraceReader, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        # A request every six seconds with nine spans under it, 600 a table and hour.
        TraceStore(connection, 6_000).store(
            a_span(
                f"{place:016x}",
                parent=f"{0:016x}" if place else None,
                trace_id=f"{trace:032x}",
                start_ms=-6_000 * (1_800 - trace) + place,
                duration_ms=trace,
                name="GET /cart" if place else "GET /",
            )
            for trace in range(1_800)
            for place in range(10)
        )
        # As sealing leaves them; the newest is still open.
        for table in (OLDEST, MIDDLE):
            connection.execute(
                sql.SQL("CREATE INDEX {} ON {} (service_name, name, start)").format(
                    sql.Identifier(f"{table}_operation"), sql.Identifier(table)
                )
            )
        connection.execute("VACUUM ANALYZE")
        asked: list[tuple[str, Any]] = []

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: object) -> None:
            if "FROM spans" in statement:
                asked.append((statement, parameters))

        sa.event.listen(trace_reader._engine, "after_cursor_execute", note)
        # Ten minutes of the middle table.
        time = {"from": "2026-03-01T10:20:00Z", "to": "2026-03-01T10:30:00Z"}
        found = trace_reader.slow_and_fast(
            LogFilter.from_url(time), "payment-gateway", "GET /", limit=2_000, now_unix_nano=0
        )
        assert (found.looked, found.total) == (100, 100)
        requests, children = (
            "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", given))
            for statement, given in asked
        )
    assert f"{MIDDLE}_operation" in requests
    assert f"Seq Scan on {OLDEST}" not in requests and f"Seq Scan on {MIDDLE}" not in requests
    assert f"{MIDDLE}_trace_id_idx" in children
    assert OLDEST not in children and NEWEST not in children
