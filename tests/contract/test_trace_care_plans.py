"""What the worker does for traces reads them by their indexes, however much is stored."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from logstream.explain import trace_lines, trace_reading, trace_review
from logstream.ports import Batch
from logstream.query.trace_backlog import WAITING
from logstream.trace_care import SESSION
from tests.contract.conftest import Store
from tests.records import a_record, a_span
from tests.segments import NOON, hand_out_blocks, insert_lines, make_segment

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True, options=SESSION) as opened:
        yield opened


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def read_whole(connection: psycopg.Connection, statement: str, *values: Any) -> set[str]:
    """Tables that a statement reads from one end to the other."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", *values).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return {
        node["Relation Name"]
        for node in nodes(plan[0]["Plan"])
        if node["Node Type"].endswith("Seq Scan") and "Relation Name" in node
    }


def test_lines_are_counted_by_their_ids(connection: psycopg.Connection) -> None:
    make_segment(connection, 0)
    hand_out_blocks(connection, 10_000)
    insert_lines(connection, 1, [{"trace_id": TRACE}])
    values = {**trace_lines._LIMITS, "after": 0, "end": 10_000}
    assert read_whole(connection, trace_lines._COUNT, values) == set()


async def test_traces_are_read_by_their_ids(store: Store, connection: psycopg.Connection) -> None:
    await store.writer.land(
        Batch([a_record(trace_id=TRACE)], environment="production", spans=[a_span()])
    )
    assert read_whole(connection, trace_review._WAITING, [5, 200]) == set()
    assert read_whole(connection, WAITING) == set()
    keys = {"ids": [TRACE], "environments": ["production"], "most": 100}
    assert read_whole(connection, trace_reading._SPANS, {**keys, "first": 0, "last": 9}) == set()
    times = {"first": NOON, "last": NOON + timedelta(seconds=1), "characters": 120}
    assert read_whole(connection, trace_reading._LINES, {**keys, **times}) == set()
    names = {"traces": [TRACE], "spans": ["a1"]}
    assert read_whole(connection, trace_review._ELSEWHERE, names) == set()
    found = {"found": "[]", "changes": "[]", "services": 200}
    assert read_whole(connection, trace_review._STORE, found) == set()
