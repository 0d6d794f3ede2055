"""What every LogWriter promises of spans, and every LogReader of traces, against PostgreSQL."""

import asyncio
import uuid
from collections.abc import Sequence

import msgspec
import psycopg
import pytest

from logstream.filter import Choice
from logstream.kept_reject import RejectFilter
from logstream.land.postgres import PostgresWriter
from logstream.model import LogRecord, Reject, Span
from logstream.ports import Batch, Landed
from logstream.query.reader import PostgresReader
from logstream.query.trace_reader import PostgresTraceReader
from tests.contract.conftest import Store
from tests.contract.test_log_writer import ask
from tests.records import a_record, a_span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
COUNTED = "SELECT (SELECT count(*) FROM logs), (SELECT count(*) FROM spans)"


async def land(
    store: Store,
    *spans: Span,
    records: Sequence[LogRecord] = (),
    rejects: Sequence[Reject] = (),
    key: str | None = None,
) -> Landed:
    return await store.writer.land(
        Batch(records, rejects, key, environment="production", spans=spans, format="zipkin")
    )


def spans_of(
    reader: PostgresTraceReader, trace_id: str = TRACE, most: int = 100, **choice: str
) -> list[Span]:
    environment = Choice(**{name: (value,) for name, value in choice.items()})
    found = reader.trace(trace_id, environment=environment, max_spans=most, max_lines=10)
    return [] if found is None else list(found.spans)


async def test_a_stored_span_holds_everything_the_span_held(
    store: Store, trace_reader: PostgresTraceReader
) -> None:
    span = msgspec.structs.replace(
        a_span(
            parent="463ac35c9f6413ad",
            name="Karte belasten ☂",
            kind="client",
            nanos=123_456_789,
            attributes=b'{"order.id":123456789012345678901234567890,"nested":{"a":[1.50]}}',
        ),
        status="error",
        status_message="card declined",
        events=b'[{"name":"retry","timeUnixNano":"1","attributes":{}}]',
        links=b'[{"traceId":"aa","spanId":"bb","attributes":{}}]',
    )
    landed = await land(store, span)
    assert (landed.accepted, landed.first_id, landed.last_id) == (1, None, None)
    assert spans_of(trace_reader) == [span]


async def test_any_duration_is_stored(store: Store, trace_reader: PostgresTraceReader) -> None:
    durations = [-5, 0, 2**70, -(2**70)]
    spans = [
        msgspec.structs.replace(a_span(f"{n}", start_ms=n), duration_nano=duration)
        for n, duration in enumerate(durations)
    ]
    await land(store, *spans)
    stored = [span.duration_nano for span in spans_of(trace_reader)]
    assert stored == [-5, 0, 2**63 - 1, 1 - 2**63]


async def test_lines_and_spans_land_in_one_transaction(store: Store, database_url: str) -> None:
    landed = await land(store, a_span("a"), a_span("b"), records=[a_record()])
    assert (landed.accepted, landed.first_id, landed.last_id) == (3, 1, 1)
    same = "SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM logs UNION ALL "
    assert ask(database_url, same + "SELECT xmin FROM spans) AS rows") == [(1,)]
    assert ask(database_url, "SELECT accepted FROM batches") == [(3,)]
    assert [len(records) for _, records in store.announced] == [1]


async def test_a_service_that_sends_only_spans_is_known(store: Store, database_url: str) -> None:
    await land(store, a_span(service="courier", environment="staging"))
    await land(store, a_span(service="courier", environment="staging"))
    known = ask(database_url, "SELECT environment, service_name FROM services")
    assert known == [("staging", "courier")]


async def test_a_key_seen_before_stores_no_span_and_answers_the_same(
    store: Store, database_url: str
) -> None:
    first = await land(store, a_span(), a_span("b"), key="zipkin:17")
    again = await land(store, a_span(), a_span("b"), key="zipkin:17")
    assert not first.is_replay and again.is_replay
    assert (again.accepted, again.first_id) == (2, None)
    at_once = await asyncio.gather(*(land(store, a_span(), key="same") for _ in range(10)))
    assert sum(not reply.is_replay for reply in at_once) == 1
    assert ask(database_url, COUNTED) == [(0, 3)]


async def test_a_batch_of_rejects_only_is_kept(store: Store, reader: PostgresReader) -> None:
    landed = await land(store, rejects=[Reject(0, "span 0: id is missing", b"{}", "bad_id")])
    assert (landed.accepted, len(landed.rejects)) == (0, 1)
    kept = reader.rejects(RejectFilter(), limit=10)
    assert [(one.error, one.reason) for one in kept] == [("span 0: id is missing", "bad_id")]


async def test_a_span_the_database_refuses_is_rejected_and_its_neighbours_land(
    store: Store, database_url: str
) -> None:
    """None of these comes from a decoder; this is what happens if one forgets."""
    poisons = [
        a_span(name="before\x00after"),
        a_span(attributes=b"not json"),
        a_span(trace_id="".join(str(uuid.uuid4()) for _ in range(300))),
        a_span(service="".join(str(uuid.uuid4()) for _ in range(300))),
    ]
    spans = [span for poison in poisons for span in (a_span("good"), poison)]
    landed, neighbour = await asyncio.gather(
        land(store, *spans, records=[a_record(), a_record("a\x00b")], key="poisoned"),
        land(store, a_span("other"), records=[a_record()]),
    )
    assert (landed.accepted, neighbour.accepted) == (5, 2)
    # Two lines came before the spans: the second line, then every other span.
    assert sorted(reject.index for reject in landed.rejects) == [1, 3, 5, 7, 9]
    assert all(f"record {reject.index}: the da" in reject.error for reject in landed.rejects)
    assert ask(database_url, COUNTED) == [(2, 5)]


