"""The worker's steps on patterns: examples are gathered, services grouped, ids last."""

from collections.abc import Iterator

import psycopg
import pytest

from logstream.explain import pattern_upkeep
from logstream.filter import LogFilter
from logstream.query.reader import PostgresReader
from logstream.skeleton import overflow_id
from tests.contract.conftest import Store
from tests.contract.test_patterns import HOUR, skeleton_of
from tests.records import NOON, a_record

USERS = ("rita", "gusto", "mira", "pumuckl", "zoltan", "hyun", "wiktor", "ingrid")


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def group_all(connection: psycopg.Connection) -> int:
    """One round; how many services were grouped."""
    services = pattern_upkeep.waiting_services(connection)
    for service in services:
        pattern_upkeep.group_service(connection, service)
    return len(services)


def stored(connection: psycopg.Connection) -> dict[str, tuple[int, int]]:
    rows = connection.execute("SELECT template, pattern_id, skeleton_count FROM patterns")
    return {template: (pattern_id, size) for template, pattern_id, size in rows}


def sign_in(user: str) -> str:
    return f"User {user} signed in from 10.0.0.7"


async def test_skeletons_become_patterns_and_new_ones_join(
    store: Store, reader: PostgresReader, connection: psycopg.Connection
) -> None:
    await store.land(*(a_record(sign_in(user)) for user in USERS[:7]), a_record("Cache cold"))
    found = reader.patterns(HOUR, limit=20, buckets=30, now_unix_nano=NOON)
    assert found.pattern_count == 8
    assert group_all(connection) == 1
    patterns = stored(connection)
    assert set(patterns) == {"User <word> signed in from <ip>", "Cache cold"}
    pattern, size = patterns["User <word> signed in from <ip>"]
    assert size == 7 and pattern == min(skeleton_of(sign_in(user)) for user in USERS[:7])
    found = reader.patterns(HOUR, limit=20, buckets=30, now_unix_nano=NOON)
    assert [(one.id, one.count) for one in found.patterns] == [
        (pattern, 7),
        (skeleton_of("Cache cold"), 1),
    ]
    # Nothing new, nothing to do.
    assert pattern_upkeep.waiting_services(connection) == []
    await store.land(a_record(sign_in(USERS[7])))
    assert group_all(connection) == 1
    assert stored(connection)["User <word> signed in from <ip>"] == (pattern, 8)
    values = reader.pattern_values(
        HOUR, skeleton_of(sign_in(USERS[7])), values=9, now_unix_nano=NOON
    )
    assert values is not None and values.places[0].distinct == 8
    assert [place.kind for place in values.places] == ["word", "ip"]


async def test_services_are_grouped_apart(store: Store, connection: psycopg.Connection) -> None:
    await store.land(
        *(a_record(sign_in(user), service="door") for user in USERS[:2]),
        *(a_record(sign_in(user), service="gate") for user in USERS[2:4]),
    )
    assert group_all(connection) == 2
    # Two words are too few to be a variable in either, though there are four in all.
    assert len(stored(connection)) == 4


async def test_examples_are_gathered_from_the_newest_lines(
    store: Store, connection: psycopg.Connection
) -> None:
    await store.land(*(a_record(f"Order {number} paid") for number in range(30)))
    group_all(connection)
    last = pattern_upkeep.gather_examples(connection, 0)
    assert last == 30
    examples = connection.execute("SELECT example FROM skeleton_examples").fetchall()
    assert len(examples) == pattern_upkeep.MAX_EXAMPLES - 1
    assert connection.execute("SELECT looks, is_grouped FROM skeletons").fetchall() == [(20, False)]
    # Looked at often enough: no more, whatever lands.
    await store.land(*(a_record(f"Order {number} paid") for number in range(5)))
    group_all(connection)
    assert pattern_upkeep.gather_examples(connection, last) == 35
    assert connection.execute("SELECT looks, is_grouped FROM skeletons").fetchall() == [(20, True)]
    assert pattern_upkeep.gather_examples(connection, 35) == 35


async def test_a_message_that_never_varies_is_not_looked_at_for_ever(
    store: Store, connection: psycopg.Connection
) -> None:
    await store.land(*(a_record("Cache cold") for _ in range(15)))
    group_all(connection)
    last = pattern_upkeep.gather_examples(connection, 0)
    assert connection.execute("SELECT looks, is_grouped FROM skeletons").fetchall() == [(15, True)]
    await store.land(*(a_record("Cache cold") for _ in range(15)))
    pattern_upkeep.gather_examples(connection, last)
    assert connection.execute("SELECT looks FROM skeletons").fetchall() == [(30,)]
    assert connection.execute("SELECT count(*) FROM skeleton_examples").fetchone() == (0,)


async def test_more_examples_correct_a_template(
    store: Store, connection: psycopg.Connection
) -> None:
    await store.land(a_record("Gate north1 opened"))
    group_all(connection)
    assert list(stored(connection)) == ["Gate north1 opened"]
    pattern_upkeep.gather_examples(connection, 0)
    await store.land(a_record("Gate north2 opened"))
    pattern_upkeep.gather_examples(connection, 1)
    group_all(connection)
    assert stored(connection) == {"Gate north<num> opened": (skeleton_of("Gate north1 opened"), 1)}


async def test_rare_messages_stay_their_own_pattern(
    store: Store, reader: PostgresReader, connection: psycopg.Connection
) -> None:
    rare = overflow_id("chat")
    await store.land(a_record("Cache cold", service="chat"))
    connection.execute(
        "INSERT INTO skeletons (skeleton_id, environment, service_name, key, example, is_overflow)"
        " VALUES (%s, 'production', 'chat', '', '', true)",
        [rare],
    )
    group_all(connection)
    assert connection.execute(
        "SELECT pattern_id, is_grouped FROM skeletons WHERE is_overflow"
    ).fetchall() == [(None, True)]
    assert list(stored(connection)) == ["Cache cold"]
    assert pattern_upkeep.waiting_services(connection) == []


async def test_patterns_without_a_skeleton_are_removed(
    store: Store, connection: psycopg.Connection
) -> None:
    for user in USERS:
        await store.land(a_record(sign_in(user)))
        group_all(connection)
    # One by one they were patterns of their own, until they were enough.
    assert list(stored(connection)) == ["User <word> signed in from <ip>"]


async def test_lines_carry_the_pattern_their_skeleton_is_in(
    store: Store, reader: PostgresReader, connection: psycopg.Connection
) -> None:
    await store.land(*(a_record(sign_in(user)) for user in USERS))
    lines = reader.recent(LogFilter(), limit=9, now_unix_nano=NOON)
    assert [line.to_api()["patternId"] for line in lines] == [line.skeleton_id for line in lines]
    group_all(connection)
    [(pattern, _)] = stored(connection).values()
    fresh = PostgresReader(reader._engine)
    for found in (
        fresh.recent(LogFilter(), limit=9, now_unix_nano=NOON),
        fresh.search(LogFilter(), limit=9, now_unix_nano=NOON).lines,
        fresh.lines_by_id_range(LogFilter(), 1, 8, limit=9, now_unix_nano=NOON),
        fresh.received(LogFilter(), NOON - 10**9, NOON + 10**9, limit=9, slots=1).lines,
    ):
        assert len(found) == 8
        assert {line.to_api()["patternId"] for line in found} == {pattern}
    line = fresh.line(3)
    around = fresh.context(3, before=2, after=2)
    assert line is not None and around is not None
    assert {one.pattern_id for one in (line, around.line, *around.before, *around.after)} == {
        pattern
    }
