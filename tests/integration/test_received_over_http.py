"""History to play, and the store as it looked at a moment, as programs ask for them."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

START = datetime.now(UTC) - timedelta(minutes=5)


def get(base: str, path: str, **parameters: str) -> httpx.Response:
    named = {name.rstrip("_"): value for name, value in parameters.items()}
    return httpx.get(base + path, params=named)


@pytest.fixture
def moment(service: str) -> str:
    """A moment between two requests: checkout's two lines came before it, search's one after."""
    early = [
        {"source": "checkout", "message": "Order 17 placed"},
        {"source": "checkout", "message": "Card declined", "severity": "error"},
    ]
    late = {"source": "search", "message": "Slow query", "createdAt": START.isoformat()}
    assert httpx.post(f"{service}/logs/ingest", json=early).status_code == 201
    time.sleep(0.05)
    between = datetime.now(UTC).isoformat()
    time.sleep(0.05)
    assert httpx.post(f"{service}/logs/ingest", json=late).status_code == 201
    return between


def test_lines_come_in_the_order_of_their_receipt(service: str, moment: str) -> None:
    end = datetime.now(UTC) + timedelta(seconds=1)
    interval = {"from_": START.isoformat(), "to": end.isoformat()}
    found = get(service, "/logs/received", slots="2", **interval).json()
    assert found.keys() == {"from", "to", "total", "counts", "lines", "isSample", "next"}
    assert [line["source"] for line in found["lines"]] == ["checkout", "checkout", "search"]
    assert found["lines"][2]["createdAt"] < found["lines"][0]["createdAt"]
    assert (found["total"], found["isSample"], found["next"]) == (3, False, None)
    assert {
        "slot": 1,
        "environment": "production",
        "source": "search",
        "severity": "info",
        "minute": int(START.timestamp()) // 60 * 60,
        "count": 1,
    } in found["counts"]
    sample = get(service, "/logs/received", limit="2", **interval).json()
    assert (len(sample["lines"]), sample["total"], sample["isSample"]) == (2, 3, True)
    errors = get(service, "/logs/received", severity="error", **interval).json()
    assert [line["message"] for line in errors["lines"]] == ["Card declined"]


def test_what_comes_next_is_named(service: str, moment: str) -> None:
    quiet = get(service, "/logs/received", from_=START.isoformat(), to=moment).json()
    assert quiet["total"] == 2
    [late] = get(service, "/logs/recent", service="search").json()
    assert quiet["next"] == late["observedAt"]


def test_every_question_can_be_asked_as_of_a_moment(service: str, moment: str) -> None:
    assert len(get(service, "/logs/recent").json()) == 3
    for asked in ({"at": moment}, {"at": moment, "range": "15m"}):
        recent = get(service, "/logs/recent", **asked).json()
        assert {line["source"] for line in recent} == {"checkout"}
        assert get(service, "/logs/search", **asked).json()["logs"] == recent
        breakdown = get(service, "/logs/severity-breakdown", **asked).json()
        assert sum(entry["count"] for entry in breakdown) == 2
        trend = get(service, "/logs/trend", **asked).json()
        assert sum(bucket["total"] for bucket in trend["buckets"]) == 2
        facets = get(service, "/logs/facets", **asked).json()
        assert facets["service"] == [{"value": "checkout", "count": 2}]
    ids = {"fromId": "1", "toId": "100"}
    assert len(get(service, "/logs/recent", at=moment, **ids).json()) == 2
    newest = get(service, "/logs/recent").json()[0]["id"]
    around = get(service, f"/logs/{newest}/context", scope="all", at=moment).json()
    assert [line["source"] for line in (*around["before"], *around["after"])] == ["checkout"]


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("received", {"to": "2026-03-01T12:00:00Z"}, "from is missing"),
        ("received", {"from": "2026-03-01T12:00:00Z"}, "to is missing"),
        ("received", {"range": "15m"}, "range=15m has no meaning"),
        ("received", {"at": "2026-03-01T12:00:00Z"}, "at=2026-03-01T12:00:00Z has no meaning"),
        ("received", {"from": "noon", "to": "2026-03-01T12:00:00Z"}, "from 'noon'"),
        ("received", {"from": "2026-03-01", "to": "2026-03-02T00:00:01Z"}, "more than a day"),
        ("received", {"from": "2026-03-01", "to": "2026-03-02", "limit": "5001"}, "limit=5001"),
        ("received", {"from": "2026-03-01", "to": "2026-03-02", "slots": "0"}, "slots=0"),
        ("recent", {"at": "noon"}, "at 'noon' is not a time"),
        ("1/context", {"at": "noon"}, "at 'noon' is not a time"),
    ],
)
def test_a_wrong_moment_or_interval_is_a_400_that_names_it(
    service: str, path: str, parameters: dict[str, str], said: str
) -> None:
    reply = httpx.get(f"{service}/logs/{path}", params=parameters)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]
    assert reply.json()["error"]["hint"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("question", ["recent", "severity-breakdown", "facets", "trend"])
def test_the_ends_of_the_calendar_are_moments_like_others(
    service: str, question: str, at: str
) -> None:
    assert get(service, f"/logs/{question}", at=at).status_code == 200
