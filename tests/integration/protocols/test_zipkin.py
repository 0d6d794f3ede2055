"""POST /api/v2/spans as Zipkin's clients use it, and the trace read back."""

import gzip
import json

import httpx

TRACE = "a9482c193d267fbb6fe1d5d51f5e328f"
START_MICROS = 1_795_400_831_266_815
ROOT = {
    "traceId": TRACE,
    "id": "11824d00d66de4ca",
    "name": "post /orders",
    "kind": "SERVER",
    "timestamp": START_MICROS,
    "duration": 2_000,
    "localEndpoint": {"serviceName": "checkout"},
    "tags": {"env": "staging"},
}
CHILD = {
    "traceId": TRACE.upper(),
    "id": "22824d00d66de4ca",
    "parentId": ROOT["id"],
    "name": "charge card",
    "kind": "CLIENT",
    "timestamp": START_MICROS + 500,
    "duration": 700,
    "localEndpoint": {"serviceName": "checkout"},
    "remoteEndpoint": {"serviceName": "payments"},
    "annotations": [{"timestamp": START_MICROS + 600, "value": "retry"}],
    "tags": {"error": "card declined", "env": "staging", "amount": 12345678901234567890123},
}


def send(service: str, spans: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{service}/api/v2/spans", content=json.dumps(spans), headers=named)


def trace(service: str, trace_id: str = TRACE, **parameters: str) -> httpx.Response:
    return httpx.get(f"{service}/traces/{trace_id}", params=parameters)


def test_spans_are_taken_as_zipkin_does_and_their_trace_is_given_back(service: str) -> None:
    reply = send(service, [ROOT, CHILD])
    assert (reply.status_code, reply.content) == (202, b"")
    line = {"source": "checkout", "message": "card declined", "severity": "error"}
    about = {"metadata": {"traceId": TRACE}, "environment": "staging"}
    httpx.post(f"{service}/logs/ingest", json=[{**line, **about}, line])

    found = trace(service).json()
    assert found["traceId"] == TRACE and found["warnings"] == []
    root, child = found["spans"]
    assert root == {
        "spanId": "11824d00d66de4ca",
        "parentSpanId": None,
        "service": "checkout",
        "environment": "staging",
        "name": "post /orders",
        "kind": "server",
        "startUnixNano": f"{START_MICROS}000",
        "durationNano": 2_000_000,
        "selfTimeNano": 1_300_000,  # 2,000 − 700 µs
        "status": "unset",
        "statusMessage": None,
        "attributes": {"env": "staging"},
        "events": [],
        "links": [],
        "derived": False,
        "warnings": [],
    }
    assert (child["status"], child["statusMessage"]) == ("error", "card declined")
    assert child["attributes"]["peer.service"] == "payments"
    assert child["attributes"]["amount"] == 12345678901234567890123
    assert child["events"][0]["name"] == "retry"
    assert [line["message"] for line in found["logs"]] == ["card declined"]

    metrics = httpx.get(f"{service}/metrics").text
    assert 'logstream_spans_accepted_total{environment="staging",format="zipkin"} 2.0' in metrics


def test_one_bad_span_costs_only_itself(service: str) -> None:
    assert send(service, [ROOT, {**CHILD, "id": "?"}]).status_code == 202
    assert len(trace(service).json()["spans"]) == 1
    [reject] = httpx.get(f"{service}/rejects").json()["rejects"]
    assert 'span 1: id "?" is no id' in reject["error"]
    refused = send(service, [{**CHILD, "id": "?"}])
    assert refused.status_code == 400 and "span 0: id" in refused.text


def test_what_cannot_be_read_is_a_400_and_an_empty_array_is_not(service: str) -> None:
    assert send(service, []).status_code == 202
    for body in (b"", b"hello", b"[{", gzip.compress(b"[")):
        headers = {"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {}
        reply = httpx.post(f"{service}/api/v2/spans", content=body, headers=headers)
        assert reply.status_code == 400, body
        assert reply.headers["content-type"].startswith("text/plain") and reply.text
    reply = httpx.post(f"{service}/api/v2/spans", content=b"[]", headers={"Content-Encoding": "br"})
    assert reply.status_code == 415
    assert httpx.get(f"{service}/api/v2/spans").status_code == 405


def test_a_retry_with_the_same_key_stores_nothing_twice(service: str) -> None:
    for _ in range(2):
        assert send(service, [ROOT], Idempotency_Key="17").status_code == 202
    found = trace(service).json()
    assert len(found["spans"]) == 1 and found["warnings"] == []
    send(service, [ROOT])  # a client that knows no keys
    found = trace(service).json()
    assert len(found["spans"]) == 1
    assert found["warnings"] == ["some spans were sent more than once; they are shown once"]


def test_a_trace_is_found_by_any_spelling_of_its_id_and_by_environment(service: str) -> None:
    send(service, [ROOT, {**ROOT, "traceId": "463ac35c9f6413ad"}])
    dashed = f"{TRACE[:8]}-{TRACE[8:12]}-{TRACE[12:16]}-{TRACE[16:20]}-{TRACE[20:]}"
    for spelling in (TRACE, TRACE.upper(), dashed):
        assert trace(service, spelling).json()["traceId"] == TRACE
    for spelling in ("463ac35c9f6413ad", "463AC35C9F6413AD", "0" * 16 + "463ac35c9f6413ad"):
        assert len(trace(service, spelling).json()["spans"]) == 1
    assert trace(service, env="staging").status_code == 200
    assert trace(service, env="production").status_code == 404
    assert trace(service, env="-staging").status_code == 404


def test_a_trace_that_is_not_stored_is_a_404_that_says_so(service: str) -> None:
    for unknown in ("b" * 32, "abc", "%00", "a%00b", "☃"):
        reply = trace(service, unknown)
        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "not_found"
    assert trace(service, "a" * 129).status_code == 400


def test_a_trace_of_which_only_lines_are_known_gives_the_lines(service: str) -> None:
    lines = [
        {"source": "cart", "message": f"step {n}", "metadata": {"traceId": "ABC123"}}
        for n in range(1_001)
    ]
    httpx.post(f"{service}/logs/ingest", json=lines)
    found = trace(service, "ABC123").json()
    assert [(one["service"], one["derived"]) for one in found["spans"]] == [("cart", True)]
    assert [line["message"] for line in found["logs"]] == [f"step {n}" for n in range(1, 1_001)]
    assert found["warnings"] == ["the trace has more than 1000 lines: these are the newest"]
