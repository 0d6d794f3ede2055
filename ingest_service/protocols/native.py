"""Our own API: POST /logs/ingest, and what the service is."""

from typing import Any

from ingest_service.protocols.elasticsearch_probes import CLUSTER, elasticsearch_reply
from ingest_service.protocols.protocol import Asked, Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import error_body
from logstream import __version__
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import native_json

MAX_REJECTS_IN_REPLY = 1_000


def reply(_arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """201 with what was accepted, 400 when nothing was."""
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
        return json_reply(201, content)
    first = landed.rejects[0].error
    refusal = error_body("nothing_accepted", first, "correct the records named in 'rejected'")
    return json_reply(400, {**refusal, **content})


def root(asked: Asked) -> Reply:
    """Name, version and where to look next; and what Elasticsearch's clients look for here."""
    ours = {"name": "LogStream", "status": "/health/ready", "docs": "/docs"}
    return elasticsearch_reply(
        200, {**ours, "logstreamVersion": __version__, **CLUSTER}, asked.headers
    )


NATIVE = Protocol("native", native_json.decode, reply)
ROUTES = (Route("/logs/ingest", NATIVE, summary="Land log records"),)
PROBES = (Probe("/", root, summary="What this is", is_open=True),)
