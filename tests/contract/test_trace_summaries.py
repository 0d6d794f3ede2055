"""What landing says of traces: one row each, whatever arrives when, and from whom."""

import asyncio
import random
import threading
import uuid

import msgspec
import psycopg

from logstream.land.postgres import PostgresWriter
from logstream.model import Span
from logstream.ports import Batch
from logstream.trace_care import SESSION, TraceCare
from tests.contract.conftest import Store
from tests.contract.test_landing_spans import TRACE, land
from tests.contract.test_log_writer import ask
from tests.records import a_record, a_span

MS = 1_000_000
ROW = "SELECT start::text, duration_ns, root_service, root_name, span_count, error_count, services"


def summary(database_url: str, columns: str = ROW) -> tuple[object, ...]:
    with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
        [row] = connection.execute(
            f"{columns} FROM trace_summaries WHERE trace_id = %s AND environment = 'production'",
            [TRACE],
        ).fetchall()
    return tuple(row)


def checkout() -> list[Span]:
    """A request to the shop that charges a card; 50 ms, of which the charge takes 30."""
    return [
        a_span("a", name="POST /checkout", service="shop", kind="server", duration_ms=50),
        a_span("b", parent="a", kind="client", service="shop", start_ms=10, duration_ms=35),
        failed(a_span("b", parent="a", kind="server", start_ms=12, duration_ms=30)),
    ]


def failed(span: Span) -> Span:
    return msgspec.structs.replace(span, status="error")


async def test_a_trace_is_summed_up_as_its_spans_land(store: Store, database_url: str) -> None:
    await land(store, *checkout(), a_span("x", trace_id="c" * 32), a_span("y", environment="dev"))
    assert summary(database_url) == (
        "2026-03-01 12:00:30+00", 50 * MS, "shop", "POST /checkout", 3, 1,
        ["payment-gateway", "shop"],
    )  # fmt: skip
    ids = "SELECT first_span, last_span, needs_review, line_count, now() - touched_at < '1 min'"
    assert summary(database_url, ids) == (1, 3, True, 0, True)
    assert ask(database_url, "SELECT count(*) FROM trace_summaries") == [(3,)]


async def test_late_spans_change_what_is_known(store: Store, database_url: str) -> None:
    root, call, charge = checkout()
    await land(store, charge)
    assert summary(database_url)[1:5] == (30 * MS, None, None, 1)
    await land(store, a_span("other", trace_id="c" * 32))
    await land(store, call)
    # From 10 to 10 + 35 ms.
    assert summary(database_url) == (
        "2026-03-01 12:00:30.01+00", 35 * MS, None, None, 2, 1, ["payment-gateway", "shop"]
    )  # fmt: skip
    await land(store, root)
    assert summary(database_url)[1:5] == (50 * MS, "shop", "POST /checkout", 3)
    # Minutes later something ends, and something that began before all others arrives.
    await land(store, a_span("late", parent="a", start_ms=60_000, duration_ms=1_000))
    await land(store, a_span("first", name="GET /cart", start_ms=-5, service="web"))
    assert summary(database_url) == (
        "2026-03-01 12:00:29.995+00", 61_005 * MS, "web", "GET /cart", 5, 1,
        ["payment-gateway", "shop", "web"],
    )  # fmt: skip
    assert summary(database_url, "SELECT first_span, last_span") == (1, 6)


async def test_the_same_spans_sent_again_are_not_counted_again(
    store: Store, database_url: str
) -> None:
    spans = checkout()
    await land(store, *spans)
    await land(store, *reversed(spans))
    assert summary(database_url)[4:6] == (3, 1)
    assert summary(database_url, "SELECT first_span, last_span") == (1, 6)
    # At once, so in one commit.
    await asyncio.gather(land(store, *spans), land(store, *spans), land(store, *spans))
    assert summary(database_url)[4:6] == (3, 1)
    # The two halves of one call share an id; one of them alone is something else.
    await land(store, spans[1])
    assert summary(database_url)[4:6] == (4, 1)


async def test_spans_replace_what_lines_said(store: Store, database_url: str) -> None:
    """Lines come with the time they were written at; spans know when the request began."""
    ask(
        database_url,
        "INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, root_service,"
        " root_name, line_count, error_line_count, services) VALUES ('production',"
        f" '{TRACE}', '2026-03-01 11:00Z', 9000000000, 'audit', 'started', 4, 1, '{{audit}}')"
        " RETURNING 1",
    )
    _, call, charge = checkout()
    await land(store, call, charge)
    assert summary(database_url) == (
        "2026-03-01 12:00:30.01+00", 35 * MS, None, None, 2, 1,
        ["audit", "payment-gateway", "shop"],
    )  # fmt: skip
    assert summary(database_url, "SELECT line_count, error_line_count") == (4, 1)


