"""Loki's push API, as promtail, Fluent Bit, Vector and the logging libraries use it."""

from ingest_service.protocols.protocol import Asked, Probe, Protocol, Reply, Route
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import loki

TEXT = b"text/plain; charset=utf-8"


def reply(_arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """204, or 400 with the first error when no line landed.

    Loki answers 400 also when some lines landed. Clients that send a refused batch again
    would then double those, so a batch that landed in part is a success.
    """
    if landed.rejects and not landed.accepted:
        return Reply(400, f"{landed.rejects[0].error}\n".encode(), TEXT)
    return Reply(204, content_type=TEXT)


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """The error as a line of text, as Loki answers."""
    return Reply(status_of(error), f"{error.one_line()}\n".encode(), TEXT)


def ready(_asked: Asked) -> Reply:
    """What Vector and load balancers ask a Loki."""
    return Reply(200, b"ready\n", TEXT)


LOKI = Protocol("loki", loki.decode, reply, refuse, loki.decompress)
ROUTES: tuple[Route, ...] = (
    Route("/loki/api/v1/push", LOKI, summary="Push lines as to Loki"),
    Route("/api/prom/push", LOKI, summary="Push lines as to Loki before version 1"),
)
PROBES: tuple[Probe, ...] = (Probe("/ready", ready, summary="Loki's readiness", is_open=True),)
