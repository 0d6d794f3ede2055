"""Zipkin's API v2: POST /api/v2/spans."""

from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import zipkin

_TEXT = b"text/plain; charset=utf-8"


def reply(_arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """202 without a body, as Zipkin says it; 400 when no span could be taken."""
    if landed.accepted or not landed.rejects:
        return Reply(202, content_type=_TEXT)
    return Reply(400, landed.rejects[0].error.encode(), _TEXT)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """One line of text."""
    return Reply(status_of(error), error.one_line().encode(), _TEXT)


ZIPKIN = Protocol("zipkin", zipkin.decode, reply, refuse)
ROUTES = (Route("/api/v2/spans", ZIPKIN, summary="Land Zipkin spans"),)
PROBES: tuple[Probe, ...] = ()
