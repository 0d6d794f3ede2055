"""`q` means the same in PostgreSQL as in Python."""

import json
import random

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from logstream.filter import LogFilter
from logstream.model import LogLine, LogRecord
from logstream.query.reader import PostgresReader
from logstream.query.text_conditions import text_rows
from logstream.receive.json_text import clean_json
from logstream.skeleton import skeleton_id, skeleton_key
from logstream.tables import logs
from logstream.text_query import TextQuery
from tests.contract.conftest import Store
from tests.random_searches import (
    a_random_message,
    a_random_test,
    a_random_tree,
    a_random_words,
    some_attributes,
)
from tests.records import NOON, a_record
from tests.search_examples import examples


def everything(reader: PostgresReader) -> list[LogLine]:
    return reader.recent(LogFilter(), limit=10_000, now_unix_nano=NOON)


def agree(reader: PostgresReader, lines: list[LogLine], q: str) -> int:
    """How many lines both find; fails when they differ."""
    asked = LogFilter(q=q)
    meant = [line.id for line in lines if asked.matches(line, NOON)]
    found = reader.recent(asked, limit=10_000, now_unix_nano=NOON)
    assert [line.id for line in found] == meant, q
    counted = reader.severity_breakdown(asked, now_unix_nano=NOON)
    assert sum(count for _, count in counted) == len(meant), q
    return len(meant)


async def test_the_examples_of_the_search_page_are_true_of_the_database(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        *(record for _, found, not_found in examples() for record in (found, not_found))
    )
    lines = everything(reader)
    for number, (q, _, _) in enumerate(examples()):
        assert agree(reader, lines, q)
        found = {line.id for line in reader.recent(LogFilter(q=q), limit=1_000, now_unix_nano=NOON)}
        # Ids count from 1, two lines an example.
        assert 2 * number + 1 in found, q
        assert 2 * number + 2 not in found, q


