"""A database with spans of before segments, brought up to date and back."""

import uuid
from collections.abc import Callable, Iterator

import msgspec
import psycopg
import pytest
from alembic import command
from alembic.config import Config

from logstream.durations import step_of
from logstream.land import migrate
from logstream.land.postgres import PostgresWriter
from logstream.model import Span, to_datetime
from logstream.ports import Batch
from logstream.query.trace_reader import PostgresTraceReader
from logstream.wiring import open_engine
from tests.conftest import with_database
from tests.contract.test_landing_spans import spans_of
from tests.records import a_span

MS = 1_000_000


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """An empty database without any table of ours."""
    name = f"logstream_before_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        try:
            yield with_database(postgres_url, name)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


def upgrade(url: str, revision: str) -> None:
    _alembic(url, command.upgrade, revision)


def downgrade(url: str, revision: str) -> None:
    _alembic(url, command.downgrade, revision)


def _alembic(url: str, move: Callable[[Config, str], None], revision: str) -> None:
    engine = open_engine(url, statement_timeout_seconds=60, read_only=False)
    with engine.connect() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        move(config, revision)
    engine.dispose()


def ask(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        return connection.execute(question).fetchall()  # type: ignore[call-overload, no-any-return]


def store(url: str, *spans: Span) -> None:
    """As the version before wrote them, with ids of the table's own."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO spans (start, observed_timestamp, duration_ns, start_nanos, trace_id,"
            " span_id, parent_span_id, environment, service_name, name, kind, status, attributes,"
            " events, links)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', '[]', '[]')",
            [
                (
                    to_datetime(span.start_unix_nano),
                    to_datetime(span.observed_unix_nano),
                    span.duration_nano,
                    span.start_unix_nano % 1_000,
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    span.environment,
                    span.service_name,
                    span.name,
                    span.kind,
                    span.status,
                )
                for span in spans
            ],
        )


SPANS = (
    a_span("a", name="POST /checkout", service="shop", kind="server", duration_ms=50, nanos=7),
    a_span("b", parent="a", name="charge card", start_ms=10, duration_ms=60),
    a_span("b", parent="a", name="charge card", start_ms=10, duration_ms=60, environment="staging"),
    a_span("c", trace_id="c" * 32, parent="gone", start_ms=-60_000, duration_ms=-1),
    msgspec.structs.replace(a_span("d", trace_id="d" * 32), duration_nano=2**63 - 1),
)
SUMMARIES = """
SELECT environment, left(trace_id, 4), start::text, duration_ns, root_service, root_name,
    span_count, services, first_span, last_span, needs_review
FROM trace_summaries ORDER BY first_span
"""


def test_spans_of_before_are_a_closed_segment_and_have_summaries(url: str) -> None:
    upgrade(url, "0008")
    store(url, *SPANS)
    [(before,)] = ask(url, "SELECT pg_relation_filenode('spans')")
    upgrade(url, "0009")
    assert ask(url, "SELECT pg_relation_filenode('spans_000000')") == [(before,)], "rewritten"
    assert ask(url, "SELECT first_id, end_id, name, state, closed_at::text FROM span_segments") == [
        (0, 1_000_000, "spans_000000", "closed", "2026-03-01 12:00:30+00")
    ]
    noon = "2026-03-01 12:00:30+00"
    assert ask(url, SUMMARIES) == [
        # From 7 ns after noon to the end of the second, 10 + 60 ms after noon.
        ("production", "4bf9", noon, 70 * MS - 7, "shop", "POST /checkout", 2,
         ["payment-gateway", "shop"], 1, 2, True),
        ("staging", "4bf9", "2026-03-01 12:00:30.01+00", 60 * MS, None, None, 1,
         ["payment-gateway"], 3, 3, True),
        ("production", "cccc", "2026-03-01 11:59:30+00", 0, None, None, 1,
         ["payment-gateway"], 4, 4, True),
        ("production", "dddd", noon, 2**63 - 1, "payment-gateway", "charge card", 1,
         ["payment-gateway"], 5, 5, True),
    ]  # fmt: skip
    counted = "SELECT service_name, operation, kind, is_error, duration_step, count, is_folded"
    assert ask(url, f"{counted} FROM operation_counts ORDER BY 1, 5, bucket") == [
        ("payment-gateway", "charge card", "internal", False, -1, 1, False),
        # One in production and one in staging.
        *[("payment-gateway", "charge card", "internal", False, step_of(60 * MS), 1, False)] * 2,
        ("payment-gateway", "charge card", "internal", False, 160, 1, False),
        ("shop", "POST /checkout", "server", False, step_of(50 * MS), 1, False),
    ]


async def test_spans_land_after_those_of_before_and_are_found_with_them(url: str) -> None:
    upgrade(url, "0008")
    store(url, *SPANS)
    upgrade(url, "head")
    writer = PostgresWriter(url)
    await writer.write([writer.encode(Batch([], spans=[a_span("e", start_ms=90)]))], uuid.uuid4())
    await writer.disconnect()
    assert ask(url, "SELECT id FROM spans WHERE span_id = 'e'") == [(1_000_000,)]
    names = ask(url, "SELECT name, state FROM span_segments ORDER BY first_id")
    assert names == [("spans_000000", "closed"), ("spans_000001", "open"), ("spans_000002", "open")]
    [summary] = ask(url, f"SELECT * FROM ({SUMMARIES}) s WHERE last_span = 1000000")
    # 90 + 20 ms after noon; 7 ns are lost because a start holds microseconds.
    assert summary[3:] == (110 * MS, "shop", "POST /checkout", 3, ["payment-gateway", "shop"],
                           1, 1_000_000, True)  # fmt: skip
    reader = PostgresTraceReader(open_engine(url, statement_timeout_seconds=10, read_only=True))
    found = spans_of(reader, only="production")
    reader.close()
    assert [span.span_id for span in found] == ["a", "b", "e"]


def test_a_table_larger_than_a_segment_is_one_that_is_longer(url: str) -> None:
    upgrade(url, "0008")
    store(url, a_span("a"))
    ask(url, "SELECT setval(pg_get_serial_sequence('spans', 'id'), 2400000)")
    store(url, a_span("b"))
    upgrade(url, "0009")
    assert ask(url, "SELECT first_id, end_id, name FROM span_segments") == [
        (0, 3_000_000, "spans_000000")
    ]
    assert ask(url, "SELECT nextval('span_id_blocks')") == [(300,)]


def test_going_back_keeps_every_span_and_going_up_again_counts_them_once(url: str) -> None:
    upgrade(url, "0008")
    store(url, *SPANS)
    upgrade(url, "0009")
    told = [ask(url, SUMMARIES), ask(url, "SELECT sum(count) FROM operation_counts")]
    downgrade(url, "0008")
    assert ask(url, "SELECT id, span_id FROM spans ORDER BY id") == [
        (1, "a"), (2, "b"), (3, "b"), (4, "c"), (5, "d")
    ]  # fmt: skip
    store(url, a_span("f", trace_id="f" * 32))
    assert ask(url, "SELECT id FROM spans WHERE span_id = 'f'") == [(6,)]
    ask(url, "DELETE FROM spans WHERE span_id = 'f' RETURNING 1")
    upgrade(url, "0009")
    assert [ask(url, SUMMARIES), ask(url, "SELECT sum(count) FROM operation_counts")] == told


def test_a_database_without_spans_goes_there_and_back(url: str) -> None:
    upgrade(url, "0009")
    downgrade(url, "0008")
    store(url, a_span())
    assert ask(url, "SELECT id FROM spans") == [(1,)]
    upgrade(url, "head")
    assert ask(url, "SELECT count(*) FROM spans_000000") == [(1,)]