async def test_what_the_database_refuses_has_the_index_that_the_decoder_gave(
    store: Store,
) -> None:
    decoders = [Reject(0, "span 0: no id"), Reject(2, "span 2: no id")]
    landed = await land(store, a_span(), a_span(name="a\x00b"), rejects=decoders)
    # The spans were 1 and 3 of the request.
    assert [reject.index for reject in landed.rejects] == [0, 2, 3]
    kept = await store.land(a_record("a\x00b"), key="line")
    assert [reject.index for reject in kept.rejects] == [0]


async def test_an_unheard_commit_of_spans_is_found_without_its_batch(database_url: str) -> None:
    """Days later: upkeep has forgotten the group, the spool has not."""
    writer, group_id = PostgresWriter(database_url), uuid.uuid4()
    batches = [Batch([], [Reject(0, "span 0: no id")]), Batch([], spans=[a_span()])]
    loads = [writer.encode(batch) for batch in batches]
    commit = writer._commit

    async def commit_and_lose_the_answer(*arguments: object) -> object:
        await commit(*arguments)  # type: ignore[arg-type]
        writer._unsure = arguments[1]  # type: ignore[assignment]
        raise psycopg.OperationalError("connection lost after COMMIT")

    writer._commit = commit_and_lose_the_answer  # type: ignore[assignment, method-assign]
    with pytest.raises(psycopg.OperationalError):
        await writer.write(loads, group_id)
    attempt = writer.unheard(group_id)
    assert attempt is not None and attempt.span == a_span()
    ask(database_url, "DELETE FROM batches RETURNING 1")
    replayer = writer.another()
    again = await replayer.write(loads, group_id, may_be_landed=True, attempt=attempt)
    other = msgspec.structs.replace(attempt, span=a_span("another"))
    landed = await replayer.write(loads, uuid.uuid4(), may_be_landed=True, attempt=other)
    await writer.disconnect()
    await replayer.disconnect()
    assert again == [] and landed[1].landed.accepted == 1
    assert ask(database_url, COUNTED) == [(0, 2)]


async def test_a_line_is_what_is_looked_for_although_the_first_batch_has_none(
    database_url: str,
) -> None:
    writer, group_id = PostgresWriter(database_url), uuid.uuid4()
    batches = [Batch([], spans=[a_span()]), Batch([a_record("first line")])]
    await writer.write([writer.encode(Batch([a_record("before")]))], uuid.uuid4())
    writer._unsure = await writer._prepare(
        await writer._connected(), [writer.encode(batch) for batch in batches], group_id, False
    )
    attempt = writer.unheard(group_id)
    await writer.disconnect()
    assert attempt is not None and attempt.record is not None
    assert (attempt.first_id, attempt.record.body) == (2, "first line")


async def test_spans_count_as_rows_of_a_commit(store: Store, database_url: str) -> None:
    many = [a_span() for _ in range(6_000)]
    await asyncio.gather(land(store, *many), land(store, *many), land(store, *many))
    largest = ask(database_url, "SELECT max(accepted), sum(accepted) FROM batches")
    assert largest == [(6_000, 18_000)]


async def test_a_trace_is_found_by_any_spelling_of_its_id(
    store: Store, trace_reader: PostgresTraceReader
) -> None:
    short = "463ac35c9f6413ad"
    await land(store, a_span("a"), a_span("b", trace_id=short))
    await land(store, a_span("c", trace_id="0" * 16 + short, start_ms=1))
    assert [span.span_id for span in spans_of(trace_reader, TRACE.upper())] == ["a"]
    dashed = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
    assert [span.span_id for span in spans_of(trace_reader, dashed)] == ["a"]
    for form in (short, short.upper(), "0" * 16 + short):
        assert [span.span_id for span in spans_of(trace_reader, form)] == ["b", "c"]
    assert spans_of(trace_reader, "c" * 32) == []


async def test_spans_come_by_their_starts_and_only_of_the_environments_asked_for(
    store: Store, trace_reader: PostgresTraceReader
) -> None:
    await land(
        store,
        a_span("late", start_ms=2),
        a_span("later", start_ms=2, nanos=1),
        a_span("early", environment="staging"),
    )
    assert [span.span_id for span in spans_of(trace_reader)] == ["early", "late", "later"]
    assert [span.span_id for span in spans_of(trace_reader, only="staging")] == ["early"]
    assert [span.span_id for span in spans_of(trace_reader, excluded="staging")] == [
        "late",
        "later",
    ]
    assert [span.span_id for span in spans_of(trace_reader, most=2)] == ["early", "late"]


async def test_a_trace_is_found_by_the_index(store: Store, database_url: str) -> None:
    await land(store, *(a_span(trace_id=f"{n:032x}") for n in range(5_000)))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE spans")
        plan = connection.execute(
            "EXPLAIN SELECT * FROM spans WHERE trace_id IN ('a', 'b') ORDER BY start LIMIT 10"
        ).fetchall()
    assert any("spans_000000_trace_id_idx" in line for (line,) in plan), plan


async def test_the_system_page_knows_about_how_many_spans_there_are(
    store: Store, reader: PostgresReader, database_url: str
) -> None:
    await land(store, *(a_span(f"{n}") for n in range(50)))
    assert reader.system()["spansEstimate"] == 0  # nobody has counted yet
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE spans")
    facts = reader.system()
    assert facts["spansEstimate"] == 50 and facts["spansBytes"] > 0
