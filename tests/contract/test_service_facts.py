"""Rate, errors and durations of services, by counts whose sums were worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from logstream.durations import low_edge_nano, step_of
from logstream.filter import Choice, LogFilter
from logstream.model import to_unix_nano
from logstream.query.service_facts import services
from logstream.trace_port import ServiceFacts, Services
from tests.counted_services import CountedServices

# The clock when asked: 14:20:30. `range=15m` counts from 14:06 on, `range=3h` from 11:21 on.
NOW = datetime(2026, 3, 4, 14, 20, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def at(hour: int, minute: int = 0, *, days_ago: int = 0) -> datetime:
    return datetime(2026, 3, 4, hour, minute, tzinfo=UTC) - days_ago * DAY


def ask(connection: sa.Connection, buckets: int = 30, zone: str = "UTC", **url: str) -> Services:
    log_filter = LogFilter.from_url({name.rstrip("_"): value for name, value in url.items()})
    connection.rollback()
    return services(
        connection, log_filter, buckets=buckets, now_unix_nano=to_unix_nano(NOW), zone=zone
    )


def by_name(found: Services) -> dict[str, ServiceFacts]:
    return {one.service: one for one in found.services}


def test_calls_are_what_a_service_answers_and_lines_are_told_beside_them(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 10), "checkout", "POST /orders", 80, ms=100)
    counted.spans(at(14, 11), "checkout", "POST /orders", 15, ms=400)
    counted.spans(at(14, 12), "checkout", "POST /orders", 5, ms=3_000, is_error=True)
    counted.spans(at(14, 12), "checkout", "orders receive", 20, ms=10, kind="consumer")
    # What it asks others and does inside is no call of it.
    counted.spans(at(14, 12), "checkout", "SELECT", 900, ms=2, kind="client")
    counted.lines(at(14, 7), "checkout", 40)
    counted.lines(at(14, 13), "checkout", 3, severity=17)
    counted.lines(at(14, 13), "checkout", 1, severity=21)
    found = by_name(ask(connection, range="15m"))["checkout"]
    assert (found.told_by, found.calls, found.errors) == ("spans", 80 + 15 + 5 + 20, 5)
    assert (found.lines, found.error_lines) == (40 + 3 + 1, 3 + 1)
    # Of 120 in order of duration: 20 of 10 ms, 80 of 100 ms (to the 100th), 15 of 400 ms, 5 of 3 s.
    # The 60th and the 114th lie among those of 100 and of 400 ms, the 118.8th among those of 3 s.
    for value, ms in ((found.p50_nano, 100), (found.p95_nano, 400), (found.p99_nano, 3_000)):
        step = step_of(ms * 1_000_000)
        assert value is not None and low_edge_nano(step) <= value <= low_edge_nano(step + 1)


def test_a_service_that_answers_nobody_is_told_by_all_its_spans_and_one_without_by_its_lines(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 10), "cron", "nightly", 4, ms=900, kind="internal")
    counted.spans(at(14, 10), "cron", "SELECT", 6, ms=5, kind="client", is_error=True)
    counted.lines(at(14, 10), "legacy-erp", 30)
    counted.lines(at(14, 11), "legacy-erp", 10, severity=18)
    # Four of its lines carry a duration.
    counted.spans(at(14, 11), "legacy-erp", "", 4, ms=50, kind="line")
    counted.lines(at(14, 11), "batch", 2)
    found = by_name(ask(connection, range="15m"))
    cron, erp, batch = found["cron"], found["legacy-erp"], found["batch"]
    assert (cron.told_by, cron.calls, cron.errors, cron.lines) == ("spans", 10, 6, 0)
    assert (erp.told_by, erp.calls, erp.errors, erp.lines, erp.error_lines) == (
        "lines", 40, 10, 40, 10,
    )  # fmt: skip
    assert erp.p50_nano is not None and step_of(int(erp.p50_nano)) == step_of(50_000_000)
    assert (batch.p50_nano, batch.p95_nano, batch.p99_nano) == (None, None, None)
    # Busiest first.
    assert [one.service for one in ask(connection, range="15m").services] == [
        "legacy-erp", "cron", "batch",
    ]  # fmt: skip


def three_hours(counted: CountedServices) -> None:
    """Minutes on both sides of every edge of 11:21 to now, and of the same time a day earlier."""
    for days_ago, share in ((0, 1), (1, 2)):
        for n, moment in enumerate(
            (at(11, 20), at(11, 21), at(11, 59), at(12, 0), at(13, 30), at(14, 0), at(14, 20))
        ):
            # 1, 10, 100 … and twice as many a day earlier.
            counted.spans(moment - days_ago * DAY, "checkout", "POST", share * 10**n)
            counted.lines(moment - days_ago * DAY, "mailer", share * 10**n)
    counted.spans(at(14, 21, days_ago=1), "checkout", "POST", 5_000_000_000)
    counted.lines(at(14, 21, days_ago=1), "mailer", 5_000_000_000)
    # So long is everything known.
    counted.lines(at(0, days_ago=9), "mailer", 1)


@pytest.mark.parametrize("folds", ["nothing", "everything", "part"])
def test_hours_and_minutes_give_the_same_folded_or_not(
    counted: CountedServices, connection: sa.Connection, folds: str
) -> None:
    three_hours(counted)
    if folds != "nothing":
        counted.fold()
    if folds == "part":
        counted.spans(at(13, 31), "checkout", "POST", 7)
        counted.lines(at(13, 31), "mailer", 7)
    late = 7 if folds == "part" else 0
    # All but the minute of 11:20; a day earlier that, doubled, and what began at 14:21 is left out.
    calls, before = 1_111_110 + late, 2_222_220
    # By the hour, from 11:00 on.
    trend = [110, 1_000, 10_000 + late, 1_100_000]
    found = by_name(ask(connection, buckets=3, range="3h"))
    for name in ("checkout", "mailer"):
        one = found[name]
        assert (one.calls, one.calls_before) == (calls, before), name
        assert list(one.trend) == trend, name
    assert ask(connection, buckets=3, range="3h").bucket_seconds == 3_600
    # By the minute: 3 hours by at most 30 pieces are of ten minutes, from 11:20 on.
    by_minute = ask(connection, buckets=30, range="3h")
    assert (by_minute.bucket_seconds, len(by_minute.starts_unix_seconds)) == (600, 19)
    assert by_minute.starts_unix_seconds[0] == to_unix_nano(at(11, 20)) // 10**9
    for one in by_minute.services:
        ten, sixty = one.trend[0], one.trend[3]
        assert (ten, sixty, sum(one.trend)) == (10, 100, calls), one.service


def test_errors_have_a_trend_of_their_own(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 6), "checkout", "POST", 3)
    counted.spans(at(14, 20), "checkout", "POST", 2, is_error=True)
    counted.lines(at(14, 6), "mailer", 4, severity=17)
    counted.lines(at(14, 20), "mailer", 1)
    # The clock of this sender is ahead: it counts in the newest piece.
    counted.spans(at(15, 0), "checkout", "POST", 1)
    found = ask(connection, range="15m")
    assert (found.bucket_seconds, len(found.starts_unix_seconds)) == (60, 15)
    checkout, mailer = by_name(found)["checkout"], by_name(found)["mailer"]
    assert (checkout.trend[0], checkout.trend[14]) == (3, 2 + 1)
    assert (checkout.error_trend[0], checkout.error_trend[14]) == (0, 2)
    assert (mailer.trend[0], mailer.trend[14], mailer.error_trend[0]) == (4, 1, 4)
    assert (sum(mailer.error_trend), mailer.error_trend[14]) == (4, 0)


def test_what_is_not_known_of_yesterday_is_none_and_what_did_not_happen_is_zero(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for service in ("busy", "quiet", "new", "instrumented"):
        counted.spans(at(14, 10), service, "GET /", 10, is_error=service == "busy")
    counted.spans(at(14, 10, days_ago=1), "busy", "GET /", 5, ms=80)
    counted.spans(at(9, 0, days_ago=5), "quiet", "GET /", 5)
    counted.lines(at(14, 10, days_ago=1), "instrumented", 8)
    found = by_name(ask(connection, range="15m"))
    assert (found["busy"].calls_before, found["busy"].errors_before) == (5, 0)
    assert found["busy"].p95_before_nano is not None
    assert step_of(int(found["busy"].p95_before_nano)) == step_of(80_000_000)
    assert (found["quiet"].calls_before, found["quiet"].p95_before_nano) == (0, None)
    assert (found["new"].calls_before, found["new"].errors_before) == (None, None)
    # It sent lines then, no spans yet.
    assert found["instrumented"].calls_before is None


def test_yesterday_is_not_compared_with_when_less_than_that_is_stored(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 10), "checkout", "GET /", 10)
    counted.spans(at(14, 10, days_ago=1), "checkout", "GET /", 4)
    # Of the fifteen minutes from 14:06 on only those from 14:10 on are stored.
    assert by_name(ask(connection, range="15m"))["checkout"].calls_before is None
    counted.lines(at(14, 6, days_ago=1), "mailer", 1)
    assert by_name(ask(connection, range="15m"))["checkout"].calls_before == 4


def test_long_ago_whole_hours_are_counted(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for hour, count in ((8, 1), (9, 10), (10, 100), (11, 1_000)):
        counted.spans(at(hour, 30, days_ago=20), "checkout", "GET /", count)
        counted.lines(at(hour, 30, days_ago=20), "mailer", count)
        counted.spans(at(hour, 30, days_ago=21), "checkout", "GET /", 2 * count)
    counted.lines(at(0, days_ago=30), "mailer", 1)
    counted.fold()
    counted.forget_minutes()
    kept = connection.scalar(sa.text("SELECT count(*) FROM operation_counts"))
    assert kept == 0
    # 08:20 to 10:40: the hours that begin in it are 09:00 and 10:00.
    time = {"from": "2026-02-12T08:20:00Z", "to": "2026-02-12T10:40:00Z"}
    found = by_name(ask(connection, **time))
    assert (found["checkout"].calls, found["mailer"].calls) == (110, 110)
    assert found["checkout"].calls_before == 220
    assert list(found["checkout"].trend) == [10, 100]


def test_environment_and_service_narrow_and_nothing_else_does(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.spans(at(14, 10), "checkout", "GET /", 10)
    counted.spans(at(14, 10), "checkout", "GET /", 3, environment="staging")
    counted.lines(at(14, 10), "mailer", 5)
    counted.lines(at(14, 10), "mailer", 2, environment="staging")

    def calls(**url: str) -> dict[str, int]:
        return {one.service: one.calls for one in ask(connection, range="15m", **url).services}

    assert calls() == {"checkout": 13, "mailer": 7}
    assert calls(env="staging") == {"checkout": 3, "mailer": 2}
    assert calls(env="-staging") == {"checkout": 10, "mailer": 5}
    assert calls(service="mailer") == {"mailer": 7}
    assert calls(service="-mailer", env="staging") == {"checkout": 3}
    assert calls(q="timeout severity>=warn", severity="error") == {"checkout": 13, "mailer": 7}
    assert calls(env="nowhere") == {}
    # As of a moment before anything was received: counts do not know when that was.
    assert calls(at="2026-03-04T15:00:00Z") == {"checkout": 13, "mailer": 7}


@pytest.mark.parametrize("name", ["", "api/v2/orders", "übersetzer ☂", "a'b\"c%d,e", "-dash"])
def test_any_name_is_a_service(
    counted: CountedServices, connection: sa.Connection, name: str
) -> None:
    counted.spans(at(14, 10), name, "GET /", 10)
    counted.lines(at(14, 10), "mailer", 5)
    assert by_name(ask(connection, range="15m"))[name].calls == 10
    narrowed = LogFilter(service=Choice((name,)), range_text="15m")
    found = services(connection, narrowed, buckets=30, now_unix_nano=to_unix_nano(NOW), zone="UTC")
    assert [one.service for one in found.services] == [name]


def test_what_was_removed_again_is_not_there(
    counted: CountedServices, connection: sa.Connection
) -> None:
    counted.lines(at(14, 10), "mailer", 5)
    counted.lines(at(14, 10), "mailer", -5)
    counted.lines(at(14, 10), "checkout", 1)
    assert list(by_name(ask(connection, range="15m"))) == ["checkout"]


def test_nothing_stored_is_no_service(connection: sa.Connection) -> None:
    found = ask(connection, range="24h")
    assert (list(found.services), found.bucket_seconds) == ([], 3_600)


def test_two_hundred_services_are_all_there(
    counted: CountedServices, connection: sa.Connection
) -> None:
    for n in range(200):
        counted.spans(at(14, 10), f"service-{n:03}", "GET /", n + 1)
    found = ask(connection, range="15m").services
    # The sum of 1 to 200 is 200 · 201 / 2.
    assert (len(found), sum(one.calls for one in found)) == (200, 20_100)
    assert found[0].service == "service-199"
    # Of so many a trend of three hours is by the hour, of one by ten minutes.
    assert ask(connection, range="3h").bucket_seconds == 3_600
    assert ask(connection, range="3h", service="service-7").bucket_seconds == 600


def test_days_are_cut_as_the_clock_of_a_zone_does(
    counted: CountedServices, connection: sa.Connection
) -> None:
    # 22:00 UTC is 23:00 of the same day in Berlin, 23:00 UTC is midnight of the next one.
    counted.spans(at(22, 10, days_ago=2), "checkout", "GET /", 10)
    counted.spans(at(23, 10, days_ago=2), "checkout", "GET /", 3)
    time = {"from": "2026-03-01T23:00:00Z", "to": "2026-03-03T23:00:00Z"}
    found = ask(connection, buckets=2, zone="Europe/Berlin", **time)
    assert found.bucket_seconds == 86_400
    assert list(by_name(found)["checkout"].trend) == [10, 3]