@pytest.mark.parametrize("seed", [5, 23])
async def test_random_words_find_the_same_lines_as_in_python(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    messages = [a_random_message(generator) for _ in range(300)]
    await store.land(*(a_record(message) for message in messages))
    lines = everything(reader)
    found = [
        agree(reader, lines, a_random_words(generator, messages, count))
        for count in generator.choices((1, 1, 2), k=150)
    ]
    assert sum(1 for count in found if 0 < count < len(lines)) > 50


@pytest.mark.parametrize("seed", [7, 29])
async def test_random_attributes_find_the_same_lines_as_in_python(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    await store.land(
        *(a_record(attributes=json.dumps(some_attributes(generator)).encode()) for _ in range(300))
    )
    lines = everything(reader)
    found = [agree(reader, lines, a_random_test(generator)) for _ in range(150)]
    assert sum(1 for count in found if 0 < count < len(lines)) > 50


@pytest.mark.parametrize("seed", [11, 31])
async def test_random_trees_find_the_same_lines_as_in_python(
    store: Store, reader: PostgresReader, seed: int
) -> None:
    generator = random.Random(seed)
    messages = [a_random_message(generator) for _ in range(300)]
    await store.land(*(a_random_line(generator, message) for message in messages))
    lines = everything(reader)
    found = [agree(reader, lines, a_random_tree(generator, messages)) for _ in range(250)]
    assert sum(1 for count in found if 0 < count < len(lines)) > 100


def a_random_line(generator: random.Random, message: str) -> LogRecord:
    return a_record(
        message,
        service=generator.choice(("checkout", "cart", "pay")),
        severity=generator.randrange(1, 25),
        environment=generator.choice(("production", "staging")),
        trace_id=generator.choice((None, "abc123", "00f067aa0ba902b7")),
        duration_ms=generator.choice((None, 0.0, 2.0, 10.5, 500.0)),
        attributes=json.dumps(some_attributes(generator)).encode(),
    )


async def test_labels_in_a_search_are_the_lines_own_fields(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        a_record(service="cart", severity=17, trace_id="00f067aa0ba902b7"),
        a_record(service="a,b", severity=9, environment="staging"),
        a_record(service="pay", severity=21, attributes=b'{"service": "cart"}'),
    )
    lines = everything(reader)
    for q, count in {
        "service:cart": 1,
        "service:cart,pay": 2,
        'service:"a,b"': 1,
        "-service:cart": 2,
        "severity:err,fatal": 2,
        "severity>=error": 2,
        "-severity>=error": 1,
        "severity<=info": 1,
        "service:ca*": 1,
        "-service:*r*": 2,
        "(service:cart OR severity:fatal) -env:staging": 2,
        "trace:*": 1,
        "-(trace:00f067aa0ba902b7 OR service:pay)": 1,
        "env:staging": 1,
        "trace:00F067AA0BA902B7": 1,
        "-trace:00f067aa0ba902b7": 2,
    }.items():
        assert agree(reader, lines, q) == count, q


async def test_a_pattern_is_every_line_of_its_group_and_counted_without_reading_one(
    store: Store, reader: PostgresReader, database_url: str
) -> None:
    bodies = ("order 17 packed", "order 17 shipped", "order 18 shipped", "cart 17 full")
    await store.land(*(a_record(body) for body in bodies))
    packed, shipped = (skeleton_id(skeleton_key(body.encode())) for body in bodies[:2])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE skeletons SET pattern_id = %s WHERE skeleton_id = ANY(%s)",
            [packed, [packed, shipped]],
        )
    # By the group's id and by a member's.
    for own, count in ((packed, 3), (shipped, 3), (12345, 0)):
        for q, meant in ((f"pattern:{own}", count), (f"-pattern:{own}", 4 - count)):
            asked = LogFilter(q=q)
            assert not asked.needs_rows
            assert len(reader.recent(asked, limit=10, now_unix_nano=NOON)) == meant, q
            counted = reader.severity_breakdown(asked, now_unix_nano=NOON)
            assert sum(count for _, count in counted) == meant, q
    both = LogFilter(q=f"pattern:{packed} 18")
    assert [line.body for line in reader.recent(both, limit=10, now_unix_nano=NOON)] == [bodies[2]]


@pytest.mark.parametrize(
    "source",
    [
        r"[^a]{200}x[^b]{200}y[^c]{200}",
        r"(\w{0,4}x){0,8}",
        r"([0-9a-f]{2}-){100}",
        r"(a|b|c|d|é)+x",
        r"(.|\n)*x(.|\n)*y",
    ],
)
async def test_the_largest_expressions_allowed_end_soon(
    store: Store, reader: PostgresReader, source: str
) -> None:
    await store.land(a_record("a1" * 4_000), a_record("\n".join(["abc def"] * 500)))
    found = reader.recent(LogFilter(q=f"/{source}/"), limit=10, now_unix_nano=NOON)
    assert len(found) <= 2


async def test_hostile_searches_are_answered(store: Store, reader: PostgresReader) -> None:
    await store.land(a_record("0" * 5_000 + "x" + "a1" * 5_000), a_record("x"))
    lines = everything(reader)
    for q in (
        "0" * 999 + "*",
        "*" + "a1" * 499,
        "1" * 1000,
        "é1" * 500,
        " ".join("%_" * 333),
        ".".join("a" * 500) + ":1",
        ".".join("a" * 500) + ":*",
        "k>" + "9" * 35 + "e99",
        "k:" + "9" * 990,
        "k:1e99",
        "k:-1e-99",
        "k:1e999999999",
        "***:(?i)x",
        "x(?<!x)1(((((",
        "[[:<:]]1",
        "\\1\\m\\y1",
        "k:'\";--",
    ):
        agree(reader, lines, q)


async def test_whatever_a_sender_puts_into_attributes_can_be_asked(
    store: Store, reader: PostgresReader
) -> None:
    await store.land(
        *(
            a_record(attributes=clean_json(b'{"k": ' + value + b', "ok": 1}'))
            for value in (
                b'"\\u0000"',
                b'"\\ud800"',
                b'"\\ud83d\\ude00"',
                b'"\xff"',
                b"1e999999",
                b"-1E+0000999999999",
                b"1e-20000",
                b"9" * 140_000,
                b"0." + b"9" * 17_000,
                b"1, " + b'"k": 2',
                b"[" * 90 + b"]" * 90,
            )
        ),
        a_record(attributes=b'{"": 1, "ok": 1, "\\u0041.b": 1}'),
    )
    assert len(reader.recent(LogFilter(q="ok:1"), limit=100, now_unix_nano=NOON)) == 12
    assert len(reader.recent(LogFilter(q="k:2"), limit=100, now_unix_nano=NOON)) == 1


async def test_an_attribute_is_found_by_the_index_that_sealing_makes(
    store: Store, database_url: str
) -> None:
    await store.land(*(a_record(attributes=f'{{"a": {{"b": {n}}}}}'.encode()) for n in range(99)))
    question = sa.select(logs.c.id).where(*text_rows(TextQuery.parse("a.b:17")))
    rendered = question.compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE INDEX ON logs USING gin ((attributes::jsonb) jsonb_path_ops)")
        connection.execute("SET enable_seqscan = off")
        explained = connection.execute(f"EXPLAIN {rendered}").fetchall()
    plan = "\n".join(row[0] for row in explained)
    assert "BitmapOr" in plan and "Seq Scan" not in plan, plan
