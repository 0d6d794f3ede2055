"""GET /logs/complete: what may come next in a search."""

import httpx
import pytest


@pytest.fixture
def seeded(service: str) -> str:
    records = [
        {"source": "checkout", "message": "paid", "metadata": {"http": {"status_code": 200}}},
        {"source": "checkout", "message": "paid", "metadata": {"http": {"status_code": 503}}},
        {"source": "cart", "message": "full", "metadata": {"user.id": "u-17"}},
        {"source": "cart", "message": "full", "environment": "staging", "severity": "error"},
    ]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    return service


def suggested(base: str, q: str, **parameters: str) -> list[tuple[str, str]]:
    reply = httpx.get(f"{base}/logs/complete", params={"q": q, "range": "15m", **parameters})
    assert reply.status_code == 200, reply.text
    return [(one["text"], one["detail"]) for one in reply.json()["suggestions"]]


def test_keys_are_those_that_the_lines_have(seeded: str) -> None:
    # Two of four lines.
    assert suggested(seeded, "timeout stat", caret="12") == []
    assert suggested(seeded, "stat") == [("http.status_code:", "50% of lines")]
    assert suggested(seeded, "serv")[0] == ("service:", "the service that wrote the line")
    assert suggested(seeded, "user", service="checkout") == []


def test_values_come_with_the_lines_that_the_rest_of_the_search_means(seeded: str) -> None:
    assert suggested(seeded, "service:") == [
        ("service:cart", "2 lines"),
        ("service:checkout", "2 lines"),
    ]
    assert suggested(seeded, "paid service:") == [("service:checkout", "2 lines")]
    assert suggested(seeded, "service: (broken", caret="8")[0] == ("service:cart", "2 lines")
    assert suggested(seeded, "service:c", env="staging") == [("service:cart", "1 line")]
    assert suggested(seeded, "severity>=e") == [("severity>=error", "1 line")]
    assert suggested(seeded, "http.status_code:5") == [("http.status_code:503", "1 line")]


def test_what_cannot_be_asked_is_a_400(seeded: str) -> None:
    for parameters in ({"caret": "-1"}, {"q": "x" * 2_001}, {"severity": "loud"}):
        assert httpx.get(f"{seeded}/logs/complete", params=parameters).status_code == 400
