"""One trace whole: its spans and its log lines."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import asked_filter
from logstream.errors import NotFound
from logstream.model import normal_trace_id
from logstream.query.self_time import SpanInTrace, in_trace
from logstream.receive.native_values import MAX_ID_CHARS
from logstream.trace_port import TraceReader

MAX_SPANS = 10_000
MAX_LINES = 1_000
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

router = APIRouter(tags=["traces"])


@router.get("/traces/{traceId}", openapi_extra=_ENVIRONMENTS, summary="One trace, whole")
def trace(
    request: Request, trace_id: Annotated[str, Path(alias="traceId", max_length=MAX_ID_CHARS)]
) -> JsonReply:
    """`{"traceId", "spans", "logs", "warnings"}`, each list oldest first.

    The id in any case, with dashes or without; of 16 digits also where it was sent with 16
    zeros before it, and the other way round. `startUnixNano` is text, because a moment in
    nanoseconds is beyond what JavaScript's numbers hold; durations are numbers.
    `selfTimeNano` is what is left of a span's duration without its children's. At most 10,000
    spans and the newest 1,000 lines; `warnings` says when there are more. 404 when neither a
    span nor a line has the id.
    """
    traces: TraceReader = request.app.state.traces
    found = traces.trace(
        trace_id,
        environment=asked_filter(request).environment,
        max_spans=MAX_SPANS,
        max_lines=MAX_LINES,
    )
    trace_id = normal_trace_id(trace_id.replace("\x00", "\ufffd").strip())
    if found is None:
        raise NotFound(
            f"no span and no line of trace {trace_id} is stored",
            "check the id; it may not have arrived yet, or retention has removed it",
        )
    warnings = []
    if found.has_more_spans:
        warnings.append(f"the trace has more than {MAX_SPANS} spans: these are the first")
    if found.has_copies:
        warnings.append("some spans were sent more than once; they are shown once")
    if found.has_more_lines:
        warnings.append(f"the trace has more than {MAX_LINES} lines: these are the newest")
    return JsonReply(
        {
            "traceId": trace_id,
            "spans": [_span(one) for one in in_trace(found.spans)],
            "logs": [line.to_api() for line in found.lines],
            "warnings": warnings,
        }
    )


def _span(found: SpanInTrace) -> dict[str, Any]:
    span = found.span
    return {
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "service": span.service_name,
        "environment": span.environment,
        "name": span.name,
        "kind": span.kind,
        "startUnixNano": str(span.start_unix_nano),
        "durationNano": span.duration_nano,
        "selfTimeNano": found.self_time_nano,
        "status": span.status,
        "statusMessage": span.status_message,
        # As stored: numbers of any size stay as they were sent.
        "attributes": msgspec.Raw(span.attributes),
        "events": msgspec.Raw(span.events),
        "links": msgspec.Raw(span.links),
        # True for a span that was made up from log lines; none is yet.
        "derived": False,
        "warnings": found.warnings,
    }
