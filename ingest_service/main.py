"""The ingest service: builds itself from wiring, serves, drains, stops."""

import gc
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest_service.admission import Admission, Policy
from ingest_service.asked_body import Reading
from ingest_service.client_address import ClientAddress
from ingest_service.door import Door
from ingest_service.guard import BoundedBodies, ClientGone, CrossOriginReading
from ingest_service.http_protocol import QuietWebSocket, bounded_http
from ingest_service.key_ring import KeyRing
from ingest_service.listeners.listeners import Listeners
from ingest_service.openapi import document_door
from ingest_service.other_process import LINE, LINES, REPORT, Place
from ingest_service.paths import PATHS
from ingest_service.rate_limits import Buckets
from ingest_service.reading import GuardedReading
from ingest_service.replies import JsonReply, error_body, error_reply
from ingest_service.response_headers import SecureReplies
from ingest_service.routes import (
    aliases,
    ask,
    attributes,
    complete,
    counts,
    durations,
    export,
    logs,
    patterns,
    realtime,
    received,
    rejects,
    service_notes,
    services,
    status,
    trace_list,
    traces,
    views,
)
from ingest_service.routes.bodies import reading_routes
from ingest_service.streamed_export import Exports
from ingest_service.workers import FirstProcess, FurtherProcess, share
from logstream import __version__, metrics, wiring
from logstream.api_keys import without_keys
from logstream.errors import LogStreamError, SettingsError, StoreUnavailable
from logstream.filter import LogFilter
from logstream.model import LogRecord
from logstream.receive.redaction import Redaction
from logstream.receive.storable import Preparation
from logstream.settings import Settings

log = logging.getLogger(__name__)

TAGS = ("ingest", "logs", "ask", "views", "traces", "services", "rejects", "realtime", "status")
# Lets a viewer's socket or a slow reader end; what was accepted is drained after that.
SHUTDOWN_SECONDS = 2


