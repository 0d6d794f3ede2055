"""POST /ingest/explain: how each record of a body would be read. Nothing is stored."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from ingest_service.asked_body import Asking, Reading
from ingest_service.formats import asked_routes, likely_routes
from ingest_service.protocols.protocol import Protocol
from ingest_service.replies import JsonReply
from logstream.errors import DecodeError, LogStreamError, UnsupportedEncoding
from logstream.kept_reject import readable
from logstream.model import Decoded, LogRecord, Origins, Reject, Severity, Span, iso_time
from logstream.ports import Arrival
from logstream.receive.compression import decompress
from logstream.receive.object_record import DEFAULT_ORIGINS, UNKNOWN_SERVICE

MAX_SHOWN = 100
# Of the bytes of one refused record.
MAX_RAW_BYTES = 2_000
RECEIPT, DEFAULT_ENVIRONMENT = DEFAULT_ORIGINS["timestamp"], DEFAULT_ORIGINS["environment"]
_KEY_ENVIRONMENT = "environment of the API key"
# What the API calls the fields of a record, and of a span.
API_NAMES = {
    "service_name": "source",
    "body": "message",
    "severity_number": "severity",
    "severity_text": "severityText",
    "timestamp": "createdAt",
    "timestamp_unix_nano": "createdAt",
    "observed_unix_nano": "observedAt",
    "environment": "environment",
    "trace_id": "traceId",
    "span_id": "spanId",
    "duration_ms": "latency",
    "attributes": "metadata",
}
_SPAN_NAMES = {
    **API_NAMES,
    "attributes": "attributes",
    "parent_span_id": "parentSpanId",
    "start_unix_nano": "start",
    "duration_nano": "durationNano",
    "status_message": "statusMessage",
}


class Explain:
    """An ASGI endpoint; errors are turned into replies by whoever serves it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = await self._reading.asked(scope, receive)
        content = await asyncio.to_thread(self._explain, asking)
        await JsonReply(content)(scope, receive, send)

    def _explain(self, asking: Asking) -> dict[str, Any]:
        arrival = msgspec.structs.replace(asking.arrival, wants_origins=True)
        candidates: Sequence[tuple[Protocol, str]] = ()
        if asking.path or asking.format:
            candidates = asked_routes(asking.path, asking.format)
        if len(candidates) != 1:
            body = self._plainest(asking.raw, asking.encoding)
            likely = likely_routes(body, arrival.content_type, arrival.headers)
            likeliest = likely[0][0]
            # Several formats have a word of their names in common, as `otlp` and `otlp_traces`.
            candidates = (
                sorted(candidates, key=lambda one: one[0] is not likeliest)
                if candidates
                else likely
            )
        protocol, path, decoded = self._first_that_reads(
            candidates, asking.raw, asking.encoding, arrival
        )
        caller = asking.caller
        prepared = self._reading.admission.prepare(decoded, caller)
        return {
            "format": protocol.name,
            "path": path,
            **account(prepared, decoded, arrival, is_of_key=caller.environment is not None),
        }

    def _plainest(self, raw: bytes, encoding: str) -> bytes:
        try:
            return decompress(raw, encoding, self._reading.max_body_bytes)
        except UnsupportedEncoding:  # one that a format knows
            return raw

    def _first_that_reads(
        self,
        candidates: Sequence[tuple[Protocol, str]],
        raw: bytes,
        encoding: str,
        arrival: Arrival,
    ) -> tuple[Protocol, str, Decoded]:
        """The first that finds a record or span; else the first, with what it refused.

        Raises the first one's error when it cannot read the body as a whole.
        """
        refused: tuple[Protocol, str, Decoded] | None = None
        first_error: LogStreamError | None = None
        for protocol, path in candidates:
            try:
                body = protocol.decompress(raw, encoding, self._reading.max_body_bytes)
                decoded = protocol.decode(msgspec.structs.replace(arrival, body=body, path=path))
            except (DecodeError, UnsupportedEncoding) as unreadable:
                first_error = first_error or unreadable
                continue
            if decoded.records or decoded.spans:
                return protocol, path, decoded
            if first_error is None:
                refused = refused or (protocol, path, decoded)
        if refused is not None:
            return refused
        raise first_error or DecodeError("the body is of no known format", "name one in ?format=")


