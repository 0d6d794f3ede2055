"""Log lines tell traces: each once, whenever and in whichever block of ids it commits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from logstream.explain import trace_lines
from logstream.land import close_segments
from logstream.land.id_blocks import IDS_PER_BLOCK
from tests.segments import NOON, hand_out_blocks, insert_lines, make_segment

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "a3ce929d0e0e47364bf92f3577b34da6"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A database with one open segment of which three blocks of ids are handed out."""
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as opened:
        make_segment(opened, 0)
        hand_out_blocks(opened, 2 * IDS_PER_BLOCK)
        yield opened


def a_line(after_seconds: float = 0, **fields: object) -> dict[str, object]:
    """A line of TRACE so many seconds after NOON."""
    return {
        "timestamp": NOON + timedelta(seconds=after_seconds),
        "trace_id": TRACE,
        "duration_ms": None,
        **fields,
    }


def count(connection: psycopg.Connection) -> int:
    """One round; how many lines were read."""
    return sum(
        trace_lines.count_block(connection, block)
        for block in trace_lines.waiting_blocks(connection)
    )


def summary(
    connection: psycopg.Connection, trace_id: str = TRACE, environment: str = "production"
) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "SELECT * FROM trace_summaries WHERE trace_id = %s AND environment = %s",
            [trace_id, environment],
        ).fetchone()
    assert row is not None
    return row


def marks(connection: psycopg.Connection) -> dict[int, int]:
    return dict(connection.execute("SELECT block, last_id FROM trace_line_marks").fetchall())


def test_a_trace_of_lines_lasts_from_its_first_to_its_last(connection: psycopg.Connection) -> None:
    paid = "Order 71244 paid " + "x" * 200
    insert_lines(
        connection,
        1,
        [
            a_line(0.5, service_name="cart", body="Cart 5521 read"),
            # It began 1 s - 0.9 s = 0.1 s after NOON.
            a_line(1, service_name="checkout", body=paid, duration_ms=900.0),
            a_line(2, service_name="mail", body="Mail could not be sent", severity_number=17),
            a_line(9, trace_id=None),
        ],
    )
    assert count(connection) == 4
    found = summary(connection)
    assert found["start"] == NOON + timedelta(seconds=0.1)
    assert found["duration_ns"] == 1_900_000_000
    assert (found["line_count"], found["error_line_count"]) == (3, 1)
    assert found["services"] == ["cart", "checkout", "mail"]
    assert found["root_service"] == "checkout"
    assert found["root_name"] == paid[:120]
    assert (found["span_count"], found["first_span"], found["needs_review"]) == (0, None, True)
    assert connection.execute("SELECT count(*) FROM trace_summaries").fetchone() == (1,)


def test_lines_are_counted_once_in_however_many_rounds(connection: psycopg.Connection) -> None:
    for number in range(1, 6):
        insert_lines(connection, number, [a_line(number)])
        assert count(connection) == 1
        assert count(connection) == 0
    assert summary(connection)["line_count"] == 5
    assert summary(connection)["duration_ns"] == 4_000_000_000


