"""To be written."""

from ingest_service.protocols.protocol import Probe, Route

ROUTES: tuple[Route, ...] = ()
PROBES: tuple[Probe, ...] = ()
