"""Clients that send too much, too slowly, or go in the middle."""

import asyncio
import json
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from ingest_service.guard import BoundedBodies
from ingest_service.http_protocol import MAX_HEAD_BYTES
from logstream.errors import StoreUnavailable
from tests.service_thread import running_service, settings_for

LINE = b'{"source": "checkout", "severity": "info", "message": "Order 17 placed"}'


def connection(base: str) -> socket.socket:
    return socket.create_connection((urlsplit(base).hostname, urlsplit(base).port), timeout=20)


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: logs\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def reply_to(base: str, request: bytes) -> bytes:
    """What comes back until the service closes; a reset after the reply loses nothing of it."""
    received = b""
    with connection(base) as client:
        try:
            client.sendall(request)
            while part := client.recv(65_536):
                received += part
        except ConnectionError:
            pass
    return received


def test_a_head_without_end_is_refused_and_the_next_client_served(service: str) -> None:
    endless = b"GET / HTTP/1.1\r\nHost: logs\r\nX-Padding: "
    with connection(service) as client:
        client.sendall(endless)
        time.sleep(0.2)  # so that the head begins in a chunk of its own
        client.sendall(b"x" * (MAX_HEAD_BYTES + 1))
        assert client.recv(65_536).startswith(b"HTTP/1.1 431 ")
        assert client.recv(65_536) == b""
    assert httpx.get(f"{service}/health/live").status_code == 200


def test_a_long_url_and_many_pipelined_requests_are_no_long_head(service: str) -> None:
    url = f"{service}/logs/recent?service=" + "a" * 60_000
    assert httpx.get(url).status_code == 200
    many = 2_000  # 2,000 × about 140 bytes: twice the longest head
    with connection(service) as client:
        client.sendall(post("/logs/ingest", LINE) * many)
        received = b""
        while received.count(b"HTTP/1.1 ") < many:
            received += client.recv(65_536)
    assert received.count(b"HTTP/1.1 201") == many


def test_a_client_that_goes_before_its_pipelined_answers_is_no_error(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        for _ in range(20):
            with connection(service) as client:
                client.sendall(post("/logs/ingest", LINE) * 50)
        with connection(service) as client:
            client.sendall(post("/realtime/negotiate", b"{}" + b" " * 1000)[:-10])
        assert httpx.get(f"{service}/health/ready").status_code == 200
        time.sleep(0.2)
    assert not caplog.records


def test_a_viewer_that_is_refused_or_breaks_the_rules_is_no_error(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = httpx.post(f"{service}/realtime/negotiate").json()["url"]
    subprotocol = Subprotocol("json.webpubsub.azure.v1")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            with pytest.raises(InvalidStatus) as refused:
                connect(url.partition("?")[0])
            assert refused.value.response.status_code == 401
            assert b"negotiate" in refused.value.response.body
            with connect(url, subprotocols=[subprotocol]) as viewer, suppress(ConnectionClosed):
                viewer.send("x" * (1024 * 1024 + 1))  # before the greeting has been written
                while True:
                    viewer.recv(5)
            assert viewer.close_code == 1009
    assert not caplog.records


def test_a_negotiation_of_endless_length_is_refused(service: str) -> None:
    reply = reply_to(service, post("/realtime/negotiate", b"x" * 70_000))
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert (
        json.loads(reply.split(b"\r\n\r\n", 1)[1])["error"]["message"] == "the body is over 64 KiB"
    )


def test_bodies_under_way_are_held_within_the_limit(database_url: str, tmp_path: Path) -> None:
    mebibyte = 1024 * 1024
    settings = settings_for(database_url, tmp_path, max_pending_bytes=4 * mebibyte)
    with running_service(settings) as service:
        slow = [connection(service) for _ in range(3)]
        for client in slow:  # 3.9 MiB that never become a whole body
            client.sendall(post("/logs/ingest", b" " * 2 * mebibyte)[: int(1.3 * mebibyte)])
        time.sleep(0.5)
        padded = LINE[:-1] + b" " * mebibyte + b"}"
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(httpx.post, f"{service}/logs/ingest", content=padded, timeout=30)
            time.sleep(0.5)
            assert not waiting.done(), "it is not read while others fill the memory"
            for client in slow:
                client.close()
            assert waiting.result().status_code == 201


async def test_a_body_that_cannot_be_read_for_long_is_refused() -> None:
    gate = asyncio.Event()

    async def held(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        await gate.wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"six by", "more_body": False}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    bodies = BoundedBodies(held, limit_bytes=10, patience_seconds=0.05)
    first = asyncio.create_task(bodies({}, receive, send))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="LOGSTREAM_MAX_PENDING_BYTES"):
        await bodies({}, receive, send)
    gate.set()
    await first
    await bodies({}, receive, send)


def test_a_body_larger_than_the_limit_of_all_is_taken_when_it_is_alone() -> None:
    async def take_all(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive()).get("more_body"):
            pass

    bodies = BoundedBodies(take_all, limit_bytes=10)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"eleven byte", "more_body": False}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    async def one_by_one_then_two() -> None:
        await bodies({}, receive, send)
        await bodies({}, receive, send)
        gate = asyncio.Event()

        async def held(_scope: Scope, receive: Receive, _send: Send) -> None:
            await receive()
            await gate.wait()

        both = BoundedBodies(held, limit_bytes=10, patience_seconds=0.05)
        first = asyncio.create_task(both({}, receive, send))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable):
            await both({}, receive, send)
        gate.set()
        await first

    asyncio.run(one_by_one_then_two())
