"""What is gathered of the newest requests, and what tells the slow of them from the fast."""

import msgspec
import pytest
import sqlalchemy as sa

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND, LogRecord, Span
from logstream.ports import Batch
from logstream.query import slow_requests
from logstream.query.catalogue import Catalogue
from logstream.query.slow_fast import slow_and_fast
from logstream.query.slow_requests import NewestRequests, newest_requests
from tests.contract.conftest import Store
from tests.counted_services import CountedServices
from tests.records import NOON, a_record, a_span

NOW = NOON + 60 * NANOS_PER_SECOND


def a_request(number: int, *, ms: float = 50, is_error: bool = False, **attributes: str) -> Span:
    """POST /orders of checkout, one a second, each its own trace."""
    span = a_span(
        f"{number:016x}",
        name="POST /orders",
        service="checkout",
        kind="server",
        trace_id=f"{number:032x}",
        start_ms=-1_000 * number,
        duration_ms=ms,
        attributes=msgspec.json.encode(attributes),
    )
    return msgspec.structs.replace(span, status="error" if is_error else "unset")


def a_child(request: Span, span_id: str, **given: object) -> Span:
    """A span under a request or under another span of its trace."""
    values = {"parent": request.span_id, "service": request.service_name, **given}
    return a_span(span_id, trace_id=request.trace_id, **values)  # type: ignore[arg-type]


async def land(store: Store, *spans: Span, records: tuple[LogRecord, ...] = ()) -> None:
    await store.writer.land(Batch(records, environment="production", spans=spans))


def gather(
    connection: sa.Connection, operation: str = "POST /orders", limit: int = 100, **url: str
) -> NewestRequests:
    connection.rollback()
    return newest_requests(
        connection,
        Catalogue().segments(connection),
        LogFilter.from_url({"range": "15m", **url}),
        "checkout",
        operation,
        limit=limit,
        now_unix_nano=NOW,
    )


async def test_a_request_has_its_attributes_calls_and_patterns(
    store: Store, connection: sa.Connection
) -> None:
    request = a_request(1, ms=900, is_error=True, tier="gold")
    request = msgspec.structs.replace(
        request, attributes=b'{"tier":"gold","cart":{"items":3},"tags":["a"],"retry":true}'
    )
    handler = a_child(request, "a1", name="handle", kind="internal")
    select = a_child(handler, "a2", name="SELECT orders", kind="client", duration_ms=3)
    charge = a_child(request, "a3", name="POST", kind="client", duration_ms=800)
    answer = a_child(charge, "a4", name="POST /charge", service="payments", kind="server")
    inside = a_child(answer, "a5", name="UPDATE", service="payments", kind="client")
    failed = msgspec.structs.replace(answer, status="error")
    plain = a_request(2)
    line = a_record("Card declined for order 7", service="payments", trace_id=request.trace_id)
    await land(
        store, request, handler, select, charge, failed, inside, plain,
        records=(line, a_record("Nothing to do with it")),
    )  # fmt: skip
    found = gather(connection)
    assert (len(found.requests), found.total) == (2, 2)
    # The newest first.
    slow, fast = found.requests
    assert (slow.duration_nano, slow.is_error) == (900_000_000, True)
    assert slow.attributes == {("tier", "gold"), ("cart.items", "3"), ("retry", "true")}
    assert sorted((c.service, c.operation, c.duration_nano, c.is_error) for c in slow.calls) == [
        ("checkout", "SELECT orders", 3_000_000, False),
        ("payments", "POST /charge", 800_000_000, True),
    ]
    [declined] = slow.patterns
    assert declined == connection.scalar(
        sa.text("SELECT skeleton_id FROM logs WHERE trace_id <> ''")
    )
    assert (fast.calls, fast.patterns, fast.attributes) == ([], frozenset(), frozenset())


async def test_the_newest_are_looked_at_and_all_are_counted(
    store: Store, connection: sa.Connection
) -> None:
    await land(store, *(a_request(number) for number in range(1, 31)))
    # Sent twice, and of another kind, service and operation.
    await land(
        store,
        a_request(3),
        msgspec.structs.replace(a_request(40), kind="client"),
        msgspec.structs.replace(a_request(41), service_name="search"),
        msgspec.structs.replace(a_request(42), name="GET /orders"),
        msgspec.structs.replace(a_request(43), environment="staging"),
    )
    found = gather(connection, limit=12, env="production")
    assert [int(one.trace_id, 16) for one in found.requests] == [*range(1, 12)]
    # The third was counted twice.
    assert found.total == 31
    assert len(gather(connection, env="staging").requests) == 1
    assert gather(connection, "DELETE /orders") == NewestRequests([], 0)
    # All began after 12:00, but the client of the 40th second before 12:00:30.
    early = {"range": "", "from": "2026-03-01T11:59:00Z", "to": "2026-03-01T12:00:00Z"}
    [client] = gather(connection, env="production", **early).requests
    assert int(client.trace_id, 16) == 40


