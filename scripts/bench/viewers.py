"""Hundreds of viewers on the built-in hub of a real `serve`, and what they cost a sender.

Viewers speak the reliable subprotocol in processes of their own. Bound, in the same run: the
same bytes, as often, written to as many sockets by a bare TCP server. Rates of an unthrottled
sender are taken in turn without and with viewers, because a machine has its moods.
"""

import asyncio
import multiprocessing
import os
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from scripts.bench.lines import make_lines
from scripts.bench.machine import Machine, machine
from scripts.bench.report import Row, table
from scripts.bench.senders import request, send
from scripts.bench.viewer_clients import PROBE, Heard, watch
from tests.service_thread import free_port

VIEWERS = int(os.environ.get("BENCH_VIEWERS", "300"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PROCESSES = 2
LINES_PER_SECOND = 1_000
POSTS_PER_SECOND = 20
FRAMES_PER_SECOND = 10
SETTLE_SECONDS = 2.0


class Viewers:
    """The viewers of all processes together."""

    def __init__(self, urls: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._controls = []
        self._processes = []
        for n in range(PROCESSES):
            ours, theirs = context.Pipe()
            process = context.Process(target=watch, args=(urls[n::PROCESSES], theirs))
            process.start()
            theirs.close()  # so that we notice when it ends
            self._controls.append(ours)
            self._processes.append(process)
        for control in self._controls:
            assert control.recv() == "open"

    def heard(self) -> Heard:
        """What they heard since the last time."""
        for control in self._controls:
            control.send("count")
        parts: list[Heard] = [control.recv() for control in self._controls]
        return Heard(
            *(sum(getattr(part, name) for part in parts) for name in _COUNTED),
            [value for part in parts for value in part.from_sent],
            [value for part in parts for value in part.from_post],
            sum(part.cpu_seconds for part in parts),
        )

    def close(self) -> None:
        """Leave."""
        for control, process in zip(self._controls, self._processes, strict=True):
            control.send("stop")
            process.join(10)


_COUNTED = ("frames", "bytes", "disconnects", "holes")


@contextmanager
def viewing(running: Machine) -> Iterator[Viewers]:
    """Viewers of everything."""
    with httpx.Client(base_url=running.base) as client:
        urls = [client.post("/realtime/negotiate").json()["url"] for _ in range(VIEWERS)]
    viewers = Viewers(urls)
    try:
        yield viewers
    finally:
        viewers.close()


def delivered(running: Machine) -> tuple[list[Row], float]:
    """How the viewers are told of a steady stream; also the size of a frame in bytes."""
    with viewing(running) as viewers, _stream(running):
        time.sleep(SETTLE_SECONDS)
        viewers.heard()
        service, began = running.cpu_seconds()[0], time.perf_counter()
        time.sleep(SECONDS)
        heard, seconds = viewers.heard(), time.perf_counter() - began
        service = running.cpu_seconds()[0] - service
    name = f"{VIEWERS} viewers, {LINES_PER_SECOND:,} lines/s"
    rows = [Row(name, "disconnects (goal 0)", heard.disconnects)]
    rows += [Row(name, "holes in their sequences", heard.holes)]
    rows += [Row(name, "frames/s of each viewer", heard.frames / seconds / VIEWERS)]
    rows += [Row(name, "MB/s to all", heard.bytes / seconds / 1e6)]
    for what, times in (
        ("sent to received", heard.from_sent),
        ("POST to received", heard.from_post),
    ):
        rows += [Row(name, f"{what}, p{p} ms", _at(times, p)) for p in (50, 95, 99)]
    rows.append(Row(name, "service CPU, % of a core", service / seconds * 100))
    rows.append(Row(name, "viewers' CPU, % of a core", heard.cpu_seconds / seconds * 100))
    return rows, heard.bytes / max(1, heard.frames)


def ingest_rates(running: Machine) -> list[Row]:
    """Lines/s of an unthrottled sender without and with viewers, in turn."""
    lines = [line.replace(b'"createdAt"', b'"made"') for line in make_lines(20_000)]
    bodies = [
        request("/logs/ingest", b"[" + b",".join(lines[n : n + 500]) + b"]")
        for n in range(0, len(lines), 500)
    ]
    send(running.port, bodies, 4, 2)
    alone, watched, closed = [], [], 0
    for _ in range(ROUNDS):
        sent = send(running.port, bodies, 4, SECONDS / 2)
        alone.append((sent.requests - sent.refused) * 500 / sent.seconds)
        with viewing(running) as viewers:
            sent = send(running.port, bodies, 4, SECONDS / 2)
            closed += viewers.heard().disconnects
        watched.append((sent.requests - sent.refused) * 500 / sent.seconds)
    name = "unthrottled sender, batches of 500"
    before, after = statistics.median(alone), statistics.median(watched)
    return [
        Row(name, "lines/s without viewers", before),
        Row(name, f"lines/s with {VIEWERS}", after),
        Row(name, "% of the rate left (goal 90)", after / before * 100),
        Row(name, "viewers disconnected meanwhile", closed),
    ]


def bound(frame_bytes: float) -> list[Row]:
    """A bare server that writes messages of this size to as many sockets, ten times a second."""
    port = free_port()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_broadcast, args=(port, int(frame_bytes), VIEWERS))
    server.start()
    _wait_for_port(port)
    viewers = Viewers([f"ws://127.0.0.1:{port}/"] * VIEWERS)
    time.sleep(SETTLE_SECONDS)
    viewers.heard()
    began = time.perf_counter()
    time.sleep(SECONDS)
    heard, seconds = viewers.heard(), time.perf_counter() - began
    server.terminate()
    server.join()
    viewers.close()
    name = "bound: bare TCP broadcast of the same bytes"
    return [
        Row(name, "frames/s of each viewer", heard.frames / seconds / VIEWERS),
        *(Row(name, f"p{p} ms", _at(heard.from_sent, p)) for p in (50, 95, 99)),
        Row(name, "viewers' CPU, % of a core", heard.cpu_seconds / seconds * 100),
    ]


def run() -> list[Row]:
    """Delivery, its bound, then the price for a sender."""
    with machine(LOGSTREAM_BATCH_MEMORY_DAYS="1") as running:
        rows, frame_bytes = delivered(running)
        return [*bound(frame_bytes), *rows, *ingest_rates(running)]


@contextmanager
def _stream(running: Machine) -> Iterator[None]:
    """Lines as they come from many senders, one in each post saying when it was posted."""
    stop = threading.Event()
    lines = [line.replace(b'"createdAt"', b'"made"') for line in make_lines(2_000)]
    each = LINES_PER_SECOND // POSTS_PER_SECOND

    def flow() -> None:
        at, due = 0, time.monotonic()
        with httpx.Client(base_url=running.base) as client:
            while not stop.wait(max(0.0, due - time.monotonic())):
                due += 1 / POSTS_PER_SECOND
                probe = b'{"source":"probe","message":"%s%d"}' % (PROBE, time.time() * 1000)
                body = b",".join([probe, *lines[at : at + each - 1]])
                client.post("/logs/ingest", content=b"[" + body + b"]")
                at = (at + each) % (len(lines) - each)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wait_for_port(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the bound's server did not start")


def _broadcast(port: int, frame_bytes: int, viewers: int) -> None:
    import uvloop

    async def serve() -> None:
        writers: list[Any] = []

        async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return  # somebody only looked whether we are there
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            writers.append(writer)
            while await reader.read(65_536):
                pass

        await asyncio.start_server(welcome, "127.0.0.1", port, backlog=2048)
        due, sequence_id = time.monotonic(), 0
        while True:
            due += 1 / FRAMES_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(writers) < viewers:
                continue
            sequence_id += 1
            tail = b'"sentUnixMs":%d,"sequenceId":%d}' % (time.time() * 1000, sequence_id)
            payload = b"x" * (frame_bytes - len(tail)) + tail
            head = bytes((0x81, 127)) + len(payload).to_bytes(8)
            if len(payload) < 65_536:
                head = bytes((0x81, 126)) + len(payload).to_bytes(2)
            message = head + payload
            for writer in writers:
                writer.write(message)

    uvloop.run(serve())


def _at(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


if __name__ == "__main__":
    print(table("Viewers", run()))
