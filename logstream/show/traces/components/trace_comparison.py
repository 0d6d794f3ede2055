"""The Python side of a comparison: two traces as one tree in, clicks out."""

from collections.abc import Callable
from typing import Any

from logstream.model import Span
from logstream.query.trace_comparison import ComparedNode, ComparedSpans, Comparison
from logstream.query.trace_view import TraceView
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette
from logstream.show.traces.components.trace_shape import HERE, NANOS_PER_MS

TRACE_COMPARISON = Panel(
    "trace_comparison",
    SHOW / "live_trend" / "bars.js",
    *(
        HERE / name
        for name in ("durations.js", "links.js", "trace_comparison.js", "trace_comparison.css")
    ),
)


def trace_comparison(
    comparison: Comparison,
    own: TraceView,
    other: TraceView,
    *,
    timezone: str,
    link: str,
    is_typical: bool = False,
    note: str = "",
    follow: Callable[[Asked], None],
    key: str = "trace-comparison",
) -> None:
    """Draw it; `link` are the filters as a query, for addresses of traces."""
    parents = {node.parent for node in comparison.nodes}
    data: dict[str, Any] = {
        "own": _side(own, comparison.own_nano),
        "other": _side(other, comparison.other_nano),
        "rows": [_row(at, node, at in parents) for at, node in enumerate(comparison.nodes)],
        "changes": dict(comparison.changes),
        "view": f"{own.trace_id} {other.trace_id}",
        "timezone": timezone,
        "link": link,
        "isTypical": is_typical,
        "note": note,
        "palette": service_palette(),
    }
    TRACE_COMPARISON(data, key=key, follow=follow)


def root_of(view: TraceView) -> Span | None:
    """The span that a trace begins with: the earliest root."""
    roots = [view.tree.spans[place] for place in view.tree.roots]
    return min(roots, key=lambda span: span.start_unix_nano, default=None)


def _side(view: TraceView, nano: int) -> dict[str, Any]:
    root = root_of(view)
    start = min((span.start_unix_nano for span in view.tree.spans), default=0)
    return {
        "id": view.trace_id,
        "service": None if root is None else root.service_name,
        "name": None if root is None else root.name[:500],
        "start": start / NANOS_PER_MS,
        "ms": nano / NANOS_PER_MS,
        "spans": len(view.tree.spans),
        "errors": sum(span.status == "error" for span in view.tree.spans),
    }


def _row(at: int, node: ComparedNode, has_children: bool) -> dict[str, Any]:
    return {
        "key": at,
        "parent": node.parent,
        "depth": node.depth,
        "service": node.service,
        "name": node.operation[:500],
        "kind": node.kind,
        "state": node.change,
        "own": _spans(node.own),
        "other": _spans(node.other),
        "change": node.difference_nano / NANOS_PER_MS,
        "selfChange": node.self_difference_nano / NANOS_PER_MS,
        "percent": node.percent,
        "hasChildren": has_children,
    }


def _spans(spans: ComparedSpans | None) -> dict[str, Any] | None:
    if spans is None:
        return None
    return {
        "id": spans.span_id,
        "count": spans.count,
        "errors": spans.error_count,
        "ms": spans.duration_nano / NANOS_PER_MS,
        "selfMs": spans.self_time_nano / NANOS_PER_MS,
    }
