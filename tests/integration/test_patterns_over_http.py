"""GET /logs/patterns and the values at a pattern's places."""

import httpx
import pytest


@pytest.fixture
def seeded(service: str) -> str:
    records = [
        *(
            {"source": "checkout", "message": f"Order {number} paid", "severity": "info"}
            for number in (17, 18, 18)
        ),
        {"source": "checkout", "message": "Card declined", "severity": "error"},
        {"source": "checkout", "message": "Order 5 paid", "environment": "staging"},
    ]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    return service


def test_patterns_say_how_often_where_and_since_when(seeded: str) -> None:
    asked = {"env": "production", "range": "1h"}
    found = httpx.get(f"{seeded}/logs/patterns", params=asked).json()
    assert (found["total"], found["patternCount"], found["bucketSeconds"]) == (4, 2, 120)
    paid, declined = found["patterns"]
    assert paid["template"] == "Order <num> paid" and paid["example"] == "Order 17 paid"
    assert (paid["count"], paid["share"], paid["isNew"]) == (3, 0.75, True)
    assert paid["severities"] == {"info": 3} and paid["services"] == ["checkout"]
    assert sum(paid["trend"]) == 3 and paid["firstSeen"] <= paid["lastSeen"]
    assert (declined["severity"], declined["template"]) == ("error", "Card declined")
    assert len(httpx.get(f"{seeded}/logs/patterns", params={"limit": 1}).json()["patterns"]) == 1
    line = httpx.get(f"{seeded}/logs/recent", params={"q": "declined"}).json()[0]
    assert line["patternId"] == declined["id"]


def test_nothing_meant_is_no_pattern(seeded: str) -> None:
    found = httpx.get(f"{seeded}/logs/patterns", params={"service": "nobody"}).json()
    assert (found["patterns"], found["patternCount"], found["total"]) == ([], 0, 0)


def test_values_at_the_places_of_a_pattern(seeded: str) -> None:
    [paid, _] = httpx.get(f"{seeded}/logs/patterns").json()["patterns"]
    path = f"{seeded}/logs/patterns/{paid['id']}/values"
    found = httpx.get(path, params={"env": "production"}).json()
    assert found == {
        "places": [
            {
                "kind": "num",
                "values": [{"value": "18", "count": 2}, {"value": "17", "count": 1}],
                "distinct": 2,
            }
        ],
        "looked": 3,
        "total": 3,
    }


@pytest.mark.parametrize("wrong", ["1", "-1", "0", "99999999999999999999"])
def test_an_unknown_pattern_is_said_so(seeded: str, wrong: str) -> None:
    reply = httpx.get(f"{seeded}/logs/patterns/{wrong}/values")
    assert reply.status_code == 404
    assert wrong in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"limit": "0"}, "limit"), ({"buckets": "201"}, "buckets"), ({"range": "soon"}, "range")],
)
def test_wrong_parameters_are_named(seeded: str, wrong: dict[str, str], named: str) -> None:
    reply = httpx.get(f"{seeded}/logs/patterns", params=wrong)
    assert reply.status_code == 400
    assert named in reply.json()["error"]["message"]
