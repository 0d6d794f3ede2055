"""What was refused is counted, kept, listed, and can be sent again."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

LOUD = {"source": "checkout", "message": "card declined", "severity": "loud"}


def send(service: str, content: bytes | str) -> httpx.Response:
    return httpx.post(f"{service}/logs/ingest", content=content)


def rejects(service: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = httpx.get(f"{service}/rejects", params=parameters)
    assert answer.status_code == 200
    kept: list[dict[str, Any]] = answer.json()["rejects"]
    return kept


def awaited(ask: Callable[[], list[dict[str, Any]]], count: int) -> list[dict[str, Any]]:
    """Whole bodies are kept beside the reply, so a moment later."""
    end = time.monotonic() + 10
    while len(found := ask()) < count:
        assert time.monotonic() < end, found
    return found


def test_a_refused_record_is_listed_and_lands_once_it_is_corrected(service: str) -> None:
    reply = send(service, json.dumps([{"source": "cart", "message": "ok"}, LOUD]))
    assert reply.json()["accepted"] == 1
    [kept] = rejects(service)
    assert (kept["format"], kept["reason"], kept["index"]) == ("native", "bad_record", 1)
    assert "severity 'loud' is not known" in kept["error"]
    assert (kept["rawEncoding"], json.loads(kept["raw"])) == ("utf-8", LOUD)
    assert kept["resentAt"] is None and kept["sender"] is None
    assert httpx.get(f"{service}/rejects/{kept['id']}").json() == kept
    resend = f"{service}/rejects/{kept['id']}/resend"

    # As it is, it is refused as before, and not kept a second time.
    again = httpx.post(resend)
    assert again.status_code == 400
    assert "severity 'loud'" in again.json()["error"]["message"]
    assert len(rejects(service)) == 1

    fixed = httpx.post(resend, content=json.dumps({**LOUD, "severity": "error"}))
    assert fixed.status_code == 201 and fixed.json()["accepted"] == 1
    assert rejects(service)[0]["resentAt"] is not None
    # A second click lands nothing more, and hears of the first.
    assert httpx.post(resend, content=json.dumps({**LOUD, "severity": "warn"})).json() == (
        fixed.json()
    )
    lines = httpx.get(f"{service}/logs/recent").json()
    assert sorted((line["message"], line["severity"]) for line in lines) == [
        ("card declined", "error"),
        ("ok", "info"),
    ]


def test_bodies_refused_as_a_whole_are_kept_and_counted_by_their_reason(service: str) -> None:
    assert send(service, b"card declined \xff").status_code == 400
    reply = httpx.post(f"{service}/logs/ingest", content=b"x", headers={"Content-Encoding": "br"})
    assert reply.status_code == 415
    kept = awaited(lambda: rejects(service), 2)
    assert {one["reason"] for one in kept} == {"bad_request", "unsupported_encoding"}
    [text] = rejects(service, reason="bad_request")
    assert (text["rawEncoding"], text["raw"]) == ("escaped", "card declined \\xff")
    assert rejects(service, reason="bad_request", format="loki") == []
    summary = httpx.get(f"{service}/rejects/summary").json()
    assert [(one["format"], one["reason"], one["count"]) for one in summary] == [
        ("native", "bad_request", 1),
        ("native", "unsupported_encoding", 1),
    ]
    fixed = httpx.post(
        f"{service}/rejects/{text['id']}/resend",
        content=json.dumps({"source": "checkout", "message": "card declined"}),
    )
    assert fixed.status_code == 201


def test_pages_of_refused_records_follow_one_another(service: str) -> None:
    send(service, json.dumps([LOUD] * 5))
    seen, cursor = [], None
    for _ in range(3):
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{service}/rejects", params=parameters).json()
        seen += [one["index"] for one in page["rejects"]]
        cursor = page["cursor"]
    assert seen == [4, 3, 2, 1, 0]
    assert cursor is None


def test_one_that_is_not_kept_is_not_found(service: str) -> None:
    for number in (1, 2**63, 10**30):
        for answer in (
            httpx.get(f"{service}/rejects/{number}"),
            httpx.post(f"{service}/rejects/{number}/resend"),
        ):
            assert answer.status_code == 404
            assert "is not kept" in answer.json()["error"]["message"]


def test_requests_are_counted_by_format_and_status(service: str) -> None:
    send(service, json.dumps([LOUD]))
    text = httpx.get(f"{service}/metrics").text
    assert 'logstream_requests_total{format="native",status="400"}' in text
    assert 'logstream_request_seconds_count{format="native"}' in text
    assert 'logstream_lines_rejected_total{format="native",reason="bad_record"}' in text
