"""One connection: uvicorn's protocols, bounded in size and time, silent when a client goes.

uvicorn's parser keeps a request's head in memory however long it grows, waits for the rest
of a request for ever, answers pipelined requests of a client that has gone into a closed
socket, and reports every viewer that is refused before its handshake as our error.
"""

import re
import socket
import struct
from asyncio import BaseTransport, TimerHandle, Transport
from contextlib import suppress
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from ingest_service.replies import error_body
from logstream import metrics
from logstream.notify.hub_socket import WRITE_TEXT

# Request line and headers; a URL alone may have 64 KiB.
MAX_HEAD_BYTES = 128 * 1024
MAX_HEADERS = 500
# Of one WebSocket in the kernel, not counting what is under way.
MAX_UNSENT_BYTES = 128 * 1024
# What Java's HTTP client offers first. uvicorn takes what follows for HTTP/2, though it did not
# accept, and loses the body: under another name, nobody sees the offer (RFC 9110, 7.8).
_OFFER = re.compile(rb"\r\nupgrade(?=:[ \t]*h2c)", re.IGNORECASE)
_UNSEEN_OFFER = b"\r\nx-offer"
# A body may take so many times the time it may stand still.
WHOLE_BODY_FACTOR = 4


class HeadWithBody(Transport):
    """A transport that sends a response's head together with the first of its body.

    uvicorn writes them apart, which is two system calls and wakes the sender twice.
    """

    def __init__(self, transport: Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._head = b""
        # The answer to HEAD has no body that its head could wait for.
        self._is_open = cycle.scope["method"] == "HEAD"

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def is_closing(self) -> bool:
        """True when the connection is closed or being closed."""
        return self._transport.is_closing()

    def write(self, data: Any) -> None:
        """Send, or keep when it is the head."""
        if self._is_open:
            self._transport.write(data)
        elif self._head:
            self._transport.write(self._head + data)
            self._is_open = True
        elif self._cycle.response_started:
            self._head = data
        else:
            self._transport.write(data)  # 100 Continue


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head that is too long, and a request that comes too slowly.

    A connection may say nothing, a head be incomplete and a body stand still for
    `body_timeout_seconds`, and a body take WHOLE_BODY_FACTOR times that. A request that comes
    in one piece costs no timer: one is armed only while the rest of something is awaited.
    """

    transport: Transport
    body_timeout_seconds = 30.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Of the request that is being read: nothing yet, its head, its body.
        self._is_in_head = self._is_in_body = False
        self._head_bytes = 0
        self._messages = 0
        self._running: RequestResponseCycle | None = None
        self._slowness: TimerHandle | None = None
        # Loop times: of the first piece of what is awaited, and of the last.
        self._awaited_since = self._heard_at = 0.0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client that connects must also say something."""
        super().connection_made(transport)
        self._awaited_since = self._heard_at = self.loop.time()
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then see how long, and since when, a request is incomplete."""
        if self.transport.is_closing():
            return
        message, was_in_body = self._messages, self._is_in_body
        if not was_in_body and b"h2c" in data:
            head, end, body = data.partition(b"\r\n\r\n")
            data = _OFFER.sub(_UNSEEN_OFFER, head) + end + body
        super().data_received(data)
        if not (self._is_in_head or self._is_in_body) or self.transport.is_closing():
            return
        is_new_part = message != self._messages or was_in_body != self._is_in_body
        self._note_heard(is_new_part)
        # Of a chunk in which the head began, nobody knows how much is head: not counted.
        if self._is_in_head and message == self._messages:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(
                    b"431 Request Header Fields Too Large",
                    "head_too_large",
                    f"the request line and headers are over {MAX_HEAD_BYTES // 1024} KiB",
                    "send a shorter URL and fewer headers",
                )

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head, self._is_in_body = True, False
        self._head_bytes = 0
        self._messages += 1

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._is_in_head, self._is_in_body = False, True
        if len(self.headers) > MAX_HEADERS:
            self._is_in_body = False  # so that there is nothing to end but the connection
            self._refuse(
                b"431 Request Header Fields Too Large",
                "head_too_large",
                f"the request has {len(self.headers)} headers; the limit is {MAX_HEADERS}",
                "send fewer headers",
            )
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is here as a whole."""
        self._is_in_body = False
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on another protocol has the connection."""
        if self.scope["method"] != "GET":
            self.send_400_response("only GET becomes a WebSocket")
            return
        self._disarm()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or two things at once: lengths that differ, folded headers.

        What such a request means is a matter of opinion, and a proxy before us may have another.
        """
        self._is_in_body = False
        self._refuse(b"400 Bad Request", "bad_http", msg, "send HTTP/1.1 as RFC 9112 has it")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self._disarm()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        cycle.transport = HeadWithBody(self.transport, cycle)
        super()._start_asgi_task(cycle, app)

    def _note_heard(self, is_new_part: bool) -> None:
        self._heard_at = self.loop.time()
        if is_new_part:
            self._awaited_since = self._heard_at
        self._arm()

    def _arm(self) -> None:
        """One timer at a time: it looks when it fires, nothing moves it before."""
        if self._slowness is None:
            self._slowness = self.loop.call_at(self._deadline(), self._look)

    def _disarm(self) -> None:
        if self._slowness is not None:
            self._slowness.cancel()
            self._slowness = None

    def _deadline(self) -> float:
        if not self._is_in_body:
            return self._awaited_since + self.body_timeout_seconds
        return min(
            self._heard_at + self.body_timeout_seconds,
            self._awaited_since + WHOLE_BODY_FACTOR * self.body_timeout_seconds,
        )

    def _look(self) -> None:
        """Give up on a request that is late; look again later at one that is not."""
        self._slowness = None
        if self.transport.is_closing():
            return
        is_silent = self._messages == 0
        if not (is_silent or self._is_in_head or self._is_in_body):
            return
        # While we do not read, or an earlier answer is under way, the client is not late.
        is_answering = self._running is not None and not self._running.response_complete
        if self.flow.read_paused or (self._is_in_head and is_answering):
            self._awaited_since = self._heard_at = self.loop.time()
        if self.loop.time() < self._deadline():
            self._arm()
        elif is_silent or (self._is_in_body and self.cycle.response_started):
            self.transport.close()
        else:
            self._give_up()

    def _give_up(self) -> None:
        metrics.SLOW_REQUESTS.inc()
        part = "body" if self._is_in_body else "head"
        self._refuse(
            b"408 Request Timeout",
            f"{part}_too_slow",
            f"the rest of the request's {part} did not come in time",
            f"{self.body_timeout_seconds:g} s without a byte are too long "
            "(LOGSTREAM_BODY_TIMEOUT_SECONDS); send smaller batches over a slow line",
        )

    def _refuse(self, status: bytes, code: str, message: str, hint: str) -> None:
        """Answer before the application could, and close."""
        body = msgspec.json.encode(error_body(code, message, hint))
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
            b"content-length: %d\r\n\r\n%b" % (status, len(body), body)
        )
        self.transport.close()
        if self._is_in_body:
            # The application hears at once that nobody is there, and answers nothing.
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def bounded_http(body_timeout: float) -> type[BoundedHttp]:
    """The protocol with this many seconds for `body_timeout_seconds`."""

    class Bounded(BoundedHttp):
        body_timeout_seconds = body_timeout

    return Bounded


