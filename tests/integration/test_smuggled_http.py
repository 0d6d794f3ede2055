"""Requests that a proxy and we could read differently: refused, and the connection closed."""

import httpx

from tests.integration.test_hostile_http import LINE, connection, reply_to

HEAD = b"POST /logs/ingest HTTP/1.1\r\nHost: logs\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(LINE)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LINE), LINE)


AMBIGUOUS = (
    HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNKS,
    HEAD + CHUNKED + LENGTH + b"\r\n" + CHUNKS,
    HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + LINE,
    HEAD + LENGTH + LENGTH + b"\r\n" + LINE,
    HEAD + b"Content-Length: +3\r\n\r\n" + LINE,
    HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + LINE,
    HEAD + b"X-Folded: a\r\n b\r\n" + LENGTH + b"\r\n" + LINE,
    HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKS,
    HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS,
    (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + LINE,
    HEAD + b"X-A: b\rX-B: c\r\n" + LENGTH + b"\r\n" + LINE,
    HEAD + CHUNKED + b"\r\n" + CHUNKS.replace(b"\r\n", b"\n"),
    HEAD + CHUNKED + b"\r\n1x\r\n" + LINE,
    HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + LENGTH + b"\r\n" + LINE,
)


def test_what_can_be_read_in_two_ways_is_refused(service: str) -> None:
    for ambiguous in AMBIGUOUS:
        received = reply_to(service, ambiguous + HEAD + LENGTH + b"\r\n" + LINE)
        assert received.startswith(b"HTTP/1.1 400 "), ambiguous
        assert received.count(b"\r\ncontent-length: ") == 1, "what follows is no request of its own"
        assert b'"code":"bad_http"' in received
    assert httpx.get(f"{service}/logs/recent").json() == []


def test_very_many_headers_are_refused(service: str) -> None:
    many = b"".join(b"X-%d: a\r\n" % number for number in range(501))
    assert reply_to(service, HEAD + many + LENGTH + b"\r\n" + LINE).startswith(b"HTTP/1.1 431 ")


def test_a_client_that_offers_another_protocol_first_loses_no_body(service: str) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    with connection(service) as client:
        client.sendall(HEAD + offer + LENGTH + b"\r\n" + LINE)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 ")
