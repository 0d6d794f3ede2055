"""A small stand-in for the ingest service, with the real built-in hub, for driving the feed.

It answers the questions that feed and found lines ask, with the real LogFilter, and lets a test
decide what no real service does on request: lose a frame, cap one, refuse or cut sockets.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logstream.filter import LogFilter
from logstream.model import NANOS_PER_MINUTE, LogLine, Severity, iso_time, to_unix_nano
from logstream.notify.built_in_hub import BuiltInHub
from logstream.notify.hub_state import Goodbye
from logstream.notify.web_pubsub import WebPubSub
from logstream.query.cursor import read_cursor, write_cursor
from logstream.query.surroundings import around

FULL, LIGHT = "feed", "feed-light"


class Sockets:
    """Refuses sockets, and cuts open ones without a goodbye, as a bad network does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.is_refusing = False
        self.delay_seconds = 0.0
        self.accepted = 0
        self._cuts: set[asyncio.Event] = set()

    def cut(self) -> None:
        for cut in self._cuts:
            cut.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or self.is_refusing:
            if scope["type"] != "websocket":
                await self.app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close"})
            return
        cut = asyncio.Event()
        self._cuts.add(cut)

        async def cuttable() -> Message:
            reading, cutting = asyncio.ensure_future(receive()), asyncio.ensure_future(cut.wait())
            done, _ = await asyncio.wait((reading, cutting), return_when=asyncio.FIRST_COMPLETED)
            if reading in done:
                cutting.cancel()
                return reading.result()
            reading.cancel()
            await send({"type": "websocket.close", "code": 1011})
            return {"type": "websocket.disconnect", "code": 1006}

        async def counted(message: Message) -> None:
            self.accepted += message["type"] == "websocket.accept"
            if message["type"] == "websocket.send" and self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if not cut.is_set():
                await send(message)

        try:
            await self.app(scope, cuttable, counted)
        finally:
            self._cuts.discard(cut)


