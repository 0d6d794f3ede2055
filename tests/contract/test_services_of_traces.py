"""From spans and lines that land to services and their map: every part as it runs."""

import psycopg

from logstream.explain import trace_lines, trace_review
from logstream.filter import Choice, LogFilter
from logstream.ports import Batch
from logstream.query.trace_reader import PostgresTraceReader
from tests.contract.conftest import Store
from tests.counted_services import CountedServices
from tests.records import NOON, a_record, a_span

NOW = NOON + 60 * 10**9
LAST_15_MINUTES = LogFilter(range_text="15m")


async def test_landed_spans_are_services_operations_and_calls(
    store: Store,
    database_url: str,
    counted: CountedServices,
    trace_reader: PostgresTraceReader,
) -> None:
    spans = (
        a_span("a1", name="POST /orders", service="gateway", kind="server", duration_ms=100),
        a_span("a2", parent="a1", name="POST", service="gateway", kind="client", duration_ms=90),
        a_span("b1", parent="a2", name="reserve", service="stock", kind="server", duration_ms=80),
        a_span(
            "b2", parent="b1", name="SELECT", service="stock", kind="client", duration_ms=5,
            attributes=b'{"db.system.name":"postgresql","db.namespace":"shop"}',
        ),
    )  # fmt: skip
    trace_id = spans[0].trace_id
    records = (
        a_record("Reserved 3 of item 7", service="stock", trace_id=trace_id),
        a_record("Nightly report failed", service="reports", severity=17, duration_ms=250),
    )
    await store.writer.land(Batch(records, environment="production", spans=spans))
    with psycopg.connect(database_url, autocommit=True) as worker:
        for block in trace_lines.waiting_blocks(worker):
            trace_lines.count_block(worker, block)
        while trace_review.review_next(worker, 0):
            pass
    for _ in range(2):
        found = trace_reader.services(LAST_15_MINUTES, buckets=30, now_unix_nano=NOW).services
        assert [(one.service, one.told_by, one.calls, one.errors, one.lines) for one in found] == [
            ("reports", "lines", 1, 1, 1),
            ("stock", "spans", 1, 0, 1),
            ("gateway", "spans", 1, 0, 0),
        ]
        # The step of 250 ms is from 220 to 262 ms.
        assert found[0].p50_nano is not None and 220e6 < found[0].p50_nano < 263e6
        operations = trace_reader.operations(LAST_15_MINUTES, "stock", limit=9, now_unix_nano=NOW)
        assert [(one.operation, one.kind, one.calls) for one in operations] == [
            ("reserve", "server", 1),
            ("SELECT", "client", 1),
        ]
        drawn = trace_reader.service_map(LAST_15_MINUTES, now_unix_nano=NOW)
        assert [(one.service, one.kind, one.calls) for one in drawn.nodes] == [
            ("gateway", "service", 1),
            ("postgresql/shop", "database", 1),
            ("reports", "service", 1),
            ("stock", "service", 1),
        ]
        assert [(one.source, one.target, one.kind) for one in drawn.edges] == [
            ("gateway", "stock", "call"),
            ("stock", "postgresql/shop", "database"),
        ]
        root = ("gateway", "POST /orders")
        assert trace_reader.typical_trace(LAST_15_MINUTES, *root, now_unix_nano=NOW) == trace_id
        anywhere = Choice()
        usual = trace_reader.durations(*root, "server", environment=anywhere, now_unix_nano=NOW)
        assert sum(usual.values()) == 1
        assert set(trace_reader.known_services(anywhere)) == {"gateway", "stock", "reports"}
        counted.fold()