def test_a_line_that_commits_late_in_a_lower_block_is_counted_once(
    connection: psycopg.Connection, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as late, late.transaction():
        insert_lines(late, 1, [a_line(1), a_line(2)])
        insert_lines(connection, IDS_PER_BLOCK, [a_line(3)])
        insert_lines(connection, 2 * IDS_PER_BLOCK, [a_line(4)])
        assert count(connection) == 2
    assert count(connection) == 2
    assert count(connection) == 0
    # And later, another one in the same block.
    insert_lines(connection, 700, [a_line(5)])
    assert count(connection) == 1
    assert summary(connection)["line_count"] == 5
    assert marks(connection) == {-1: -1, 0: 700, 1: IDS_PER_BLOCK, 2: 2 * IDS_PER_BLOCK}


def test_an_earlier_line_that_comes_later_gives_the_trace_its_name(
    connection: psycopg.Connection,
) -> None:
    insert_lines(connection, 1, [a_line(5, service_name="mail", body="Mail sent")])
    count(connection)
    insert_lines(connection, 2, [a_line(3, service_name="cart", body="Cart 5521 read")])
    insert_lines(connection, 3, [a_line(4, service_name="stock", body="4 items reserved")])
    count(connection)
    found = summary(connection)
    assert (found["root_service"], found["root_name"]) == ("cart", "Cart 5521 read")
    assert found["start"] == NOON + timedelta(seconds=3)
    assert found["duration_ns"] == 2_000_000_000


def test_a_trace_with_spans_keeps_its_times_and_is_not_reviewed_for_its_lines(
    connection: psycopg.Connection,
) -> None:
    connection.execute(
        "INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, root_service,"
        " root_name, span_count, services, first_span, last_span, touched_at, needs_review)"
        " VALUES ('production', %s, %s, 20000000, 'checkout', 'POST /orders', 3, '{checkout}',"
        " 1, 3, %s, false)",
        [TRACE, NOON, NOON],
    )
    insert_lines(
        connection,
        1,
        [a_line(-9, service_name="cart"), a_line(60, service_name="mail", severity_number=21)],
    )
    count(connection)
    found = summary(connection)
    assert (found["start"], found["duration_ns"]) == (NOON, 20_000_000)
    assert (found["root_service"], found["root_name"]) == ("checkout", "POST /orders")
    assert (found["line_count"], found["error_line_count"]) == (2, 1)
    assert found["services"] == ["cart", "checkout", "mail"]
    assert (found["touched_at"], found["needs_review"]) == (NOON, False)


def test_environments_have_traces_of_their_own(connection: psycopg.Connection) -> None:
    insert_lines(
        connection, 1, [a_line(), a_line(environment="staging"), a_line(environment="staging")]
    )
    count(connection)
    assert summary(connection)["line_count"] == 1
    assert summary(connection, environment="staging")["line_count"] == 2


def test_counting_begins_at_the_newest_blocks(connection: psycopg.Connection) -> None:
    hand_out_blocks(connection, 30 * IDS_PER_BLOCK)
    # 30 - 20 = 10 is the last block that is passed over.
    insert_lines(connection, 11 * IDS_PER_BLOCK - 1, [a_line(), a_line()])
    assert count(connection) == 1
    assert marks(connection)[10] == 11 * IDS_PER_BLOCK - 1
    assert trace_lines.waiting_blocks(connection) == list(range(30, 10, -1))


def test_a_block_is_done_when_it_is_full_or_its_segment_is_closed(
    connection: psycopg.Connection,
) -> None:
    hand_out_blocks(connection, 2 * IDS_PER_BLOCK)
    insert_lines(connection, IDS_PER_BLOCK - 1, [a_line(), a_line()])
    count(connection)
    assert trace_lines.waiting_blocks(connection) == [2, 1]
    # Nothing is missing up to block 0; of what is done only its mark stays.
    assert marks(connection) == {0: IDS_PER_BLOCK - 1, 1: IDS_PER_BLOCK}
    insert_lines(connection, 2 * IDS_PER_BLOCK, [a_line()])
    make_segment(connection, 1)
    assert close_segments.close(connection, 0)
    assert count(connection) == 1
    assert trace_lines.waiting_blocks(connection) == []
    assert marks(connection) == {2: 3 * IDS_PER_BLOCK - 1}
    # The next segment goes on.
    hand_out_blocks(connection, 100 * IDS_PER_BLOCK)
    insert_lines(connection, 100 * IDS_PER_BLOCK, [a_line()])
    assert count(connection) == 1
    assert trace_lines.waiting_blocks(connection) == [100]
    assert summary(connection)["line_count"] == 4


def test_a_worker_that_dies_while_it_counts_has_counted_nothing(
    connection: psycopg.Connection, database_url: str
) -> None:
    insert_lines(connection, 1, [a_line(), a_line(trace_id=OTHER)])
    blocks = trace_lines.waiting_blocks(connection)
    with psycopg.connect(database_url, autocommit=True) as dying:
        # The traces are told, the mark is not moved.
        dying.execute("SET statement_timeout = '200ms'")
        with connection.transaction():
            connection.execute("LOCK TABLE trace_line_marks IN SHARE MODE")
            with pytest.raises(psycopg.errors.QueryCanceled):
                trace_lines.count_block(dying, 0)
    assert connection.execute("SELECT count(*) FROM trace_summaries").fetchone() == (0,)
    assert trace_lines.waiting_blocks(connection) == blocks
    assert count(connection) == 2
    assert summary(connection)["line_count"] == summary(connection, OTHER)["line_count"] == 1


def test_a_database_in_which_nothing_has_landed_is_no_trouble(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert trace_lines.waiting_blocks(connection) == []
        assert marks(connection) == {}


def test_whatever_lines_say_is_counted(connection: psycopg.Connection) -> None:
    endless = "e" * 5_000
    year_1, year_9999 = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    insert_lines(
        connection,
        1,
        [
            a_line(duration_ms=float("nan")),
            a_line(duration_ms=float("inf")),
            a_line(duration_ms=-5.0),
            a_line(duration_ms=1e300),
            a_line(trace_id=endless, duration_ms=1.0),
            a_line(trace_id="abc123", timestamp=year_1, duration_ms=1_000.0),
            a_line(trace_id="abc123", timestamp=year_9999, duration_ms=None),
            *(a_line(trace_id="0", service_name=f"service-{n:03}") for n in range(300)),
        ],
    )
    assert count(connection) == 307
    assert (summary(connection)["start"], summary(connection)["duration_ns"]) == (NOON, 0)
    assert summary(connection)["line_count"] == 4
    # As long as a bigint of nanoseconds can say.
    assert summary(connection, "abc123")["start"] == year_1
    assert summary(connection, "abc123")["duration_ns"] == 9_200_000_000_000_000_000
    assert summary(connection, "0")["line_count"] == 300
    assert len(summary(connection, "0")["services"]) == trace_lines.MAX_SERVICES
    assert connection.execute("SELECT count(*) FROM trace_summaries").fetchone() == (3,)
    # More of the same.
    insert_lines(connection, 400, [a_line(trace_id="abc123", service_name="")])
    count(connection)
    assert summary(connection, "abc123")["services"] == ["", "payment-gateway"]
    assert summary(connection, "abc123")["duration_ns"] == 9_200_000_000_000_000_000


def test_a_trace_that_never_ends_has_as_many_lines_as_can_be_said(
    connection: psycopg.Connection,
) -> None:
    insert_lines(connection, 1, [a_line()])
    count(connection)
    connection.execute("UPDATE trace_summaries SET line_count = 2147483647")
    insert_lines(connection, 2, [a_line()])
    assert count(connection) == 1
    assert summary(connection)["line_count"] == 2_147_483_647
