"""The vocabulary of questions is what the store holds; what is asked with it finds its lines."""

from datetime import UTC, datetime

from logstream.errors import QueryTimeout
from logstream.explain.ask import interpret, read_vocabulary
from logstream.filter import Choice, LogFilter
from logstream.ports import Patterns
from logstream.query.reader import PostgresReader
from tests.contract.conftest import Store
from tests.records import NOON, a_record

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
HOUR = 3600


async def land_a_day(store: Store) -> None:
    await store.land(
        a_record("Card declined for order 17", severity=17, seconds_ago=30 * HOUR),
        a_record("Card declined for order 18", severity=17, seconds_ago=60),
        a_record("Card charged for order 19", attributes=b'{"user.id": "4711"}'),
        a_record("Order 17 packed", service="checkout", attributes=b'{"host.name": "node-1"}'),
        a_record("Order 18 packed", service="checkout", environment="staging"),
    )


async def test_it_holds_services_patterns_and_attributes_of_all_times(
    store: Store, reader: PostgresReader
) -> None:
    await land_a_day(store)
    found = read_vocabulary(reader, LogFilter(range_text="15m", q="packed"), NOW, {"psp": "x"})
    assert found.services == {
        "production": {"payment-gateway": 3, "checkout": 1},
        "staging": {"checkout": 1},
    }
    assert found.counts == {"payment-gateway": 3, "checkout": 2}
    declined = next(one for one in found.patterns if "declined" in one.template)
    assert declined.template == "Card declined for order <num>"
    assert (declined.count, declined.severities) == (2, ("error",))
    assert declined.services == ("payment-gateway",)
    assert {one.name: one.values for one in found.attributes} == {
        "user.id": (("4711", 1),),
        "host.name": (("node-1", 1),),
    }
    assert found.aliases == {"psp": "x"}


async def test_it_holds_nothing_of_other_environments(store: Store, reader: PostgresReader) -> None:
    await land_a_day(store)
    found = read_vocabulary(reader, LogFilter(environment=Choice(("staging",))), NOW)
    assert found.services == {"staging": {"checkout": 1}}
    assert [one.template for one in found.patterns] == ["Order <num> packed"]
    assert found.attributes == []


async def test_an_empty_store_has_an_empty_one(store: Store, reader: PostgresReader) -> None:
    found = read_vocabulary(reader, LogFilter(), NOW)
    assert (dict(found.services), list(found.patterns), list(found.attributes)) == ({}, [], [])


async def test_a_question_finds_the_lines_it_speaks_of(
    store: Store, reader: PostgresReader
) -> None:
    await land_a_day(store)
    vocabulary = read_vocabulary(reader, LogFilter(), NOW)
    for question, bodies in (
        ("payment errors today", ["Card declined for order 18"]),
        ("declined cards", ["Card declined for order 18", "Card declined for order 17"]),
        ("paymnt errors in the last 2 days without order 17", ["Card declined for order 18"]),
        ("what was packed on node-1", ["Order 17 packed"]),
        ("user 4711", ["Card charged for order 19"]),
        ("packed orders in staging", ["Order 18 packed"]),
    ):
        asked = interpret(question, vocabulary, now=NOW, zone=UTC).log_filter
        lines = reader.recent(asked, limit=10, now_unix_nano=NOON)
        assert [line.body for line in lines] == bodies, f"{question}: {asked.to_url()}"


class SlowReader:
    """The reader, but counting the patterns of everything takes too long."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def patterns(self, log_filter: LogFilter, **asked: int) -> Patterns:
        if log_filter.start is None:
            raise QueryTimeout("the question took longer than 10 s")
        return self._reader.patterns(log_filter, **asked)


async def test_where_everything_is_too_much_the_last_day_has_to_do(
    store: Store, reader: PostgresReader
) -> None:
    await land_a_day(store)
    found = read_vocabulary(SlowReader(reader), LogFilter(), NOW)  # type: ignore[arg-type]
    assert found.services["production"] == {"payment-gateway": 2, "checkout": 1}
