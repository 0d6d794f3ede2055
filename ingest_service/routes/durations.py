"""How long spans of one kind take, for a span that is looked at to be placed among them."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS
from logstream.filter import LogFilter
from logstream.trace_port import TraceReader

_Name = Annotated[str, Query(max_length=1_000)]
_DOCUMENTED = {"parameters": [one for one in FILTER_PARAMETERS if one["name"] == "env"]}

router = APIRouter(tags=["services"])


@router.get(
    "/services/durations",
    openapi_extra=_DOCUMENTED,
    summary="Durations of one kind of span in 24 hours",
)
def durations(
    request: Request,
    service: _Name,
    operation: Annotated[str, Query(max_length=1_000, description="Name of a span.")],
    kind: Annotated[str, Query(max_length=20, description="`server`, `client` and so on.")],
) -> JsonReply:
    """`{"steps": {"40": 812}}`: spans counted by duration, empty steps left out.

    Step n holds durations from 2^(n/4) µs on, 19 % apart; step -1 those below a microsecond.
    """
    traces: TraceReader = request.app.state.traces
    # `service` is one name as it is, not a list as in a filter.
    meant = LogFilter.from_url({"env": ",".join(request.query_params.getlist("env"))})
    # No stored name holds a NUL, and the database takes no question with one.
    names = [name.replace("\x00", "\ufffd") for name in (service, operation, kind)]
    steps = traces.durations(
        names[0],
        names[1],
        names[2],
        environment=caller_of(request).narrowed(meant).environment,
        now_unix_nano=time.time_ns(),
    )
    return JsonReply({"steps": {str(step): count for step, count in sorted(steps.items())}})
