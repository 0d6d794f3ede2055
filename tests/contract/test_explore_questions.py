"""Facets, fields and severities over time mean what the predicate means, on random lines."""

import json
import random
from collections import Counter
from dataclasses import replace

import psycopg
import pytest

from logstream.filter import Choice, LogFilter
from logstream.model import NANOS_PER_SECOND, LogLine, LogRecord, Severity, to_datetime
from logstream.query import attributes, fields, search
from logstream.query.attributes import value_text
from logstream.query.reader import PostgresReader
from logstream.text_query import term_for, with_term
from tests.contract.conftest import Store
from tests.random_searches import KEYS, VALUES, some_attributes
from tests.records import NOON, a_record

SERVICES = ("checkout", "a,b", "café")
ENVIRONMENTS = ("production", "staging")
BODIES = ("Card declined", "Order 17 placed", "cache miss for user-4", "retry 2 of 5")
FIELDS = ("severity", "service", "env", "pattern", *(f"attribute:{key}" for key in KEYS))
# What is left of each without the terms about one key.
SEARCHES: dict[str, dict[str, str]] = {
    "": {},
    "card": {},
    '-cache "user-4"': {},
    "a:503": {"a": ""},
    "-b:true card": {"b": "card"},
    "a.b:0.5 b:null": {"a.b": "b:null", "b": "a.b:0.5"},
    "(a:503 OR a:0.5) card": {"a": "card"},
    "a:503 OR card": {},
    "severity>=error -a:503 a:*": {"a": "severity>=error"},
}
AT = to_datetime(NOON - 600 * NANOS_PER_SECOND)


def a_random_line(generator: random.Random) -> LogRecord:
    ago = generator.choice((0, 60, 900, generator.uniform(-60, 7200)))
    record = a_record(
        generator.choice(BODIES),
        seconds_ago=ago,
        service=generator.choice(SERVICES),
        severity=generator.randrange(1, 25),
        environment=generator.choice(ENVIRONMENTS),
        attributes=json.dumps(some_attributes(generator)).encode(),
    )
    late = generator.choice((0.1, 5, 900))
    return replace_receipt(record, record.timestamp_unix_nano + int(late * NANOS_PER_SECOND))


def replace_receipt(record: LogRecord, at: int) -> LogRecord:
    names = [name for name in record.__struct_fields__ if name != "observed_unix_nano"]
    return LogRecord(observed_unix_nano=at, **{name: getattr(record, name) for name in names})


def a_random_question(generator: random.Random) -> LogFilter:
    q = generator.choice(tuple(SEARCHES))
    start, end = sorted(generator.uniform(0, 7200) for _ in range(2))
    kind = generator.randrange(4)
    return LogFilter(
        environment=Choice(("staging",)) if generator.random() < 0.2 else Choice(),
        service=Choice((), ("a,b",)) if generator.random() < 0.3 else Choice(),
        severity=Choice(("error", "info")) if generator.random() < 0.3 else Choice(),
        q=q,
        range_text="1h" if kind == 0 else "",
        start=to_datetime(NOON - int(end * NANOS_PER_SECOND)) if kind == 1 else None,
        end=to_datetime(NOON - int(start * NANOS_PER_SECOND)) if kind == 1 else None,
        at=AT if generator.random() < 0.3 else None,
    )


def without_own(asked: LogFilter, field: str) -> LogFilter:
    if field in ("severity", "service", "env"):
        return asked.without(field)
    key = field.removeprefix("attribute:")
    return replace(asked, q=SEARCHES[asked.q].get(key, asked.q))


