"""Every hot question uses the index meant for it and leaves other segments alone."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import LogRecord
from logstream.query.lines import Order
from logstream.query.reader import PostgresReader
from logstream.query.token_lookup import read_by_tokens
from logstream.tables import logs
from logstream.tokens import tokens_of
from tests.records import NOON, a_record
from tests.segmented_store import SegmentedStore

SEALED = ("logs_000000", "logs_000001", "logs_000002")
OPEN = "logs_000003"
LINES = 6_000
HOUR = 3_600
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BY_TIME = 'btree ("timestamp")'
BY_STREAM = "btree (hashtextextended("
BY_TRACE = "btree (trace_id)"
BY_ID = "brin (id)"
BY_ATTRIBUTE = "gin ("


@dataclass
class Plans:
    """What the plans of a question's statements on `logs` do."""

    scanned: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    # Table and definition of each index used.
    indexes: set[tuple[str, str]] = field(default_factory=set)

    def add(self, node: dict[str, Any], definitions: dict[str, tuple[str, str]]) -> None:
        table = node.get("Relation Name")
        if table is not None:
            self.tables.add(table)
            if node["Node Type"].endswith("Seq Scan"):
                self.scanned.add(table)
        if "Index Name" in node:
            self.indexes.add(definitions[node["Index Name"]])
        for child in node.get("Plans", ()):
            self.add(child, definitions)

    @property
    def sealed(self) -> set[str]:
        """Sealed segments that are read at all; an open one may hold any time."""
        return self.tables & set(SEALED)

    def sealed_by(self, definition: str) -> set[str]:
        """Sealed segments read by an index of that definition."""
        return {table for table, index in self.indexes if definition in index} & set(SEALED)


Explain = Callable[[Callable[[PostgresReader], object]], Plans]


@pytest.fixture
def explain(
    database_url: str, segments: SegmentedStore, reader: PostgresReader
) -> Iterator[Explain]:
    """Asks a question and explains every statement that it took.

    Three sealed segments of an hour each, 8 to 11 o'clock, and an open one from 11 on.
    """
    generator = random.Random(3)
    for segment in range(4):
        newest = (3 - segment) * HOUR
        segments.land((a_line(generator, newest, n) for n in range(LINES)), segment)
    segments.fold()
    for segment in range(3):
        segments.seal(segment)
    yield explaining(database_url, reader)


