"""A small stand-in for the ingest service and its push hub, for driving the feed's browser side.

It answers the three questions the feed asks, with the real LogFilter, and lets a test decide
what no real service does on request: lose a frame, cap one, refuse or drop sockets.
"""

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from logstream.filter import LogFilter
from logstream.model import LogLine


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
        app = Starlette(
            routes=[
                Route("/realtime/negotiate", self._negotiate, methods=["POST"]),
                Route("/logs/recent", self._recent),
                Route("/logs/{id:int}", self._line),
                Route("/logs/{id:int}/context", self._context),
                Route("/logs/severity-breakdown", self._breakdown),
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

    async def _line(self, request: Request) -> JSONResponse:
        line = self.lines.get(request.path_params["id"])
        if line is None:
            return _error(404, "not_found", f"line {request.path_params['id']} does not exist")
        return JSONResponse(line.to_api())

    async def _context(self, request: Request) -> JSONResponse:
        asked = dict(request.query_params)
        line = self.lines[request.path_params["id"]]
        same = {"env": line.environment, "service": line.service_name}
        log_filter = LogFilter.from_url(asked if asked.get("scope") == "all" else same)

        def key(one: LogLine) -> tuple[int, int]:
            return one.timestamp_unix_nano, one.id

        found = sorted(
            (one for one in self.lines.values() if log_filter.matches(one, time.time_ns())),
            key=key,
            reverse=True,
        )
        newer = [one.to_api() for one in found if key(one) > key(line)]
        older = [one.to_api() for one in found if key(one) < key(line)]
        first = max(0, len(newer) - int(asked["after"]))
        return JSONResponse(
            {
                "before": older[: int(asked["before"])],
                "line": line.to_api(),
                "after": newer[first:],
            }
        )

    async def _breakdown(self, request: Request) -> JSONResponse:
        log_filter = LogFilter.from_url(dict(request.query_params))
        now = time.time_ns()
        count = sum(log_filter.matches(line, now) for line in list(self.lines.values()))
        return JSONResponse([{"severity": "info", "count": count}])


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
