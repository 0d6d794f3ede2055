"""POST /ingest/explain says how a body would be read, and stores nothing."""

import gzip
import json

import httpx

LINE = {
    "service": "checkout",
    "message": "card declined",
    "level": "WARNING",
    "time": "2026-01-31T14:05:00.123Z",
    "metadata": {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "latency": 842},
    "cart": 7,
}


def explain(service: str, content: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{service}/ingest/explain", content=content, headers=headers)


def test_each_field_is_told_with_where_it_came_from_and_nothing_is_stored(service: str) -> None:
    bad = {"source": "checkout", "message": "x", "severity": "loud"}
    body = json.dumps([LINE, bad, {"source": "cart", "message": "empty"}]).encode()
    answer = explain(service, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    account = answer.json()
    assert (account["format"], account["path"]) == ("native", "/logs/ingest")
    first, last = account["records"]
    assert (first["index"], last["index"]) == (0, 2)
    fields = first["fields"]
    assert fields["source"] == "checkout" and fields["createdAt"] == LINE["time"]
    assert (fields["severity"], fields["severityNumber"]) == ("warn", 13)
    assert fields["metadata"]["cart"] == 7
    assert first["origins"] == {
        "source": "service",
        "message": "message",
        "severity": "level",
        "severityNumber": "level",
        "severityText": "level",
        "createdAt": "time",
        "observedAt": "time of receipt",
        "environment": "LOGSTREAM_DEFAULT_ENVIRONMENT",
        "traceId": "metadata.traceId",
        "latency": "metadata.latency",
        "metadata": "metadata, cart",
    }
    assert last["origins"]["createdAt"] == "time of receipt"
    assert last["origins"]["severity"] == "info, because no level was found"
    [refused] = account["rejected"]
    assert refused["index"] == 1 and "severity 'loud' is not known" in refused["error"]
    assert json.loads(refused["raw"]) == bad
    assert account["truncated"] == 0
    assert httpx.get(f"{service}/logs/recent").json() == []
    assert httpx.get(f"{service}/rejects").json()["rejects"] == []


def test_a_long_body_is_told_in_part(service: str) -> None:
    # Also one of several megabytes.
    body = b'{"source":"cart","message":"%s"}\n' % (b"x" * 30_000) * 130
    account = explain(service, body).json()
    assert len(account["records"]) == 100
    assert account["truncated"] == 30


def test_what_cannot_be_read_or_named_is_an_error_in_our_shape(service: str) -> None:
    for path, status, words in (
        ("/ingest/explain", 400, "not valid JSON"),
        ("/ingest/explain?path=/logs/ingest?x=1", 400, "not valid JSON"),
        ("/ingest/explain?path=/nowhere", 400, "nothing is taken there"),
        ("/ingest/explain?format=morse", 400, "format=morse is not known"),
    ):
        answer = httpx.post(f"{service}{path}", content=b'{"source": oops')
        assert answer.status_code == status, path
        assert words in answer.json()["error"]["message"]
    unknown = explain(service, b"{}", **{"Content-Encoding": "br"})
    assert unknown.status_code == 415
    bomb = gzip.compress(bytes(200 * 1024 * 1024), 1)
    assert explain(service, bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    assert httpx.get(f"{service}/ingest/explain").status_code == 405
