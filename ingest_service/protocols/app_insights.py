"""Application Insights at /v2.1/track and /v2/track."""

from ingest_service.protocols.protocol import Probe, Protocol, Reply, Route, json_reply
from ingest_service.replies import status_of
from logstream.errors import LogStreamError
from logstream.model import Decoded
from logstream.ports import Arrival, Landed
from logstream.receive import app_insights


def reply(arrival: Arrival, _decoded: Decoded, landed: Landed) -> Reply:
    """200 when every item was taken, 206 naming those that were not, 400 when none was.

    An item is accepted when it was read, also when it is a metric, which is not kept: a
    client sends what was not accepted again, or reports it as lost.
    """
    received = app_insights.items_in(arrival.body)
    accepted = received - len(landed.rejects)
    errors = [
        {"index": reject.index, "statusCode": 400, "message": reject.error}
        for reject in landed.rejects
    ]
    status = 200 if not errors else 206 if accepted else 400
    return json_reply(
        status, {"itemsReceived": received, "itemsAccepted": accepted, "errors": errors}
    )


def refuse(error: LogStreamError, _arrival: Arrival | None) -> Reply:
    """Nothing received, nothing accepted, and why."""
    status = status_of(error)
    errors = [{"index": 0, "statusCode": status, "message": error.one_line()}]
    return json_reply(status, {"itemsReceived": 0, "itemsAccepted": 0, "errors": errors})


APP_INSIGHTS = Protocol("app_insights", app_insights.decode, reply, refuse)
# Connection strings end with a slash, and the Python exporter adds one more.
ROUTES = tuple(
    Route(path, APP_INSIGHTS, summary="Land Application Insights telemetry")
    for path in ("/v2.1/track", "/v2/track", "//v2.1/track", "//v2/track")
)
PROBES: tuple[Probe, ...] = ()
