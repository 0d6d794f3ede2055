"""Every wire format the service speaks, by hand: nothing is discovered."""

from ingest_service.protocols import (
    app_insights,
    datadog,
    elasticsearch,
    gelf,
    generic,
    loki,
    native,
    otlp,
    sentry,
    seq,
    splunk_hec,
    zipkin,
)
from ingest_service.protocols.protocol import Probe, Protocol, Route

_FILES = (
    otlp,
    zipkin,
    loki,
    elasticsearch,
    splunk_hec,
    datadog,
    seq,
    gelf,
    sentry,
    app_insights,
    generic,
)
ROUTES: tuple[Route, ...] = (*native.ROUTES, *(route for file in _FILES for route in file.ROUTES))
PROBES: tuple[Probe, ...] = (*native.PROBES, *(probe for file in _FILES for probe in file.PROBES))
PROTOCOLS: dict[str, Protocol] = {route.protocol.name: route.protocol for route in ROUTES}
