"""What is past its retention goes, with its counts, and nothing else is disturbed."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from logstream.land import close_segments, leaves, retention, seal
from logstream.land.segments import IDS_PER_SEGMENT
from logstream.land.upkeep import fold_counts
from logstream.query.reader import PostgresReader
from logstream.retention_rules import RetentionRules
from tests.contract.conftest import Store
from tests.records import a_record
from tests.segments import (
    counts_equal_rows,
    insert_lines,
    make_segment,
    name_of,
    state_of,
)

KINDS: list[dict[str, object]] = [
    {"environment": environment, "severity_number": severity, "skeleton_id": severity}
    for environment in ("production", "staging")
    for severity in (5, 9, 17)
]


NEVER = 2.0  # no share of lines is that large


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options=seal.SESSION) as opened:
        yield opened


@pytest.fixture
def check_counts(database_url: str) -> Iterator[Callable[[], None]]:
    """A pause that looks, as another process, whether the counts equal the rows."""
    with psycopg.connect(database_url, autocommit=True) as onlooker:

        def look() -> None:
            assert counts_equal_rows(onlooker)

        yield look


def closed_segment(
    connection: psycopg.Connection,
    number: int,
    days_ago: float,
    lines: list[dict[str, object]] | None = None,
) -> int:
    first_id = make_segment(
        connection,
        number,
        KINDS * 20 if lines is None else lines,
        state="closed",
        closed_days_ago=days_ago,
    )
    close_segments.describe_closed(connection)
    return first_id


def lines_by(connection: psycopg.Connection, column: str, number: int) -> dict[object, int]:
    return dict(
        connection.execute(
            f"SELECT {column}, count(*) FROM {name_of(number)} GROUP BY 1"  # type: ignore[arg-type]
        ).fetchall()
    )


def test_a_segment_in_which_everything_is_due_is_dropped_with_its_counts_and_filter(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    old = closed_segment(connection, 1, days_ago=31)
    young = closed_segment(connection, 2, days_ago=29)
    while seal.seal_next(connection, check_counts):
        pass
    assert retention.enforce(connection, RetentionRules(30), check_counts) == 120
    assert [state_of(connection, first_id) for first_id in (old, young)] == ["dropped", "sealed"]
    check_counts()
    fold_counts(connection)
    check_counts()
    assert connection.execute("SELECT to_regclass('logs_000001')").fetchone() == (None,)
    assert connection.execute("SELECT DISTINCT first_id FROM token_filters").fetchall() == [
        (young,)
    ]
    assert retention.enforce(connection, RetentionRules(30), check_counts) == 0


def test_only_due_kinds_of_lines_are_deleted_and_counts_equal_rows_at_every_moment(
    connection: psycopg.Connection,
    check_counts: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaves, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(retention, "REWRITE_SHARE", NEVER)
    first_id = closed_segment(connection, 1, days_ago=8)
    seal.seal_next(connection, check_counts)
    fold_counts(connection)
    pauses = 0

    def look_and_fold() -> None:
        nonlocal pauses
        pauses += 1
        check_counts()
        fold_counts(connection)
        check_counts()

    rules = RetentionRules.parse("*/debug=3,staging=7,staging/error=90", 30)
    # debug of both (2 × 20) and info of staging (20).
    assert retention.enforce(connection, rules, look_and_fold) == 60
    check_counts()
    assert pauses > 2
    assert lines_by(connection, "environment || severity_number", 1) == {
        "production9": 20,
        "production17": 20,
        "staging17": 20,
    }
    row = connection.execute("SELECT row_count FROM segments").fetchone()
    assert row == (60,)
    # Nothing is looked at twice.
    assert retention.due(connection, rules) == []
    # A shorter rule finds what is left; then the segment goes as a whole.
    assert retention.enforce(connection, RetentionRules(2), check_counts) == 60
    assert state_of(connection, first_id) == "dropped"
    check_counts()


def test_a_segment_with_much_to_remove_is_written_anew_and_sealed_again(
    connection: psycopg.Connection, check_counts: Callable[[], None], reader: PostgresReader
) -> None:
    first_id = closed_segment(connection, 1, days_ago=8, lines=KINDS * 500)
    assert seal.seal_next(connection, check_counts)
    size = "SELECT pg_table_size('logs_000001')"
    before = connection.execute(size).fetchone()
    rules = RetentionRules.parse("*/debug=3,staging=7,staging/error=90", 30)
    for _ in range(2):
        # debug of both (2 × 500) and info of staging (500): half of the 3,000; then nothing.
        assert retention.enforce(connection, rules, check_counts) in (1500, 0)
        check_counts()
    fold_counts(connection)
    check_counts()
    assert lines_by(connection, "environment || severity_number", 1) == {
        "production9": 500,
        "production17": 500,
        "staging17": 500,
    }
    after = connection.execute(size).fetchone()
    assert before is not None and after is not None and after[0] < 0.7 * before[0]
    assert state_of(connection, first_id) == "closed"
    assert reader.segment_care()["waitingLines"] == 1500
    assert reader.segment_care()["waitingSeconds"] < 86_400
    assert seal.seal_next(connection, check_counts)
    assert state_of(connection, first_id) == "sealed"
    # A second time, from lines that were written anew before.
    assert retention.enforce(connection, RetentionRules.parse("*/info=2"), check_counts) == 500
    assert seal.seal_next(connection, check_counts)
    assert lines_by(connection, "severity_number", 1) == {17: 1000}
    row = connection.execute("SELECT row_count FROM segments").fetchone()
    assert row == (1000,)
    indexes = connection.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent IN (SELECT indexrelid FROM pg_index"
        " WHERE indrelid = 'logs'::regclass)"
    ).fetchone()
    # The parent's BRIN indexes: id, time, receipt, trace, skeleton.
    assert indexes == (5,)
    check_counts()


def test_a_segment_that_is_being_read_is_written_anew_later(
    connection: psycopg.Connection, database_url: str, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, days_ago=8)
    rules = RetentionRules.parse("*/debug=3")
    with psycopg.connect(database_url) as long_reader:
        long_reader.execute("SELECT count(*) FROM logs")
        assert retention.enforce(connection, rules, check_counts) == 0
        check_counts()
    assert retention.enforce(connection, rules, check_counts) == 40
    check_counts()


def test_a_segment_that_cannot_be_dropped_does_not_hold_up_the_others(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, days_ago=31, lines=[])
    connection.execute("INSERT INTO segment_contents VALUES (1000000, 'production', 9, 1)")
    connection.execute("DROP TABLE logs_000001")
    closed_segment(connection, 2, days_ago=31)
    assert retention.enforce(connection, RetentionRules(30), check_counts) == 120
    assert state_of(connection, 2 * IDS_PER_SEGMENT) == "dropped"


def test_a_deletion_that_was_interrupted_goes_on(
    connection: psycopg.Connection,
    check_counts: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaves, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(retention, "REWRITE_SHARE", NEVER)
    closed_segment(connection, 1, days_ago=8)
    rules = RetentionRules.parse("*/debug=3")
    calls = 0

    def end_in_the_middle() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise seal.Stopped

    with pytest.raises(seal.Stopped):
        retention.enforce(connection, rules, end_in_the_middle)
    check_counts()
    assert 0 < lines_by(connection, "severity_number", 1)[5] < 40
    retention.enforce(connection, rules, check_counts)
    assert 5 not in lines_by(connection, "severity_number", 1)
    check_counts()


def test_late_lines_are_kept_as_long_as_any_other(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, 5, [{"timestamp": datetime(2019, 5, 1, tzinfo=UTC)}])
    assert retention.enforce(connection, RetentionRules(30), check_counts) == 0
    assert lines_by(connection, "severity_number", 1) == {9: 1}


def test_open_segments_and_those_not_described_are_left_alone(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    make_segment(connection, 1, KINDS)
    make_segment(connection, 2, KINDS, state="closed", closed_days_ago=99)
    assert retention.enforce(connection, RetentionRules(1), check_counts) == 0


def test_a_segment_being_sealed_is_left_for_later(
    connection: psycopg.Connection, database_url: str, check_counts: Callable[[], None]
) -> None:
    first_id = closed_segment(connection, 1, days_ago=31)
    with psycopg.connect(database_url, autocommit=True) as sealer:
        with seal.taking_care(sealer, first_id):
            assert retention.enforce(connection, RetentionRules(30), check_counts) == 0
        assert retention.enforce(connection, RetentionRules(30), check_counts) == 120


def test_a_segment_that_is_being_read_is_dropped_later_and_no_other_reader_waits(
    connection: psycopg.Connection, database_url: str, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, days_ago=31)
    with psycopg.connect(database_url) as long_reader:
        long_reader.execute("SELECT count(*) FROM logs")
        assert retention.enforce(connection, RetentionRules(30), check_counts) == 0
        check_counts()
    assert retention.enforce(connection, RetentionRules(30), check_counts) == 120
    check_counts()


@pytest.mark.parametrize("rewrite_share", [0, NEVER])
async def test_landing_goes_on_while_segments_are_dropped_and_thinned_out(
    connection: psycopg.Connection,
    store: Store,
    check_counts: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    rewrite_share: float,
) -> None:
    monkeypatch.setattr(retention, "REWRITE_SHARE", rewrite_share)
    await store.land(a_record("first"))
    numbers = range(3, 9)
    for number in numbers:
        closed_segment(connection, number, days_ago=31 if number % 2 else 8)
    connection.execute("UPDATE segments SET state = 'closed' WHERE first_id >= 3000000")
    rules = RetentionRules.parse("*/debug=3", 30)
    removing = asyncio.create_task(
        asyncio.to_thread(retention.enforce, connection, rules, check_counts)
    )
    landed = 1
    while not removing.done():
        await store.land(a_record(), a_record(severity=17))
        landed += 2
    # Three segments of 120 lines dropped, the 40 debug lines of three others deleted.
    assert removing.result() == 3 * 120 + 3 * 40
    assert landed > 3
    row = connection.execute("SELECT count(*) FROM logs").fetchone()
    assert row == (landed + 3 * 80,)
    check_counts()


def test_a_line_that_is_gone_says_why(
    connection: psycopg.Connection, reader: PostgresReader, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, days_ago=31.5)
    closed_segment(connection, 2, days_ago=8)
    make_segment(connection, 3, KINDS)
    retention.enforce(connection, RetentionRules.parse("*/debug=3", 30), check_counts)
    today = datetime.now(UTC).date()

    def said(line_id: int) -> str:
        assert reader.line(line_id) is None
        return reader.why_missing(line_id)[0]

    assert said(IDS_PER_SEGMENT + 1) == (
        f"line 1000001 was removed on {today}: it was received more than 31 days before"
    )
    assert said(2 * IDS_PER_SEGMENT + 1) == (
        f"line 2000001 is not there; lines like it were removed on {today}"
    )
    assert reader.line(2 * IDS_PER_SEGMENT + 2) is not None
    assert said(3 * IDS_PER_SEGMENT + 500_000) == "line 3500000 is not there"
    assert said(9 * IDS_PER_SEGMENT) == "line 9000000 is not there yet"
    assert said(17) == "line 17 never existed"


def test_a_segment_emptied_kind_by_kind_goes_in_the_end(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    first_id = make_segment(connection, 1, state="closed", closed_days_ago=2)
    close_segments.describe_closed(connection)
    seal.seal_next(connection, check_counts)
    retention.enforce(connection, RetentionRules(30), check_counts)
    assert state_of(connection, first_id) == "dropped"


def test_what_is_inserted_elsewhere_is_never_touched(
    connection: psycopg.Connection, check_counts: Callable[[], None]
) -> None:
    closed_segment(connection, 1, days_ago=31)
    first_id = make_segment(connection, 2, KINDS)
    insert_lines(connection, first_id + 100, KINDS)
    retention.enforce(connection, RetentionRules(30), check_counts)
    assert sum(lines_by(connection, "severity_number", 2).values()) == 12
    check_counts()
