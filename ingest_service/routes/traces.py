"""One trace whole, one span of it, and two traces side by side."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import asked_filter
from ingest_service.trace_answer import comparison_answer, spans_answer, trace_answer
from logstream.errors import NotFound
from logstream.model import normal_trace_id
from logstream.query.trace_comparison import compared
from logstream.query.trace_view import TraceView, view_of
from logstream.receive.native_values import MAX_ID_CHARS
from logstream.trace_port import TraceReader, WholeTrace

MAX_SPANS = 10_000
MAX_LINES = 1_000
TYPICAL = "typical"
_ENVIRONMENTS = {
    "parameters": [
        {
            "name": "env",
            "in": "query",
            "required": False,
            "schema": {"type": "string"},
            "description": "Environments. Comma list; `-name` excludes.",
        }
    ]
}
TraceId = Annotated[str, Path(alias="traceId", max_length=MAX_ID_CHARS)]

router = APIRouter(tags=["traces"])


@router.get("/traces/{traceId}", openapi_extra=_ENVIRONMENTS, summary="One trace, whole")
def trace(
    request: Request, trace_id: TraceId, attributes: Annotated[bool, Query()] = True
) -> JsonReply:
    """`{"traceId", "spans", "criticalPath", "clockSkew", "unknownParents", "logs", "warnings"}`.

    The id in any case, with dashes or without; of 16 digits also where it was sent with 16
    zeros before it, and the other way round. Lists are oldest first. `startUnixNano` is text,
    because a moment in nanoseconds is beyond what JavaScript's numbers hold; durations are
    numbers. `selfTimeNano` is what is left of a span's duration without its children's.

    Spans with `derived` are made up from lines of services that sent none. `criticalPath` says
    which span the request waited for, moment by moment. `clockSkew` says by how much spans
    would move if all clocks were right (a span's own is its `shiftNano`); nothing is moved.
    `unknownParents` are named and have not arrived. A line's `spanId` is the span it is drawn on.

    `attributes=false` leaves out attributes, events and links, but for `exceptions`. At most
    10,000 spans and the newest 1,000 lines; `warnings` says when there are more. 404 when
    neither a span nor a line has the id.
    """
    found = _whole_trace(request, trace_id)
    answer = trace_answer(view_of(found), with_attributes=attributes)
    return JsonReply({"traceId": found.trace_id, **answer, "warnings": _warnings(found)})


@router.get(
    "/traces/{traceId}/spans/{spanId}", openapi_extra=_ENVIRONMENTS, summary="One span, whole"
)
def span(
    request: Request,
    trace_id: TraceId,
    span_id: Annotated[str, Path(alias="spanId", max_length=MAX_ID_CHARS)],
) -> JsonReply:
    """`{"traceId", "spans"}`: as a rule one; the two halves of a call may share an id.

    404 when the trace has no such span, among its first 10,000.
    """
    found = _whole_trace(request, trace_id)
    spans = spans_answer(view_of(found), span_id)
    if not spans:
        raise NotFound(f"trace {found.trace_id} has no span {span_id}", "check the id of the span")
    return JsonReply({"traceId": found.trace_id, "spans": spans})


@router.get(
    "/traces/{traceId}/comparison", openapi_extra=_ENVIRONMENTS, summary="Two traces side by side"
)
def comparison(
    request: Request,
    trace_id: TraceId,
    other: Annotated[str, Query(alias="with", min_length=1, max_length=MAX_ID_CHARS)],
) -> JsonReply:
    """`{"traceId", "withTraceId", "durationNano", "withDurationNano", "counts", "nodes"}`.

    `with` is the id of another trace, or `typical`: of those that begin with the same operation
    in the time meant (`range`, or `from` and `to`) the one whose duration is the median.

    A node is what corresponds, by service, kind and operation on the way from the root:
    `{"parent", "depth", "service", "name", "kind", "change", "spans", "withSpans",
    "differenceNano", "selfDifferenceNano", "percent"}`, parents before children, `parent` their
    place. `change` is `added`, `removed`, `slower`, `faster` or `same` (less than 10 % or
    0.1 ms). `spans` and `withSpans` are null or `{"spanId", "count", "errorCount",
    "durationNano", "selfTimeNano"}`.
    """
    own = view_of(_whole_trace(request, trace_id))
    other_id = _typical(request, own) if other == TYPICAL else other
    found = _whole_trace(request, other_id)
    answer = comparison_answer(compared(own, view_of(found)))
    return JsonReply({"traceId": own.trace_id, "withTraceId": found.trace_id, **answer})


def _typical(request: Request, view: TraceView) -> str:
    """The id of the typical trace of its kind. Raises NotFound."""
    traces: TraceReader = request.app.state.traces
    root = view.tree.spans[view.tree.main_root or 0]
    typical = traces.typical_trace(
        asked_filter(request), root.service_name, root.name, now_unix_nano=time.time_ns()
    )
    if typical is None:
        raise NotFound(
            f"no trace begins with {root.name} of {root.service_name} in this time",
            "choose a longer time, or compare with the id of a trace",
        )
    return typical


def _whole_trace(request: Request, trace_id: str) -> WholeTrace:
    """What is stored of a trace. Raises NotFound."""
    traces: TraceReader = request.app.state.traces
    found = traces.trace(
        trace_id,
        environment=asked_filter(request).environment,
        max_spans=MAX_SPANS,
        max_lines=MAX_LINES,
    )
    if found is None:
        trace_id = normal_trace_id(trace_id.replace("\x00", "\ufffd").strip())
        raise NotFound(
            f"no span and no line of trace {trace_id} is stored",
            "check the id; it may not have arrived yet, or retention has removed it",
        )
    return found


def _warnings(found: WholeTrace) -> list[str]:
    warnings = []
    if found.has_more_spans:
        warnings.append(f"the trace has more than {MAX_SPANS} spans: these are the first")
    if found.has_copies:
        warnings.append("some spans were sent more than once; they are shown once")
    if found.has_more_lines:
        warnings.append(f"the trace has more than {MAX_LINES} lines: these are the newest")
    return warnings
