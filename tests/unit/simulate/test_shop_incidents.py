"""Each incident changes what it says it changes, and its callers feel it."""

from collections import Counter
from statistics import median

import pytest

from logstream.errors import SettingsError
from logstream.model import NANOS_PER_SECOND
from logstream.simulate.incidents import INCIDENTS, make_incident, recurring_incident
from logstream.simulate.shop import Recurring, Shop

START = 1_790_000_000 * NANOS_PER_SECOND  # 2026-09-21 14:13:20 UTC
RATE = 70
LENGTH = 120  # seconds of each phase: quiet, incident, quiet


def seconds(count: float) -> int:
    return START + int(count * NANOS_PER_SECOND)


def quiet_and_broken(name: str) -> tuple[list[dict], list[dict], list[dict]]:
    """Lines before, during and (30 s later, when all is over) after the incident."""
    incident = make_incident(name, seconds(LENGTH), LENGTH)
    shop = Shop(21, START, RATE, incidents=[incident], is_steady=True)
    before = shop.lines_until(seconds(LENGTH))
    during = shop.lines_until(seconds(2 * LENGTH))
    shop.lines_until(seconds(2 * LENGTH + 30))
    after = shop.lines_until(seconds(3 * LENGTH + 30))
    return before, during, after


def error_share(lines: list[dict], service: str) -> float:
    own = [line["severity"] for line in lines if line["source"] == service]
    return sum(severity in ("error", "fatal") for severity in own) / len(own)


def latencies(lines: list[dict], service: str) -> list[float]:
    return [
        line["metadata"]["latency"]
        for line in lines
        if line["source"] == service and "latency" in line["metadata"]
    ]


def containing(lines: list[dict], service: str, text: str) -> list[dict]:
    return [line for line in lines if line["source"] == service and text in line["message"]]


def test_payment_timeouts_raise_the_errors_of_the_gateway_and_of_its_callers() -> None:
    before, during, after = quiet_and_broken("payment-timeouts")
    assert error_share(during, "payment-gateway") > 5 * error_share(before, "payment-gateway")
    assert error_share(during, "checkout") > 3 * error_share(before, "checkout")
    assert error_share(after, "payment-gateway") < 0.05
    # The caller waits 3 s, less the 0.2 ms of network on the way in.
    assert max(latencies(during, "payment-gateway")) == pytest.approx(2_999.8, abs=0.1)
    assert containing(during, "checkout", "deadline exceeded after 3000 ms")
    trace = next(
        line["metadata"]["traceId"] for line in containing(during, "checkout", "compensating saga")
    )
    failing = {
        line["source"]
        for line in during
        if line["metadata"].get("traceId") == trace and line["severity"] == "error"
    }
    assert {"payment-gateway", "checkout", "api-gateway", "web-frontend"} <= failing


def test_a_memory_leak_ends_in_an_out_of_memory_error_and_begins_again() -> None:
    before, during, after = quiet_and_broken("memory-leak")
    # A life of 54 s and 6 s down: it dies at 54 s and at 114 s of the 120 s.
    deaths = containing(during, "inventory", "OutOfMemoryError")
    assert [line["severity"] for line in deaths].count("fatal") == 2
    assert not containing(before, "inventory", "OutOfMemoryError")
    assert len(containing(during, "inventory", "Pause Full")) > 10
    assert containing(during, "inventory", "process is restarting")
    pods = {line["metadata"]["host.name"] for line in during if line["source"] == "inventory"}
    assert len(pods) >= 2 * len(
        {line["metadata"]["host.name"] for line in before if line["source"] == "inventory"}
    )
    assert error_share(during, "cart") > 2 * error_share(before, "cart")
    assert error_share(after, "inventory") < 0.05


def test_a_bad_deploy_brings_a_version_and_an_exception_never_seen_before() -> None:
    before, during, after = quiet_and_broken("bad-deploy")

    def versions(lines: list[dict]) -> set[str]:
        return {r["metadata"]["service.version"] for r in lines if r["source"] == "checkout"}

    assert len(versions(before)) == 1
    assert versions(before) == versions(after) != versions(during)
    new = containing(during, "checkout", "Cannot invoke")
    placed = containing(during, "checkout", " placed by ")
    assert new
    assert not containing(before, "checkout", "Cannot invoke")
    assert not containing(after, "checkout", "Cannot invoke")
    assert {line["metadata"]["exception.type"] for line in new} == {
        "java.lang.NullPointerException"
    }
    # 15 of 100 fail this way; a few of the other 85 fail otherwise.
    assert 0.07 < len(new) / (len(new) + len(placed)) < 0.28