async def test_times_that_make_no_sense_are_summed_up_as_far_as_they_go(
    store: Store, database_url: str
) -> None:
    await land(store, a_span("a", duration_ms=-40))
    assert summary(database_url)[1] == 0
    await land(store, msgspec.structs.replace(a_span("b"), duration_nano=2**70))
    assert summary(database_url)[1] == 2**63 - 1
    before_1970 = msgspec.structs.replace(a_span("c"), start_unix_nano=-62_135_596_800 * 10**9)
    await land(store, before_1970)
    assert summary(database_url)[:2] == ("0001-01-01 00:00:00+00", 2**63 - 1)


async def test_a_trace_id_that_every_service_uses_names_some_of_them(
    store: Store, database_url: str
) -> None:
    for n in range(3):
        await land(store, *(a_span(f"{n}-{m}", service=f"s{n}-{m:03}") for m in range(150)))
    assert summary(database_url, "SELECT cardinality(services), span_count") == (200, 450)


async def test_names_are_kept_as_they_are(store: Store, database_url: str) -> None:
    name = """'); DROP TABLE spans; -- "\\" {rows} %s ☂"""
    service = "o'neill\\"
    await land(store, a_span(name=name, service=service))
    assert summary(database_url)[2:4] == (service, name)
    assert summary(database_url)[6] == [service]


async def test_processes_that_land_spans_of_the_same_traces_never_wait_for_each_other(
    database_url: str,
) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    order = random.Random(seed)
    writers = [PostgresWriter(database_url) for _ in range(4)]
    traces = [f"{n:032x}" for n in range(40)]

    async def land_all(writer: PostgresWriter, number: int) -> None:
        for n in range(20):
            spans = [
                a_span(f"{number}-{n}-{trace}", trace_id=trace, service=f"service-{number}")
                for trace in order.sample(traces, 30)
            ]
            loads = [writer.encode(Batch([], spans=spans[:15])),
                     writer.encode(Batch([], spans=spans[15:]))]  # fmt: skip
            await writer.write(loads, uuid.uuid4())

    await asyncio.gather(*(land_all(writer, number) for number, writer in enumerate(writers)))
    for writer in writers:
        await writer.disconnect()
    # 4 processes, 20 times 30 spans.
    counted = "SELECT sum(span_count), (SELECT count(*) FROM spans) FROM trace_summaries"
    assert ask(database_url, counted) == [(2_400, 2_400)]
    wrong = (
        "SELECT trace_id FROM trace_summaries JOIN (SELECT trace_id, min(id) AS first, max(id) AS"
        " last, count(*) AS n FROM spans GROUP BY 1) s USING (trace_id)"
        " WHERE first <> first_span OR last <> last_span OR n <> span_count"
    )
    assert ask(database_url, wrong) == []


async def test_landing_and_the_worker_write_the_same_traces_at_once(database_url: str) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    order = random.Random(seed)
    writers = [PostgresWriter(database_url) for _ in range(3)]
    traces = [f"{n:032x}" for n in range(30)]
    is_over = threading.Event()

    async def land_all(writer: PostgresWriter, number: int) -> None:
        for n in range(25):
            chosen = order.sample(traces, 20)
            spans = [a_span(f"{number}-{n}-{trace}", trace_id=trace) for trace in chosen]
            records = [a_record(trace_id=trace) for trace in order.sample(traces, 20)]
            await writer.write([writer.encode(Batch(records, spans=spans))], uuid.uuid4())

    def review() -> None:
        care = TraceCare(database_url, quiet_seconds=0)
        with psycopg.connect(database_url, autocommit=True, options=SESSION) as connection:
            while not is_over.is_set():
                care.work(connection)
            while care.work(connection):
                pass

    reviewing = asyncio.create_task(asyncio.to_thread(review))
    try:
        await asyncio.gather(*(land_all(writer, number) for number, writer in enumerate(writers)))
    finally:
        is_over.set()
    await reviewing
    for writer in writers:
        await writer.disconnect()
    # 3 processes, 25 times 20 spans and as many lines.
    told = "SELECT sum(span_count), sum(line_count), bool_or(needs_review) FROM trace_summaries"
    assert ask(database_url, told) == [(1_500, 1_500, False)]


async def test_a_reader_finds_a_trace_between_the_ids_of_its_summary(
    store: Store, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        # Three segments: ids from 990,000 on, and two blocks later the rest.
        connection.execute("SELECT setval('span_id_blocks', 98)")
        await land(store, a_span("a"), *(a_span(trace_id=f"{n:032x}") for n in range(9_000)))
        connection.execute("SELECT setval('span_id_blocks', 199)")
        for _ in range(2):
            await land(store, *(a_span(trace_id=f"{n:032x}") for n in range(9_000)))
        connection.execute("ANALYZE spans")
        assert summary(database_url, "SELECT first_span, last_span") == (990_000, 990_000)
        plan = "\n".join(
            line
            for (line,) in connection.execute(
                "EXPLAIN SELECT * FROM spans WHERE trace_id = %s AND id BETWEEN 990000 AND 990000",
                [TRACE],
            )
        )
    assert "spans_000000_trace_id_idx" in plan
    assert "spans_000001" not in plan and "spans_000002" not in plan
