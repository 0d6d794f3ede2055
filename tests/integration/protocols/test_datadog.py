import httpx
import zstandard


def test_datadog_entries_land_and_are_answered_as_datadog_does(service: str) -> None:
    assert httpx.get(f"{service}/api/v1/validate").json() == {"valid": True}
    entries = b"""[{"message":"order 7 failed","status":"error","service":"checkout",
        "hostname":"web-1","ddsource":"python","ddtags":"env:staging,version:1.4",
        "timestamp":1767225601123}]"""
    reply = httpx.post(
        f"{service}/api/v2/logs",
        content=zstandard.compress(entries),
        headers={"DD-API-KEY": "K", "Content-Encoding": "zstd1"},
    )
    assert (reply.status_code, reply.json()) == (202, {})
    older = httpx.post(
        f"{service}/v1/input/KEY?service=cart&ddsource=nodejs",
        content="one line\nanother",
        headers={"Content-Type": "text/plain"},
    )
    assert older.status_code == 200
    lines = {line["message"]: line for line in httpx.get(f"{service}/logs/recent").json()}
    first = lines["order 7 failed"]
    assert (first["source"], first["environment"]) == ("checkout", "staging")
    assert (first["severity"], first["createdAt"]) == ("error", "2026-01-01T00:00:01.123Z")
    assert first["metadata"]["service.version"] == "1.4"
    assert lines["one line"]["source"] == lines["another"]["source"] == "cart"

    for bad, headers in (("", {}), ("oops", {}), ("[7]", {}), ("{}", {"Content-Encoding": "br"})):
        refused = httpx.post(f"{service}/api/v2/logs", content=bad, headers=headers)
        (error,) = refused.json()["errors"]
        assert str(refused.status_code) == error["status"]
        assert refused.status_code in (400, 415)
        assert error["title"] and error["detail"]
    partial = httpx.post(f"{service}/api/v2/logs", content='[{"message":"kept"},7]')
    assert (partial.status_code, partial.json()["rejected"]) == (202, 1)
