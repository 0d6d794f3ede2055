"""What every LogReader promises, held against PostgreSQL."""

import random
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from logstream.errors import QueryTimeout, StoreUnavailable
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, NANOS_PER_SECOND, LogLine, Severity
from logstream.query.reader import PostgresReader
from logstream.tables import metadata
from logstream.wiring import open_engine
from tests.contract.conftest import Store
from tests.records import NOON, a_record

SERVICES = ("checkout", "payment-gateway", "search")
BODIES = ("Card declined", "Order 100% done", "under_score \\ slash", "Café OPEN", "cache miss")


def question(**url: str) -> LogFilter:
    return LogFilter.from_url({name.rstrip("_"): value for name, value in url.items()})


async def land_a_mix(store: Store, lines: int = 600) -> None:
    generator = random.Random(17)
    await store.land(
        *(
            a_record(
                generator.choice(BODIES),
                seconds_ago=generator.uniform(0, 3 * 3600),
                nanos=generator.randrange(1000),
                service=generator.choice(SERVICES),
                severity=generator.randrange(1, 25),
                environment=generator.choice(("production", "staging")),
                trace_id=generator.choice((None, "abc123", "00f067aa0ba902b7")),
            )
            for _ in range(lines)
        )
    )


def everything(reader: PostgresReader) -> list[LogLine]:
    return reader.recent(LogFilter(), limit=10_000, now_unix_nano=NOON)


