"""Any other JSON: the paths and replies of clients that have no format of their own."""

from typing import Any

from ingest_service.protocols import native
from ingest_service.protocols.protocol import (
    Probe,
    Protocol,
    Reply,
    Route,
    json_reply,
    usual_refusal,
)
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import generic_json

AXIOM_PATH = "/v1/datasets/{dataset}/ingest"
_AXIOM_START = "/v1/datasets/"
_MAX_FAILURES = 1_000


def reply(arrival: Arrival, decoded: Decoded, landed: Landed) -> Reply:
    """201 as our own API, except where a client waits for another status."""
    if arrival.path.startswith(_AXIOM_START):
        return _axiom_reply(arrival, landed)
    answer = native.reply(arrival, decoded, landed)
    if answer.status != 201:
        return answer
    if arrival.content_type in generic_json.MSGPACK:  # logtail
        return answer._replace(status=202)
    # Logstash's HTTP input and VictoriaLogs say 200, and their clients look for it.
    return answer._replace(status=200) if arrival.path in ("/", "/insert/jsonline") else answer


def _axiom_reply(arrival: Arrival, landed: Landed) -> Reply:
    failures = [
        {"timestamp": None, "error": reject.error} for reject in landed.rejects[:_MAX_FAILURES]
    ]
    content: dict[str, Any] = {
        "ingested": landed.accepted,
        "failed": len(landed.rejects),
        "failures": failures,
        "processedBytes": len(arrival.body),
        "blocksCreated": 0,
        "walLength": 0,
    }
    return json_reply(200, content)


def refuse(error: LogStreamError, arrival: Arrival | None) -> Reply:
    """Our own refusal; at Axiom's path with the `message` that its clients show."""
    answer = usual_refusal(error, arrival)
    if arrival is None or not arrival.path.startswith(_AXIOM_START):
        return answer
    return json_reply(answer.status, {"code": answer.status, "message": f"{error}"})


GENERIC = Protocol("generic", generic_json.decode, reply, refuse)
_BOTH = ("POST", "PUT")
ROUTES: tuple[Route, ...] = (
    Route("/ingest", GENERIC, (*_BOTH, "GET"), "Land any JSON, a form, msgpack or text"),
    Route("/", GENERIC, _BOTH, "Land any JSON (Fluent Bit, Logstash and logtail clients)"),
    Route("/logs/ingest", GENERIC, ("PUT",), "Land any JSON"),
    Route(AXIOM_PATH, GENERIC, _BOTH, "Land any JSON, answered as Axiom does"),
    Route("/insert/jsonline", GENERIC, _BOTH, "Land JSON lines with VictoriaLogs' parameters"),
)
PROBES: tuple[Probe, ...] = ()
