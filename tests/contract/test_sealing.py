"""A segment's way from open over closed to sealed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg
import pytest

from logstream.land import close_segments, seal, token_filter
from logstream.land.segments import IDS_PER_SEGMENT, LOGS
from logstream.tables import INDEXED_ATTRIBUTES
from logstream.tokens import IDS_PER_BLOCK, chunk_and_offset, positions_of, tokens_of
from tests.segments import NOON, hand_out_blocks, insert_lines, make_segment, state_of

ONE = IDS_PER_SEGMENT
HOUR = timedelta(hours=1)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as opened:
        yield opened


@pytest.fixture
def other(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as opened:
        yield opened


def never() -> None:
    """A pause that never ends the work."""


class EndAfter:
    """A pause that ends the work when it is called once more than so many times."""

    def __init__(self, pauses: int) -> None:
        self.left = pauses

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise seal.Stopped


def closed_segment(
    connection: psycopg.Connection, lines: list[dict[str, object]] | None = None
) -> int:
    first_id = make_segment(connection, 1, [{}, {}, {}] if lines is None else lines)
    assert close_segments.close(connection, first_id)
    close_segments.describe_closed(connection)
    return first_id


def catalogue(connection: psycopg.Connection, first_id: int, columns: str) -> tuple[object, ...]:
    row = connection.execute(
        f"SELECT {columns} FROM segments WHERE first_id = %s",  # type: ignore[arg-type]
        [first_id],
    ).fetchone()
    assert row is not None
    return tuple(row)


def hours_of(connection: psycopg.Connection, first_id: int) -> list[tuple[datetime, datetime]]:
    return [
        (lower, upper)
        for lower, upper in connection.execute(
            "SELECT lower(hour), upper(hour)"
            " FROM (SELECT unnest(hours) AS hour FROM segments WHERE first_id = %s) h",
            [first_id],
        ).fetchall()
    ]


def is_named_by_filter(
    connection: psycopg.Connection, first_id: int, line_id: int, token: str
) -> bool:
    block = (line_id - first_id) // IDS_PER_BLOCK
    for position in positions_of(token):
        chunk, offset = chunk_and_offset(position)
        row = connection.execute(
            "SELECT substring(bits FROM %s FOR 32) FROM token_filters"
            " WHERE first_id = %s AND chunk = %s",
            [offset + 1, first_id, chunk],
        ).fetchone()
        assert row is not None
        if not row[0][block // 8] >> block % 8 & 1:
            return False
    return True


def test_a_segment_closes_when_all_its_ids_are_handed_out(connection: psycopg.Connection) -> None:
    first_id = make_segment(connection, 1, [{}, {"severity_number": 17}, {"severity_number": 17}])
    hand_out_blocks(connection, 2 * ONE - 1)
    assert close_segments.close_due(connection, 3600) == 0
    hand_out_blocks(connection, 2 * ONE)
    assert close_segments.close_due(connection, 3600) == 1
    assert catalogue(connection, first_id, "state, row_count") == ("closed", 3)
    assert connection.execute(
        "SELECT environment, severity_number, line_count FROM segment_contents ORDER BY 2"
    ).fetchall() == [("production", 9, 1), ("production", 17, 2)]
    assert close_segments.close_due(connection, 3600) == 0


def test_an_old_segment_closes_and_the_next_ids_come_from_the_next_one(
    connection: psycopg.Connection,
) -> None:
    first_id = make_segment(connection, 1, [{}])
    connection.execute("UPDATE segments SET created_at = now() - interval '2 hours'")
    hand_out_blocks(connection, ONE + close_segments.LEAST_IDS_BY_AGE)
    assert close_segments.close_due(connection, 3 * 3600) == 0
    assert close_segments.close_due(connection, 3600) == 1
    assert state_of(connection, first_id) == "closed"
    row = connection.execute("SELECT nextval('log_id_blocks') * 10000").fetchone()
    assert row is not None and row[0] >= 2 * ONE


def test_a_segment_with_few_lines_waits_a_day_and_one_without_lines_for_ever(
    connection: psycopg.Connection,
) -> None:
    first_id = make_segment(connection, 1)
    hand_out_blocks(connection, ONE)
    connection.execute("UPDATE segments SET created_at = now() - interval '2 days'")
    assert close_segments.close_due(connection, 3600) == 0
    insert_lines(connection, first_id + 1, [{}])
    assert close_segments.close_due(connection, 3 * 3600) == 0
    assert close_segments.close_due(connection, 3600) == 1


def test_closing_waits_for_a_landing_transaction_and_counts_its_lines(
    connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    first_id = make_segment(connection, 1, [{}])
    number = first_id // ONE
    other.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [LOGS.writer_lock, number])
    assert not close_segments.close(connection, first_id)
    assert state_of(connection, first_id) == "open"
    insert_lines(other, first_id + 2, [{}, {}])
    other.commit()
    assert close_segments.close(connection, first_id)
    close_segments.describe_closed(connection)
    assert catalogue(connection, first_id, "row_count") == (3,)


def test_a_closed_segment_that_nobody_described_is_described_later(
    connection: psycopg.Connection,
) -> None:
    first_id = make_segment(connection, 1, [{}])
    assert close_segments.close(connection, first_id)
    assert not seal.seal_next(connection, never)
    assert close_segments.close_due(connection, 3600) == 0
    assert catalogue(connection, first_id, "state, row_count, hours IS NULL") == (
        "closed",
        1,
        False,
    )


def test_hours_hold_old_and_future_lines_apart(connection: psycopg.Connection) -> None:
    first_id = closed_segment(
        connection,
        [
            {"timestamp": NOON},
            {"timestamp": NOON + HOUR},
            {"timestamp": NOON + 3 * HOUR},
            {"timestamp": datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)},
            {"timestamp": datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
        ],
    )
    noon = NOON.replace(second=0)
    assert hours_of(connection, first_id) == [
        (datetime(1969, 7, 20, 20, tzinfo=UTC), datetime(1969, 7, 20, 21, tzinfo=UTC)),
        (noon, noon + 2 * HOUR),
        (noon + 3 * HOUR, noon + 4 * HOUR),
        (datetime(2199, 12, 31, 23, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)),
    ]


def test_very_scattered_hours_merge_where_the_gaps_are_smallest(
    connection: psycopg.Connection,
) -> None:
    most = close_segments.MAX_HOUR_RANGES
    # most + 20 single hours, ten hours apart, but for the first 21, which are two apart.
    starts = [NOON + 2 * n * HOUR for n in range(21)]
    starts += [starts[-1] + 10 * n * HOUR for n in range(1, most)]
    first_id = closed_segment(connection, [{"timestamp": start} for start in starts])
    hours = hours_of(connection, first_id)
    noon = NOON.replace(second=0)
    assert len(hours) == most
    assert hours[0] == (noon, noon + 41 * HOUR)
    assert all(any(lower <= start < upper for lower, upper in hours) for start in starts)


def test_a_segment_that_was_passed_over_is_sealed_with_no_hours(
    connection: psycopg.Connection,
) -> None:
    first_id = closed_segment(connection, [])
    assert seal.seal_next(connection, never)
    assert catalogue(connection, first_id, "state, row_count, hours::text") == ("sealed", 0, "{}")


def test_sealing_builds_every_index_the_filter_and_the_time_check(
    connection: psycopg.Connection,
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    first_id = closed_segment(connection, [{}, {"trace_id": trace}, {}])
    assert seal.seal_next(connection, never)
    assert not seal.seal_next(connection, never)
    assert catalogue(
        connection,
        first_id,
        "state, has_attribute_index, has_trigram, byte_count > 0, sealed_at IS NOT NULL",
    ) == ("sealed", True, False, True, True)
    assert built(connection) == {
        "logs_000001_timestamp",
        "logs_000001_stream",
        "logs_000001_trace_id",
        "logs_000001_attributes",
        "logs_000001_time validated",
        "1024 chunks of 8192",
        "all frozen",
    }
    plan = connection.execute(
        "EXPLAIN SELECT * FROM logs WHERE timestamp < '2020-01-01'"
    ).fetchall()
    assert "logs_000001" not in str(plan)
    connection.execute("SET enable_seqscan = off")
    plan = connection.execute(
        f"EXPLAIN SELECT * FROM logs WHERE {INDEXED_ATTRIBUTES} @> %s::jsonb",  # type: ignore[arg-type]
        ['{"user.id": "u-17"}'],
    ).fetchall()
    assert "logs_000001_attributes" in str(plan)


def built(connection: psycopg.Connection) -> set[str]:
    """What sealing leaves behind in the database, in words."""
    return {
        str(row[0])
        for row in connection.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'logs_000001'"
            " AND indexdef !~ 'brin'"
            " UNION ALL SELECT conname || CASE WHEN convalidated THEN ' validated' ELSE '' END"
            " FROM pg_constraint WHERE conrelid = 'logs_000001'::regclass AND contype = 'c'"
            " UNION ALL SELECT count(*) || ' chunks of ' || min(length(bits))"
            " FROM token_filters HAVING count(*) > 0"
            " UNION ALL SELECT 'all frozen' FROM pg_class WHERE oid = 'logs_000001'::regclass"
            " AND relallvisible = relpages AND relpages > 0"
        ).fetchall()
    }


def test_a_worker_that_ends_between_any_two_steps_is_taken_over(
    connection: psycopg.Connection,
) -> None:
    first_id = closed_segment(connection)
    # Before each of the six steps up to the filter, within it (256 blocks), before the
    # time check; then, the filter being there, before the last step.
    for pauses in (0, 1, 2, 3, 4, 5, 6, 60, 261, 262, 7):
        with pytest.raises(seal.Stopped):
            seal.seal_next(connection, EndAfter(pauses))
        assert state_of(connection, first_id) == "closed"
        assert token_filter.is_built(connection, first_id) == (pauses in (262, 7))
    assert seal.seal_next(connection, never)
    assert len(built(connection)) == 7
    assert state_of(connection, first_id) == "sealed"


def test_a_cancelled_statement_leaves_nothing_half_done(
    connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    first_id = closed_segment(connection)
    # The index cannot be built while another transaction writes; that is where we cancel.
    other.execute("LOCK TABLE logs_000001 IN ROW EXCLUSIVE MODE")
    failed: list[BaseException] = []
    begun = Event()

    def try_to_seal() -> None:
        try:
            seal.seal_next(connection, begun.set)
        except psycopg.Error as error:
            failed.append(error)

    thread = Thread(target=try_to_seal)
    thread.start()
    begun.wait()
    while thread.is_alive():
        connection.cancel_safe(timeout=5)
        thread.join(0.05)
    other.rollback()
    assert isinstance(failed[0], psycopg.errors.QueryCanceled)
    assert seal.seal_next(connection, never)
    assert state_of(connection, first_id) == "sealed"


def test_two_workers_never_seal_the_same_segment(
    connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    first_id = closed_segment(connection)
    with seal.taking_care(other, first_id) as is_ours:
        assert is_ours
        assert not seal.seal_next(connection, never)
    assert seal.seal_next(connection, never)


def test_the_newest_segment_is_sealed_first(connection: psycopg.Connection) -> None:
    older, newer = (make_segment(connection, number, [{}]) for number in (1, 2))
    assert close_segments.close(connection, older) and close_segments.close(connection, newer)
    close_segments.describe_closed(connection)
    assert seal.seal_next(connection, never)
    assert [state_of(connection, first_id) for first_id in (older, newer)] == ["closed", "sealed"]


def test_a_segment_that_cannot_be_sealed_does_not_hold_up_the_others(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    older, newer = (make_segment(connection, number, [{}]) for number in (1, 2))
    assert close_segments.close(connection, older) and close_segments.close(connection, newer)
    close_segments.describe_closed(connection)
    connection.execute("DROP TABLE logs_000002")
    assert seal.seal_next(connection, never)
    assert not seal.seal_next(connection, never)
    assert state_of(connection, older) == "sealed"
    assert 'sealing logs_000002 failed and is tried again: relation "logs_000002"' in caplog.text
    connection.execute("UPDATE segments SET state = 'closed', hours = NULL")
    connection.execute("DELETE FROM segment_contents")
    close_segments.describe_closed(connection)
    assert catalogue(connection, older, "hours IS NULL") == (False,)
    assert catalogue(connection, newer, "hours IS NULL") == (True,)


def test_attributes_that_jsonb_cannot_hold_cost_the_index_and_nothing_else(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    first_id = closed_segment(connection, [{}, {"attributes": '{"name": "\\u0000"}'}])
    assert seal.seal_next(connection, never)
    assert catalogue(connection, first_id, "state, has_attribute_index") == ("sealed", False)
    assert "logs_000001 gets no attribute index" in caplog.text


def test_sealing_waits_for_a_long_reader_and_makes_no_other_wait(
    connection: psycopg.Connection, other: psycopg.Connection, database_url: str
) -> None:
    first_id = closed_segment(connection)
    other.execute("SELECT count(*) FROM logs")
    assert not seal.seal_next(connection, never)
    assert "logs_000001_stream" in built(connection)
    with psycopg.connect(database_url, options="-c statement_timeout=5000") as third:
        assert third.execute("SELECT count(*) FROM logs").fetchone() == (3,)
    other.rollback()
    assert seal.seal_next(connection, never)
    assert state_of(connection, first_id) == "sealed"


def test_the_filter_names_the_block_of_every_token_of_every_line(
    connection: psycopg.Connection,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    pieces = [
        "order",
        "17",
        "404",
        "10.1.2.3",
        "a3f9",
        "K7x",
        "İ9q",
        "\\",
        "\n",
        "\t5",
        "é8é",
        "=",
        " ",
    ]
    lines: list[dict[str, object]] = [
        {
            "id": ONE + block * IDS_PER_BLOCK + chance.choice([0, 1, 4095]),
            "body": "".join(chance.choices(pieces, k=12)) + f" user-{chance.randrange(10**6)}",
        }
        for block in (0, 1, 7, 8, 100, 243)
    ]
    first_id = closed_segment(connection, lines)
    assert seal.seal_next(connection, never)
    absent = 0
    for line in lines:
        for token in tokens_of(str(line["body"])):
            assert is_named_by_filter(connection, first_id, int(str(line["id"])), token)
        absent += is_named_by_filter(connection, first_id, int(str(line["id"])), "nobody77")
    assert absent == 0


def test_the_filter_of_a_small_segment_is_small(connection: psycopg.Connection) -> None:
    closed_segment(connection)
    assert seal.seal_next(connection, never)
    row = connection.execute("SELECT pg_total_relation_size('token_filters')").fetchone()
    assert row is not None and row[0] < 500_000


def test_a_trigram_index_can_be_added(connection: psycopg.Connection) -> None:
    first_id = closed_segment(connection)
    assert seal.seal_next(connection, never)
    assert seal.add_next_trigram(connection)
    assert not seal.add_next_trigram(connection)
    assert catalogue(connection, first_id, "has_trigram") == (True,)
