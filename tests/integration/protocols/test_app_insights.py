import httpx

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def item(base_type: str, **base: object) -> dict[str, object]:
    return {
        "name": "Microsoft.ApplicationInsights.Item",
        "time": "2026-01-01T00:00:01.422170Z",
        "tags": {"ai.cloud.role": "checkout", "ai.operation.id": TRACE},
        "data": {"baseType": base_type, "baseData": base},
    }


def test_telemetry_lands_and_is_answered_item_by_item(service: str) -> None:
    track = f"{service}/v2.1/track"
    all_good = httpx.post(
        track,
        json=[
            item("MessageData", message="slow query", severityLevel=2),
            item("RequestData", id=SPAN, name="POST /pay", duration="00:00:01"),
            item("MetricData", metrics=[{"name": "x", "value": 1}]),
        ],
    )
    assert all_good.status_code == 200
    assert all_good.json() == {"itemsReceived": 3, "itemsAccepted": 3, "errors": []}
    (line,) = httpx.get(f"{service}/logs/recent").json()
    assert (line["message"], line["source"], line["severity"]) == ("slow query", "checkout", "warn")
    assert (line["createdAt"], line["traceId"]) == ("2026-01-01T00:00:01.422170Z", TRACE)

    partial = httpx.post(
        f"{service}//v2/track", json=[item("MessageData", message="kept"), {"name": "bad"}]
    )
    assert partial.status_code == 206
    answer = partial.json()
    assert (answer["itemsReceived"], answer["itemsAccepted"]) == (2, 1)
    assert (answer["errors"][0]["index"], answer["errors"][0]["statusCode"]) == (1, 400)

    nothing = httpx.post(track, json=[7])
    assert (nothing.status_code, nothing.json()["itemsAccepted"]) == (400, 0)
    for bad in ("", "oops"):
        refused = httpx.post(track, content=bad)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["message"]