def expected(lines: list[LogLine], field: str) -> dict[str, int]:
    """Counted by what `q` finds for each value that occurs anywhere."""
    match field:
        case "severity":
            return Counter(Severity.of(line.severity_number).word for line in lines)
        case "service":
            return Counter(line.service_name for line in lines)
        case "env":
            return Counter(line.environment for line in lines)
        case "pattern":
            return Counter(str(line.to_api()["patternId"]) for line in lines)
    key = field.removeprefix("attribute:")
    terms = {
        text: LogFilter(q=term)
        for text in filter(None, map(value_text, VALUES))
        if (term := term_for(key, text))
    }
    counts = {
        text: sum(asked.matches(line, NOON) for line in lines) for text, asked in terms.items()
    }
    return {text: count for text, count in counts.items() if count}


@pytest.mark.parametrize("seed", [5, 23])
async def test_facets_and_fields_count_what_the_predicate_finds(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    await store.land(*(a_random_line(generator) for _ in range(600)))
    lines = reader.recent(LogFilter(), limit=10_000, now_unix_nano=NOON)
    assert len(lines) == 600
    for _ in range(25):
        asked = a_random_question(generator)
        found = reader.facets(asked, limit=1_000, now_unix_nano=NOON, fields=FIELDS)
        assert tuple(found) == FIELDS
        for field, counts in found.items():
            wider = without_own(asked, field)
            meant = [line for line in lines if wider.matches(line, NOON)]
            # "" is a value, which no term can ask for.
            counted = {value: count for value, count in counts if value}
            assert counted == expected(meant, field), (asked, field)
            assert counts == sorted(counts, key=lambda item: (-item[1], item[0]))
        field = generator.choice(FIELDS)
        few = reader.facet(asked, field, limit=2, now_unix_nano=NOON)
        assert few == found[field][:2], (asked, field)

        meant = [line for line in lines if asked.matches(line, NOON)]
        fields = reader.fields(asked, values=1_000, now_unix_nano=NOON)
        assert (fields.looked, fields.total) == (len(meant), len(meant)), asked
        for fact in fields.fields:
            if "structured" not in fact.kind:
                values = {value: count for value, count in fact.values if value}
                assert values == expected(meant, f"attribute:{fact.name}"), (asked, fact.name)
                assert fact.distinct == len(fact.values)
            assert max((count for _, count in fact.values), default=0) <= fact.lines <= len(meant)
        carried = {key for line in meant for key in line.attributes if "." not in key}
        named = {fact.name.partition(".")[0] for fact in fields.fields}
        assert {key for key in carried if key in ("b", "@k", "größe")} <= named


async def test_a_few_of_many_lines_say_how_many_there_are(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        *(a_record(f"n{n}", seconds_ago=n, attributes=b'{"n": %d}' % n) for n in range(300))
    )
    found = reader.fields(LogFilter(), values=2, now_unix_nano=NOON, most_lines=50)
    assert (found.looked, found.total) == (50, 300)
    (fact,) = found.fields
    # The newest fifty are 0 to 49; equally frequent values are in the order of their characters.
    assert (fact.lines, fact.distinct, list(fact.values)) == (50, 50, [("0", 1), ("1", 1)])
    words = reader.fields(LogFilter(q="n1*"), values=0, now_unix_nano=NOON, most_lines=5)
    assert (words.looked, words.total) == (5, 111)  # 1, 10 to 19, 100 to 199


async def test_grouped_skeletons_are_one_pattern(
    store: Store, reader: PostgresReader, database_url: str
) -> None:
    await store.land(
        *(a_record("Card declined", seconds_ago=n) for n in range(3)),
        *(a_record("Card refused", seconds_ago=n) for n in range(4)),
        *(a_record("Order placed", seconds_ago=n) for n in range(2)),
    )
    lines = reader.recent(LogFilter(), limit=100, now_unix_nano=NOON)
    ids = {line.body: line.skeleton_id for line in lines}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE skeletons SET pattern_id = %s WHERE skeleton_id = ANY(%s)",
            [ids["Card declined"], [ids["Card declined"], ids["Card refused"]]],
        )
    # 3 + 4 of the group, 2 of the one that is a pattern of its own.
    wanted = [(str(ids["Card declined"]), 7), (str(ids["Order placed"]), 2)]
    for asked in (LogFilter(), LogFilter(q="-nothing"), LogFilter(at=to_datetime(NOON + 10**9))):
        assert reader.facet(asked, "pattern", limit=10, now_unix_nano=NOON) == wanted, asked
    # A pattern asked for, by any of its skeletons, narrows every facet but its own.
    asked = LogFilter(q=f"pattern:{ids['Card refused']}")
    found = reader.facets(
        asked, limit=10, now_unix_nano=NOON, fields=("pattern", "severity", "service")
    )
    assert found["pattern"] == wanted
    assert found["severity"] == [("info", 7)] and found["service"] == [("payment-gateway", 7)]
    assert reader.facets(asked, limit=10, now_unix_nano=NOON)["env"] == [("production", 7)]
    told_apart = reader.differences(asked, LogFilter(), limit=1, now_unix_nano=NOON)
    assert (told_apart.total, told_apart.baseline_total) == (7, 9)


