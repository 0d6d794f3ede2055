"""Senders that stall, drip, or go away: they get a limit, and nobody else notices them."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.service_thread import running_service, settings_for

TIMEOUT_SECONDS = 0.5
LINE = b'{"source": "checkout", "severity": "info", "message": "Order 17 placed"}'
STALLED = b"POST /logs/ingest HTTP/1.1\r\nHost: logs\r\nContent-Length: 4000\r\n\r\n" + LINE


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A service that gives a sender half a second between two pieces of a body."""
    settings = settings_for(
        database_url, tmp_path, body_timeout_seconds=TIMEOUT_SECONDS, max_pending_bytes=2**20
    )
    with running_service(settings) as base:
        yield base


def connection(base: str) -> socket.socket:
    return socket.create_connection((urlsplit(base).hostname, urlsplit(base).port), timeout=60)


def rest_of(client: socket.socket) -> bytes:
    """Everything until the service closes the connection."""
    received = b""
    while part := client.recv(65_536):
        received += part
    return received


def one_reply(client: socket.socket) -> bytes:
    """The next answer on a connection that goes on."""
    received = b""
    while not received.endswith(b"}"):
        received += client.recv(65_536)
    return received


def drip(client: socket.socket, data: bytes) -> bytes:
    """Send a byte every tenth of the time allowed, and hear what comes before all is sent."""
    client.settimeout(TIMEOUT_SECONDS / 10)
    for byte in data:
        client.sendall(bytes([byte]))
        try:
            return client.recv(65_536)
        except TimeoutError:
            continue
    raise AssertionError("the service took it all")


def error_of(reply: bytes) -> dict[str, str]:
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"connection: close" in head
    error: dict[str, str] = json.loads(body)["error"]
    return error


def stored(database_url: str) -> int:
    with psycopg.connect(database_url) as database:
        [(count,)] = database.execute("SELECT count(*) FROM logs").fetchall()
    return int(count)


def test_a_body_that_stands_still_is_answered_408_and_stores_nothing(
    service: str, database_url: str
) -> None:
    with connection(service) as client:
        client.sendall(STALLED)
        error = error_of(rest_of(client))
    assert error["code"] == "body_too_slow"
    assert "LOGSTREAM_BODY_TIMEOUT_SECONDS" in error["hint"]
    assert stored(database_url) == 0
    assert "logstream_slow_requests_total" in httpx.get(f"{service}/metrics").text


def test_a_body_that_comes_a_byte_at_a_time_has_a_limit_as_a_whole(service: str) -> None:
    with connection(service) as client:
        client.sendall(STALLED)
        assert error_of(drip(client, b" " * 1000))["code"] == "body_too_slow"


def test_a_body_in_pieces_lands_when_each_comes_in_time(service: str, database_url: str) -> None:
    with connection(service) as client:
        # Seven pauses of a quarter of what one may take: longer in all than one may be.
        body = LINE.ljust(7 * 24)
        client.sendall(b"POST /logs/ingest HTTP/1.1\r\nHost: logs\r\nContent-Length: 168\r\n\r\n")
        client.settimeout(TIMEOUT_SECONDS / 4)
        for start in range(0, len(body), 24):
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.sendall(body[start : start + 24])
        client.settimeout(60)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 ")
    assert stored(database_url) == 1


def test_a_head_that_never_ends_is_answered_408(service: str) -> None:
    with connection(service) as client:
        assert error_of(drip(client, b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 1000))["code"] == (
            "head_too_slow"
        )


def test_a_connection_that_says_nothing_is_closed_without_a_word(service: str) -> None:
    with connection(service) as client:
        assert rest_of(client) == b""


def test_hundreds_of_stalled_senders_delay_nobody_and_give_back_what_they_held(
    service: str, database_url: str
) -> None:
    with ExitStack() as stack, httpx.Client() as honest:
        stalled = [stack.enter_context(connection(service)) for _ in range(400)]
        for client in stalled:
            client.sendall(STALLED[:-20] + b" " * 1000)
        for _ in range(20):
            assert honest.post(f"{service}/logs/ingest", content=LINE).status_code == 201
        assert {error_of(rest_of(client))["code"] for client in stalled} == {"body_too_slow"}
        # 400 KB were held of the 1 MiB allowed in all; now all of it is free again.
        with connection(service) as other:
            other.sendall(STALLED)
            padded = LINE[:-1] + b" " * 900_000 + b"}"
            assert honest.post(f"{service}/logs/ingest", content=padded).status_code == 201
    assert stored(database_url) == 21


def test_a_sender_that_goes_in_mid_body_or_before_the_answer_leaves_no_error(
    service: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = b"POST /logs/ingest HTTP/1.1\r\nHost: logs\r\nContent-Length: %d\r\n\r\n" % len(LINE)
    with caplog.at_level(logging.WARNING):
        for request in (STALLED, whole + LINE) * 30:
            with connection(service) as client:
                client.sendall(request)
        assert httpx.post(f"{service}/logs/ingest", content=LINE).status_code == 201
    assert not caplog.records
    # Those that sent all of it may or may not have landed; each at most once.
    assert 1 <= stored(database_url) <= 31


def test_a_request_whose_answer_takes_long_is_not_taken_for_a_slow_one(
    service: str, database_url: str
) -> None:
    whole = b"POST /logs/ingest HTTP/1.1\r\nHost: logs\r\nContent-Length: %d\r\n\r\n" % len(LINE)
    with psycopg.connect(database_url) as database, connection(service) as client:
        database.execute("LOCK TABLE logs IN ACCESS EXCLUSIVE MODE")
        # The next request has begun, too. What waits for the lock goes into the spool after 2 s.
        client.sendall(whole + LINE + whole[:40])
        assert one_reply(client).startswith(b"HTTP/1.1 201 ")
        client.sendall(whole[40:] + LINE)
        assert one_reply(client).startswith(b"HTTP/1.1 201 ")


def test_a_viewer_may_listen_for_longer_than_a_body_may_take(service: str) -> None:
    url = httpx.post(f"{service}/realtime/negotiate").json()["url"]
    with connect(url, subprotocols=[Subprotocol("json.webpubsub.azure.v1")]) as viewer:
        assert '"connected"' in str(viewer.recv(10))
        with connection(service) as silent:  # connects later, so is given up later
            assert rest_of(silent) == b""
        viewer.send('{"type":"joinGroup","group":"live.production","ackId":1}')
        assert json.loads(viewer.recv(10))["ackId"] == 1
