"""One connection: uvicorn's protocols, bounded and silent when a client goes.

uvicorn's parser keeps a request's head in memory however long it grows, answers pipelined
requests of a client that has gone into a closed socket, and reports every viewer that is
refused before its handshake as our error.
"""

from asyncio import Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Request line and headers; a URL alone may have 64 KiB.
MAX_HEAD_BYTES = 128 * 1024
_REFUSAL = (
    b'{"error":{"code":"head_too_large","message":"the request line and headers are over %d KiB",'
    b'"hint":"send a shorter URL and fewer headers"}}' % (MAX_HEAD_BYTES // 1024)
)


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
    """Refuses a head over MAX_HEAD_BYTES with 431; drops what waits when the client goes."""

    transport: Transport

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_in_head = True
        self._head_bytes = 0
        self._messages = 0
        self._running: RequestResponseCycle | None = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then see how long a head has become that did not end yet."""
        if self.transport.is_closing():
            return
        message = self._messages
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        # Of a chunk in which the head began, nobody knows how much is head: not counted.
        if message == self._messages:
            self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"content-type: application/json\r\nconnection: close\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL)
            )
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0
        self._messages += 1

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._is_in_head = False
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        cycle.transport = HeadWithBody(self.transport, cycle)
        super()._start_asgi_task(cycle, app)


class QuietWebSocket(WebSocketsSansIOProtocol):
    """Takes a refusal for what it is: an answer, after which no handshake is missing."""

    async def send(self, message: Any) -> None:
        """Send one ASGI message."""
        await super().send(message)
        is_refusal = message["type"] == "websocket.http.response.body"
        if is_refusal and not message.get("more_body", False):
            self.handshake_complete = True
