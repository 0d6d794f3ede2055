"""Requests that two servers in a row could read as different ones: none is read at all."""

import re

import httpx

from scripts.hostile_formats import FORMATS, Sample
from tests.integration.test_hostile_http import LINE, connection, post, reply_to

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: logs\r\n\r\n"


def request(*headers: bytes, body: bytes = b"", line: bytes = b"POST /logs/ingest") -> bytes:
    return b"\r\n".join((line + b" HTTP/1.1", b"Host: logs", *headers, b"", body))


def chunks(*sizes_and_data: bytes) -> bytes:
    return b"\r\n".join((*sizes_and_data, b"0", b"", b""))


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %d" % len(LINE)
CHUNK = b"%x" % len(LINE)
AMBIGUOUS = {
    "a length and chunks": request(LENGTH, CHUNKED, body=chunks(CHUNK, LINE) + HIDDEN),
    "chunks and a length": request(CHUNKED, LENGTH, body=chunks(CHUNK, LINE) + HIDDEN),
    "two lengths": request(LENGTH, b"Content-Length: 0", body=LINE + HIDDEN),
    "two lengths in one": request(b"Content-Length: 72, 0", body=LINE + HIDDEN),
    "a length with a sign": request(b"Content-Length: +72", body=LINE + HIDDEN),
    "a length below zero": request(b"Content-Length: -1", body=LINE + HIDDEN),
    "a length beyond 64 bits": request(b"Content-Length: " + b"9" * 30, body=LINE + HIDDEN),
    "a hexadecimal length": request(b"Content-Length: 0x48", body=LINE + HIDDEN),
    "a folded header": request(b"X-Note: one\r\n two", LENGTH, body=LINE + HIDDEN),
    "a folded encoding": request(b"Transfer-Encoding:\r\n chunked", LENGTH, body=LINE + HIDDEN),
    "a space before the colon": request(b"Content-Length : 72", body=LINE + HIDDEN),
    "a chunk too large to count": request(CHUNKED, body=chunks(b"F" * 17, LINE) + HIDDEN),
    "a chunk size that is none": request(CHUNKED, body=chunks(b"0x48", LINE) + HIDDEN),
    "a chunk longer than it says": request(CHUNKED, body=chunks(b"5", LINE) + HIDDEN),
    "another encoding after chunks": request(
        b"Transfer-Encoding: chunked, identity", body=chunks(CHUNK, LINE) + HIDDEN
    ),
    "an encoding like chunks": request(
        b"Transfer-Encoding: xchunked", body=chunks(CHUNK, LINE) + HIDDEN
    ),
    "NUL in a header": request(b"X-Note: a\x00b", LENGTH, body=LINE + HIDDEN),
    "a line feed in a name": request(b"X-No\nte: a", LENGTH, body=LINE + HIDDEN),
    "a carriage return in a value": request(b"X-Note: a\rb", LENGTH, body=LINE + HIDDEN),
    "a header without a name": request(b": a", LENGTH, body=LINE + HIDDEN),
    "a path with a space": request(LENGTH, body=LINE + HIDDEN, line=b"POST /logs/ ingest"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + HIDDEN,
}


def test_an_ambiguous_request_is_refused_with_all_that_follows_it(service: str) -> None:
    for name, sent in AMBIGUOUS.items():
        received = reply_to(service, sent)
        assert re.match(rb"HTTP/1\.1 4\d\d ", received), (name, received)
        assert len(re.findall(rb"HTTP/1\.1 \d", received)) == 1, (name, received)
        assert b"hidden" not in received, name
    assert httpx.get(f"{service}/logs/recent").json() == []


def test_extensions_and_trailers_of_chunks_are_passed_over(service: str) -> None:
    body = chunks(CHUNK + b';note="a\\"b";x', LINE).removesuffix(b"\r\n") + b"X-Sum: 1\r\n\r\n"
    received = reply_to(service, request(CHUNKED, b"Connection: close", body=body))
    assert received.startswith(b"HTTP/1.1 201 "), received
    assert len(httpx.get(f"{service}/logs/recent").json()) == 1


def test_pipelined_requests_of_all_formats_are_answered_in_their_order(service: str) -> None:
    sent = b""
    for number, wire in enumerate(FORMATS):
        body = wire.body([Sample(f"p{number}", "pipelined", 1_767_225_600_000_000_000 + number)])
        head = post(wire.path, body).removesuffix(body)[:-2]
        sent += head + f"Content-Type: {wire.content_type}\r\n\r\n".encode() + body
        sent += request(b"Content-Length: 0", line=b"GET /no/%d/such/path" % number)
    with connection(service) as client:
        client.sendall(sent + request(b"Connection: close", line=b"GET /health/live"))
        received = b""
        while part := client.recv(65_536):
            received += part
    statuses = re.findall(rb"HTTP/1\.1 (\d)\d\d ", received)
    assert statuses == [b"2", b"4"] * len(FORMATS) + [b"2"]
    order = re.findall(rb"GET /no/(\d+)/such/path", received)
    assert [int(number) for number in order] == list(range(len(FORMATS)))
