"""One trace in the API's shape."""

from typing import Any, get_args

import msgspec

from logstream.query.span_tree import span_key
from logstream.query.trace_comparison import Change, ComparedSpans, Comparison
from logstream.query.trace_view import TraceView

_decode_events = msgspec.json.Decoder(list[dict[str, Any]]).decode


def trace_answer(view: TraceView, *, with_attributes: bool) -> dict[str, Any]:
    """`spans`, `criticalPath`, `clockSkew`, `unknownParents` and `logs`, each oldest first."""
    spans = view.tree.spans
    return {
        "spans": [span_answer(view, at, with_attributes) for at in view.oldest_first],
        "criticalPath": [
            {
                "spanId": spans[one.place].span_id,
                "startUnixNano": str(one.start_unix_nano),
                "endUnixNano": str(one.end_unix_nano),
            }
            for one in sorted(view.path, key=lambda section: section.start_unix_nano)
        ],
        "clockSkew": [
            {"spanId": spans[at].span_id, "shiftNano": shift} for at, shift in view.shifts.items()
        ],
        "unknownParents": view.tree.unknown_parents,
        "logs": [
            # The span it is drawn on, spelled as that is; of no known span, as it was sent.
            {**line.to_api(), "spanId": line.span_id if span_id is None else span_id}
            for line, span_id in zip(view.lines, view.span_of_line, strict=True)
        ],
    }


def spans_answer(view: TraceView, span_id: str) -> list[dict[str, Any]]:
    """The spans with an id, in any spelling: two where they are halves of one call."""
    key = span_key(span_id)
    return [
        span_answer(view, at, with_attributes=True)
        for at in view.oldest_first
        if span_key(view.tree.spans[at].span_id) == key
    ]


def span_answer(view: TraceView, at: int, with_attributes: bool) -> dict[str, Any]:
    """One span; without attributes, events and links it says which exceptions it has."""
    found, parent = view.spans[at], view.tree.parents[at]
    span = found.span
    parent_id = span.parent_span_id
    if parent is not None and parent_id is not None:
        above = view.tree.spans[parent].span_id
        # Spelled as that is; of two halves of one call the callee's parent is what it says.
        if span_key(above) == span_key(parent_id):
            parent_id = above
    answer: dict[str, Any] = {
        "spanId": span.span_id,
        "parentSpanId": parent_id,
        "service": span.service_name,
        "environment": span.environment,
        "name": span.name,
        "kind": span.kind,
        "startUnixNano": str(span.start_unix_nano),
        "durationNano": span.duration_nano,
        "selfTimeNano": found.self_time_nano,
        "status": span.status,
        "statusMessage": span.status_message,
        "derived": view.is_derived(at),
        "warnings": found.warnings,
    }
    if at in view.shifts:
        # Here too, for two halves of one call may have one id.
        answer["shiftNano"] = view.shifts[at]
    if with_attributes:
        # As stored: numbers of any size stay as they were sent.
        answer["attributes"] = msgspec.Raw(span.attributes)
        answer["events"] = msgspec.Raw(span.events)
        answer["links"] = msgspec.Raw(span.links)
    elif exceptions := _exceptions(span.events):
        answer["exceptions"] = exceptions
    return answer


def comparison_answer(found: Comparison) -> dict[str, Any]:
    """Nodes and counts of two traces side by side."""
    return {
        "durationNano": found.own_nano,
        "withDurationNano": found.other_nano,
        "counts": {change: found.changes.get(change, 0) for change in get_args(Change)},
        "nodes": [
            {
                "parent": node.parent,
                "depth": node.depth,
                "service": node.service,
                "name": node.operation,
                "kind": node.kind,
                "change": node.change,
                "spans": _compared(node.own),
                "withSpans": _compared(node.other),
                "differenceNano": node.difference_nano,
                "selfDifferenceNano": node.self_difference_nano,
                "percent": None if node.percent is None else round(node.percent, 1),
            }
            for node in found.nodes
        ],
    }


def _compared(side: ComparedSpans | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "spanId": side.span_id,
        "count": side.count,
        "errorCount": side.error_count,
        "durationNano": side.duration_nano,
        "selfTimeNano": side.self_time_nano,
    }


def _exceptions(events: bytes) -> list[dict[str, Any]]:
    """When and what; the stack is with the whole span."""
    if b"exception" not in events:
        return []
    found = []
    for event in _decode_events(events):
        attributes = event.get("attributes")
        said = attributes if isinstance(attributes, dict) else {}
        if event.get("name") == "exception" or "exception.type" in said:
            found.append(
                {
                    "timeUnixNano": event.get("timeUnixNano"),
                    "type": said.get("exception.type"),
                    "message": said.get("exception.message"),
                }
            )
    return found
