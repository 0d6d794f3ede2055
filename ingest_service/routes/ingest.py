"""POST /logs/ingest: decode, land, reply. A bare ASGI callable, for speed."""

import asyncio
import functools
import time
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from ingest_service.guard import ClientGone, read_body
from ingest_service.replies import error_body, error_reply
from logstream import metrics
from logstream.errors import DecodeError, LogStreamError
from logstream.model import Decoded
from logstream.ports import Batch, Decoder, Landed, LogWriter
from logstream.receive.compression import decompress

FORMAT = "native"
MAX_REJECTS_IN_REPLY = 1_000
MAX_KEY_CHARACTERS = 200
# A larger body is decoded beside the event loop, so that others are answered meanwhile.
THREAD_FROM_BYTES = 256 * 1024
# How much larger a compressed body of log lines usually is inside.
USUAL_COMPRESSION = 16
JSON_TYPE = (b"content-type", b"application/json")
_BODY_BYTES = metrics.BODY_BYTES.labels(FORMAT)


class Ingest:
    """The handler of the native route; one decoder, one writer."""

    def __init__(
        self, writer: LogWriter, decode: Decoder, *, default_environment: str, max_body_bytes: int
    ) -> None:
        self._writer = writer
        self._decode = decode
        self._default_environment = default_environment
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, content, headers = await self._answer(scope, receive)
        except LogStreamError as error:
            metrics.LINES_REJECTED.labels(FORMAT, error.code).inc()
            await error_reply(error)(scope, receive, send)
            return
        except ClientGone:
            return
        body = msgspec.json.encode(content)
        length = str(len(body)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [JSON_TYPE, (b"content-length", length), *headers],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: Scope, receive: Receive
    ) -> tuple[int, dict[str, Any], list[tuple[bytes, bytes]]]:
        if scope["method"] != "POST":
            refusal = error_body("method_not_allowed", f"{scope['method']} is not for this path")
            return 405, refusal, [(b"allow", b"POST")]
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        if key is not None and not 0 < len(key) <= MAX_KEY_CHARACTERS:
            raise DecodeError(
                f"Idempotency-Key has {len(key)} characters", f"use 1 to {MAX_KEY_CHARACTERS}"
            )
        raw = await read_body(receive, headers.get(b"content-length"), self._max_body_bytes)
        _BODY_BYTES.inc(len(raw))
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        read = functools.partial(self._read, raw, encoding)
        is_large = len(raw) * (USUAL_COMPRESSION if encoding else 1) > THREAD_FROM_BYTES
        body_bytes, decoded = await asyncio.to_thread(read) if is_large else read()
        batch = Batch(
            decoded.records,
            decoded.rejects,
            None if key is None else f"{FORMAT}:{key.decode('latin-1')}",
            body_bytes,
            self._default_environment,
        )
        landed = await self._writer.land(batch)
        if landed.rejects:
            metrics.LINES_REJECTED.labels(FORMAT, "bad_record").inc(len(landed.rejects))
        status, content = _reply(landed)
        return status, content, []

    def _read(self, raw: bytes, content_encoding: str) -> tuple[int, Decoded]:
        body = decompress(raw, content_encoding, self._max_body_bytes)
        decoded = self._decode(
            body,
            # To the microsecond, which is what the table keeps of it.
            received_unix_nano=time.time_ns() // 1_000 * 1_000,
            default_environment=self._default_environment,
        )
        return len(body), decoded


def _reply(landed: Landed) -> tuple[int, dict[str, Any]]:
    rejected = [
        {"index": reject.index, "error": reject.error}
        for reject in landed.rejects[:MAX_REJECTS_IN_REPLY]
    ]
    content: dict[str, Any] = {
        "accepted": landed.accepted,
        "rejected": rejected,
        "ids": None if landed.first_id is None else [landed.first_id, landed.last_id],
        "durable": landed.durable,
    }
    if len(landed.rejects) > len(rejected):
        content["rejectedTotal"] = len(landed.rejects)
    if landed.accepted or not landed.rejects:
        return 201, content
    first = landed.rejects[0].error
    refusal = error_body("nothing_accepted", first, "correct the records named in 'rejected'")
    return 400, {**refusal, **content}


OPENAPI: dict[str, Any] = {
    "/logs/ingest": {
        "post": {
            "tags": ["ingest"],
            "summary": "Land log records",
            "description": "One JSON object, an array, or NDJSON; identity, gzip, deflate or zstd. "
            "Answered after COMMIT. Bad records are named, good ones beside them land.",
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string", "maxLength": MAX_KEY_CHARACTERS},
                    "description": "A retry with the same key stores nothing twice.",
                }
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [
                                {"$ref": "#/components/schemas/LogRecord"},
                                {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/LogRecord"},
                                },
                            ]
                        }
                    },
                    "application/x-ndjson": {"schema": {"type": "string"}},
                },
            },
            "responses": {
                "201": {
                    "description": "Committed.",
                    "content": {
                        "application/json": {
                            "example": {
                                "accepted": 2,
                                "rejected": [],
                                "ids": [17, 18],
                                "durable": "database",
                            }
                        }
                    },
                },
                "400": {"description": "Nothing was accepted; `rejected` says why."},
                "408": {"description": "The body came too slowly; send it again."},
                "413": {"description": "The body is over the limit."},
                "415": {"description": "The Content-Encoding is not known."},
                "503": {"description": "Not stored; try again after `Retry-After` seconds."},
            },
        }
    }
}
LOG_RECORD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["source", "message"],
    "properties": {
        "source": {"type": "string", "description": "The service's name."},
        "message": {"type": "string"},
        "severity": {"type": "string", "example": "error", "default": "info"},
        "metadata": {
            "type": "object",
            "description": "Any attributes; traceId, spanId and latency (ms) become columns too.",
        },
        "createdAt": {
            "description": "RFC 3339, or seconds, ms, µs or ns since 1970; absent: now.",
            "oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
        },
        "environment": {"type": "string"},
    },
}