async def test_the_newest_come_first_to_the_nanosecond(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(*(a_record(f"n{nanos}", nanos=nanos) for nanos in (5, 900, 7, 7)))
    lines = reader.recent(LogFilter(), limit=10, now_unix_nano=NOON)
    assert [(line.body, line.id) for line in lines] == [
        ("n900", 2),
        ("n7", 4),
        ("n7", 3),
        ("n5", 1),
    ]


@pytest.mark.parametrize(
    "url",
    [
        {},
        {"env": "staging"},
        {"service": "checkout,search"},
        {"service": "-checkout"},
        {"severity": "error,fatal"},
        {"severity": "-info,-debug"},
        {"trace": "abc123"},
        {"q": "card"},
        {"q": "100%"},
        {"q": "under_score \\"},
        {"q": '"café open"'},
        {"q": "-card -cache"},
        {"q": "100"},
        {"q": "10"},
        {"q": "10*"},
        {"q": "service:checkout,search -severity:info,debug"},
        {"q": "env:staging card", "range": "1h"},
        {"q": "service:checkout", "from": "2026-03-01T10:00:10.5Z", "to": "2026-03-01T11:20:40Z"},
        {"q": "-trace:abc123"},
        {"range": "1h"},
        {"range": "15m", "severity": "warn"},
        {"from": "2026-03-01T10:00:10.5Z", "to": "2026-03-01T11:20:40Z"},
        {"from": "2026-03-01T11:20:10Z", "to": "2026-03-01T11:20:40Z"},
        {
            "env": "production",
            "service": "search",
            "severity": "trace",
            "q": "order",
            "range": "2h",
        },
    ],
)
async def test_every_question_means_the_same_lines_as_the_predicate(
    store: Store, reader: PostgresReader, url: dict[str, str]
) -> None:
    await land_a_mix(store)
    asked = LogFilter.from_url(url)
    meant = [line for line in everything(reader) if asked.matches(line, NOON)]
    found = reader.recent(asked, limit=10_000, now_unix_nano=NOON)
    assert [line.id for line in found] == [line.id for line in meant]
    by_word = Counter(Severity.of(line.severity_number).word for line in meant)
    breakdown = reader.severity_breakdown(asked, now_unix_nano=NOON)
    assert {word: count for word, count in breakdown if count} == dict(by_word)
    assert [word for word, _ in breakdown] == ["fatal", "error", "warn", "info", "debug", "trace"]
    if asked.window_unix_nano(NOON) != (None, None):
        buckets = reader.trend(asked, bucket_seconds=60, now_unix_nano=NOON)
        assert sum(bucket.total for bucket in buckets) == len(meant)
        assert sum(bucket.error for bucket in buckets) == by_word["error"] + by_word["fatal"]
        assert sum(bucket.warn for bucket in buckets) == by_word["warn"]


async def test_a_facet_does_not_narrow_its_own_options(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        a_record(service="checkout", severity=17),
        a_record(service="checkout"),
        a_record(service="search", severity=17),
    )
    asked = question(service="checkout", severity="error")
    services = reader.facet(asked, "service", limit=10, now_unix_nano=NOON)
    assert services == [("checkout", 1), ("search", 1)]
    severities = reader.facet(asked, "severity", limit=10, now_unix_nano=NOON)
    assert severities == [("error", 1), ("info", 1)]


async def test_paging_visits_every_line_once(store: Store, reader: PostgresReader) -> None:
    await land_a_mix(store, 137)
    seen: list[int] = []
    before: tuple[int, int] | None = None
    while page := reader.recent(LogFilter(), limit=10, now_unix_nano=NOON, before=before):
        seen += [line.id for line in page]
        before = (page[-1].timestamp_unix_nano, page[-1].id)
    assert seen == [line.id for line in everything(reader)]
    assert len(set(seen)) == 137


async def test_old_and_future_lines_are_found_and_do_not_stretch_the_trend(
    store: Store, reader: PostgresReader
) -> None:
    year = 365 * 86_400
    await store.land(
        a_record("ancient", seconds_ago=30 * year),
        a_record("today"),
        a_record("tomorrow", seconds_ago=-3 * year),
    )
    bodies = [line.body for line in everything(reader)]
    assert bodies == ["tomorrow", "today", "ancient"]
    buckets = reader.trend(question(range="15m"), bucket_seconds=60, now_unix_nano=NOON)
    assert len(buckets) == 15
    assert [bucket.total for bucket in buckets] == [0] * 14 + [1]


async def test_a_fast_clock_neither_hides_lines_nor_stretches_the_trend(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(a_record("in time"), a_record("ten minutes ahead", seconds_ago=-600))
    asked = question(range="15m")
    assert len(reader.recent(asked, limit=10, now_unix_nano=NOON)) == 2
    assert dict(reader.severity_breakdown(asked, now_unix_nano=NOON))["info"] == 2
    buckets = reader.trend(asked, bucket_seconds=60, now_unix_nano=NOON)
    assert [bucket.total for bucket in buckets] == [0] * 14 + [2]


async def test_a_rare_line_far_behind_many_others_is_found(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(a_record("the needle", seconds_ago=50_000))
    for start in range(0, 48_000, 8_000):
        await store.land(*(a_record("hay", seconds_ago=start / 2 + n / 2) for n in range(8_000)))
    found = reader.recent(question(q="needle"), limit=50, now_unix_nano=NOON)
    assert [line.body for line in found] == ["the needle"]


async def test_a_range_of_ids_fills_a_gap_under_the_same_filter(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(*(a_record(severity=9 + 8 * (n % 2)) for n in range(10)))
    found = reader.lines_by_id_range(
        question(severity="error"), 3, 8, limit=100, now_unix_nano=NOON
    )
    assert [line.id for line in found] == [8, 6, 4]


async def test_empty_buckets_are_zeros_and_the_clock_is_utc(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(a_record(seconds_ago=600), a_record(seconds_ago=601, severity=21))
    buckets = reader.trend(question(range="1h"), bucket_seconds=300, now_unix_nano=NOON)
    # 11:01 … 12:00:30 in buckets of five minutes: 11:00 to 12:00, thirteen of them.
    assert len(buckets) == 13
    assert buckets[0].start_unix_seconds * NANOS_PER_SECOND == NOON - 60.5 * NANOS_PER_MINUTE
    # 600 s before 12:00:30 is 11:50:30, in the bucket of 11:50, number 10.
    assert [(n, b.total, b.error) for n, b in enumerate(buckets) if b.total] == [(10, 2, 1)]


async def test_environments_are_listed_once_each(store: Store, reader: PostgresReader) -> None:
    assert reader.environments() == []
    await store.land(a_record(environment="staging"), a_record(environment="demo"))
    await store.land(a_record(environment="demo", service="search"))
    assert reader.environments() == ["demo", "staging"]


async def test_the_reader_cannot_write(reader: PostgresReader) -> None:
    with (
        pytest.raises(sa.exc.InternalError, match="read-only transaction"),
        reader._engine.begin() as connection,
    ):
        connection.execute(sa.text("DELETE FROM logs"))


def test_a_slow_question_is_ended_and_said_so(database_url: str) -> None:
    reader = PostgresReader(
        open_engine(database_url, statement_timeout_seconds=0.05, read_only=True)
    )
    with pytest.raises(QueryTimeout), reader._asking("recent") as connection:
        connection.execute(sa.text("SELECT pg_sleep(5)"))
    reader.close()


def test_an_unreachable_database_is_said_so() -> None:
    engine = open_engine(
        "postgresql://nobody@127.0.0.1:9/none", statement_timeout_seconds=1, read_only=True
    )
    reader = PostgresReader(engine)
    with pytest.raises(StoreUnavailable):
        reader.environments()
    reader.close()


@pytest.fixture
def columns(database_url: str) -> Iterator[dict[str, set[str]]]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    yield found


def test_the_tables_we_speak_of_are_the_tables_there_are(columns: dict[str, set[str]]) -> None:
    for table in metadata.tables.values():
        assert columns[table.name] == set(table.columns.keys())