async def test_hostile_attributes_are_bounded_and_shown_as_they_are(
    store: Store, reader: PostgresReader
) -> None:
    deep: object = 1
    for _ in range(400):
        deep = {"d": deep}
    hostile = [
        {f"k{n}": n for n in range(10_000)},
        {"long": "x" * 100_000, "<b>": "'; DROP TABLE logs; --", "": "no name", "a.": 1, ".": 2},
        {"deep": deep, "list": [1, [2]], "empty": {}, "huge": 10**400, "x\u0001": "\u202e"},
    ]
    await store.land(
        *(a_record(str(n), attributes=json.dumps(one).encode()) for n, one in enumerate(hostile))
    )
    found = reader.fields(LogFilter(), values=5, now_unix_nano=NOON)
    by_name = {fact.name: fact for fact in found.fields}
    assert found.looked == found.total == 3
    assert len(found.fields) <= 500
    (long, _), *_ = by_name["long"].values
    assert len(long) < 300 and long.endswith("… (100,000 characters)")
    assert by_name["<b>"].values == [("'; DROP TABLE logs; --", 1)]
    assert by_name["list"].kind == "structured" and not by_name["list"].values
    assert by_name["deep.d.d.d.d"].kind == "structured"
    facets = reader.facets(
        LogFilter(q=with_term("", term_for("<b>", "x") or "")),
        limit=5,
        now_unix_nano=NOON,
        fields=(
            "attribute:k9999",
            "attribute:<b>",
            "attribute:' OR 1=1",
            "attribute:..",
            "pattern",
        ),
    )
    assert facets["attribute:k9999"] == [("9999", 1)]
    assert facets["attribute:' OR 1=1"] == facets["attribute:.."] == []


async def test_lines_are_looked_at_until_there_is_enough_of_them(
    store: Store, reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = json.dumps({f"k{n}": n for n in range(50)}).encode()
    await store.land(*(a_record(seconds_ago=n, attributes=wide) for n in range(100)))
    monkeypatch.setattr(fields, "MOST_VALUES", 1_000)
    found = reader.fields(LogFilter(), values=1, now_unix_nano=NOON)
    # 20 lines of 50 values.
    assert (found.looked, found.total) == (20, 100)
    assert {fact.lines for fact in found.fields} == {20}
    told_apart = reader.differences(LogFilter(), LogFilter(), limit=1, now_unix_nano=NOON)
    assert (told_apart.looked, told_apart.total) == (20, 100)
    with reader._engine.connect() as connection:
        reading = attributes.AttributesOfLines(most_bytes=5 * len(wide))
        rows, is_all = search.newest(
            connection,
            reader._catalogue.segments(connection),
            LogFilter(),
            reading,
            limit=100,
            now_unix_nano=NOON,
            budget_seconds=1,
        )
    assert reading.is_full and not is_all and len(rows) == 5
