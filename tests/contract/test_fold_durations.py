"""Folding of operations and calls: deltas become minutes and hours, and nothing is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from logstream.land import fold_durations

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Whatever a reader adds up: the hours, and the deltas that are not in them yet.
IN_ALL = """
SELECT coalesce(sum(count), 0)::int FROM (
    SELECT count FROM {table}_hourly UNION ALL SELECT count FROM {table} WHERE NOT is_folded
) AS counted
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC") as opened:
        yield opened


@pytest.fixture(params=list(fold_durations.COUNTED))
def table(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def add(
    connection: psycopg.Connection,
    table: str,
    bucket: datetime,
    count: int,
    *names: str,
    is_error: bool = False,
    step: int = 40,
) -> None:
    """One delta; `names` are those that the table distinguishes."""
    names = names or ("checkout", "stock", "call")
    columns = ", ".join(fold_durations.COUNTED[table])
    connection.execute(
        f"INSERT INTO {table} (bucket, environment, {columns}, is_error, duration_step, count)"
        " VALUES (%s, 'production', %s, %s, %s, %s, %s, %s)",
        [bucket, *names, is_error, step, count],
    )


def rows(connection: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT bucket, {fold_durations.COUNTED[table][0]}, is_error, duration_step, count,"
        f" is_folded FROM {table} ORDER BY bucket, 2, 3, 4, is_folded"
    ).fetchall()


def hours(connection: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT bucket, {fold_durations.COUNTED[table][0]}, is_error, duration_step, count"
        f" FROM {table}_hourly ORDER BY bucket, 2, 3, 4"
    ).fetchall()


def in_all(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(IN_ALL.format(table=table)).fetchone()
    assert row is not None
    return int(row[0])


def test_deltas_of_a_minute_become_one_row_and_are_in_its_hour(
    connection: psycopg.Connection, table: str
) -> None:
    minute = NOON + timedelta(minutes=7)
    for count in (2, 3, 4):
        add(connection, table, minute, count)
    add(connection, table, minute, 5, is_error=True)
    add(connection, table, minute, 6, step=41)
    add(connection, table, minute, 1, "cart", "stock", "call")
    # 6 rows become 4: two are saved.
    assert fold_durations.fold(connection, table) == 2
    assert rows(connection, table) == [
        (minute, "cart", False, 40, 1, True),
        (minute, "checkout", False, 40, 9, True),
        (minute, "checkout", False, 41, 6, True),
        (minute, "checkout", True, 40, 5, True),
    ]
    assert hours(connection, table) == [
        (NOON, "cart", False, 40, 1),
        (NOON, "checkout", False, 40, 9),
        (NOON, "checkout", False, 41, 6),
        (NOON, "checkout", True, 40, 5),
    ]
    # What comes later joins both, once.
    add(connection, table, minute, 10)
    add(connection, table, minute + timedelta(minutes=1), 100)
    assert in_all(connection, table) == 1 + 9 + 6 + 5 + 10 + 100
    fold_durations.fold(connection, table)
    assert (minute, "checkout", False, 40, 19, True) in rows(connection, table)
    assert (NOON, "checkout", False, 40, 119) in hours(connection, table)
    assert in_all(connection, table) == 131
    assert fold_durations.fold(connection, table) == 0


def test_what_adds_up_to_nothing_goes_away(connection: psycopg.Connection, table: str) -> None:
    add(connection, table, NOON, 3)
    add(connection, table, NOON, 2, step=7)
    fold_durations.fold(connection, table)
    add(connection, table, NOON, -3)
    add(connection, table, NOON, 3, "cart", "stock", "call")
    fold_durations.fold(connection, table)
    assert rows(connection, table) == [
        (NOON, "cart", False, 40, 3, True),
        (NOON, "checkout", False, 7, 2, True),
    ]
    assert hours(connection, table) == [
        (NOON, "cart", False, 40, 3),
        (NOON, "checkout", False, 7, 2),
    ]


def test_a_difference_before_what_it_is_taken_from_is_kept(
    connection: psycopg.Connection, table: str
) -> None:
    add(connection, table, NOON, -3)
    fold_durations.fold(connection, table)
    assert in_all(connection, table) == -3
    add(connection, table, NOON, 3)
    fold_durations.fold(connection, table)
    assert rows(connection, table) == hours(connection, table) == []


def test_the_newest_minutes_are_folded_first(connection: psycopg.Connection, table: str) -> None:
    for minute in range(5):
        for _ in range(2):
            add(connection, table, NOON + timedelta(minutes=minute), 1)
    assert fold_durations.fold(connection, table, minutes=2) == 2
    folded = [bool(row[-1]) for row in rows(connection, table)]
    assert folded == [False] * 6 + [True] * 2
    assert in_all(connection, table) == 10
    fold_durations.fold(connection, table)
    assert hours(connection, table) == [(NOON, "checkout", False, 40, 10)]


def test_minutes_are_forgotten_after_days_when_their_hours_have_them(
    connection: psycopg.Connection, table: str
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    old, new = now - timedelta(days=3, hours=1), now - timedelta(days=2, hours=23)
    add(connection, table, old, 1)
    add(connection, table, new, 1)
    assert fold_durations.forget_minutes(connection, table) == 0
    fold_durations.fold(connection, table)
    add(connection, table, old, -1)
    assert fold_durations.forget_minutes(connection, table) == 1
    assert [(row[0], row[-1]) for row in rows(connection, table)] == [(old, False), (new, True)]
    assert in_all(connection, table) == 1
    # The late difference finds its hour, though the minute is gone.
    fold_durations.fold(connection, table)
    assert fold_durations.forget_minutes(connection, table) == 1
    assert [row[0] for row in hours(connection, table)] == [
        new.replace(minute=0),
    ]


def test_hours_of_any_year_can_be_folded(connection: psycopg.Connection, table: str) -> None:
    years = [datetime(year, 1, 1, tzinfo=UTC) for year in (1, 1970, 2100, 9999)]
    for moment in years:
        add(connection, table, moment, 1, "", "", "")
    fold_durations.fold(connection, table)
    assert [row[0] for row in hours(connection, table)] == years