async def test_of_a_busy_time_only_the_newest_part_is_read(
    store: Store, connection: sa.Connection, counted: CountedServices
) -> None:
    # One every ten minutes of the last five hours and one a second of the last minute.
    older = [a_request(600 * n) for n in range(1, 31)]
    newer = [a_request(n) for n in range(1, 61)]
    await land(store, *older, *newer)
    expected = sorted(int(one.trace_id, 16) for one in (*newer, *older))
    for _ in range(2):
        for limit in (1, 20, 60, 61, 75, 90, 1_000):
            found = gather(connection, limit=limit, range="6h")
            assert [int(one.trace_id, 16) for one in found.requests] == expected[:limit]
            assert found.total == 90
        counted.fold()


async def test_an_operation_without_servers_is_told_by_whatever_has_its_name(
    store: Store, connection: sa.Connection
) -> None:
    await land(store, msgspec.structs.replace(a_request(1), kind="internal"))
    assert len(gather(connection).requests) == 1


async def test_a_very_long_name_is_found_by_its_beginning(
    store: Store, connection: sa.Connection
) -> None:
    name = "GET /" + "x" * 300
    await land(store, msgspec.structs.replace(a_request(1), name=name))
    counted = connection.scalar(sa.text("SELECT operation FROM operation_counts"))
    assert (len(counted), len(gather(connection, counted).requests)) == (200, 1)


async def test_loops_and_traces_without_end_are_read_within_bounds(
    store: Store, connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_request(1), a_request(2)
    loop = a_child(first, "b1", name="loop", kind="internal")
    back = a_child(loop, first.span_id, name="POST /orders", kind="internal")
    many = [a_child(second, f"c{n}", name="SELECT", kind="client") for n in range(40)]
    await land(store, first, loop, back, second, *many)
    monkeypatch.setattr(slow_requests, "MOST_SPANS", 10)
    monkeypatch.setattr(slow_requests, "_TRACES_AT_ONCE", 1)
    found = gather(connection)
    # The first had two spans under it, the second more than the eight that were left.
    assert [len(one.calls) for one in found.requests] == [0, 8]


async def test_what_distinguishes_the_slow_is_named(
    store: Store, connection: sa.Connection
) -> None:
    spans: list[Span] = []
    lines: list[LogRecord] = []
    for number in range(1, 101):
        is_slow = number % 10 == 0
        tier = "gold" if is_slow or number == 1 else "basic"
        request = a_request(number % 28 + 1, ms=900 if is_slow else 40 + number / 10, tier=tier)
        request = msgspec.structs.replace(
            request, trace_id=f"{number:032x}", span_id=f"{number:016x}"
        )
        spans.append(request)
        spans.append(a_child(request, f"c{number}", name="SELECT cart", kind="client"))
        if is_slow:
            spans.append(a_child(request, f"e{number}", name="POST /charge", kind="client"))
            text = f"Waited {number} ms for a lock on row {number * 7}"
            lines.append(a_record(text, service="checkout", trace_id=request.trace_id))
    await land(store, *spans, records=tuple(lines))
    connection.rollback()
    found = slow_and_fast(
        connection,
        Catalogue().segments(connection),
        LogFilter(range_text="15m"),
        "checkout",
        "POST /orders",
        slow_share=0.1,
        limit=1_000,
        now_unix_nano=NOW,
    )
    assert (found.slow, found.fast, found.looked, found.total) == (10, 90, 100, 100)
    # The longest of the fast took 40 + 99 / 10 ms.
    assert found.slow_nano == 49_900_000
    by_value = {(one.field, one.value): one for one in found.differences}
    gold = by_value["attribute:tier", "gold"]
    assert (gold.count, gold.share, gold.baseline_count) == (10, 1.0, 1)
    assert ("call", "checkout POST /charge") in by_value
    assert ("call", "checkout SELECT cart") not in by_value
    [lock] = [one for one in found.differences if one.field == "pattern"]
    assert (lock.count, lock.baseline_count) == (10, 0)
    assert lock.label.startswith("Waited") and "for a lock on row" in lock.label
    assert lock.p_value < 0.01


async def test_an_operation_that_nobody_called_has_nothing_slow(
    store: Store, connection: sa.Connection
) -> None:
    found = slow_and_fast(
        connection, [], LogFilter(), "checkout", "POST", slow_share=0.1, limit=9, now_unix_nano=NOW
    )
    assert (found.slow, found.fast, found.looked, found.total, found.differences) == (
        0, 0, 0, 0, [],
    )  # fmt: skip
