"""The second rung: this process listens to the push hub for viewers whose browsers cannot.

One relay serves every viewer of the process. It listens while somebody asks, and a minute
longer; arrivals wait in a bounded ring, numbered, and whoever was away for longer finds a hole
in the frames' own sequence and asks the database.
"""

import asyncio
import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
from azure.messaging.webpubsubclient.aio import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import CallbackType, OnGroupDataMessageArgs

from logstream.filter import Choice

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 5.0
NEGOTIATE_TIMEOUT_SECONDS = 5.0
MAX_RING_BYTES = 32 * 1024 * 1024
# What one viewer gets at once: ten frames of the largest kind.
MAX_HANDED_BYTES = 2 * 1024 * 1024


class Arrival(NamedTuple):
    """One frame, as it came, and about how many bytes it costs to hand over."""

    number: int
    frame: dict[str, Any]
    size: int


@dataclass(frozen=True)
class Handed:
    """What a viewer gets: frames newer than `after` was, and where it stands now.

    `relay_id` changes whenever frames may have passed unheard: the viewer then reads the
    newest lines once.
    """

    relay_id: str
    is_listening: bool
    problem: str
    after: int
    frames: list[dict[str, Any]]


class PushRelay:
    """Listens to every environment; `frames_after` starts it and keeps it going.

    `service_url` and `authorization` reach `POST /realtime/negotiate`. Safe from any thread.
    """

    def __init__(
        self,
        service_url: str,
        authorization: Callable[[], dict[str, str]],
        *,
        idle_seconds: float = IDLE_SECONDS,
        max_ring_bytes: int = MAX_RING_BYTES,
    ) -> None:
        self._service_url = service_url
        self._authorization = authorization
        self._idle_seconds = idle_seconds
        self._max_ring_bytes = max_ring_bytes
        self._id = secrets.token_hex(4)
        self._epoch = 0
        self._problem = ""
        self._ring: deque[Arrival] = deque()
        self._ring_bytes = 0
        self._arrived = 0
        self._asked_at = 0.0
        self._client: WebPubSubClient | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether it listens, or tries to."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def frames_after(self, relay_id: str, after: int, environment: Choice) -> Handed:
        """The frames of these environments that arrived after number `after`.

        A viewer that was handed another `relay_id` last gets none, but a place to go on from.
        """
        with self._lock:
            self._asked_at = time.monotonic()
            if not self.is_running:
                self._thread = threading.Thread(target=self._run, name="push-relay", daemon=True)
                self._thread.start()
            client = self._client
            is_listening = client is not None and bool(client.is_connected())
            reached, frames = self._arrived, list[dict[str, Any]]()
            if relay_id.partition(".")[0] == self._id:
                reached, frames = self._newer(after, environment)
            return Handed(f"{self._id}.{self._epoch}", is_listening, self._problem, reached, frames)

    def _newer(self, after: int, environment: Choice) -> tuple[int, list[dict[str, Any]]]:
        frames, size, reached = list[dict[str, Any]](), 0, after
        for arrival in self._ring:
            if arrival.number <= after:
                continue
            if environment.allows(str(arrival.frame.get("environment"))):
                size += arrival.size
                if size > MAX_HANDED_BYTES and frames:
                    break
                frames.append(arrival.frame)
            reached = arrival.number
        return reached, frames

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except Exception:
            log.exception("the push relay ended")

    async def _listen(self) -> None:
        # Its own account of every failed try would fill the log of a dashboard without a hub.
        logging.getLogger("azure.messaging.webpubsubclient").setLevel(logging.CRITICAL)
        failures = 0
        while not self._is_idle():
            try:
                await self._listen_once()
                failures = 0
            except Exception as error:
                failures += 1
                if failures == 1:
                    log.warning("the push hub cannot be listened to (%s); trying on", error)
            await asyncio.sleep(min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * max(1, failures)))

    async def _listen_once(self) -> None:
        """From opening a connection until the client gives it up, or nobody asks any more."""
        stopped = asyncio.Event()

        async def on_stopped() -> None:
            stopped.set()

        async def on_connected(_: object) -> None:
            with self._lock:
                self._epoch += 1

        async def on_frame(message: OnGroupDataMessageArgs) -> None:
            self._take(message.data)

        client = WebPubSubClient(WebPubSubClientCredential(self._negotiate))
        await client.subscribe(CallbackType.GROUP_MESSAGE, on_frame)
        await client.subscribe(CallbackType.CONNECTED, on_connected)
        await client.subscribe(CallbackType.STOPPED, on_stopped)
        await client.open()
        self._client = client
        try:
            while not stopped.is_set() and not self._is_idle():
                try:
                    async with asyncio.timeout(1.0):
                        await stopped.wait()
                except TimeoutError:
                    continue
        finally:
            self._client = None
            await client.close()

    async def _negotiate(self) -> str:
        async with httpx.AsyncClient(timeout=NEGOTIATE_TIMEOUT_SECONDS, trust_env=False) as http:
            answer = await http.post(
                f"{self._service_url}/realtime/negotiate",
                json={"env": []},
                headers=self._authorization(),
            )
        facts: dict[str, Any] = answer.json()
        error = facts.get("error") or {}
        self._problem = str(facts.get("problem") or error.get("message") or "")
        answer.raise_for_status()
        return str(facts["url"])

    def _take(self, frame: object) -> None:
        if not isinstance(frame, dict) or frame.get("type") != "frame":
            return
        size = len(json.dumps(frame))
        with self._lock:
            self._arrived += 1
            self._ring.append(Arrival(self._arrived, frame, size))
            self._ring_bytes += size
            while self._ring_bytes > self._max_ring_bytes:
                self._ring_bytes -= self._ring.popleft().size

    def _is_idle(self) -> bool:
        return time.monotonic() - self._asked_at > self._idle_seconds
