"""What every TraceReader promises of lists and of one trace, against PostgreSQL."""

from collections.abc import Iterator

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from logstream.errors import FilterError, QueryTimeout, StoreUnavailable
from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, Span
from logstream.query import rare_traces
from logstream.query.trace_list import traces as list_traces
from logstream.query.trace_reader import PostgresTraceReader
from logstream.query.trace_shape import trace_shape
from logstream.trace_port import TraceSort, WholeTrace
from logstream.wiring import open_engine
from tests.contract.conftest import Store
from tests.records import NOON, a_record, a_span
from tests.trace_store import TraceStore

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SORTS: tuple[TraceSort, ...] = ("newest", "longest", "errors", "spans")


def whole(
    reader: PostgresTraceReader,
    trace_id: str = TRACE,
    *,
    environment: Choice | None = None,
    most: int = 100,
) -> WholeTrace:
    found = reader.trace(
        trace_id, environment=environment or Choice(), max_spans=most, max_lines=most
    )
    assert found is not None
    return found


def some_traces(count: int, first: int = 0) -> Iterator[Span]:
    """One span each, a second apart; every 50th by itself calls for help."""
    for number in range(first, first + count):
        span = a_span(
            f"{number:016x}",
            trace_id=f"{number:032x}",
            start_ms=1_000 * number,
            duration_ms=1 + number % 7,
            name="GET /cart" if number % 50 else "CALL for-help",
        )
        yield msgspec.structs.replace(span, status="error" if number % 3 == 0 else "ok")


@pytest.mark.parametrize("sort", SORTS)
def test_pages_neither_repeat_nor_miss_a_trace_while_others_land(
    traces: TraceStore, trace_reader: PostgresTraceReader, sort: TraceSort
) -> None:
    before = {one.trace_id for one in traces.store(some_traces(200))}
    found: list[str] = []
    cursor, landed = None, 1_000
    while True:
        page = trace_reader.traces(
            LogFilter(), sort=sort, limit=17, now_unix_nano=NOON, cursor=cursor
        )
        found += [one.trace_id for one in page.traces]
        cursor = page.cursor
        if cursor is None:
            break
        # Some before and some behind the place where the next page begins.
        traces.store([*some_traces(3, landed), *some_traces(3, -landed)])
        landed += 3
    assert len(found) == len(set(found))
    assert before <= set(found)


