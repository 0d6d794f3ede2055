"""Sentry at /api/PROJECT/envelope/ and /api/PROJECT/store/."""

import msgspec

from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import sentry


class _Named(msgspec.Struct):
    event_id: str | None = None


def reply(arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """200 with the id the client gave; 400 when everything was refused."""
    if landed.rejects and not landed.accepted:
        return json_reply(400, {"detail": landed.rejects[0].error})
    event_id = _event_id(arrival)
    content: dict[str, object] = {} if event_id is None else {"id": event_id}
    if landed.rejects:
        content |= {"rejected": len(landed.rejects), "detail": landed.rejects[0].error}
    return json_reply(200, content)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The error's sentence where Sentry puts it."""
    return json_reply(status_of(error), {"detail": error.one_line()})


def _event_id(arrival: Arrival) -> str | None:
    """The id in an envelope's headers, or in an event that stands alone."""
    is_alone = arrival.path.rstrip("/").endswith("/store")
    text = arrival.body if is_alone else arrival.body.partition(b"\n")[0]
    try:
        return msgspec.json.decode(text, type=_Named).event_id
    except (msgspec.DecodeError, RecursionError):
        return None


SENTRY = Protocol("sentry", sentry.decode, reply, refuse)
ROUTES = (
    Route("/api/{project}/envelope", SENTRY, summary="Land a Sentry envelope"),
    Route("/api/{project}/store", SENTRY, summary="Land a Sentry event"),
)
PROBES: tuple[Probe, ...] = ()
