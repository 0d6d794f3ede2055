"""The door: every wire format comes in here. Admit, read, decode, land, reply.

Bare ASGI, for speed. What differs between formats is in `protocols/`.
"""

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from starlette.types import Receive, Scope, Send

from ingest_service.admission import Admission, Caller
from ingest_service.guard import ClientGone, read_body
from ingest_service.paths import Paths
from ingest_service.protocols.protocol import (
    Asked,
    Probe,
    Protocol,
    Reply,
    Route,
    json_reply,
    usual_refusal,
)
from ingest_service.refused_bodies import RefusedBodies, is_of_the_body
from ingest_service.replies import error_body
from ingest_service.request_parts import HeaderTexts, media_type, parameters_of
from ingest_service.response_headers import SECURITY_HEADERS, cross_origin, is_preflight
from logstream import metrics
from logstream.errors import DecodeError, LogStreamError
from logstream.model import Decoded, LogRecord, Reject, Span
from logstream.ports import Arrival, Batch, Landed, LogWriter

MAX_KEY_CHARACTERS = 200
# A larger body is decoded beside the event loop, so that others are answered meanwhile.
THREAD_FROM_BYTES = 256 * 1024
# How much larger a compressed body of log lines usually is inside.
USUAL_COMPRESSION = 16
_NOTHING = Landed(None, None, 0)