class QuietWebSocket(WebSocketsSansIOProtocol):
    """Takes a refusal for what it is: an answer, after which no handshake is missing.

    Offers the built-in hub to write without a task and without a copy for each viewer.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        """Keep little in the kernel: what waits there, nobody can leave out any more."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        with suppress(OSError, AttributeError):  # not everywhere, and not on a Unix socket
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)

    def handle_connect(self, event: Request) -> None:
        """A handshake has come."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.config.ws_per_message_deflate:
            scope = getattr(self, "scope", None)
            if scope is not None:
                scope["extensions"][WRITE_TEXT] = self.write_text

    def write_text(self, parts: list[bytes]) -> bool:
        """Write one text message; False when the client takes no more now, or is going."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.close_sent
            or self.disconnected
            or self.conn.state is not State.OPEN
            or self.transport.is_closing()
        ):
            return False
        length = sum(map(len, parts))
        if length < 126:
            head = struct.pack("!BB", 0x81, length)
        elif length < 65_536:
            head = struct.pack("!BBH", 0x81, 126, length)
        else:
            head = struct.pack("!BBQ", 0x81, 127, length)
        self.transport.writelines([head, *parts])
        return True

    async def send(self, message: Any) -> None:
        """Send one ASGI message."""
        await super().send(message)
        is_refusal = message["type"] == "websocket.http.response.body"
        if is_refusal and not message.get("more_body", False):
            self.handshake_complete = True
