"""`logstream serve --workers 3`: several real processes, from outside exactly like one."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from logstream.cli import APP
from logstream.notify.built_in_hub import BuiltInHub
from tests.integration.test_up import RunningUp, eventually, free_port, is_alive, up  # noqa: F401

pytestmark = pytest.mark.slow

PROCESSES = 3
JSON_PROTOCOL = "json.webpubsub.azure.v1"


class Service:
    """A running `serve --workers 3` and how to reach all of its processes."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self.database_url = database_url
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "logstream", "serve", "--workers", str(PROCESSES)),
                *("--port", str(self.port), "--data-dir", str(data_dir)),
            ],
            cwd=APP.parent,
            env={**os.environ, "DATABASE_URL": database_url},
        )

    def others(self) -> list[psutil.Process]:
        """The processes that the first has started."""
        return psutil.Process(self.process.pid).children()

    def facts(self) -> dict[str, Any]:
        """What the System page shows of the service."""
        facts: dict[str, Any] = httpx.get(f"{self.base}/system").json()["service"]
        return facts

    def is_complete(self) -> bool:
        try:
            return int(self.facts()["processes"]) == PROCESSES
        except httpx.TransportError:
            return False

    def metric(self, name: str) -> float:
        """The total of a metric over its labels."""
        text = httpx.get(f"{self.base}/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        )

    def ask(self, statement: str) -> Any:
        """The one row of an answer of the database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement).fetchone()  # type: ignore[call-overload]

    def stored(self) -> int:
        """Rows, which are what the counts say, each with an id of its own."""
        rows, ids, counted = self.ask(
            "SELECT count(*), count(DISTINCT id),"
            " (SELECT coalesce(sum(count), 0) FROM log_counts) FROM logs"
        )
        assert rows == ids == counted
        return int(rows)

    @contextmanager
    def each_process(self) -> Iterator[list[httpx.Client]]:
        """Clients with a connection each, at least one of which is held by each process."""
        with ExitStack() as stack:
            clients = []
            for _ in range(2 * PROCESSES):
                client = stack.enter_context(httpx.Client(base_url=self.base, timeout=60))
                assert client.get("/health/live").status_code == 200
                clients.append(client)
            assert len(self.holders()) == PROCESSES
            yield clients

    def holders(self) -> set[int]:
        """The processes that have a connection of a client now."""
        pids = [self.process.pid, *(other.pid for other in self.others())]
        return {
            pid
            for pid in pids
            for connection in psutil.Process(pid).net_connections("tcp")
            if connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == self.port
        }

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """All of its processes answer; none is left after the test."""
    running = Service(database_url, tmp_path / "data")
    processes: list[psutil.Process] = []
    try:
        assert eventually(running.is_complete)
        processes = running.others()
        yield running
    finally:
        processes += running.others() if running.process.poll() is None else []
        running.stop()
        for process in processes:
            if is_alive(process):
                process.kill()


def lines(count: int, said: str) -> list[dict[str, str]]:
    return [
        {"source": "checkout", "severity": "warn", "message": f"{said}: retry {number}"}
        for number in range(count)
    ]


class Senders:
    """Threads that send batches of ten until told to end, each repeating what failed."""

    def __init__(self, service: Service, count: int) -> None:
        self.acknowledged: set[str] = set()
        self.spooled: set[str] = set()
        self._service = service
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def lines(self) -> int:
        return 10 * len(self.acknowledged)

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int) -> None:
        number = 0
        with httpx.Client(base_url=self._service.base, timeout=60) as client:
            while not self._is_over.is_set():
                key = f"{sender}-{number}"
                try:
                    reply = client.post(
                        "/logs/ingest", json=lines(10, key), headers={"Idempotency-Key": key}
                    )
                except httpx.TransportError:
                    continue
                if reply.status_code == 201:
                    self.acknowledged.add(key)
                    number += 1
                    if reply.json()["durable"] == "spool":
                        self.spooled.add(key)


def test_lines_of_all_senders_land_once_through_all_processes(service: Service) -> None:
    with service.each_process() as clients:
        ids: list[int] = []

        def send(client: httpx.Client, name: str) -> None:
            for number in range(40):
                reply = client.post("/logs/ingest", json=lines(25, f"{name}.{number}"))
                assert reply.status_code == 201, reply.text
                first, last = reply.json()["ids"]
                ids.extend(range(first, last + 1))

        threads = [
            threading.Thread(target=send, args=(client, f"till {n}"))
            for n, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sent = len(clients) * 40 * 25
    assert len(ids) == len(set(ids)) == sent
    assert service.stored() == sent
    [landing] = service.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'logstream-land'"
    )
    assert landing == PROCESSES
    facts = service.facts()
    assert facts["linesAccepted"] == sum(facts["acceptedByEnvironment"].values()) == sent
    assert facts["landingMs"]["count"] == len(clients) * 40
    assert sum(count for _, count in facts["landingBuckets"]) == len(clients) * 40
    assert service.metric("logstream_lines_accepted_total") == sent
    assert service.metric("logstream_land_seconds_count") == len(clients) * 40
    assert service.metric("logstream_commit_rows_sum") == sent
    assert service.metric("logstream_pending_bytes") == 0


def test_keys_sent_to_all_processes_at_once_land_once_each(service: Service) -> None:
    keys = [f"order {number}" for number in range(60)]
    replies: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}

    def send(client: httpx.Client, seed: int) -> None:
        # Each in an order of its own, so that groups hold the same keys and names crosswise.
        for key in random.Random(seed).sample(keys, len(keys)):
            body = [{"source": f"till of {key}", "message": f"{word} {key}"} for word in key]
            reply = client.post("/logs/ingest", json=body, headers={"Idempotency-Key": key})
            assert reply.status_code == 201, reply.text
            replies[key].append(reply.json())

    with service.each_process() as clients:
        threads = [
            threading.Thread(target=send, args=(client, seed))
            for seed, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for key in keys:
        assert len(replies[key]) == len(clients)
        assert all(reply == replies[key][0] for reply in replies[key])
    assert service.stored() == sum(len(key) for key in keys)
    assert service.metric("logstream_land_retries_total") == 0
    [deadlocks] = service.ask(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks == 0


def test_a_killed_process_loses_nothing_acknowledged_and_comes_back(service: Service) -> None:
    senders = Senders(service, 6)
    try:
        for _ in range(2):
            before = senders.lines()
            assert eventually(lambda before=before: senders.lines() > before + 200)  # type: ignore[misc]
            victim = service.others()[0]
            victim.kill()
            assert eventually(lambda victim=victim: victim not in service.others())  # type: ignore[misc]
            assert eventually(service.is_complete)
    finally:
        senders.stop()
    assert eventually(lambda: service.stored() == senders.lines())


def test_what_an_ended_process_counted_stays_counted(service: Service) -> None:
    with service.each_process() as clients:
        for client in clients:
            assert client.post("/logs/ingest", json=lines(5, "paid")).status_code == 201
    sent = 5 * len(clients)
    assert service.metric("logstream_lines_accepted_total") == sent
    for other in service.others():
        other.kill()
        assert eventually(lambda other=other: other not in service.others())  # type: ignore[misc]
        assert service.metric("logstream_lines_accepted_total") == sent
    assert eventually(service.is_complete)
    assert service.facts()["linesAccepted"] == sent
    for other in service.others():
        other.terminate()
    assert eventually(service.is_complete)
    assert service.facts()["linesAccepted"] == sent


def test_the_spool_of_a_killed_process_is_landed_by_another(
    service: Service, postgres_url: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(service.database_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            with service.each_process() as clients:
                for client in clients:
                    reply = client.post("/logs/ingest", json=lines(10, "stock is empty"))
                    assert reply.status_code == 201, reply.text
                    assert reply.json()["durable"] == "spool"
            # What each of them remembers is what the service remembers.
            spooled = 10 * len(clients)
            remembered = httpx.get(f"{service.base}/logs/recent", params={"limit": 1000})
            assert remembered.headers["X-LogStream-Source"] == "memory"
            assert len(remembered.json()) == spooled
            assert service.facts()["spool"]["lines"] == spooled
            refusal = httpx.get(f"{service.base}/logs/facets").json()["error"]["message"]
            assert f"{spooled} lines are safe in the spool" in refusal
            ready = httpx.get(f"{service.base}/health/ready")
            assert ready.status_code == 503
            assert ready.json()["spool"]["lines"] == spooled
            for victim in service.others():
                victim.kill()
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert eventually(lambda: service.stored() == 10 * len(clients))
    assert not list((service.data_dir / "spool").glob("*/*.spool"))


def test_the_others_end_with_the_first_however_it_ends(service: Service) -> None:
    others = service.others()
    assert len(others) == PROCESSES - 1
    service.process.kill()
    service.process.wait()
    assert eventually(lambda: not any(is_alive(other) for other in others))


def test_a_stop_under_load_loses_nothing_acknowledged(service: Service) -> None:
    senders = Senders(service, 6)
    others = service.others()
    try:
        assert eventually(lambda: senders.lines() > 500)
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(60)
    finally:
        senders.stop()
    assert not any(is_alive(other) for other in others)
    # A sender repeats what was not answered; a batch may have landed unheard.
    with psycopg.connect(service.database_url) as connection:
        found = Counter(
            body.partition(":")[0] for (body,) in connection.execute("SELECT body FROM logs")
        )
    assert senders.acknowledged - senders.spooled <= set(found)
    assert set(found.values()) == {10}


@contextmanager
def sdk(service: Service) -> Iterator[WebPubSubServiceClient]:
    """The real service SDK, with the service's own access key."""
    key = (service.data_dir / "hub-access-key").read_text()
    connection_string = BuiltInHub(key, "logstream").connection_string("127.0.0.1", service.port)
    with WebPubSubServiceClient.from_connection_string(
        connection_string, "logstream", retry_total=0
    ) as client:
        yield client


async def viewers(service: Service, count: int) -> list[ClientConnection]:
    """Viewers that came through different processes, all members of everything."""
    found = []
    for _ in range(count):
        reply = httpx.post(
            f"{service.base}/realtime/negotiate",
            json={"env": []},
            headers={"Host": f"localhost:{service.port}"},
        )
        url = reply.json()["url"]
        assert url.startswith(f"ws://localhost:{service.port}/client/hubs/logstream?")
        viewer = await connect(
            url.replace("localhost", "127.0.0.1"),
            subprotocols=[JSON_PROTOCOL],  # type: ignore[list-item]
            proxy=None,
        )
        assert viewer.subprotocol == JSON_PROTOCOL
        assert json.loads(await viewer.recv())["event"] == "connected"
        found.append(viewer)
    return found


async def seen_by(viewer: ClientConnection, total: int) -> tuple[set[str], set[str]]:
    """(publishers, messages) of the frames until so many lines were announced."""
    publishers: set[str] = set()
    messages: set[str] = set()
    announced = 0
    async with asyncio.timeout(60):
        while announced < total:
            frame = json.loads(await viewer.recv())["data"]
            publishers.add(frame["publisher"])
            messages |= {line["message"] for line in frame["lines"]}
            announced += frame["total"]
    return publishers, messages


async def test_a_viewer_sees_the_lines_of_all_processes(service: Service) -> None:
    watching = await viewers(service, 2 * PROCESSES)
    with service.each_process() as clients:
        for number, client in enumerate(clients):
            reply = client.post("/logs/ingest", json=lines(4, f"till {number}"))
            assert reply.status_code == 201
        expected = {f"till {n}: retry {k}" for n in range(len(clients)) for k in range(4)}
        for viewer in watching:
            publishers, messages = await seen_by(viewer, len(expected))
            assert len(publishers) == PROCESSES
            assert messages == expected
    assert service.facts()["pushClients"] == len(watching)
    for viewer in watching:
        await viewer.close()


async def test_the_hub_is_one_whichever_process_is_reached(service: Service) -> None:
    watching = await viewers(service, PROCESSES)
    # Larger than what is read of a connection at once, so that a request goes on elsewhere.
    large = {"note": "x" * 900_000}
    for _ in range(2 * PROCESSES):
        with sdk(service) as client:  # a connection of its own
            client.send_to_group("logs", large, content_type="application/json")
            assert client.group_exists("logs")
            assert not client.group_exists("logs.staging")
    for viewer in watching:
        for _ in range(2 * PROCESSES):
            assert json.loads(await viewer.recv())["data"] == large
        await viewer.send(json.dumps({"type": "joinGroup", "group": "secrets", "ackId": 1}))
        assert json.loads(await viewer.recv())["success"] is False
    with sdk(service) as client:
        client.close_group_connections("logs", reason="moving")
    for viewer in watching:
        assert json.loads(await viewer.recv())["event"] == "disconnected"
        await viewer.wait_closed()
        assert viewer.close_code == 1000
    assert eventually(lambda: service.facts()["pushClients"] == 0)


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """(status line, body) of one reply with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < length:
        body += connection.recv(65_536)
    return head.split(b"\r\n")[0], body


# A request to the first process in the pieces in which it comes, and how its answer begins.
REQUESTS = [
    ([b"GET /system HTTP/1.1\r\nHost: a\r\n\r\n"], b'{"service":{'),
    ([b"GET /sys", b"tem HTTP/1.1\r\nHo", b"st: a\r\n", b"\r\n"], b'{"service":{'),
    ([b"\r\nGET /%73ystem?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"], b'{"service":{'),
    (
        [
            b"POST /realtime/negotiate HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{",
            b'"env":[]}',
        ],
        b'{"url":"ws://a/client/hubs/logstream?',
    ),
]


def test_a_connection_goes_to_the_first_process_however_a_request_comes(service: Service) -> None:
    for pieces, beginning in REQUESTS:
        with ExitStack() as stack:
            connections = [
                stack.enter_context(socket.create_connection(("127.0.0.1", service.port), 60))
                for _ in range(2 * PROCESSES)
            ]
            for connection in connections:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # A request that any process answers itself; then, behind it, the one.
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
                assert answer(connection)[0] == b"HTTP/1.1 200 OK"
            assert len(service.holders()) == PROCESSES
            for piece in pieces:
                for connection in connections:
                    connection.sendall(piece)
                # Once others are answered, these pieces were most likely read one by one.
                assert httpx.get(f"{service.base}/health/live").status_code == 200
            for connection in connections:
                status, body = answer(connection)
                assert status == b"HTTP/1.1 200 OK"
                assert body.startswith(beginning)
                # And the connection lives on.
                connection.sendall(b"GET /logs/recent HTTP/1.1\r\nHost: a\r\n\r\n")
                assert answer(connection) == (b"HTTP/1.1 200 OK", b"[]")


def test_a_request_behind_another_is_answered_or_its_connection_closed(service: Service) -> None:
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), 60))
            for _ in range(2 * PROCESSES)
        ]
        answered, closed = 0, 0
        for connection in connections:
            connection.sendall(
                b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /system HTTP/1.1\r\nHost: a\r\n"
                b"Connection: close\r\n\r\n"
            )
            replies = b"".join(iter(lambda c=connection: c.recv(65_536), b""))  # type: ignore[misc]
            assert replies.count(b"HTTP/1.1 200 OK") in (1, 2)
            answered += replies.count(b"HTTP/1.1 200 OK") == 2
            closed += replies.count(b"HTTP/1.1 200 OK") == 1
        assert answered >= 1 and closed >= 1 and answered + closed == len(connections)


def test_up_starts_as_many_processes_and_revives_them_all(
    up: Callable[..., RunningUp],  # noqa: F811
) -> None:
    running = up("--no-dashboard", "--workers", "2")
    running.wait_until_ready()
    address = f"http://127.0.0.1:{running.port}/system"

    def is_complete() -> bool:
        return running.is_ready() and httpx.get(address).json()["service"]["processes"] == 2

    assert eventually(is_complete)
    serve = running.children()["serve"]
    [other] = serve.children()
    serve.kill()
    assert eventually(is_complete)
    assert not is_alive(other)
    assert running.children()["serve"] != serve


@pytest.mark.parametrize("workers", ["0", "many"])
def test_a_number_of_workers_that_is_none_is_one_clear_line(workers: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "logstream", "serve", "--workers", workers],
        cwd=APP.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"logstream: LOGSTREAM_WORKERS={workers}: ")
