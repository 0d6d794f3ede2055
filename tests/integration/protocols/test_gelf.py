"""POST /gelf as pygelf, graypy and Graylog's own senders use it."""

import gzip
import json
import zlib

import httpx

MESSAGE = {
    "version": "1.1",
    "host": "web1",
    "short_message": "Zahlung für order 42 failed",
    "timestamp": 1795400909.123,
    "level": 3,
    "_app": "checkout",
}
BODY = json.dumps(MESSAGE).encode()


def post(service: str, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{service}/gelf", content=body, headers=named)


def messages(service: str) -> list[str]:
    return [line["message"] for line in httpx.get(f"{service}/logs/recent").json()]


def test_a_message_is_stored_and_answered_as_graylog_does(service: str) -> None:
    reply = post(service, BODY, Content_Type="application/x-www-form-urlencoded")
    assert (reply.status_code, reply.content) == (202, b"")
    (line,) = httpx.get(f"{service}/logs/recent").json()
    assert line["message"] == MESSAGE["short_message"]
    assert (line["source"], line["severity"]) == ("checkout", "error")
    assert line["createdAt"] == "2026-11-23T02:28:29.123Z"
    assert line["metadata"] == {"host.name": "web1"}


def test_the_encoding_is_told_by_the_bytes(service: str) -> None:
    for body, encoding in (
        (zlib.compress(BODY), "gzip,deflate"),
        (gzip.compress(BODY), "gzip,deflate"),
        (zlib.compress(BODY), "gzip"),
        (BODY, "gzip,deflate"),
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), ""),
        (zlib.compress(BODY)[2:-4], "deflate"),
    ):
        assert post(service, body, Content_Encoding=encoding).status_code == 202, encoding
    assert len(messages(service)) == 7


def test_a_bulk_lands_its_good_messages(service: str) -> None:
    bulk = b"\n".join([BODY, b'{"short', BODY])
    assert post(service, bulk).status_code == 202
    assert len(messages(service)) == 2


def test_what_is_no_message_is_answered_400(service: str) -> None:
    for body in (b"", b"hello", b'{"short_message":', b"[]"):
        reply = post(service, body)
        assert reply.status_code == 400
        assert reply.json()["error"]["message"]