def account(
    prepared: Decoded, decoded: Decoded, arrival: Arrival, *, is_of_key: bool
) -> dict[str, Any]:
    """What was read, in the API's shape: records, spans and what was refused, so many of each.

    `prepared` is what would be stored of `decoded`; its origins are those of the decoder.
    """
    records, spans, rejects = prepared.records, prepared.spans, prepared.rejects
    places = _places({reject.index for reject in rejects})
    shown = [
        {
            "index": next(places),
            "fields": fields_of(record),
            "origins": _named(_record_origins(record, origins, arrival, is_of_key), API_NAMES),
        }
        for record, origins in zip(
            records[:MAX_SHOWN],
            _aligned(prepared.origins or decoded.origins, len(records)),
            strict=False,
        )
    ]
    shown_spans = [
        {"fields": _fields_of_span(span), "origins": _named(origins, _SPAN_NAMES)}
        for span, origins in zip(
            spans[:MAX_SHOWN],
            _aligned(prepared.span_origins or decoded.span_origins, len(spans)),
            strict=False,
        )
    ]
    return {
        "records": shown,
        "spans": shown_spans,
        "rejected": [_refused(reject) for reject in rejects[:MAX_SHOWN]],
        "truncated": sum(max(0, len(all) - MAX_SHOWN) for all in (records, spans, rejects)),
    }


def _refused(reject: Reject) -> dict[str, Any]:
    encoding, raw = readable(reject.raw[:MAX_RAW_BYTES])
    return {
        "index": reject.index,
        "error": reject.error,
        "reason": reject.reason,
        "raw": raw,
        "rawEncoding": encoding,
    }


def _places(taken: set[int]) -> Iterator[int]:
    """Indexes in the request that no refused record has."""
    index = 0
    while True:
        if index not in taken:
            yield index
        index += 1


def _aligned(origins: Sequence[Origins], count: int) -> Sequence[Origins]:
    """The origins when there is one for each, else none for each."""
    return origins if len(origins) == count else [{}] * count


def _record_origins(
    record: LogRecord, origins: Origins, arrival: Arrival, is_of_key: bool
) -> Origins:
    """The decoder's, completed by what can be told from the record alone."""
    known = {"observed_unix_nano": RECEIPT, **{k: v for k, v in origins.items() if v}}
    if "timestamp" not in known and record.timestamp_unix_nano == arrival.received_unix_nano:
        known.setdefault("timestamp_unix_nano", RECEIPT)
    if record.service_name == UNKNOWN_SERVICE:
        known.setdefault("service_name", "no service given")
    if record.environment == arrival.default_environment:
        known.setdefault("environment", DEFAULT_ENVIRONMENT)
    if is_of_key and known.get("environment") == DEFAULT_ENVIRONMENT:
        known["environment"] = _KEY_ENVIRONMENT
    return known


def _named(origins: Origins, names: Mapping[str, str]) -> dict[str, str]:
    named = {names.get(field, field): where for field, where in origins.items()}
    if "severity" in named:  # one field of a record, two of the API
        named["severityNumber"] = named["severity"]
    return named


def fields_of(record: LogRecord) -> dict[str, Any]:
    """The record in the shape of the API's lines, without the ids that storing gives."""
    return {
        "source": record.service_name,
        "message": record.body,
        "severity": Severity.of(record.severity_number).word,
        "severityNumber": record.severity_number,
        "severityText": record.severity_text,
        "createdAt": iso_time(record.timestamp_unix_nano),
        "observedAt": iso_time(record.observed_unix_nano),
        "environment": record.environment,
        "traceId": record.trace_id,
        "spanId": record.span_id,
        "latency": record.duration_ms,
        "metadata": msgspec.Raw(record.attributes),
    }


def _fields_of_span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "source": span.service_name,
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "statusMessage": span.status_message,
        "start": iso_time(span.start_unix_nano),
        "durationNano": span.duration_nano,
        "environment": span.environment,
        "attributes": msgspec.Raw(span.attributes),
        "events": msgspec.Raw(span.events),
        "links": msgspec.Raw(span.links),
    }
