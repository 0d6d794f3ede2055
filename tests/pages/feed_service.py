"""A small stand-in for the ingest service and its push hub, for driving the feed's browser side.

It answers the three questions the feed asks, with the real LogFilter, and lets a test decide
what no real service does on request: lose a frame, cap one, refuse or drop sockets.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, LogLine, Severity, iso_time, to_unix_nano


class FeedService:
    """One running service; use as a context manager. Methods are safe from any thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lines: dict[int, LogLine] = {}
        self.sockets: set[WebSocket] = set()
        self.sequences: dict[str, int] = {}
        self.refuses_sockets = False
        self.is_broken = False
        self.asked: list[str] = []
        self.accepted = 0
        self.asked_received: list[dict[str, str]] = []
        self.delay_seconds = 0.0
        app = Starlette(
            routes=[
                Route("/realtime/negotiate", self._negotiate, methods=["POST"]),
                Route("/logs/recent", self._recent),
                Route("/logs/received", self._received),
                Route("/logs/{id:int}", self._line),
                WebSocketRoute("/client/hubs/logstream", self._socket),
            ]
        )
        app.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
        )
        self._server = uvicorn.Server(
            uvicorn.Config(app, "127.0.0.1", port, log_level="error", ws="websockets-sansio")
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "FeedService":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(5)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())

    def store(self, lines: Sequence[LogLine]) -> None:
        """Keep lines without telling anybody."""
        self.lines.update((line.id, line) for line in lines)

    def push(
        self,
        lines: Sequence[LogLine],
        *,
        shown: int | None = None,
        cut: int | None = None,
        lost: bool = False,
    ) -> None:
        """Store lines and publish one frame with the newest `shown` of them.

        `cut`: longer messages are cut in the frame and longer attributes left out, as the
        real one does.
        `lost`: the sequence number is used up, but nobody receives the frame.
        """
        self.store(lines)
        environment = lines[0].environment
        sequence = self.sequences[environment] = self.sequences.get(environment, 0) + 1
        counts: dict[tuple[str, str], int] = {}
        for line in lines:
            key = line.service_name, str(line.to_api()["severity"])
            counts[key] = counts.get(key, 0) + 1
        ordered = sorted(lines, key=lambda line: line.id)
        frame = {
            "type": "frame",
            "environment": environment,
            "publisher": "0badcafe",
            "sequence": sequence,
            "firstId": ordered[0].id,
            "lastId": ordered[-1].id,
            "total": len(lines),
            "counts": [{"source": s, "severity": w, "count": n} for (s, w), n in counts.items()],
            "lines": [_cut(line, cut) for line in ordered[len(lines) - (shown or len(lines)) :]],
            "sentUnixMs": int(time.time() * 1000),
        }
        if not lost:
            self._call(self._send(environment, frame))

    def drop_sockets(self) -> None:
        """Close every connection, as a restarted hub does."""
        self._call(self._close())

    def _call(self, coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)  # type: ignore[arg-type]

    async def _send(self, environment: str, frame: dict[str, object]) -> None:
        message = {
            "type": "message",
            "from": "group",
            "group": environment,
            "dataType": "json",
            "data": frame,
        }
        for socket in list(self.sockets):
            try:
                await socket.send_json(message)
            except WebSocketDisconnect:
                self.sockets.discard(socket)

    async def _close(self) -> None:
        for socket in list(self.sockets):
            await socket.close(1012)
        self.sockets.clear()

    async def _negotiate(self, request: Request) -> JSONResponse:
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        groups = (await request.json())["env"]
        url = f"ws://{request.url.hostname}:{self.port}/client/hubs/logstream?access_token=a.b.c"
        return JSONResponse({"url": url, "accessToken": "a.b.c", "expiresAt": 0, "groups": groups})

    async def _socket(self, socket: WebSocket) -> None:
        if self.refuses_sockets:
            await socket.close()
            return
        await socket.accept("json.webpubsub.azure.v1")
        await socket.send_json({"type": "system", "event": "connected", "connectionId": "c"})
        self.accepted += 1
        self.sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            self.sockets.discard(socket)

    async def _recent(self, request: Request) -> JSONResponse:
        self.asked.append(str(request.url.query))
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        asked = dict(request.query_params)
        log_filter = LogFilter.from_url(asked)
        first, last = int(asked.get("fromId", 0)), int(asked.get("toId", 2**62))
        now = time.time_ns()
        found = [
            line
            for line in list(self.lines.values())
            if first <= line.id <= last and log_filter.matches(line, now)
        ]
        found.sort(key=lambda line: (line.timestamp_unix_nano, line.id), reverse=True)
        return JSONResponse([line.to_api() for line in found[: int(asked.get("limit", 50))]])

    async def _received(self, request: Request) -> JSONResponse:
        self.asked_received.append(dict(request.query_params))
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        await asyncio.sleep(self.delay_seconds)
        asked = dict(request.query_params)
        start, end = (to_unix_nano(datetime.fromisoformat(asked.pop(n))) for n in ("from", "to"))
        limit, slots = int(asked["limit"]), int(asked["slots"])
        log_filter = LogFilter.from_url(asked)
        lines = [line for line in self.lines.values() if log_filter.matches(line, time.time_ns())]
        lines.sort(key=lambda line: (line.observed_unix_nano, line.id))
        found = [line for line in lines if start <= line.observed_unix_nano < end]
        after = [line for line in lines if line.observed_unix_nano >= end]
        counts: Counter[tuple[int, str, str, str, int]] = Counter()
        for line in found:
            slot = (line.observed_unix_nano - start) * slots // (end - start)
            severity = Severity.of(line.severity_number).word
            minute = line.timestamp_unix_nano // NANOS_PER_MINUTE * 60
            counts[slot, line.environment, line.service_name, severity, minute] += 1
        names = ("slot", "environment", "source", "severity", "minute")
        step = max(1, -(-len(found) // limit))
        return JSONResponse(
            {
                "from": iso_time(start),
                "to": iso_time(end),
                "total": len(found),
                "counts": [
                    {**dict(zip(names, key, strict=True)), "count": n} for key, n in counts.items()
                ],
                "lines": [line.to_api() for line in found[::step]],
                "isSample": step > 1,
                "next": iso_time(after[0].observed_unix_nano) if after else None,
            }
        )

    async def _line(self, request: Request) -> JSONResponse:
        line = self.lines.get(request.path_params["id"])
        if line is None:
            return _error(404, "not_found", f"line {request.path_params['id']} does not exist")
        return JSONResponse(line.to_api())


def _cut(line: LogLine, length: int | None) -> dict[str, Any]:
    shape = line.to_api()
    if length is not None and len(line.body) > length:
        shape |= {"message": line.body[:length], "messageBytes": len(line.body.encode())}
    metadata_bytes = len(json.dumps(line.attributes))
    if length is not None and metadata_bytes > length:
        shape |= {"metadata": {}, "metadataBytes": metadata_bytes}
    return shape


def _error(status: int, code: str, message: str) -> JSONResponse:
    error = {"code": code, "message": message, "hint": "try again"}
    return JSONResponse({"error": error}, status)
