"""The listeners over real sockets: who sends how, and what becomes of it."""

import logging
import logging.handlers
import random
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from ingest_service.main import build
from logstream.errors import SettingsError
from logstream.settings import Settings
from tests.service_thread import free_port, running_service, settings_for

PATIENCE_SECONDS = 20
pack = msgspec.msgpack.encode


class Service:
    """A running service with all listeners."""

    def __init__(self, base: str, settings: Settings) -> None:
        self.base = base
        self.settings = settings

    def lines(self, count: int) -> list[dict[str, Any]]:
        """The newest lines, once there are so many; UDP gives nothing else to wait for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            lines: list[dict[str, Any]] = httpx.get(f"{self.base}/logs/recent?limit=500").json()
            if len(lines) >= count:
                assert len(lines) == count
                return lines
            assert time.monotonic() < deadline, f"{len(lines)} of {count} lines came: {lines}"
            time.sleep(0.02)

    def messages(self, count: int) -> set[str]:
        return {line["message"] for line in self.lines(count)}

    def metric(self, name: str) -> float:
        text = httpx.get(f"{self.base}/metrics").text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    def stream(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with ExitStack() as stack:

        def start_one(**overrides: object) -> Service:
            ports = {
                "syslog_port": free_port(),
                "gelf_port": free_port(),
                "forward_port": free_port(),
            }
            settings = settings_for(database_url, tmp_path, **(ports | overrides))
            return Service(stack.enter_context(running_service(settings)), settings)

        yield start_one


def send_datagram(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(data, ("127.0.0.1", port))


def test_pythons_syslog_handler_over_udp_and_tcp(start: Callable[..., Service]) -> None:
    service = start()
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        handler = logging.handlers.SysLogHandler(
            ("127.0.0.1", service.settings.syslog_port), socktype=kind
        )
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger = logging.Logger("shop.payment")
        logger.addHandler(handler)
        logger.info("paid")
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            logger.exception("checkout failed ünï-☃")
        handler.close()
    lines = service.lines(4)
    assert {line["source"] for line in lines} == {"shop.payment"}
    failures = [line for line in lines if line["severity"] == "error"]
    assert len(failures) == 2
    for failure in failures:
        assert failure["message"].startswith("shop.payment: checkout failed ünï-☃\nTraceback")
        assert failure["message"].endswith("ZeroDivisionError: division by zero")


def test_gelf_datagrams_plain_compressed_and_in_pieces(start: Callable[..., Service]) -> None:
    service = start()
    port = service.settings.gelf_port
    send_datagram(port, b'{"short_message": "plain", "_app": "shop"}')
    send_datagram(port, zlib.compress(b'{"short_message": "compressed"}'))
    whole = zlib.compress(b'{"short_message": "in pieces"}')
    for number in (1, 0):
        part = whole[: len(whole) // 2] if number == 0 else whole[len(whole) // 2 :]
        send_datagram(port, b"\x1e\x0f" + b"id345678" + bytes((number, 2)) + part)
    send_datagram(port, b"\x78\x9c no zlib")
    with service.stream(port) as tcp:
        tcp.sendall(b'{"short_message": "over TCP"}\x00{"short_message": "at the end"}')
    assert service.messages(5) == {"plain", "compressed", "in pieces", "over TCP", "at the end"}


def test_a_chunk_is_acknowledged_once_and_lands_once(start: Callable[..., Service]) -> None:
    service = start()
    message = ["app.pay", pack([1795400909, {"message": "paid"}]) * 3, {"chunk": "c1", "size": 3}]
    for _ in range(2):
        with service.stream(service.settings.forward_port) as tcp:
            tcp.sendall(pack(message))
            assert msgspec.msgpack.decode(tcp.recv(100)) == {"ack": "c1"}
    with service.stream(service.settings.forward_port) as tcp:
        tcp.sendall(pack(["app.pay", 1795400909, {"message": "unacknowledged"}]))
    assert service.messages(4) == {"paid", "unacknowledged"}


def test_what_was_received_is_landed_when_the_service_stops(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(database_url, tmp_path, syslog_port=free_port())
    with running_service(settings):
        tcp = socket.create_connection(("127.0.0.1", settings.syslog_port))
        tcp.sendall(b"".join(b"<14>tcp %d\n" % number for number in range(500)) + b"<14>unended")
        for number in range(500):
            send_datagram(settings.syslog_port, b"<14>udp %d" % number)
    tcp.close()
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT body) FROM logs").fetchone()
    assert row == (1001, 1001)


def test_a_foreign_network_is_not_heard_and_counted(start: Callable[..., Service]) -> None:
    service = start(listener_networks="10.0.0.0/8")
    name = 'logstream_datagrams_dropped_total{listener="syslog_udp",reason="network"}'
    before = service.metric(name)
    send_datagram(service.settings.syslog_port, b"<14>hello")
    with service.stream(service.settings.syslog_port) as tcp:
        assert tcp.recv(10) == b""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while service.metric(name) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert service.lines(0) == []


def test_hostile_bytes_do_not_end_a_listener(start: Callable[..., Service]) -> None:
    service = start()
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    rng = random.Random(seed)
    settings = service.settings
    ports = (settings.syslog_port, settings.gelf_port, settings.forward_port)
    for port in ports:
        for size in (1, 30, 3_000, 100_000):
            with service.stream(port) as tcp:
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                try:
                    tcp.sendall(rng.randbytes(size))
                except OSError:
                    assert port == settings.forward_port  # it hangs up
            send_datagram(port, rng.randbytes(min(size, 1_400)))
            send_datagram(port, b"\x1e\x0f" + rng.randbytes(min(size, 1_400)))
    with service.stream(settings.forward_port) as tcp:
        tcp.sendall(pack(["alive", 1795400909, {"message": "forward lives"}]))
    with service.stream(settings.gelf_port) as tcp:
        tcp.sendall(b'{"short_message": "gelf lives"}\x00')
    with service.stream(settings.syslog_port) as tcp:
        tcp.sendall(b"<14>syslog lives\n")
    send_datagram(settings.gelf_port, b'{"short_message": "gelf datagrams live"}')
    send_datagram(settings.syslog_port, b"<14>syslog datagrams live")
    wanted = {"forward lives", "gelf lives", "syslog lives"}
    wanted |= {"gelf datagrams live", "syslog datagrams live"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = httpx.get(f"{service.base}/logs/recent?limit=500").json()
        if wanted <= {line["message"] for line in lines}:
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_port_that_is_taken_is_named_at_the_start(database_url: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            build(settings_for(database_url, tmp_path, gelf_port=port))
    assert f"UDP port {port} on 127.0.0.1 cannot be used" in caught.value.one_line()
    assert "LOGSTREAM_GELF_PORT" in caught.value.one_line()
