"""Where bodies are taken that do not come from senders: to be explained, or sent again."""

from starlette.routing import BaseRoute, Route

from ingest_service.asked_body import Reading
from ingest_service.explain import Explain
from ingest_service.guard import BoundedBodies
from ingest_service.resend import Resend
from logstream.wiring import Store

# Of the memory for bodies that senders have.
_SHARE = 4


def reading_routes(reading: Reading, store: Store, max_pending_bytes: int) -> list[BaseRoute]:
    """The routes, whose bodies are held within a bound of their own."""
    limit = max_pending_bytes // _SHARE
    return [
        Route("/ingest/explain", BoundedBodies(Explain(reading), limit), methods=["POST"]),
        Route(
            "/rejects/{reject_id:int}/resend",
            BoundedBodies(Resend(reading, store), limit),
            methods=["POST"],
        ),
    ]
