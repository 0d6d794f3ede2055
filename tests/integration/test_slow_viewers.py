"""Viewers that do not read: real sockets, a hub as `serve` has it, and its limits made small.

A slow viewer costs itself something, never the others: of a plain one the oldest frames are
left out, so that it sees a gap; a reliable one, whose numbers have no holes, is closed.
"""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.hub_server import RunningHub, running_hub, wait_until

JSON = "json.webpubsub.azure.v1"
RELIABLE = "json.reliable.webpubsub.azure.v1"
FRAME_CHARACTERS = 500_000
# Kernel buffers and the hub's queue are full long before: 200 frames are 100 MB.
MOST_FRAMES = 200
# One limit at a time; as old as this nothing gets while a busy machine reads it.
BY_BYTES = {"max_queue_bytes": 2_000_000, "max_queue_seconds": 60}
BY_AGE = {"max_queue_bytes": 200_000_000, "max_queue_seconds": 2}


@contextmanager
def two_viewers(
    running: RunningHub, subprotocol: str | None
) -> Iterator[tuple[ClientConnection, ClientConnection]]:
    """One that reads nothing yet, and one that reads everything."""
    slow = connect(
        running.client_url("logs"),
        subprotocols=[subprotocol] if subprotocol else None,  # type: ignore[list-item]
        proxy=None,
        compression=None,
        max_queue=1,
        max_size=None,
        close_timeout=0.2,
        legacy=True,
    )
    try:
        with connect(
            running.client_url("logs"),
            subprotocols=[JSON],  # type: ignore[list-item]
            proxy=None,
            max_size=None,
        ) as fast:
            assert json.loads(fast.recv(10))["event"] == "connected"
            wait_until(lambda: running.hub.connections == 2, "both are connected")
            yield slow, fast
    finally:
        slow.socket.close()


def send(service: WebPubSubServiceClient, fast: ClientConnection, number: int) -> float:
    """One frame, and how long the fast viewer waited for it."""
    began = time.monotonic()
    service.send_to_group(
        "logs", f"{number:06} " + "x" * FRAME_CHARACTERS, content_type="text/plain"
    )
    assert json.loads(fast.recv(10))["data"].startswith(f"{number:06} ")
    return time.monotonic() - began


def numbers_read(slow: ClientConnection, subprotocol: str | None, last: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] < last:
        text = slow.recv(10)
        content: Any = text if subprotocol is None else json.loads(text).get("data")
        if content is not None:
            found.append(int(str(content)[:6]))
    return found


@pytest.mark.parametrize("subprotocol", [None, JSON])
@pytest.mark.parametrize("limits", [BY_BYTES, BY_AGE])
def test_of_a_plain_viewer_the_oldest_frames_are_left_out_and_the_others_get_everything(
    subprotocol: str | None, limits: dict[str, float]
) -> None:
    with (
        running_hub(**limits) as running,
        running.service() as service,
        two_viewers(running, subprotocol) as (slow, fast),
    ):
        sent = 0
        while running.hub.messages_dropped < 3:
            assert sent < MOST_FRAMES, "nothing was left out"
            send(service, fast, sent)
            sent += 1
            time.sleep(0.05)
        assert running.hub.connections == 2 and running.hub.slow_viewers_dropped == 0
        if limits == BY_AGE:
            time.sleep(2.5)  # now everything in the queue is too old
        send(service, fast, sent)
        read = numbers_read(slow, subprotocol, sent)
        # The oldest were under way already, the newest waited; what lies between is missing.
        missing = [n for n in range(sent) if n not in read]
        assert read == sorted(read) and read[0] == 0
        assert len(missing) == running.hub.messages_dropped >= 3
        gaps = [b - a for a, b in itertools.pairwise(read) if b - a > 1]
        assert len(gaps) <= 3
        # And it is a viewer as before.
        send(service, fast, sent + 1)
        assert numbers_read(slow, subprotocol, sent + 1) == [sent + 1]
        assert running.hub.slow_viewers == 0


@pytest.mark.parametrize("limits", [BY_BYTES, BY_AGE])
def test_a_reliable_viewer_is_closed_comes_back_anew_and_the_others_get_everything(
    limits: dict[str, float],
) -> None:
    with (
        running_hub(**limits) as running,
        running.service() as service,
        two_viewers(running, RELIABLE) as (slow, fast),
    ):
        sent = 0
        while running.hub.slow_viewers_dropped == 0:
            assert sent < MOST_FRAMES, "the viewer was never closed"
            send(service, fast, sent)
            sent += 1
            time.sleep(0.05)
        wait_until(lambda: running.hub.connections == 1, "the slow one is gone")
        assert running.hub.messages_dropped == 0
        numbers = []
        with pytest.raises(ConnectionClosed):
            while True:
                message = json.loads(slow.recv(10))
                if message["type"] == "message":
                    numbers.append(message["sequenceId"])
        assert numbers == list(range(1, len(numbers) + 1))
        with connect(
            running.client_url("logs"),
            subprotocols=[RELIABLE],  # type: ignore[list-item]
            proxy=None,
            max_size=None,
        ) as again:
            assert json.loads(again.recv(10))["event"] == "connected"
            send(service, fast, sent)
            assert json.loads(again.recv(10))["sequenceId"] == 1


def test_the_hub_knows_who_is_behind() -> None:
    with (
        running_hub(max_queue_seconds=60, max_queue_bytes=64_000_000) as running,
        running.service() as service,
        two_viewers(running, JSON) as (slow, fast),
    ):
        for number in range(30):
            send(service, fast, number)
        wait_until(lambda: running.hub.slow_viewers == 1, "it is a second behind")
        assert numbers_read(slow, JSON, 29) == list(range(30))
        wait_until(lambda: running.hub.slow_viewers == 0, "it has caught up")