class DoorFirst:
    """Sends what senders send straight to the door, everything else to the framework."""

    def __init__(self, app: ASGIApp, door: ASGIApp) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and PATHS.find(scope["path"], scope["method"]) is not None:
            await self._door(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def build(settings: Settings, workers: FirstProcess | FurtherProcess | None = None) -> ASGIApp:
    """The whole service as one ASGI application; opens its parts in its lifespan.

    `workers` is what this process is among several; None when it is the only one.
    """
    is_heard = workers.is_heard if isinstance(workers, FurtherProcess) else None
    hub, push, publisher = wiring.open_push(settings, is_heard)
    ring = KeyRing(wiring.database_url(settings), wiring.passes(settings))
    if workers is not None and hub is not None:
        hub.tell_clients(workers.board.set_hub_clients)

    def on_landed(first_id: int, records: Sequence[LogRecord]) -> None:
        store.database.forget()
        store.traces.forget()
        metrics.ACCEPTED_PER_SECOND.add(len(records))
        publisher.announce(first_id, records)

    # uvicorn's own variable and default: which proxies' headers are believed.
    trusted_hosts = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    admission = Admission(
        Policy(wiring.requires_keys(settings), settings.rate_limit_per_second),
        ring,
        Preparation(settings.max_attributes, Redaction.parse(settings.redact or "")),
        ClientAddress(trusted_hosts),
        Buckets() if workers is None else workers.board.buckets,
    )
    first = workers if isinstance(workers, FirstProcess) else None
    store = wiring.open_store(settings, on_landed, first)
    publisher.name_patterns(store.pattern_of)
    asker = wiring.open_asker(settings, store.reader)
    exports = Exports()
    is_first = not isinstance(workers, FurtherProcess)
    listeners = Listeners(settings, store.writer, admission) if is_first else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        store.start()
        publisher.start()
        ring.start()
        if listeners is not None:
            await listeners.start()
        yield
        if listeners is not None:
            await listeners.close()
        exports.close()
        await store.close()
        await ring.close()
        await publisher.close()
        await push.close()
        await asker.close()

    app = FastAPIOffline(
        title="LogStream",
        version=__version__,
        description="Land log records and ask about them.",
        openapi_tags=[{"name": name} for name in TAGS],
        docs_url="/docs",
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.store, app.state.reader, app.state.traces = store, store.reader, store.traces
    app.state.publisher, app.state.push, app.state.hub = publisher, push, hub
    app.state.workers = first
    app.state.asker = asker
    app.state.exports = exports
    if isinstance(workers, FurtherProcess):
        lines = store.lines
        workers.answers[REPORT] = lambda _argument: status.own_report(app.state)
        workers.answers[LINES] = lambda asked: lines.matching(
            LogFilter.from_url(asked[0]), asked[1]
        )
        workers.answers[LINE] = lines.line
    # Before the lines by id, whose path every name would match.
    for routes in (
        status,
        received,
        counts,
        attributes,
        patterns,
        export,
        complete,
        logs,
        ask,
        aliases,
        views,
        trace_list,  # before one trace, whose path `shape` would match
        traces,
        durations,
        # Before the services by name, which every path below them would match.
        service_notes,
        services,
        rejects,
        realtime,
    ):
        app.include_router(routes.router)
    bodies = Reading(
        admission,
        settings.default_environment,
        settings.naive_timezone,
        settings.max_body_bytes,
        settings.max_records,
    )
    app.router.routes.extend(reading_routes(bodies, store, settings.max_pending_bytes))
    if hub is not None:
        app.router.routes.extend(hub.routes())
    _speak_one_error_shape(app)
    document_door(app)
    reading = SecureReplies(
        CrossOriginReading(GuardedReading(app, admission), settings.allowed_origins)
    )
    door = Door(
        PATHS,
        store.writer,
        admission,
        default_environment=settings.default_environment,
        naive_timezone=settings.naive_timezone,
        max_body_bytes=settings.max_body_bytes,
        max_records=settings.max_records,
        allowed_origins=frozenset(origin.encode() for origin in settings.allowed_origins),
    )
    # Of the door's requests only the limits need the caller's address, and look for it then.
    return DoorFirst(
        ProxyHeadersMiddleware(reading, trusted_hosts),  # type: ignore[arg-type]
        BoundedBodies(door, settings.max_pending_bytes),
    )


def serve(settings: Settings, place: Place | None = None) -> int:
    """Run until SIGINT or SIGTERM; accepted lines are landed or spooled before it returns.

    A database that does not answer is waited for; raises SettingsError when waiting is no use.
    `place` is given to a process that another `serve` has started beside itself.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_WithoutKeys("%(levelname)s %(name)s: %(message)s"))
    for noisy in ("azure", "httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    allow_many_connections()
    workers: FirstProcess | FurtherProcess | None = None
    if place is not None:
        workers = FurtherProcess(place)
    else:
        settings = wiring.guarded(settings, log.warning)
        listener = listen(settings.host, settings.port)
        try:
            wiring.migrate(wiring.database_url(settings))
        except StoreUnavailable as error:
            log.warning("%s; lines go into the spool until it is there", error.one_line())
        if settings.workers > 1:
            workers = FirstProcess(settings, listener)
    config = uvicorn.Config(
        build(share(settings), workers),
        http=bounded_http(settings.body_timeout_seconds),
        ws=QuietWebSocket,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=30,
        ws_max_size=1024 * 1024,
        # Frames to viewers are many and short-lived: deflate would cost more than it saves.
        ws_per_message_deflate=False,
        backlog=2048,
    )
    collect_garbage_seldom()
    if place is None:
        log.info("listening on http://%s:%d", settings.host, settings.port)
    if workers is None:
        uvicorn.Server(config).run(sockets=[listener])
    else:
        workers.run(config)
    return 0


class _WithoutKeys(logging.Formatter):
    """Our own log, tracebacks included, without the secret part of any API key."""

    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))


def collect_garbage_seldom() -> None:
    """Look for reference cycles every 50,000 objects instead of every 700.

    Requests leave none behind; looking for them costs a tenth of a small request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A bound TCP socket; raises SettingsError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used: {error.strerror}",
            "choose another with --port or LOGSTREAM_PORT, or stop what holds it",
        ) from None
    return listener


def allow_many_connections() -> None:
    """As many open files as this process may have: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _speak_one_error_shape(app: FastAPI) -> None:
    @app.exception_handler(LogStreamError)
    async def ours(_request: Request, error: LogStreamError) -> JsonReply:
        return error_reply(error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JsonReply:
        message = f"{request.method} {request.url.path}: {error.detail}"
        return JsonReply(
            error_body(f"http_{error.status_code}", message, "see /docs"),
            status_code=error.status_code,
            headers=error.headers,
        )

    @app.exception_handler(ClientGone)
    async def gone(_request: Request, _error: ClientGone) -> Response:
        return Response(status_code=400)  # read by nobody

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JsonReply:
        first = error.errors()[0]
        name = first["loc"][-1]
        return JsonReply(
            error_body(
                "bad_parameter", f"{name}={first.get('input')}: {first['msg']}", "see /docs"
            ),
            status_code=400,
        )

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JsonReply:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JsonReply(
            error_body("internal", f"{type(error).__name__} in {request.url.path}", "see our log"),
            status_code=500,
        )