class Door:
    """The handler of everything that `paths` knows; one writer."""

    def __init__(
        self,
        paths: Paths,
        writer: LogWriter,
        admission: Admission,
        *,
        default_environment: str,
        naive_timezone: str,
        max_body_bytes: int,
        max_records: int,
        allowed_origins: Collection[bytes] = (),
    ) -> None:
        """`allowed_origins`: web origins whose pages may send."""
        self._paths = paths
        self._writer = writer
        self._admission = admission
        self._default_environment = default_environment
        self._naive_timezone = naive_timezone
        self._max_body_bytes = max_body_bytes
        self._max_records = max_records
        self._refused_bodies = RefusedBodies(writer)
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        by_method = self._paths.find(scope["path"], scope["method"]) or {}
        entry = by_method.get(scope["method"])
        headers = dict(scope["headers"])
        is_from_page = headers.get(b"origin") in self._allowed_origins
        try:
            if entry is None and is_from_page and is_preflight(scope, headers):
                reply = _preflight(headers, sorted(by_method))
            elif entry is None:
                reply = _wrong_method(scope, sorted(by_method))
            elif isinstance(entry, Probe):
                reply = await self._answer_probe(entry, scope, headers)
            else:
                started = time.perf_counter()
                reply = await self._take(entry, scope, headers, receive)
                name = entry.protocol.name
                metrics.add(metrics.counter_of(metrics.REQUESTS, name, str(reply.status)))
                metrics.observe(
                    metrics.histogram_of(metrics.REQUEST_SECONDS, name),
                    time.perf_counter() - started,
                )
        except ClientGone:
            return
        if is_from_page:
            reply = reply._replace(headers=(*reply.headers, *cross_origin(headers[b"origin"])))
        fields = [*SECURITY_HEADERS, *reply.headers]
        if reply.status != 204:  # which has no content (RFC 9110, 8.6)
            fields.append((b"content-type", reply.content_type))
            fields.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": fields})
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _answer_probe(
        self, probe: Probe, scope: Scope, headers: Mapping[bytes, bytes]
    ) -> Reply:
        try:
            if not probe.is_open:
                await self._admission.admit(scope, headers, "ingest")
        except LogStreamError as error:
            return _with_retry(usual_refusal(error, None), error)
        return probe.answer(
            Asked(scope["method"], scope["path"], parameters_of(scope), HeaderTexts(headers))
        )

    async def _take(
        self, route: Route, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Reply:
        protocol = route.protocol
        caller, is_admitted = Caller(), False
        raw, encoding = b"", ""
        try:
            caller = await self._admission.admit(scope, headers, "ingest")
            is_admitted = True
            key = _idempotency_key(headers)
            raw = await read_body(receive, headers.get(b"content-length"), self._max_body_bytes)
            metrics.add(metrics.counter_of(metrics.BODY_BYTES, protocol.name), len(raw))
            encoding = headers.get(b"content-encoding", b"").decode("latin-1")
            read = functools.partial(self._read, protocol, raw, encoding, scope, headers, caller)
            is_large = len(raw) * (USUAL_COMPRESSION if encoding else 1) > THREAD_FROM_BYTES
            arrived, decoded = await asyncio.to_thread(read) if is_large else read()
            batch = Batch(
                decoded.records,
                decoded.rejects,
                None if key is None else f"{protocol.name}:{key}",
                len(arrived.body),
                arrived.default_environment,
                decoded.spans,
                protocol.name,
                caller.key,
            )
            # A request without data succeeds, also while the store is away.
            is_empty = not (decoded.records or decoded.spans or decoded.rejects)
            landed = _NOTHING if is_empty else await self._writer.land(batch)
        except LogStreamError as error:
            metrics.add(metrics.counter_of(metrics.LINES_REJECTED, protocol.name, error.code))
            if is_admitted and is_of_the_body(error):
                self._refused_bodies.keep(
                    error,
                    lambda: self._readable(protocol, raw, encoding),
                    caller.environment or self._default_environment,
                    protocol.name,
                    caller.key,
                )
                self._admission.charge(caller, lines=0, size_bytes=len(raw), rejected=1)
            # A refusal speaks the encoding of its request; the body may be what cannot be read.
            arrival = self._arrival(b"", scope, headers, caller)
            return _with_retry(protocol.refuse(error, arrival), error)
        if landed.rejects:
            _count_rejected(protocol.name, landed.rejects)
        if not landed.is_replay:
            _count_accepted(protocol.name, decoded)
        self._admission.charge(
            caller,
            lines=0 if landed.is_replay else landed.accepted,
            size_bytes=len(raw),
            rejected=len(landed.rejects),
        )
        return protocol.reply(arrived, decoded, landed)

    def _arrival(
        self, body: bytes, scope: Scope, headers: Mapping[bytes, bytes], caller: Caller
    ) -> Arrival:
        return Arrival(
            body,
            # To the microsecond, which is what the table keeps of it.
            time.time_ns() // 1_000 * 1_000,
            caller.environment or self._default_environment,
            self._naive_timezone,
            media_type(headers),
            scope["path"],
            parameters_of(scope),
            HeaderTexts(headers),
            max_records=self._max_records,
        )

    def _read(
        self,
        protocol: Protocol,
        raw: bytes,
        encoding: str,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        caller: Caller,
    ) -> tuple[Arrival, Decoded]:
        body = protocol.decompress(raw, encoding, self._max_body_bytes)
        arrival = self._arrival(body, scope, headers, caller)
        return arrival, self._admission.prepare(protocol.decode(arrival), caller)

    def _readable(self, protocol: Protocol, raw: bytes, encoding: str) -> bytes:
        """A refused body without its Content-Encoding, where it is small and can be undone."""
        if not encoding or len(raw) > THREAD_FROM_BYTES // USUAL_COMPRESSION:
            return raw
        try:
            return protocol.decompress(raw, encoding, self._max_body_bytes)
        except LogStreamError:
            return raw


def _count_accepted(name: str, decoded: Decoded) -> None:
    for environment, lines in _by_environment(decoded.records).items():
        metrics.add(metrics.counter_of(metrics.LINES_ACCEPTED, name, environment), lines)
    for environment, spans in _by_environment(decoded.spans).items():
        metrics.add(metrics.counter_of(metrics.SPANS_ACCEPTED, name, environment), spans)


def _by_environment(values: Sequence[LogRecord | Span]) -> dict[str, int]:
    if len(values) == 1:
        return {values[0].environment: 1}
    found: dict[str, int] = {}
    for value in values:
        found[value.environment] = found.get(value.environment, 0) + 1
    return found


def _count_rejected(name: str, rejects: Sequence[Reject]) -> None:
    for reason, lines in Counter(reject.reason for reject in rejects).items():
        metrics.add(metrics.counter_of(metrics.LINES_REJECTED, name, reason), lines)


def _idempotency_key(headers: Mapping[bytes, bytes]) -> str | None:
    key = headers.get(b"idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise DecodeError(
            f"Idempotency-Key has {len(key)} characters", f"use 1 to {MAX_KEY_CHARACTERS}"
        )
    return key.decode("latin-1")


def _with_retry(reply: Reply, error: LogStreamError) -> Reply:
    if not error.can_retry:
        return reply
    seconds = str(getattr(error, "retry_after_seconds", 2)).encode()
    return reply._replace(headers=(*reply.headers, (b"retry-after", seconds)))


def _preflight(headers: Mapping[bytes, bytes], methods: list[str]) -> Reply:
    """What a browser asks before a page of an allowed origin may send."""
    allowed = (
        (b"access-control-allow-methods", ", ".join(methods).encode()),
        # Each kind of client has its own header for its key; the origin is one that we trust.
        (
            b"access-control-allow-headers",
            headers.get(b"access-control-request-headers", b"content-type"),
        ),
        (b"access-control-max-age", b"600"),
    )
    return Reply(204, headers=allowed)


def _wrong_method(scope: Scope, allowed: list[str]) -> Reply:
    refusal = error_body(
        "method_not_allowed",
        f"{scope['method']} is not for {scope['path']}",
        f"use {' or '.join(allowed)}",
    )
    return json_reply(405, refusal, ((b"allow", ", ".join(allowed).encode()),))
