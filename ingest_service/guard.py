"""Who may ask, and how much: body limits and cross-origin reading."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logstream.errors import StoreUnavailable, TooLarge

# How long a body waits to be read while others fill the memory.
PATIENCE_SECONDS = 10.0
# What a page of another origin may read of an answer, beside its body.
EXPOSED_HEADERS = "X-LogStream-Source, X-LogStream-Total, Content-Disposition, Retry-After"


class ClientGone(Exception):
    """The sender went, or came too slowly (http_protocol.py), before the body was complete."""


async def read_body(receive: Receive, content_length: bytes | None, limit_bytes: int) -> bytes:
    """The whole body as sent; raises TooLarge as soon as the limit is passed."""
    if (
        content_length is not None
        and content_length.isdigit()
        and int(content_length) > limit_bytes
    ):
        raise too_large(int(content_length), limit_bytes)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > limit_bytes:
            raise too_large(len(body), limit_bytes)
        return body
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise too_large(size, limit_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()


def too_large(size: int, limit_bytes: int) -> TooLarge:
    """The error for a body over the limit."""
    limit = f"{limit_bytes / 1_048_576:.1f} MiB"
    return TooLarge(
        f"body is {size / 1_048_576:.1f} MiB or more; the limit is {limit}",
        "send smaller batches or raise LOGSTREAM_MAX_BODY_BYTES",
    )


class BoundedBodies:
    """Holds all bodies that are being received, decoded or landed within one limit.

    From half of it on a new body is not read: its sender feels that as a slow network and
    slows down. Bodies already begun may use the other half, since making all of them wait
    for each other would end nothing; beyond the limit they are refused.
    """

    def __init__(
        self, app: ASGIApp, limit_bytes: int, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._patience_seconds = patience_seconds
        self._held = 0
        self._has_room = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = 0

        async def receive_counted() -> Message:
            nonlocal own
            if not own and self._is_half_full():
                await self._wait_for_room()
            message = await receive()
            size = len(message.get("body", b""))
            own += size
            self._held += size
            # A lone body is held to its own limit.
            if self._held > self._limit_bytes and self._held > own:
                raise self._refusal()
            return message

        try:
            await self._app(scope, receive_counted, send)
        finally:
            self._held -= own
            if not self._is_half_full():
                self._has_room.set()

    def _is_half_full(self) -> bool:
        return self._held > self._limit_bytes // 2

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self._patience_seconds):
                while self._is_half_full():
                    self._has_room.clear()
                    await self._has_room.wait()
        except TimeoutError:
            raise self._refusal() from None

    def _refusal(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._held} bytes of bodies are under way; "
            f"the limit is {self._limit_bytes} (LOGSTREAM_MAX_PENDING_BYTES)",
            "send again later, or from fewer senders at once",
        )


class CrossOriginReading:
    """Lets the dashboard's page read over HTTP, and no other web site.

    Allowed is the service's own host name on any port (the dashboard's port differs from
    ours) and the origins given. Everything else gets no CORS header, so a browser keeps
    the answer from the page that asked.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or not self._is_allowed(origin, headers.get("host", "")):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await send(
                {
                    "type": "http.response.start",
                    "status": 204,
                    "headers": [
                        (b"access-control-allow-origin", origin.encode()),
                        (b"access-control-allow-methods", b"GET, POST"),
                        (b"access-control-allow-headers", b"content-type, authorization"),
                        (b"access-control-max-age", b"600"),
                        (b"vary", b"Origin"),
                    ],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out["Access-Control-Allow-Origin"] = origin
                out["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
                out.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_allowed)

    def _is_allowed(self, origin: str, host: str) -> bool:
        if origin in self._allowed_origins:
            return True
        try:
            return urlsplit(origin).hostname == urlsplit(f"//{host}").hostname is not None
        except ValueError:
            return False
