import json

import httpx

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_seq_events_land_and_are_answered_as_seq_does(service: str) -> None:
    events = {
        "Events": [
            {
                "Timestamp": "2026-01-01T00:00:01.075403+00:00",
                "Level": "ERROR",
                "MessageTemplate": "checkout failed for {user}",
                "Properties": {"user": "ünï-☃", "Application": "checkout"},
                "Exception": "Traceback (most recent call last):\nValueError: no",
            }
        ]
    }
    raw = httpx.post(f"{service}/api/events/raw", json=events, headers={"X-Seq-ApiKey": "K"})
    assert (raw.status_code, raw.json()) == (201, {"MinimumLevelAccepted": None})
    lines = [
        {"@t": "2026-01-01T00:00:02.0000001Z", "@mt": "Order {order}", "order": 42},
        {
            "@t": "2026-01-01T00:00:03Z",
            "@st": "2026-01-01T00:00:02Z",
            "@m": "GET /",
            "@tr": TRACE,
            "@sp": SPAN,
        },
    ]
    clef = httpx.post(
        f"{service}/ingest/clef",
        content="\n".join(map(json.dumps, lines)),
        headers={"Content-Type": "application/vnd.serilog.clef"},
    )
    assert clef.status_code == 201
    second, first = httpx.get(f"{service}/logs/recent").json()
    assert first["message"] == "checkout failed for ünï-☃"
    assert (first["source"], first["severity"]) == ("checkout", "error")
    assert first["metadata"]["exception.type"] == "ValueError"
    assert first["createdAt"] == "2026-01-01T00:00:01.075403Z"
    assert (second["message"], second["createdAt"]) == (
        "Order 42",
        "2026-01-01T00:00:02.000000100Z",
    )

    partial = httpx.post(f"{service}/api/events/raw?clef", content='{"@m":"a"}\n7\n')
    assert (partial.status_code, partial.json()["Rejected"]) == (201, 1)
    for bad in ("", "oops", "7"):
        refused = httpx.post(f"{service}/api/events/raw", content=bad)
        assert refused.status_code == 400
        assert refused.json()["Error"]
