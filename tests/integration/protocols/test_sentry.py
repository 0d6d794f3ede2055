import gzip
import json

import httpx

EVENT_ID = "9ef4bb092fc74a1fbb3b318e1160adfa"


def envelope(kind: str, content: dict[str, object]) -> bytes:
    payload = json.dumps(content).encode()
    head = json.dumps({"event_id": EVENT_ID}).encode()
    return (
        head + b"\n" + json.dumps({"type": kind, "length": len(payload)}).encode() + b"\n" + payload
    )


def test_sentry_envelopes_land_and_are_answered_as_sentry_does(service: str) -> None:
    event = {
        "level": "error",
        "timestamp": "2026-01-01T00:00:01.112254Z",
        "logentry": {"message": "failed for %s", "formatted": "failed for 7"},
        "tags": {"service": "checkout"},
        "platform": "python",
        "exception": {"values": [{"type": "ValueError", "value": "no"}]},
    }
    reply = httpx.post(
        f"{service}/api/1/envelope/",
        content=gzip.compress(envelope("event", event)),
        headers={"Content-Encoding": "gzip", "X-Sentry-Auth": "Sentry sentry_key=public"},
    )
    assert (reply.status_code, reply.json()) == (200, {"id": EVENT_ID})
    alone = httpx.post(f"{service}/api/1/store/", json={"message": "alone", "event_id": EVENT_ID})
    assert (alone.status_code, alone.json()) == (200, {"id": EVENT_ID})
    session = httpx.post(f"{service}/api/1/envelope", content=envelope("session", {"sid": "x"}))
    assert session.status_code == 200
    lines = {line["message"]: line for line in httpx.get(f"{service}/logs/recent").json()}
    assert set(lines) == {"failed for 7", "alone"}
    first = lines["failed for 7"]
    assert (first["source"], first["severity"]) == ("checkout", "error")
    assert first["createdAt"] == "2026-01-01T00:00:01.112254Z"
    assert first["metadata"]["exception.stacktrace"] == "ValueError: no"
    assert lines["alone"]["source"] == "sentry-project-1"

    for bad in (b"", b"oops", envelope("event", {}).replace(b"\n{}", b"\n{")):
        refused = httpx.post(f"{service}/api/1/envelope/", content=bad)
        assert refused.status_code == 400
        assert refused.json()["detail"]
