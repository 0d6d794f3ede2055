"""Operations of a service and the map of services, by counts that were summed by hand."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from logstream.durations import low_edge_nano, step_of
from logstream.filter import Choice, LogFilter
from logstream.model import to_unix_nano
from logstream.query.operations import durations, operations
from logstream.query.service_map import service_map
from logstream.query.typical_trace import typical_trace
from logstream.trace_port import OperationFacts, ServiceMap
from tests.counted_services import CountedServices

# `range=15m` counts from 14:06 on.
NOW = datetime(2026, 3, 4, 14, 20, 30, tzinfo=UTC)
ANYWHERE = Choice()


def at(hour: int, minute: int = 0, *, days_ago: int = 0) -> datetime:
    return datetime(2026, 3, 4, hour, minute, tzinfo=UTC) - timedelta(days=days_ago)


def ask_map(connection: sa.Connection, **url: str) -> ServiceMap:
    connection.rollback()
    log_filter = LogFilter.from_url({"range": "15m", **url})
    return service_map(connection, log_filter, now_unix_nano=to_unix_nano(NOW))


def ask_operations(
    connection: sa.Connection, service: str, limit: int = 50, **url: str
) -> list[OperationFacts]:
    connection.rollback()
    log_filter = LogFilter.from_url({"range": "15m", **url})
    now = to_unix_nano(NOW)
    return list(operations(connection, log_filter, service, limit=limit, now_unix_nano=now))


def nodes(found: ServiceMap) -> list[tuple[str, str, int, int]]:
    return [(one.service, one.kind, one.calls, one.errors) for one in found.nodes]


def edges(found: ServiceMap) -> list[tuple[str, str, str, int, int]]:
    return [(one.source, one.target, one.kind, one.calls, one.errors) for one in found.edges]


def a_shop(counted: CountedServices) -> None:
    """(outside) → web → checkout → postgresql/shop, web → search, checkout → kafka → mailer."""
    counted.calls(at(14, 10), "", "web", 100)
    counted.calls(at(14, 10), "web", "checkout", 60, ms=100)
    counted.calls(at(14, 11), "web", "checkout", 5, ms=2_000, is_error=True)
    counted.calls(at(14, 12), "web", "search", 30)
    counted.calls(at(14, 12), "checkout", "postgresql/shop", 190, kind="database", ms=3)
    counted.calls(at(14, 12), "checkout", "kafka/orders", 40, kind="messaging", ms=1)
    counted.calls(at(14, 13), "kafka/orders", "mailer", 39, kind="messaging", ms=30)
    counted.spans(at(14, 10), "web", "GET /", 100)
    counted.spans(at(14, 10), "checkout", "POST /orders", 65)
    counted.spans(at(14, 10), "search", "GET /search", 30)
    counted.spans(at(14, 10), "mailer", "orders process", 39, kind="consumer")
    # Nobody calls these, and they call nobody.
    counted.spans(at(14, 10), "cron", "nightly", 4, kind="internal", is_error=True)
    counted.lines(at(14, 10), "legacy-erp", 7)
    counted.lines(at(14, 10), "legacy-erp", 2, severity=17)


def test_the_map_has_every_service_with_what_comes_in_and_each_call_once(
    counted: CountedServices, connection: sa.Connection
) -> None:
    a_shop(counted)
    found = ask_map(connection)
    assert nodes(found) == [
        ("postgresql/shop", "database", 190, 0),
        ("web", "service", 100, 0),
        ("checkout", "service", 60 + 5, 5),
        ("kafka/orders", "queue", 40, 0),
        ("mailer", "service", 39, 0),
        ("search", "service", 30, 0),
        ("legacy-erp", "service", 7 + 2, 2),
        ("cron", "service", 4, 4),
    ]
    assert edges(found) == [
        ("checkout", "postgresql/shop", "database", 190, 0),
        ("web", "checkout", "call", 65, 5),
        ("checkout", "kafka/orders", "messaging", 40, 0),
        ("kafka/orders", "mailer", "messaging", 39, 0),
        ("web", "search", "call", 30, 0),
    ]
    checkout = next(one for one in found.nodes if one.service == "checkout")
    # Of 65, the 61.75th in order of duration is one of the five of two seconds.
    assert checkout.p95_nano is not None
    assert step_of(int(checkout.p95_nano)) == step_of(2_000_000_000)


def test_a_chosen_service_stays_with_whom_it_is_in_touch(
    counted: CountedServices, connection: sa.Connection
) -> None:
    a_shop(counted)
    found = ask_map(connection, service="checkout")
    assert {one.service for one in found.nodes} == {
        "web", "checkout", "postgresql/shop", "kafka/orders",
    }  # fmt: skip
    # Its neighbours keep their figures: all calls of web came from outside.
    assert ("web", "service", 100, 0) in nodes(found)
    assert len(found.edges) == 3
    without = ask_map(connection, service="-checkout,-cron")
    assert {one.service for one in without.nodes} == {
        "web", "search", "kafka/orders", "mailer", "legacy-erp",
    }  # fmt: skip
    assert {(one.source, one.target) for one in without.edges} == {
        ("web", "search"), ("kafka/orders", "mailer"),
    }  # fmt: skip


def test_a_database_that_sends_spans_is_a_service(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.calls(at(14, 10), "checkout", "ledger", 5, kind="database")
    counted.spans(at(14, 10), "ledger", "commit", 5)
    counted.calls(at(14, 10), "checkout", "api.bank.example", 2)
    assert nodes(ask_map(connection)) == [
        ("ledger", "service", 5, 0),
        ("api.bank.example", "service", 2, 0),
        # It sent no spans in the time and nobody called it: only its calls are known.
        ("checkout", "service", 0, 0),
    ]


def test_a_database_that_sends_its_log_is_still_a_database(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.calls(at(14, 10), "orders", "orders-db", 5, kind="database")
    counted.spans(at(14, 10), "orders", "GET /orders", 5)
    counted.lines(at(14, 10), "orders-db", 40)
    assert ("orders-db", "database", 5, 0) in nodes(ask_map(connection))


def test_calls_of_another_time_or_environment_are_not_on_the_map(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for hour, count in ((11, 1), (12, 10), (13, 100), (14, 1_000)):
        counted.calls(at(hour, 10), "web", "checkout", count)
    counted.calls(at(14, 10), "web", "payments", 3, environment="staging")
    for _ in range(2):
        assert edges(ask_map(connection, range="2h", env="production")) == [
            # From 12:21 on.
            ("web", "checkout", "call", 1_100, 0)
        ]
        assert edges(ask_map(connection, env="staging")) == [("web", "payments", "call", 3, 0)]
        counted.fold()


def test_calls_taken_back_are_no_calls(counted: CountedServices, connection: sa.Connection) -> None:
    # The worker saw more of the trace, and that the call came from elsewhere.
    counted.calls(at(14, 10), "", "checkout", 1)
    counted.calls(at(14, 10), "", "checkout", -1)
    counted.calls(at(14, 10), "web", "checkout", 1)
    found = ask_map(connection)
    assert edges(found) == [("web", "checkout", "call", 1, 0)]
    assert nodes(found) == [("checkout", "service", 1, 0), ("web", "service", 0, 0)]


def test_the_map_is_in_the_same_order_each_time(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for name in ("b", "ä", "", "a", "c/d"):
        counted.calls(at(14, 10), "web", name or "empty", 5)
        counted.lines(at(14, 10), name, 2)
    first = ask_map(connection)
    assert [one.target for one in first.edges] == ["a", "b", "c/d", "empty", "ä"]
    assert [one.service for one in first.nodes] == ["a", "b", "c/d", "empty", "ä", "", "web"]
    counted.fold()
    assert ask_map(connection) == first


def test_two_hundred_services_and_their_calls_are_all_on_the_map(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for n in range(200):
        counted.calls(at(14, 10), f"s{n}", f"s{(n + 1) % 200}", n + 1)
    found = ask_map(connection)
    assert (len(found.nodes), len(found.edges)) == (200, 200)
    assert sum(one.calls for one in found.nodes) == 20_100


def test_lines_are_the_operation_of_a_service_without_spans(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 11), "orders-db", "", 5, ms=1, kind="line")
    [found] = ask_operations(connection, "orders-db")
    assert (found.operation, found.kind, found.calls) == ("", "line", 5)


def test_operations_are_by_all_the_time_they_took(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 10), "checkout", "GET /cart", 1_000, ms=4)
    counted.spans(at(14, 10), "checkout", "POST /orders", 90, ms=200)
    counted.spans(at(14, 11), "checkout", "POST /orders", 10, ms=3_000, is_error=True)
    counted.spans(at(14, 11), "checkout", "POST /orders", 7, ms=1, kind="client")
    counted.spans(at(14, 11), "checkout", "", 5, ms=1, kind="line")
    counted.spans(at(14, 11), "search", "GET /", 5_000)
    counted.spans(at(14, 11), "checkout", "GET /cart", 1, environment="staging")
    for _ in range(2):
        found = ask_operations(connection, "checkout", env="production")
        assert [(one.operation, one.kind, one.calls, one.errors) for one in found] == [
            # 90 · 0.2 s + 10 · 3 s = 48 s.
            ("POST /orders", "server", 100, 10),
            # 1,000 · 4 ms = 4 s.
            ("GET /cart", "server", 1_000, 0),
            # Its lines with a duration tell of the same requests.
            ("POST /orders", "client", 7, 0),
        ]
        total = found[0].total_nano
        assert 48e9 / 1.19 < total < 48e9 * 1.19
        p50, p95 = found[0].p50_nano, found[0].p95_nano
        assert p50 is not None and p95 is not None
        # The 50th is one of the ninety, the 95th one of the ten.
        step = step_of(200_000_000)
        assert low_edge_nano(step) <= p50 <= low_edge_nano(step + 1)
        step = step_of(3_000_000_000)
        assert low_edge_nano(step) <= p95 <= low_edge_nano(step + 1)
        assert len(ask_operations(connection, "checkout", limit=2)) == 2
        assert ask_operations(connection, "nobody") == []
        counted.fold()


def test_the_durations_of_a_kind_of_span_are_of_the_last_day(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for days_ago, ms in ((0, 10), (0, 500), (2, 10_000)):
        counted.spans(at(14, 10, days_ago=days_ago), "checkout", "POST", 3, ms=ms)
    counted.spans(at(14, 21, days_ago=1), "checkout", "POST", 2, ms=10, is_error=True)
    counted.spans(at(14, 10), "checkout", "POST", 50, ms=10, kind="client")
    counted.spans(at(14, 10), "checkout", "POST", 50, ms=10, environment="staging")
    for _ in range(2):
        connection.rollback()
        assert durations(
            connection,
            "checkout",
            "POST",
            "server",
            environment=Choice(("production",)),
            now_unix_nano=to_unix_nano(NOW),
        ) == {step_of(10_000_000): 3 + 2, step_of(500_000_000): 3}
        counted.fold()


def summary(
    counted: CountedServices, trace_id: str, ms: int, root: str = "POST /orders", minute: int = 10
) -> None:
    counted.connection.execute(
        "INSERT INTO trace_summaries (environment, trace_id, start, duration_ns, root_service,"
        " root_name, span_count) VALUES ('production', %s, %s, %s, 'web', %s, 1)",
        [trace_id, at(14, minute), ms * 1_000_000, root],
    )


def test_the_typical_trace_is_the_one_in_the_middle(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for trace_id, ms in (("slow", 9_000), ("fast", 1), ("usual", 100), ("longer", 120)):
        summary(counted, trace_id, ms)
    summary(counted, "other", 100, root="GET /")
    summary(counted, "older", 110, minute=2)

    def typical(**url: str) -> str | None:
        log_filter = LogFilter.from_url({"range": "15m", **url})
        now = to_unix_nano(NOW)
        return typical_trace(connection, log_filter, "web", "POST /orders", now_unix_nano=now)

    # Of fast, usual, longer and slow the second.
    assert typical() == "usual"
    assert typical(env="staging") is None
    # Of fast, usual, older, longer and slow the third.
    assert typical(range="1h") == "older"