def explaining(database_url: str, reader: PostgresReader) -> Explain:
    """Explains what the reader asks of the store as it is now."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
        definitions = {
            name: (table, definition)
            for table, name, definition in connection.execute(
                "SELECT tablename, indexname, indexdef FROM pg_indexes"
            ).fetchall()
        }

    def explained(ask: Callable[[PostgresReader], object]) -> Plans:
        plans = Plans()

        def look(_: Any, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
            if "FROM logs" in statement or "token_filters" in statement:
                asking = cursor.connection.cursor()
                asking.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                plans.add(asking.fetchone()[0][0]["Plan"], definitions)

        sa.event.listen(reader._engine, "after_cursor_execute", look)
        try:
            ask(reader)
        finally:
            sa.event.remove(reader._engine, "after_cursor_execute", look)
        assert not plans.scanned & set(SEALED)
        return plans

    return explained


def a_line(generator: random.Random, newest_seconds_ago: int, n: int) -> LogRecord:
    severity = generator.choices((9, 17), (98, 2))[0]
    return a_record(
        f"Order {generator.randrange(1_000_000)} {'failed' if severity == 17 else 'paid'}",
        # From 60 minutes before the newest on: noon's 30 seconds stay out of the last hour.
        seconds_ago=newest_seconds_ago + 31 + generator.random() * (HOUR - 62),
        service=f"service-{n % 20}",
        severity=severity,
        trace_id=TRACE if n == 17 else f"{generator.getrandbits(128):032x}",
        attributes=b'{"user.id": "u-%d"}' % generator.randrange(3_000),
    )


def asked(reader: PostgresReader, **url: str) -> list[str]:
    names = {name.rstrip("_"): value for name, value in url.items()}
    page = reader.search(LogFilter.from_url(names), limit=20, now_unix_nano=NOON)
    assert page.is_complete
    return [line.body for line in page.lines]


def test_the_newest_lines_touch_the_newest_segment_only(explain: Explain) -> None:
    plans = explain(lambda reader: asked(reader))
    assert plans.tables == {OPEN}


def test_lines_of_an_hour_touch_that_hours_segment_by_time(explain: Explain) -> None:
    plans = explain(
        lambda reader: asked(reader, from_="2026-03-01T09:10:00Z", to="2026-03-01T09:40:00Z")
    )
    assert plans.sealed_by(BY_TIME) == plans.sealed == {SEALED[1]}


def test_labels_are_read_by_the_stream_index(explain: Explain) -> None:
    url = {"service": "service-7", "severity": "error", "to": "2026-03-01T10:00:00Z"}
    plans = explain(lambda reader: asked(reader, **url))
    assert plans.sealed_by(BY_STREAM) == plans.sealed == {SEALED[0], SEALED[1]}


def test_a_word_is_read_by_the_stream_index_of_its_skeletons(explain: Explain) -> None:
    plans = explain(lambda reader: asked(reader, q="failed", to="2026-03-01T10:00:00Z"))
    assert plans.sealed_by(BY_STREAM) == plans.sealed == {SEALED[1]}


def test_words_to_choose_from_are_read_by_the_stream_index(explain: Explain) -> None:
    url = {"q": "failed OR unheardof", "to": "2026-03-01T10:00:00Z"}
    plans = explain(lambda reader: asked(reader, **url))
    assert plans.sealed_by(BY_STREAM) == plans.sealed == {SEALED[1]}
    assert explain(lambda reader: asked(reader, q=r"/unheard\w+/ OR nowhere")).tables == set()


def test_labels_in_a_choice_narrow_the_streams(explain: Explain) -> None:
    url = {"q": "(service:service-7 paid) OR service:service-8", "to": "2026-03-01T10:00:00Z"}
    plans = explain(lambda reader: asked(reader, **url))
    assert plans.sealed_by(BY_STREAM) == plans.sealed == {SEALED[1]}


def test_an_absent_word_reads_no_line(explain: Explain) -> None:
    assert explain(lambda reader: asked(reader, q="unheardof")).tables == set()


def test_a_trace_is_found_by_its_index_everywhere(explain: Explain) -> None:
    plans = explain(lambda reader: asked(reader, trace=TRACE))
    assert plans.sealed_by(BY_TRACE) == set(SEALED)
    assert (OPEN, True) in {(table, "bloom" in index) for table, index in plans.indexes}


def test_a_line_is_found_by_its_id(explain: Explain) -> None:
    plans = explain(lambda reader: reader.line(1_000_017))
    assert plans.tables == {SEALED[1]}
    assert plans.sealed_by(BY_ID) == {SEALED[1]}


def test_neighbours_are_read_by_the_stream_index(explain: Explain) -> None:
    plans = explain(lambda reader: reader.context(1_000_017, before=5, after=5))
    assert plans.sealed_by(BY_STREAM) == plans.sealed == {SEALED[1]}


def test_neighbours_of_a_trace_are_found_by_its_index_on_both_sides(explain: Explain) -> None:
    plans = explain(
        lambda reader: reader.context(
            1_000_017, before=5, after=5, within=LogFilter(trace_id=TRACE)
        )
    )
    assert plans.sealed_by(BY_TRACE) == set(SEALED)


def test_attributes_are_read_of_the_newest_segment_only(explain: Explain) -> None:
    plans = explain(
        lambda reader: reader.fields(LogFilter(), values=5, now_unix_nano=NOON, most_lines=1_000)
    )
    assert plans.tables == {OPEN}


def test_counts_of_labels_read_no_line(explain: Explain) -> None:
    hours = LogFilter.from_url(
        {"range": "3h", "severity": "error", "q": "severity>=warn (pattern:17 OR -service:x*)"}
    )
    plans = explain(
        lambda reader: (
            reader.severity_breakdown(hours, now_unix_nano=NOON),
            reader.facets(hours, limit=10, now_unix_nano=NOON),
            reader.facet(hours, "pattern", limit=10, now_unix_nano=NOON),
            reader.trend(hours, bucket_seconds=60, now_unix_nano=NOON),
            reader.trend_by_severity(
                hours,
                bucket_seconds=3 * HOUR,
                now_unix_nano=NOON,
                zone="Asia/Kolkata",
                with_previous=True,
            ),
        )
    )
    assert plans.tables == set()


def test_blocks_of_a_token_are_read_by_their_ids(explain: Explain) -> None:
    def by_tokens(reader: PostgresReader) -> None:
        line = reader.line(1_000_017)
        assert line is not None
        with reader._engine.connect() as connection:
            found = read_by_tokens(
                connection,
                [logs.c.body == line.body],
                [tokens_of(line.body.lower())],
                reader._catalogue.segments(connection),
                Order(),
                start=None,
                end=None,
                limit=10,
            )
        assert line in found

    plans = explain(by_tokens)
    assert "token_filters" in plans.tables
    assert SEALED[1] in plans.sealed_by(BY_ID)


def test_attributes_to_choose_from_are_found_by_their_index(explain: Explain) -> None:
    plans = explain(lambda reader: asked(reader, q="user.id:u-4711 OR user.id:u-4712"))
    assert plans.sealed_by(BY_ATTRIBUTE) == set(SEALED)


def test_an_attribute_is_found_by_its_index(explain: Explain) -> None:
    plans = explain(lambda reader: asked(reader, q="user.id:u-4711"))  # nobody's
    assert plans.sealed_by(BY_ATTRIBUTE) == set(SEALED)
