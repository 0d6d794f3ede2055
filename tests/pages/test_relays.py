"""What the dashboard's process does for browsers that cannot: listening, and asking."""

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from logstream.filter import Choice
from logstream.model import LogLine
from logstream.show import session
from logstream.show.http_relay import relay_routes
from logstream.show.push_relay import Handed, PushRelay
from tests.pages.feed_service import FeedService
from tests.service_thread import free_port

EVERYTHING = Choice()
IDS = count(1)


def a_line(body: str, environment: str = "production") -> LogLine:
    now = time.time_ns()
    return LogLine(
        id=next(IDS),
        timestamp_unix_nano=now,
        observed_unix_nano=now,
        environment=environment,
        service_name="checkout",
        severity_number=9,
        body=body,
    )


def bodies(handed: Handed) -> list[str]:
    return [line["message"] for frame in handed.frames for line in frame["lines"]]


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def service() -> Iterator[FeedService]:
    with FeedService(free_port()) as service:
        yield service


@pytest.fixture
def relay(service: FeedService) -> Iterator[PushRelay]:
    relay = PushRelay(f"http://127.0.0.1:{service.port}", dict, idle_seconds=3.0)
    yield relay
    until(lambda: not relay.is_running)


def listens(relay: PushRelay) -> bool:
    return relay.frames_after("", -1, EVERYTHING).is_listening


def listening(relay: PushRelay) -> Handed:
    until(lambda: relay.frames_after("", -1, EVERYTHING).is_listening)
    return relay.frames_after("", -1, EVERYTHING)


def test_a_viewer_gets_the_frames_of_its_environments_that_it_does_not_have(
    service: FeedService, relay: PushRelay
) -> None:
    start = listening(relay)
    assert start.frames == []
    service.push([a_line("one")])
    service.push([a_line("two", "staging")])
    service.push([a_line("three")])
    until(lambda: len(relay.frames_after(start.relay_id, start.after, EVERYTHING).frames) == 3)
    handed = relay.frames_after(start.relay_id, start.after, Choice(only=("production",)))
    assert bodies(handed) == ["one", "three"]
    service.push([a_line("four")])
    until(lambda: bodies(relay.frames_after(start.relay_id, handed.after, EVERYTHING)) == ["four"])
    # A viewer of another process, or of before a restart, has to read the newest lines itself.
    assert relay.frames_after("cafe.1", 0, EVERYTHING).frames == []


def test_it_listens_again_after_a_hub_that_forgot_it_and_says_so(
    service: FeedService, relay: PushRelay
) -> None:
    start = listening(relay)
    service.forget_sessions()
    until(lambda: relay.frames_after("", -1, EVERYTHING).relay_id != start.relay_id)
    again = listening(relay)
    service.push([a_line("after")])
    until(lambda: bodies(relay.frames_after(again.relay_id, again.after, EVERYTHING)) == ["after"])


def test_it_outlives_a_hub_that_is_away_for_longer_than_its_client_tries(
    service: FeedService, relay: PushRelay
) -> None:
    start = listening(relay)
    service.refuses_sockets = True
    service.cut_sockets()
    until(lambda: not listens(relay))
    # The client gives a connection up after 30 s and some.
    back_at = time.monotonic() + 40
    until(lambda: not listens(relay) and time.monotonic() > back_at, 60)
    service.refuses_sockets = False
    again = listening(relay)
    assert again.relay_id != start.relay_id
    service.push([a_line("after")])
    until(lambda: bodies(relay.frames_after(again.relay_id, again.after, EVERYTHING)) == ["after"])


def test_the_ring_is_bounded(service: FeedService) -> None:
    relay = PushRelay(
        f"http://127.0.0.1:{service.port}", dict, idle_seconds=2.0, max_ring_bytes=5000
    )
    start = listening(relay)
    for number in range(20):
        service.push([a_line(f"{number} " + "x" * 500)])
    until(lambda: relay.frames_after("", -1, EVERYTHING).after == start.after + 20)
    kept = bodies(relay.frames_after(start.relay_id, start.after, EVERYTHING))
    assert 1 <= len(kept) < 10
    assert kept[-1].startswith("19 ")
    until(lambda: not relay.is_running)


def test_it_stops_when_nobody_asks_and_starts_again_when_somebody_does(
    service: FeedService, relay: PushRelay
) -> None:
    listening(relay)
    until(lambda: not relay.is_running)
    until(lambda: service.hub.connections == 0)
    assert listening(relay).is_listening


@pytest.fixture
def through(service: FeedService, dashboard: pytest.MonkeyPatch) -> Iterator[TestClient]:
    dashboard.setenv("LOGSTREAM_URL", f"http://127.0.0.1:{service.port}")
    session.settings.clear()  # type: ignore[attr-defined]
    with TestClient(Starlette(routes=relay_routes())) as client:
        yield client


def test_questions_about_lines_pass_with_a_page_s_pass(
    service: FeedService, through: TestClient
) -> None:
    service.store([a_line("paid"), a_line("also paid")])
    headers = session.authorization()
    answer = through.get("/relay/logs/recent?limit=1&q=also", headers=headers)
    assert [line["message"] for line in answer.json()] == ["also paid"]
    assert answer.headers["x-logstream-relay"] == "1"
    granted = through.post("/relay/realtime/negotiate", headers=headers, json={"env": []})
    assert granted.json()["url"].startswith("ws://")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/relay/system"),
        ("GET", "/relay/logs"),
        ("GET", "/relay/logs/../keys"),
        ("GET", "/relay/logs/%2e%2e/keys"),
        ("GET", "/relay/traces/%2e%2e"),
        ("GET", "/relay/traces/%2e%2e/spans/keys"),
        ("GET", "/relay/traces/ab12/keys"),
        ("GET", "/relay/services"),
        ("GET", "/relay/realtime/negotiate"),
        ("POST", "/relay/logs/ingest"),
        ("POST", "/relay/realtime/negotiate/"),
    ],
)
def test_nothing_else_passes(through: TestClient, method: str, path: str) -> None:
    answer = through.request(method, path, headers=session.authorization())
    assert answer.status_code == 404


def test_nobody_without_a_pass_is_let_through(through: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer forged"}):
        assert through.get("/relay/logs/recent", headers=headers).status_code == 401


def test_a_service_that_is_away_is_told_apart_from_one_that_refuses(
    dashboard: pytest.MonkeyPatch,
) -> None:
    with TestClient(Starlette(routes=relay_routes())) as client:
        answer = client.get("/relay/logs/recent", headers=session.authorization())
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "service_unreachable"
