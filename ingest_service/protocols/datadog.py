"""Datadog's log intake at /api/v2/logs, its older paths, and the question about a key."""

from http import HTTPStatus

from ingest_service.protocols.protocol import Asked, Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import datadog
from logstream.receive.compression import decompress as usual_decompress

_OLDER = "/v1/input"


def reply(arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """202, or the older paths' 200; 400 when everything was refused."""
    if landed.rejects and not landed.accepted:
        return _errors(400, landed.rejects[0].error)
    content: dict[str, object] = {}
    if landed.rejects:
        content = {"rejected": len(landed.rejects), "error": landed.rejects[0].error}
    return json_reply(200 if arrival.path.startswith(_OLDER) else 202, content)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The error in Datadog's shape."""
    return _errors(status_of(error), error.one_line())


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """As everywhere; Datadog's clients call zstd `zstd1`."""
    name = content_encoding.strip().lower()
    return usual_decompress(body, "zstd" if name == "zstd1" else content_encoding, limit_bytes)


def validate(_asked: Asked) -> Reply:
    """What clients ask about their key; who has none that is valid does not come here."""
    return json_reply(200, {"valid": True})


def _errors(status: int, detail: str) -> Reply:
    title = HTTPStatus(status).phrase
    return json_reply(
        status, {"errors": [{"status": str(status), "title": title, "detail": detail}]}
    )


DATADOG = Protocol("datadog", datadog.decode, reply, refuse, decompress)
ROUTES = (
    Route("/api/v2/logs", DATADOG, summary="Land Datadog log entries"),
    Route(_OLDER, DATADOG, summary="Land Datadog log entries"),
    Route(_OLDER + "/{key}", DATADOG, summary="Land Datadog log entries"),
)
PROBES = (Probe("/api/v1/validate", validate, summary="Whether a Datadog key is valid"),)
