import json
from typing import Any

import httpx


def newest(service: str, limit: int = 10) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = httpx.get(
        f"{service}/logs/recent", params={"limit": limit}
    ).json()
    return lines


def test_events_land_and_are_read_back(service: str) -> None:
    body = (
        b'{"time":1767225601.123456789,"host":"web-1","source":"checkout",'
        b'"event":{"level":"ERROR","message":"order 7 failed"}}'
        b'{"event":"plain","time":"1767225600"}'
    )
    reply = httpx.post(
        f"{service}/services/collector/event/1.0",
        content=body,
        headers={
            "Authorization": "Splunk 00000000-0000-0000-0000-000000000000",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert (reply.status_code, reply.json()) == (200, {"text": "Success", "code": 0})
    first, second = newest(service)
    assert first["message"] == "order 7 failed"
    assert (first["source"], first["severity"]) == ("checkout", "error")
    assert first["createdAt"] == "2026-01-01T00:00:01.123456789Z"
    assert first["metadata"]["host.name"] == "web-1"
    assert (second["message"], second["source"]) == ("plain", "unknown_service")


def test_replies_speak_as_splunk_does(service: str) -> None:
    def post(path: str, body: str, **headers: str) -> tuple[int, dict[str, object]]:
        reply = httpx.post(f"{service}/services/collector{path}", content=body, headers=headers)
        return reply.status_code, reply.json()

    for path in ("/health", "/health/1.0"):
        health = httpx.get(f"{service}/services/collector{path}")
        assert (health.status_code, health.json()["code"]) == (200, 17)
    status, answer = post("", "")
    assert (status, answer["code"], answer["text"]) == (400, 5, "No data")
    status, answer = post("/event", "{oops")
    assert (status, answer["code"]) == (400, 6)
    status, answer = post("/event", '{"host":"h"}')
    assert (status, answer["code"], answer["invalid-event-number"]) == (400, 12, 0)
    status, answer = post("/event", '{"event":""}')
    assert (status, answer["code"]) == (400, 13)
    status, answer = post("/event", "{}", **{"Content-Encoding": "br"})
    assert (status, answer["code"]) == (415, 6)

    # One bad event of a batch: the good ones are kept, so the batch must not come again.
    status, answer = post("/event", '{"event":"a"}{"host":"h"}{"event":"c"}')
    assert (status, answer["code"], answer["rejected"]) == (200, 0, 1)
    assert answer["invalid-event-number"] == 1

    channel = {"X-Splunk-Request-Channel": "c1"}
    ids = [post("/raw?source=pay", "line", **channel)[1]["ackId"] for _ in range(2)]
    assert ids[0] != ids[1]
    status, answer = post("/ack?channel=c1", json.dumps({"acks": ids}))
    assert (status, answer) == (200, {"acks": {str(number): True for number in ids}})
    assert post("/ack", json.dumps({"acks": ids}))[1]["code"] == 10
    assert post("/ack?channel=c1", "oops")[1]["code"] == 6
    assert [line["message"] for line in newest(service)].count("line") == 2
