"""Counts at every level are what the rows say, whatever arrives, and skeletons are kept."""

import random

import psycopg
import pytest

from logstream.land.count_check import check_counts
from logstream.land.segments import IDS_PER_SEGMENT
from logstream.land.upkeep import fold_counts
from logstream.skeleton import overflow_id, skeleton_id, skeleton_key
from tests.contract.conftest import Store
from tests.records import a_record

HOUR = 3600


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def differences(url: str) -> dict[str, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        return {check.level: check.differing for check in check_counts(connection)}


async def land_some(store: Store, generator: random.Random, lines: int = 300) -> None:
    await store.land(
        *(
            a_record(
                f"{generator.choice(('paid', 'shipped', 'lost'))} order {generator.randrange(999)}",
                # Now and then years late, or two days ahead.
                seconds_ago=generator.choice((0, 60, HOUR, 30 * HOUR, 9_000 * HOUR, -48 * HOUR))
                + generator.uniform(0, 7_000),
                service=generator.choice(("checkout", "search")),
                severity=generator.choice((5, 9, 17)),
            )
            for _ in range(lines)
        )
    )


async def test_every_level_counts_what_was_landed_and_late_lines_correct_it(
    store: Store, database_url: str
) -> None:
    generator = random.Random(17)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for _ in range(4):
            await land_some(store, generator)
            assert differences(database_url) == {"minutes": 0, "hours": 0, "days": 0}
            while fold_counts(connection, minutes=50):
                assert differences(database_url) == {"minutes": 0, "hours": 0, "days": 0}
    totals = [
        ask(database_url, f"SELECT sum(count) FROM {table}")
        for table in ("log_counts", "log_counts_hourly", "log_counts_daily")
    ]
    assert totals == [[(1200,)]] * 3


async def test_negative_deltas_take_away_at_every_level(store: Store, database_url: str) -> None:
    await land_some(store, random.Random(3))
    with psycopg.connect(database_url, autocommit=True) as connection:
        while fold_counts(connection):
            pass
        with connection.transaction():
            connection.execute(
                "INSERT INTO log_counts (bucket, environment, service_name, severity_number,"
                " skeleton_id, count) SELECT date_trunc('minute', timestamp, 'UTC'), environment,"
                " service_name, severity_number, skeleton_id, -count(*) FROM logs"
                " WHERE service_name = 'search' GROUP BY 1, 2, 3, 4, 5"
            )
            connection.execute("DELETE FROM logs WHERE service_name = 'search'")
        assert differences(database_url) == {"minutes": 0, "hours": 0, "days": 0}
        while fold_counts(connection):
            pass
    assert differences(database_url) == {"minutes": 0, "hours": 0, "days": 0}
    for table in ("log_counts", "log_counts_hourly", "log_counts_daily"):
        assert ask(database_url, f"SELECT DISTINCT service_name FROM {table}") == [("checkout",)]


@pytest.mark.parametrize(
    ("damage", "level"),
    [
        ("UPDATE log_counts SET count = count + 1", "minutes"),
        ("DELETE FROM logs WHERE id = 1", "minutes"),
        ("UPDATE log_counts_hourly SET count = 7", "hours"),
        ("DELETE FROM log_counts_daily", "days"),
    ],
)
async def test_the_check_finds_what_is_wrong(
    store: Store, database_url: str, damage: str, level: str
) -> None:
    await store.land(a_record())
    with psycopg.connect(database_url, autocommit=True) as connection:
        fold_counts(connection)
        assert differences(database_url) == {"minutes": 0, "hours": 0, "days": 0}
        connection.execute(damage)
        found = {check.level: check for check in check_counts(connection)}
    assert found[level].differing == 1
    assert "production/payment-gateway severity 9" in found[level].examples[0]


async def test_each_line_has_its_skeleton_and_each_skeleton_an_example(
    store: Store, database_url: str
) -> None:
    await store.land(a_record("Order 1841 paid"), a_record("Order 2 paid"), a_record("Café zu"))
    stored = ask(
        database_url,
        "SELECT l.body, s.skeleton_id, s.key, s.example, s.service_name"
        " FROM logs l JOIN skeletons s USING (skeleton_id) ORDER BY l.id",
    )
    paid, shop = (skeleton_id(skeleton_key(text.encode())) for text in ("Order 1 paid", "Café zu"))
    assert stored == [
        ("Order 1841 paid", paid, "Orr  pi", "Order 1841 paid", "payment-gateway"),
        ("Order 2 paid", paid, "Orr  pi", "Order 1841 paid", "payment-gateway"),
        ("Café zu", shop, "é zu", "Café zu", "payment-gateway"),
    ]


async def test_free_text_does_not_flood_the_skeletons(store: Store, database_url: str) -> None:
    letters = "ghijklmnopqrstuvwxyz"
    generator = random.Random(17)
    bodies = ["".join(generator.choices(letters, k=12)) for _ in range(3_000)]
    await store.land(*(a_record(body, service="chat") for body in bodies))
    [(count, overflow)] = ask(
        database_url,
        "SELECT count(*), (array_agg(skeleton_id) FILTER (WHERE is_overflow))[1] FROM skeletons",
    )
    assert count == 1_001
    assert overflow == overflow_id("chat")
    lines = f"SELECT count(*) FROM logs WHERE skeleton_id = {overflow}"
    assert ask(database_url, lines) == [(2_000,)]
    assert differences(database_url)["minutes"] == 0


async def test_a_closed_segment_takes_no_more_lines(store: Store, database_url: str) -> None:
    assert (await store.land(a_record("before"))).first_id == 1
    ask(database_url, "UPDATE segments SET state = 'closed' WHERE first_id = 0")
    first_block = IDS_PER_SEGMENT // 10_000
    ask(database_url, f"SELECT setval('log_id_blocks', {first_block}, false)")
    # The writer still holds ids of the first segment and must not use them.
    landed = await store.land(a_record("after"), a_record("after that"), key="sent twice")
    assert landed.first_id == IDS_PER_SEGMENT
    assert (await store.land(a_record("after"), a_record("after that"), key="sent twice")).is_replay
    assert ask(database_url, "SELECT id FROM logs ORDER BY id") == [
        (1,),
        (IDS_PER_SEGMENT,),
        (IDS_PER_SEGMENT + 1,),
    ]
    assert differences(database_url)["minutes"] == 0
