"""Seq at /api/events/raw and /ingest/clef, as its sinks expect it."""

from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import seq


def reply(_arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """201 with no minimum level (clients then keep theirs); 400 when nothing was accepted."""
    if landed.rejects and not landed.accepted:
        return json_reply(400, {"Error": landed.rejects[0].error})
    content: dict[str, object] = {"MinimumLevelAccepted": None}
    if landed.rejects:
        content |= {"Rejected": len(landed.rejects), "Error": landed.rejects[0].error}
    return json_reply(201, content)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The error's sentence where Seq puts it."""
    return json_reply(status_of(error), {"Error": error.one_line()})


SEQ = Protocol("seq", seq.decode, reply, refuse)
ROUTES = (
    Route("/api/events/raw", SEQ, summary="Land Seq events, raw or CLEF"),
    Route("/ingest/clef", SEQ, summary="Land CLEF events"),
)
PROBES: tuple[Probe, ...] = ()
