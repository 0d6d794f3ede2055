"""POST /rejects/{id}/resend: a refused record read once more, perhaps corrected, and landed."""

import asyncio
from collections.abc import Iterator

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_service.admission import Caller
from ingest_service.asked_body import Asking, Reading
from ingest_service.formats import asked_routes, likely_routes, named_routes, route_at
from ingest_service.guess_format import guess_path
from ingest_service.protocols import native
from ingest_service.protocols.protocol import Protocol
from logstream.errors import DecodeError, LogStreamError, NotFound
from logstream.kept_reject import KeptReject
from logstream.model import Decoded
from logstream.ports import Arrival, Batch, Landed, LogReader
from logstream.receive.json_text import clean_json
from logstream.receive.native_values import Defaults, Refused
from logstream.receive.object_record import record_of_object, record_of_text
from logstream.wiring import Store

MAX_ID = 2**63 - 1
# What is kept of these formats are pieces that are no body of their own; with this around
# it, each is one. What stood around it when it came (labels, resource, index) is not known.
_AROUND: tuple[tuple[str, bytes, bytes], ...] = (
    ("otlp", b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[', b"]}]}]}"),
    ("otlp", b'{"resourceSpans":[{"scopeSpans":[{"spans":[', b"]}]}]}"),
    ("loki", b'{"streams":[{"stream":{},"values":[', b"]}]}"),
    ("elasticsearch", b'{"create":{"_index":"logs"}}\n', b"\n"),
    ("zipkin", b"[", b"]"),
)
# Of these a piece that is readable in no other way is read as any logger's object or text.
_FORGIVEN = ("loki", "elasticsearch")
# The codes of errors about a body as a whole.
_WHOLE = ("bad_request", "too_large", "unsupported_encoding")


class Resend:
    """An ASGI endpoint; errors are turned into replies by whoever serves it."""

    def __init__(self, reading: Reading, store: Store) -> None:
        self._reading = reading
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = await self._reading.asked(scope, receive)
        kept = await asyncio.to_thread(
            find_kept, self._store.reader, scope["path_params"]["reject_id"], asking.caller
        )
        protocol, arrival, decoded = await asyncio.to_thread(self._read, asking, kept)
        if decoded.records or decoded.spans:
            landed = await self._land(asking, kept, protocol, arrival, decoded)
        else:
            # Not landed: it is kept already, and the key would remember that nothing was taken.
            landed = Landed(None, None, 0, decoded.rejects)
        reply = native.reply(arrival, decoded, landed)
        await Response(reply.body, reply.status, media_type=reply.content_type.decode())(
            scope, receive, send
        )

    async def _land(
        self,
        asking: Asking,
        kept: KeptReject,
        protocol: Protocol,
        arrival: Arrival,
        decoded: Decoded,
    ) -> Landed:
        landed = await self._store.writer.land(
            Batch(
                decoded.records,
                decoded.rejects,
                # One record lands once, however often and in whatever form it is sent again.
                f"reject:{kept.id}",
                len(arrival.body),
                arrival.default_environment,
                decoded.spans,
                protocol.name,
                asking.caller.key,
            )
        )
        self._reading.admission.charge(
            asking.caller,
            lines=landed.accepted,
            size_bytes=len(arrival.body),
            rejected=len(landed.rejects),
        )
        if landed.accepted:
            await asyncio.to_thread(self._store.mark_resent, kept.id)
        return landed

    def _read(self, asking: Asking, kept: KeptReject) -> tuple[Protocol, Arrival, Decoded]:
        """The first reading that takes anything, else the first one's refusal.

        Raises the first one's DecodeError when none can read it at all.
        """
        first_error: LogStreamError | None = None
        refused: tuple[Protocol, Arrival, Decoded] | None = None
        environment = asking.caller.environment or kept.environment
        for protocol, arrival in self._attempts(asking, kept):
            arrival = msgspec.structs.replace(arrival, default_environment=environment)
            try:
                decoded = self._reading.admission.prepare(protocol.decode(arrival), asking.caller)
            except DecodeError as error:
                first_error = first_error or error
                continue
            if decoded.records or decoded.spans:
                return protocol, arrival, decoded
            if first_error is None:
                refused = refused or (protocol, arrival, decoded)
        if refused is not None:
            return refused
        raise first_error or DecodeError("nothing can be read in it", "correct it and send again")

    def _attempts(self, asking: Asking, kept: KeptReject) -> Iterator[tuple[Protocol, Arrival]]:
        """The ways to read it: as the format says, in what its format puts around it, leniently."""
        corrected = asking.raw
        if asking.path or asking.format:
            routes = asked_routes(asking.path, asking.format)
        else:
            # Without the format's code (another version kept it) by what it looks like.
            routes = named_routes(kept.format) or likely_routes(corrected or kept.raw, "", {})
        for protocol, path in routes:
            if corrected:
                limit = self._reading.max_body_bytes
                body = protocol.decompress(corrected, asking.encoding, limit)
                arrival = asking.arrival
            else:
                # The headers are those of the click, not of the record.
                body, arrival = kept.raw, _like_its_own(asking.arrival, kept.raw)
            arrival = msgspec.structs.replace(arrival, body=body, path=path)
            yield protocol, arrival
            # With more around it a whole body would be read as some object in it.
            if kept.reason in _WHOLE or _is_whole(body, protocol):
                continue
            arrival = _like_its_own(arrival, body)
            for name, before, after in _AROUND:
                if protocol.name.startswith(name):
                    yield protocol, msgspec.structs.replace(arrival, body=before + body + after)
            if protocol.name.startswith(_FORGIVEN):
                yield protocol._replace(decode=read_leniently), arrival


def find_kept(reader: LogReader, reject_id: int, caller: Caller) -> KeptReject:
    """The refused record with this id, of the caller's environment; raises NotFound."""
    kept = reader.reject(reject_id) if 0 < reject_id <= MAX_ID else None
    if kept is None or caller.environment not in (None, kept.environment):
        raise NotFound(
            f"refused record {reject_id} is not kept (any more)", "list them with GET /rejects"
        )
    return kept


def read_leniently(arrival: Arrival) -> Decoded:
    """A lone piece as any logger's object, else as text. Raises DecodeError."""
    defaults = Defaults(
        arrival.received_unix_nano, arrival.default_environment, arrival.naive_timezone
    )
    try:
        return Decoded([record_of_object(clean_json(arrival.body), defaults)])
    except (Refused, ValueError, RecursionError):
        pass
    text = arrival.body.decode("utf-8", "replace").strip()
    if not text or text[0] in "{[":
        raise DecodeError("the piece is no JSON object", "correct it and send again")
    return Decoded([record_of_text(text, defaults)])


def _is_whole(body: bytes, protocol: Protocol) -> bool:
    """Whether this is no piece, but looks like a body of the format."""
    route = route_at(guess_path(body, "", {}))
    return route is not None and route.protocol is protocol


def _like_its_own(arrival: Arrival, body: bytes) -> Arrival:
    is_json = body.lstrip()[:1] in (b"{", b"[")
    return msgspec.structs.replace(
        arrival, content_type="application/json" if is_json else "", headers={}
    )
