"""Operations are counted by minute and duration in the transaction that lands their spans."""

import msgspec
import pytest

from logstream.durations import LAST_STEP, step_of
from logstream.land import operation_rows
from tests.contract.conftest import Store
from tests.contract.test_landing_spans import land
from tests.contract.test_log_writer import ask
from tests.records import a_record, a_span

MS = 1_000_000
COUNTED = (
    "SELECT to_char(bucket AT TIME ZONE 'UTC', 'HH24:MI'), service_name, operation, kind,"
    " is_error, duration_step, sum(count)::int FROM operation_counts"
    " WHERE environment = 'production' AND NOT is_folded GROUP BY 1, 2, 3, 4, 5, 6"
    " ORDER BY 2, 3, 4, 5, 1, 6"
)


async def test_spans_are_counted_by_what_they_are_and_how_long_they_took(
    store: Store, database_url: str
) -> None:
    charge = a_span(kind="server", duration_ms=20)
    await land(
        store,
        charge,
        a_span(kind="server", duration_ms=20.5),
        a_span(kind="client", duration_ms=20),
        a_span(kind="server", duration_ms=20, start_ms=29_999.5),
        a_span(kind="server", duration_ms=20, start_ms=30_000),
        a_span(kind="server", duration_ms=20, environment="staging"),
        msgspec.structs.replace(charge, status="error", duration_nano=-5),
        msgspec.structs.replace(charge, name="ping", duration_nano=2**70),
    )
    # 20 ms: 4 · log2(20,000) = 57.15; 20.5 ms lies in the same step (up to 23.2 ms).
    assert step_of(20 * MS) == step_of(int(20.5 * MS)) == 57
    assert ask(database_url, COUNTED) == [
        ("12:00", "payment-gateway", "charge card", "client", False, 57, 1),
        ("12:00", "payment-gateway", "charge card", "server", False, 57, 3),
        ("12:01", "payment-gateway", "charge card", "server", False, 57, 1),
        ("12:00", "payment-gateway", "charge card", "server", True, -1, 1),
        ("12:00", "payment-gateway", "ping", "server", False, LAST_STEP, 1),
    ]


async def test_lines_that_say_how_long_something_took_are_counted_as_lines(
    store: Store, database_url: str
) -> None:
    await store.land(
        a_record(),
        a_record(duration_ms=0),
        a_record(duration_ms=20),
        a_record(severity=13, duration_ms=20.0),
        a_record(severity=17, duration_ms=20),
        a_record(duration_ms=20, service="shop", seconds_ago=60),
        a_record(duration_ms=1e300),
    )
    assert ask(database_url, COUNTED) == [
        ("12:00", "payment-gateway", "", "line", False, -1, 1),
        ("12:00", "payment-gateway", "", "line", False, 57, 2),
        ("12:00", "payment-gateway", "", "line", False, LAST_STEP, 1),
        ("12:00", "payment-gateway", "", "line", True, 57, 1),
        ("11:59", "shop", "", "line", False, 57, 1),
    ]


async def test_lines_and_spans_are_counted_by_the_same_steps(
    store: Store, database_url: str
) -> None:
    durations = [1e-4, 1e-3, 0.5, 1.0, 1.19, 999.0, 60_000.0, 3.6e6]
    await land(
        store,
        *(a_span(duration_ms=duration) for duration in durations),
        records=[a_record(duration_ms=duration) for duration in durations],
    )
    by_kind = "SELECT array_agg(duration_step ORDER BY 1) FROM operation_counts WHERE kind = "
    assert ask(database_url, f"{by_kind}'line'") == ask(database_url, f"{by_kind}'internal'")


async def test_names_beyond_the_most_of_a_service_are_counted_as_others(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_rows, "MAX_OPERATIONS", 3)
    for _ in range(2):
        await land(store, *(a_span(name=f"GET /order/{n}") for n in range(5)))
    await land(store, a_span(name="GET /order/9", service="shop"), a_span(name="x" * 5_000))
    names = "SELECT service_name, operation, sum(count)::int FROM operation_counts GROUP BY 1, 2"
    assert sorted(ask(database_url, names)) == [
        ("payment-gateway", "(other)", 5),
        ("payment-gateway", "GET /order/0", 2),
        ("payment-gateway", "GET /order/1", 2),
        ("payment-gateway", "GET /order/2", 2),
        ("shop", "GET /order/9", 1),
    ]


async def test_a_long_name_is_counted_by_its_beginning(store: Store, database_url: str) -> None:
    await land(store, a_span(name="SELECT " + "☂" * 5_000, duration_ms=60_000))
    assert ask(database_url, "SELECT operation FROM operation_counts") == [("SELECT " + "☂" * 193,)]


async def test_nothing_is_counted_of_what_is_refused_or_sent_again_with_its_key(
    store: Store, database_url: str
) -> None:
    spans = [a_span("a"), a_span("b", name="before\x00after")]
    for _ in range(2):
        landed = await land(store, *spans, records=[a_record(duration_ms=5)], key="zipkin:17")
    assert (landed.accepted, landed.is_replay) == (2, True)
    counted = "SELECT sum(count)::int, (SELECT sum(span_count)::int FROM trace_summaries) FROM "
    assert ask(database_url, f"{counted} operation_counts") == [(2, 1)]