class FeedService:
    """One running service; use as a context manager. Methods are safe from any thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lines: dict[int, LogLine] = {}
        self.sequences: dict[str, int] = {}
        self.publisher = "0badcafe"
        self.is_broken = False
        self.problem = ""
        self.clock_ahead_ms = 0
        self.token_seconds = 3600
        self.asked: list[str] = []
        self.negotiated: list[dict[str, Any]] = []
        self.hub = self._fresh_hub()
        self.asked_received: list[dict[str, str]] = []
        self.delay_seconds = 0.0
        self.looked_at_most: int | None = None  # lines of one search before its time is over
        app = Starlette(
            routes=[
                Route("/realtime/negotiate", self._negotiate, methods=["POST"]),
                Route("/logs/recent", self._recent),
                Route("/logs/received", self._received),
                Route("/logs/search", self._search),
                Route("/logs/{id:int}", self._line),
                Route("/logs/{id:int}/context", self._context),
                Route("/logs/severity-breakdown", self._breakdown),
                Route("/health/live", self._live),
            ]
        )
        app.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
        )
        self._app = app
        self.sockets = Sockets(self._serve)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.sockets, "127.0.0.1", port, log_level="critical", ws="websockets-sansio"
            )
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

    @property
    def accepted(self) -> int:
        """Sockets opened so far."""
        return self.sockets.accepted

    @property
    def refuses_sockets(self) -> bool:
        """Whether a socket is closed before it opens, as a proxy does."""
        return self.sockets.is_refusing

    @refuses_sockets.setter
    def refuses_sockets(self, is_refusing: bool) -> None:
        self.sockets.is_refusing = is_refusing

    def _fresh_hub(self) -> BuiltInHub:
        hub = BuiltInHub("a-key-for-tests-of-32-bytes-and-more", "logstream")
        self._hub_app = Starlette(routes=hub.routes())
        return hub

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_hub = scope["type"] == "websocket" or scope.get("path", "").startswith("/api/hubs/")
        await (self._hub_app if is_hub else self._app)(scope, receive, send)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._push = WebPubSub(self.hub.connection_string("127.0.0.1", self.port), "logstream")
            await self._server.serve()
            await self._push.close()

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
        late_seconds: float = 0.0,
    ) -> None:
        """Store lines and publish one frame with an even sample of `shown` of them.

        `cut`: longer messages are cut in the frame and longer attributes left out, as the
        real one does.
        `lost`: the sequence number is used up, but nobody receives the frame.
        """
        self.store(lines)
        environment = lines[0].environment
        sequence = self.sequences[environment] = self.sequences.get(environment, 0) + 1
        counts: dict[tuple[str, str, int], int] = {}
        for line in lines:
            minute = line.timestamp_unix_nano // 60_000_000_000 * 60
            key = line.service_name, str(line.to_api()["severity"]), minute
            counts[key] = counts.get(key, 0) + 1
        ordered = sorted(lines, key=lambda line: line.id)
        carried = evenly(ordered, shown or len(lines))
        frame: dict[str, Any] = {
            "type": "frame",
            "environment": environment,
            "publisher": self.publisher,
            "sequence": sequence,
            "firstId": ordered[0].id,
            "lastId": ordered[-1].id,
            "total": len(lines),
            "counts": [
                {"source": source, "severity": word, "minute": minute, "count": count}
                for (source, word, minute), count in counts.items()
            ],
            "lines": [_cut(line, cut) for line in carried],
            "sentUnixMs": self._now_ms() - int(late_seconds * 1000),
        }
        if len(carried) < len(lines):
            frame["isSample"] = True
        few = frame["lines"][:: max(1, -(-len(carried) // 20))]
        light = {**frame, "lines": few, "isLight": True}
        if len(few) < len(lines):
            light["isSample"] = True
        if not lost:
            self._call(self._push.send(FULL, frame))
            self._call(self._push.send(LIGHT, light))

    def _now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.clock_ahead_ms

    def cut_sockets(self) -> None:
        """Break every connection without a goodbye; the hub keeps its sessions."""
        self._loop.call_soon_threadsafe(self.sockets.cut)

    def forget_sessions(self) -> None:
        """Break every connection, and let the hub come back knowing nobody, as a restart does."""
        self.hub = self._fresh_hub()
        self.publisher = f"{int(self.publisher, 16) + 1:08x}"
        self.sequences.clear()
        self.cut_sockets()

    def drop_sockets(self) -> None:
        """Close every connection from the hub's side: `disconnected`, then 1000."""
        for connection in self.hub._state.everybody():
            goodbye = Goodbye(1000, "closed by the service", announced=True)
            self._loop.call_soon_threadsafe(self.hub._state.close, connection, goodbye)

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)

    async def _live(self, _: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def _negotiate(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.negotiated.append(body)
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        group = LIGHT if body.get("light") else FULL
        access = await self._push.client_access("viewer", [group], 60)
        now_ms = self._now_ms()
        return JSONResponse(
            {
                "url": access.url,
                "accessToken": access.token,
                "expiresAt": now_ms // 1000 + self.token_seconds,
                "groups": [group],
                "nowUnixMs": now_ms,
                "problem": self.problem,
            }
        )

    async def _recent(self, request: Request) -> JSONResponse:
        self.asked.append(str(request.url.query))
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        asked = dict(request.query_params)
        log_filter = LogFilter.from_url(asked)
        first, last = int(asked.get("fromId", 0)), int(asked.get("toId", 2**62))
        now = self._now_ms() * 1_000_000
        found = [
            line
            for line in list(self.lines.values())
            if first <= line.id <= last and log_filter.matches(line, now)
        ]
        found.sort(key=lambda line: (line.timestamp_unix_nano, line.id), reverse=True)
        return JSONResponse([line.to_api() for line in found[: int(asked.get("limit", 50))]])

    async def _search(self, request: Request) -> JSONResponse:
        if self.is_broken:
            return _error(503, "store_unavailable", "the database cannot be reached")
        asked = dict(request.query_params)
        before = read_cursor(asked["cursor"]) if "cursor" in asked else (2**80, 0)
        log_filter, limit = LogFilter.from_url(asked), int(asked["limit"])
        older = [line for line in list(self.lines.values()) if _place(line) < before]
        older.sort(key=_place, reverse=True)
        looked_at = older[: self.looked_at_most]
        now = time.time_ns()
        found = list(islice((one for one in looked_at if log_filter.matches(one, now)), limit + 1))
        is_over = len(found) <= limit and len(looked_at) == len(older)
        last = found[limit - 1] if len(found) >= limit else looked_at[-1] if looked_at else None
        return JSONResponse(
            {
                "logs": [line.to_api() for line in found[:limit]],
                "cursor": None if is_over or last is None else write_cursor(_place(last)),
                "searchedTo": None
                if is_over or last is None
                else iso_time(last.timestamp_unix_nano),
                "complete": is_over or len(found) >= limit,
            }
        )

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

    async def _context(self, request: Request) -> JSONResponse:
        asked = dict(request.query_params)
        line = self.lines[request.path_params["id"]]
        scope = asked.get("scope", "service")
        is_chosen = scope in ("service", "trace", "host")
        log_filter = around(line, scope) if is_chosen else LogFilter.from_url(asked)

        found = sorted(
            (one for one in self.lines.values() if log_filter.matches(one, time.time_ns())),
            key=_place,
            reverse=True,
        )
        newer = [one.to_api() for one in found if _place(one) > _place(line)]
        older = [one.to_api() for one in found if _place(one) < _place(line)]
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


def _place(line: LogLine) -> tuple[int, int]:
    return line.timestamp_unix_nano, line.id


def evenly(lines: Sequence[LogLine], count: int) -> list[LogLine]:
    """So many of the lines, spread over all of them."""
    return [lines[(2 * place + 1) * len(lines) // (2 * count)] for place in range(count)]


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
