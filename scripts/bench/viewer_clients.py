"""Many WebSocket viewers in one process, cheap enough not to be what is measured.

They speak the reliable subprotocol as a browser does, acknowledge once a second, and of each
frame look only for the time it was sent and for a probe's time in it.
"""

import base64
import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SUBPROTOCOL = "json.reliable.webpubsub.azure.v1"
PROBE = b"probe sent at "
_SENT = b'"sentUnixMs":'
_SEQUENCE = b'"sequenceId":'
_READ_BYTES = 256 * 1024


@dataclass
class Heard:
    """What the viewers of one process saw; latencies in milliseconds."""

    frames: int = 0
    bytes: int = 0
    disconnects: int = 0
    holes: int = 0
    from_sent: list[float] = field(default_factory=list)
    from_post: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Viewer:
    """One socket after its handshake."""

    def __init__(self, url: str, *, looks_for_probes: bool) -> None:
        self.socket = _opened(url)
        self.sequence_id = self.acknowledged = 0
        self._looks_for_probes = looks_for_probes
        self._buffer = bytearray()

    def read(self, heard: Heard) -> bool:
        """Take what has come; False when the other side has closed."""
        try:
            part = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not part:
            return False
        self._buffer += part
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == 0x8:
                return False
            if opcode == 0x9:
                self._send(0xA, payload)
            elif opcode == 0x1:
                self._note(payload, heard)
        return True

    def acknowledge(self) -> None:
        """As clients do, about once a second."""
        if self.sequence_id > self.acknowledged:
            self.acknowledged = self.sequence_id
            self._send(0x1, b'{"type":"sequenceAck","sequenceId":%d}' % self.sequence_id)

    def _note(self, payload: bytes, heard: Heard) -> None:
        at = payload.rfind(_SENT)
        if at < 0:
            return
        now = time.time() * 1000
        heard.frames += 1
        heard.bytes += len(payload)
        heard.from_sent.append(now - _number(payload, at + len(_SENT)))
        sequence_id = _number(payload, payload.rfind(_SEQUENCE) + len(_SEQUENCE))
        heard.holes += sequence_id != self.sequence_id + 1
        self.sequence_id = sequence_id
        if self._looks_for_probes and (probe := payload.find(PROBE)) >= 0:
            heard.from_post.append(now - _number(payload, probe + len(PROBE)))

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            form, start = ("!H", 4) if length == 126 else ("!Q", 10)
            if len(buffer) < start:
                return None
            (length,) = struct.unpack_from(form, buffer, 2)
        if len(buffer) < start + length:
            return None
        payload = bytes(buffer[start : start + length])
        opcode = buffer[0] & 0x0F
        del buffer[: start + length]
        return opcode, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        # A mask of zeros leaves the payload as it is.
        try:
            self.socket.send(bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        except OSError:
            return


def watch(urls: list[str], control: Any) -> None:
    """Open a viewer for each URL, say "open" and read until told to stop; then send Heard.

    `control` is a multiprocessing connection; each `"count"` sends what was heard since the
    last one.
    """
    selector = selectors.DefaultSelector()
    viewers = [Viewer(url, looks_for_probes=n % 10 == 0) for n, url in enumerate(urls)]
    for viewer in viewers:
        viewer.socket.setblocking(False)
        selector.register(viewer.socket, selectors.EVENT_READ, viewer)
    selector.register(control, selectors.EVENT_READ, None)
    control.send("open")
    heard, cpu, next_ack = Heard(), time.process_time(), time.monotonic() + 1
    while True:
        for key, _ in selector.select(max(0.0, next_ack - time.monotonic())):
            if key.data is None:
                if control.recv() == "stop":
                    return
                heard.cpu_seconds = time.process_time() - cpu
                control.send(heard)
                heard, cpu = Heard(), time.process_time()
            elif not key.data.read(heard):
                heard.disconnects += 1
                selector.unregister(key.data.socket)
                key.data.socket.close()
        if time.monotonic() >= next_ack:
            next_ack = time.monotonic() + 1
            for viewer in viewers:
                viewer.acknowledge()


def _number(payload: bytes, start: int) -> int:
    end = start
    while payload[end : end + 1].isdigit():
        end += 1
    return int(payload[start:end])


def _opened(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
    connection.sendall(
        f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = connection.recv(1)
        if not part:
            raise SystemExit(f"no WebSocket: {head.decode(errors='replace')}")
        head += part
    if not head.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"no WebSocket: {head.decode(errors='replace')}")
    return connection