def test_traces_of_the_same_moment_are_told_apart(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    spans = [
        a_span(trace_id=f"{number % 5:032x}", environment=environment)
        for number in range(5)
        for environment in ("production", "staging")
    ]
    traces.store(spans)
    found, cursor = [], None
    for page_number in range(10):
        page = trace_reader.traces(LogFilter(), limit=1, now_unix_nano=NOON, cursor=cursor)
        found += [(one.trace_id, one.environment) for one in page.traces]
        cursor = page.cursor
        assert (cursor is None) is (page_number == 9)
    assert sorted(found) == sorted((span.trace_id, span.environment) for span in spans)


def test_a_cursor_is_for_the_order_it_was_made_in(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    traces.store(some_traces(5))
    cursor = trace_reader.traces(LogFilter(), limit=1, now_unix_nano=NOON).cursor
    with pytest.raises(FilterError, match="of the order 'newest'"):
        trace_reader.traces(LogFilter(), sort="longest", limit=1, now_unix_nano=NOON, cursor=cursor)


def test_a_walk_without_time_says_so_and_goes_on(traces: TraceStore, database_url: str) -> None:
    """Every 50th of 4,000 traces is meant: 80. Each walk ends after its first traces."""
    traces.store(some_traces(4_000))
    asked = LogFilter(q="operation:CALL*")
    engine = open_engine(database_url, statement_timeout_seconds=10, read_only=True)
    found: list[str] = []
    cursor, incomplete = None, 0
    with engine.connect() as connection:
        for _ in range(100):
            page = list_traces(
                connection, asked, limit=200, now_unix_nano=NOON, cursor=cursor, budget_seconds=0
            )
            found += [one.trace_id for one in page.traces]
            incomplete += not page.is_complete
            cursor = page.cursor
            if cursor is None:
                break
        shape = trace_shape(connection, asked, points=10, now_unix_nano=NOON, budget_seconds=0)
        assert 0 < shape.total < 80 and not shape.is_complete
        whole_shape = trace_shape(connection, asked, points=10, now_unix_nano=NOON)
        assert (whole_shape.total, whole_shape.is_complete) == (80, True)
        assert len(whole_shape.points) == 10
    engine.dispose()
    assert found == [f"{number:032x}" for number in range(3_950, -1, -50)]
    assert incomplete == 1  # 4,000 traces, 2,000 at a time: the second walk reaches the end


def test_the_points_are_an_even_sample(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    """1,000 of 4,000: of each quarter of the time about 250, ± 5 standard deviations (14)."""
    traces.store(some_traces(4_000))
    shape = trace_reader.trace_shape(LogFilter(), points=1_000, now_unix_nano=NOON)
    assert (shape.total, len(shape.points)) == (4_000, 1_000)
    starts = [point.start_unix_nano for point in shape.points]
    assert starts == sorted(starts)
    for quarter in range(4):
        first = NOON + quarter * 1_000 * NANOS_PER_SECOND
        inside = sum(first <= start < first + 1_000 * NANOS_PER_SECOND for start in starts)
        assert 180 < inside < 320
    again = trace_reader.trace_shape(LogFilter(), points=1_000, now_unix_nano=NOON)
    assert again == shape


async def test_a_trace_is_whole_with_its_lines_and_each_span_once(
    store: Store, traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    spans = [a_span(f"{number:016x}", start_ms=number) for number in range(6)]
    again = [msgspec.structs.replace(span, observed_unix_nano=NOON + 5) for span in spans[:4]]
    traces.store([*spans, *again, *some_traces(3, 7)])
    await store.land(
        *(a_record(f"line {n}", seconds_ago=-n, trace_id=TRACE) for n in (3, 1, 2)),
        a_record("of nobody"),
    )
    found = whole(trace_reader)
    assert [span.span_id for span in found.spans] == [span.span_id for span in spans]
    assert [line.body for line in found.lines] == ["line 1", "line 2", "line 3"]
    assert (found.has_copies, found.has_more_spans, found.has_more_lines) == (True, False, False)
    few = whole(trace_reader, most=2)
    assert [span.span_id for span in few.spans] == ["0" * 15 + "0", "0" * 15 + "1"]
    assert [line.body for line in few.lines] == ["line 2", "line 3"]
    assert (few.has_more_spans, few.has_more_lines) == (True, True)
    # Of ten rows six are spans of their own: six fit, though more rows are stored.
    assert not whole(trace_reader, most=6).has_more_spans


async def test_a_trace_of_lines_only_is_found_and_another_id_is_none(
    store: Store, trace_reader: PostgresTraceReader
) -> None:
    await store.land(a_record("step one", trace_id="abc123"))
    found = whole(trace_reader, "abc123")
    assert ([line.body for line in found.lines], list(found.spans)) == (["step one"], [])
    for nobodys in ("abc124", "", "a\x00b", "\ud800", "%", "x" * 5_000):
        assert trace_reader.trace(nobodys, environment=Choice(), max_spans=9, max_lines=9) is None


def test_spans_without_a_summary_are_found_too(
    traces: TraceStore, trace_reader: PostgresTraceReader, database_url: str
) -> None:
    traces.store([*some_traces(1_200), a_span("a"), *some_traces(1_200, 2_000)])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM trace_summaries WHERE trace_id = %s", [TRACE])
    assert [span.span_id for span in whole(trace_reader).spans] == ["a"]


def test_fifty_thousand_spans_are_read_when_asked_for(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    traces.store(a_span(f"{number:016x}", start_ms=number) for number in range(20_001))
    found = whole(trace_reader, most=20_000)
    assert (len(found.spans), found.has_more_spans) == (20_000, True)
    found = whole(trace_reader, most=50_000)
    assert (len(found.spans), found.has_more_spans) == (20_001, False)


def test_a_question_without_end_is_told_as_one(traces: TraceStore, database_url: str) -> None:
    traces.store(some_traces(2_000))
    engine = open_engine(database_url, statement_timeout_seconds=0.001, read_only=True)
    reader = PostgresTraceReader(engine)
    with pytest.raises(QueryTimeout):
        for _ in range(50):
            reader.trace_shape(LogFilter(), points=2_000, now_unix_nano=NOON)
    reader.close()


def test_a_database_that_is_not_there_is_told_as_one() -> None:
    engine = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    reader = PostgresTraceReader(engine)
    for ask in (
        lambda: reader.traces(LogFilter(), limit=1, now_unix_nano=NOON),
        lambda: reader.trace_shape(LogFilter(), points=1, now_unix_nano=NOON),
        lambda: reader.trace("a", environment=Choice(), max_spans=1, max_lines=1),
        reader.system,
    ):
        with pytest.raises(StoreUnavailable):
            ask()


def test_the_system_page_knows_about_spans(
    traces: TraceStore, trace_reader: PostgresTraceReader, database_url: str
) -> None:
    assert trace_reader.system()["oldest"] is None
    traces.store(some_traces(100))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE spans")
    facts = trace_reader.system()
    assert facts["spansEstimate"] == 100 and facts["bytes"] > 0 and facts["segments"] >= 1
    assert facts["oldest"] == "2026-03-01T12:00:30+00:00"


def test_a_trace_of_centuries_does_not_stop_a_walk(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    leap_day = 68_169_600 * NANOS_PER_SECOND  # 1972-02-29
    longest = msgspec.structs.replace(
        a_span("a"), start_unix_nano=leap_day, duration_nano=2**63 - 1
    )
    last = msgspec.structs.replace(
        a_span("b", trace_id="b" * 32), start_unix_nano=253_402_300_799 * NANOS_PER_SECOND
    )
    traces.store([longest, last])
    for sort in SORTS:
        page = trace_reader.traces(LogFilter(q="charge"), sort=sort, limit=9, now_unix_nano=NOON)
        assert {one.trace_id for one in page.traces} == {TRACE, "b" * 32}
    assert trace_reader.trace_shape(LogFilter(q="charge"), points=9, now_unix_nano=NOON).total == 2


def test_rare_traces_are_found_among_many_in_every_order(
    traces: TraceStore, trace_reader: PostgresTraceReader
) -> None:
    """Of 4,000 traces the oldest, and those of 1,999 s and 2,001 s, have a span of their own."""
    rare = {f"{number:032x}" for number in (0, 1_999, 2_001)}
    traces.store(
        msgspec.structs.replace(span, name="BACKUP") if span.trace_id in rare else span
        for span in some_traces(4_000)
    )
    asked = LogFilter(q="operation:BACKUP -service:nobody")
    for sort in SORTS:
        page = trace_reader.traces(asked, sort=sort, limit=50, now_unix_nano=NOON)
        assert {one.trace_id for one in page.traces} == rare
        assert (page.cursor, page.is_complete) == (None, True)
    first = trace_reader.traces(asked, limit=2, now_unix_nano=NOON)
    assert [one.start_unix_nano for one in first.traces] == [
        NOON + 2_001 * NANOS_PER_SECOND,
        NOON + 1_999 * NANOS_PER_SECOND,
    ]
    rest = trace_reader.traces(asked, limit=2, now_unix_nano=NOON, cursor=first.cursor)
    assert [one.trace_id for one in rest.traces] == ["0" * 32]
    shape = trace_reader.trace_shape(asked, points=10, now_unix_nano=NOON)
    assert (shape.total, shape.is_complete) == (3, True)


def test_what_would_take_too_long_to_find_at_once_is_walked_through(
    traces: TraceStore, trace_reader: PostgresTraceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces.store(some_traces(4_000))
    asked = LogFilter(q="operation:CALL* latency>6.5")
    whole_page = trace_reader.traces(asked, limit=100, now_unix_nano=NOON)
    # 80 calls for help, every seventh of which takes 7 ms: numbers 50 n with 50 n mod 7 = 6.
    assert len(whole_page.traces) == 11
    monkeypatch.setattr(rare_traces, "_MOST", 2)
    assert trace_reader.traces(asked, limit=100, now_unix_nano=NOON) == whole_page
    monkeypatch.undo()
    cancelled = sa.text("SELECT pg_sleep(60) WHERE CAST(:milliseconds AS text) <> ''")
    monkeypatch.setattr(rare_traces, "_TIMEOUT", cancelled)
    engine = open_engine(
        str(trace_reader._engine.url.render_as_string(hide_password=False)).replace("+psycopg", ""),
        statement_timeout_seconds=0.5,
        read_only=True,
    )
    reader = PostgresTraceReader(engine)
    assert reader.traces(asked, limit=100, now_unix_nano=NOON) == whole_page
    reader.close()
