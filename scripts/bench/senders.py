"""Raw HTTP senders: cheap enough not to be what is measured.

One process each, blocking sockets, keep-alive, prebuilt requests. The parent gives all of
them the same start and adds up what they counted.
"""

import multiprocessing
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Sent:
    """What the senders saw, all together."""

    requests: int
    seconds: float
    latencies: list[float]
    refused: int

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def request(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """One HTTP/1.1 POST as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, processes: int = 1
) -> Sent:
    """Send the requests round and round over `connections` for a number of seconds."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    share = connections // processes
    workers = [
        context.Process(target=_worker, args=(port, requests, share, seconds, n, queue))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    results = [queue.get() for _ in workers]
    for worker in workers:
        worker.join()
    return Sent(
        sum(result[0] for result in results),
        max(result[1] for result in results),
        [latency for result in results for latency in result[2]],
        sum(result[3] for result in results),
    )


def _worker(
    port: int,
    requests: Sequence[bytes],
    connections: int,
    seconds: float,
    offset: int,
    queue: object,
) -> None:
    import selectors

    selector = selectors.DefaultSelector()
    sockets = []
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(connection)
    started = time.perf_counter()
    deadline = started + seconds
    done, refused, next_request = 0, 0, offset * 7919
    latencies: list[float] = []
    begun: dict[int, float] = {}
    for connection in sockets:
        begun[connection.fileno()] = time.perf_counter()
        connection.sendall(requests[next_request % len(requests)])
        next_request += 1
        selector.register(connection, selectors.EVENT_READ)
    waiting = len(sockets)
    while waiting:
        for key, _ in selector.select(30):
            connection = key.fileobj
            reply = connection.recv(65_536)
            while not _is_complete(reply):
                more = connection.recv(65_536)
                if not more:
                    raise SystemExit("the service closed the connection")
                reply += more
            now = time.perf_counter()
            latencies.append(now - begun[connection.fileno()])
            done += 1
            refused += not reply.startswith(b"HTTP/1.1 2")
            if now < deadline:
                begun[connection.fileno()] = now
                connection.sendall(requests[next_request % len(requests)])
                next_request += 1
            else:
                selector.unregister(connection)
                waiting -= 1
    queue.put((done, time.perf_counter() - started, latencies, refused))


def _is_complete(reply: bytes) -> bool:
    head, separator, body = reply.partition(b"\r\n\r\n")
    if not separator:
        return False
    if head.startswith(b"HTTP/1.1 204"):
        return True
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False