def test_a_traffic_spike_multiplies_the_lines_and_turns_some_visitors_away() -> None:
    before, during, after = quiet_and_broken("traffic-spike")
    # 10 s of ramp from 1 to 6, then 110 s at 6: (35 + 660) / 120 = 5.8 times.
    assert 4.6 < len(during) / len(before) < 6.8
    assert containing(during, "api-gateway", "429 Too Many Requests")
    assert containing(during, "cluster", "HorizontalPodAutoscaler")
    assert 0.7 < len(after) / len(before) < 1.3


def test_a_slow_database_slows_the_orders_that_wait_for_it() -> None:
    before, during, after = quiet_and_broken("slow-database")
    assert containing(during, "orders-db", "still waiting for ShareLock")
    assert not containing(before, "orders-db", "still waiting")
    assert median(latencies(during, "orders")) > 10 * median(latencies(before, "orders"))
    assert median(latencies(during, "checkout")) > 2 * median(latencies(before, "checkout"))
    assert median(latencies(after, "orders")) < 2 * median(latencies(before, "orders"))


def test_a_silent_service_writes_nothing_while_the_others_go_on() -> None:
    before, during, after = quiet_and_broken("silent-service")
    sources = Counter(line["source"] for line in during)
    assert sources["notification"] == 0
    assert sources["checkout"] > 60
    assert Counter(line["source"] for line in before)["notification"] > 60
    assert Counter(line["source"] for line in after)["notification"] > 60


@pytest.mark.parametrize("name", list(INCIDENTS))
def test_the_shop_stays_deterministic_through_an_incident(name: str) -> None:
    def lines() -> list[dict]:
        incidents = [make_incident(name, seconds(2), 10)]
        return Shop(4, START, 60, incidents=incidents).lines_until(seconds(15))

    assert lines() == lines()


def test_the_truth_names_the_service_at_fault_and_the_times() -> None:
    incident = make_incident("slow-database", seconds(30), 180)
    assert incident.truth() == {
        "incident": "slow-database",
        "kind": "slow_database",
        "service": "orders-db",
        "from": "2026-09-21T14:13:50.000Z",
        "to": "2026-09-21T14:16:50.000Z",
        "description": "A migration locks the orders table: lock waits, slow orders and checkouts.",
    }
    assert incident.truth(seconds(60))["to"] == "2026-09-21T14:14:20.000Z"


def test_an_incident_is_running_between_its_times_and_finished_afterwards() -> None:
    incident = make_incident("silent-service", seconds(5), 10)
    shop = Shop(4, START, 20, incidents=[incident])
    shop.lines_until(seconds(4))
    assert (shop.running, shop.finished) == ([], [])
    shop.lines_until(seconds(6))
    assert (shop.running, shop.finished) == ([incident], [])
    shop.lines_until(seconds(16))
    assert (shop.running, shop.finished) == ([], [incident])


def test_two_incidents_at_once_both_show() -> None:
    incidents = [
        make_incident("payment-timeouts", START, 60),
        make_incident("slow-database", START, 60),
    ]
    lines = Shop(4, START, 150, incidents=incidents).lines_until(seconds(60))
    assert containing(lines, "payment-gateway", "did not answer payment")
    assert containing(lines, "orders-db", "still waiting")


def test_recurring_incidents_come_once_each_in_a_round() -> None:
    series = [
        recurring_incident(
            number, seed=9, start_unix_nano=START, every_seconds=360, seconds=90
        ).truth()
        for number in range(6)
    ]
    assert {row["incident"] for row in series} == set(INCIDENTS)
    # The first after half of 360 s: 14:13:20 + 3 min; it lasts 90 s.
    assert series[0]["from"] == "2026-09-21T14:16:20.000Z"
    assert series[0]["to"] == "2026-09-21T14:17:50.000Z"
    assert series[1]["from"] == "2026-09-21T14:22:20.000Z"


def test_the_shop_plays_the_recurring_incidents() -> None:
    shop = Shop(9, START, 5, recurring=Recurring(60, 20))
    shop.lines_until(seconds(200))
    # Each begins at 30 s, 90 s and 150 s and lasts 20 s.
    assert [incident.start_unix_nano for incident in shop.finished] == [
        seconds(30),
        seconds(90),
        seconds(150),
    ]


def test_an_unknown_incident_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(SettingsError, match="incident 'earthquake' is not known") as caught:
        make_incident("earthquake", START, 10)
    assert "payment-timeouts" in caught.value.hint
