"""One trace whole: its spans and its log lines."""

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request

from ingest_service.replies import JsonReply
from ingest_service.routes.logs import asked_filter
from logstream.errors import NotFound
from logstream.filter import LogFilter
from logstream.model import LogLine, normal_trace_id
from logstream.ports import LogReader
from logstream.query.self_time import SpanInTrace, in_trace
from logstream.query.span_tree import without_copies
from logstream.query.traces import forms_of_trace_id
from logstream.receive.native_values import MAX_ID_CHARS

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
    reader: LogReader = request.app.state.reader
    environment = asked_filter(request).environment
    # No stored id holds a NUL, and the database takes no question with one.
    trace_id = normal_trace_id(trace_id.replace("\x00", "\ufffd").strip())
    stored = reader.spans_of_trace(trace_id, environment=environment, limit=MAX_SPANS + 1)
    lines: list[LogLine] = []
    for form in forms_of_trace_id(trace_id):
        lines += reader.recent(
            LogFilter(environment=environment, trace_id=form),
            limit=MAX_LINES + 1,
            now_unix_nano=time.time_ns(),
        )
    if not stored and not lines:
        raise NotFound(
            f"no span and no line of trace {trace_id} is stored",
            "check the id; it may not have arrived yet, or retention has removed it",
        )
    lines.sort(key=lambda line: (line.timestamp_unix_nano, line.id))
    spans = without_copies(stored[:MAX_SPANS])
    warnings = []
    if len(stored) > MAX_SPANS:
        warnings.append(f"the trace has more than {MAX_SPANS} spans: these are the first")
    if len(spans) < min(len(stored), MAX_SPANS):
        warnings.append("some spans were sent more than once; they are shown once")
    if len(lines) > MAX_LINES:
        warnings.append(f"the trace has more than {MAX_LINES} lines: these are the newest")
    return JsonReply(
        {
            "traceId": trace_id,
            "spans": [_span(one) for one in in_trace(spans)],
            "logs": [line.to_api() for line in lines[-MAX_LINES:]],
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
