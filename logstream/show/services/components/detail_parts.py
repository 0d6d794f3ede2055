"""The Python side of what a service's detail is drawn with: numbers in, clicks out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette
from logstream.show.services.components.service_map import HERE, milliseconds
from logstream.trace_port import (
    DurationTrend,
    OperationFacts,
    ServiceEdge,
    ServiceFacts,
    Services,
)

Follow = Callable[[Asked], None]


def _panel(name: str, *files: str) -> Panel:
    common = (SHOW / "live_trend" / name for name in ("axis.js", "bars.js"))
    return Panel(name, *common, HERE / "numbers.js", *(HERE / file for file in files))


HEAD = _panel("service_head", "link.js", "service_head.js", "bar.css", "service_head.css")
TRENDS = _panel("trends", "trends.js", "trends.css")
OPERATIONS = _panel("operations", "operations.js", "bar.css", "operations.css")
NEIGHBOURS = _panel("neighbours", "neighbours.js", "neighbours.css")


def service_head(service: str, words: str, *, links: Mapping[str, str], follow: Follow) -> None:
    """Its name, what is known of it in words, and the ways to its lines and traces."""
    data = {"service": service, "words": words, "links": dict(links), "palette": service_palette()}
    HEAD(data, key="head-of-service", follow=follow)


def trends(
    facts: ServiceFacts,
    found: Services,
    durations: DurationTrend,
    *,
    seconds: float,
    as_of: float,
    per: str,
    timezone: str,
    follow: Follow,
) -> None:
    """Requests, errors and durations over the time of `found`."""
    parts = {
        "p50Ms": [milliseconds(nano) for nano in durations.p50_nano],
        "p95Ms": [milliseconds(nano) for nano in durations.p95_nano],
        "p99Ms": [milliseconds(nano) for nano in durations.p99_nano],
    }
    data: dict[str, Any] = {
        "starts": list(found.starts_unix_seconds),
        "bucketSeconds": found.bucket_seconds,
        "calls": list(facts.trend),
        "errors": list(facts.error_trend),
        "total": facts.calls,
        "errorTotal": facts.errors,
        **parts,
        "whole": {
            "p50Ms": milliseconds(facts.p50_nano),
            "p95Ms": milliseconds(facts.p95_nano),
            "p99Ms": milliseconds(facts.p99_nano),
        },
        "hasDurations": facts.p50_nano is not None,
        "isByLines": facts.told_by == "lines",
        "seconds": seconds,
        "asOf": as_of,
        "per": per,
        "timezone": timezone,
    }
    TRENDS(data, key="trends-of-service", follow=follow)


def operation_table(
    operations: Sequence[OperationFacts],
    *,
    seconds: float,
    slow: str | None,
    none_words: str,
    follow: Follow,
) -> None:
    """Its operations; `slow` is the one whose slow requests are looked at."""
    data: dict[str, Any] = {
        "operations": [
            {
                "operation": one.operation,
                "kind": one.kind,
                "calls": one.calls,
                "errors": one.errors,
                "p50Ms": milliseconds(one.p50_nano),
                "p95Ms": milliseconds(one.p95_nano),
                "p99Ms": milliseconds(one.p99_nano),
                "totalMs": one.total_nano / 1e6,
            }
            for one in operations
        ],
        "seconds": seconds,
        "slow": slow,
        "canCompare": True,
        "noneWords": none_words,
    }
    OPERATIONS(data, key="operations-of-service", follow=follow)


def neighbours(
    service: str,
    edges: Sequence[ServiceEdge],
    kinds: Mapping[str, str],
    *,
    seconds: float,
    follow: Follow,
) -> None:
    """Who calls it and whom it calls, most calls first; `kinds` are those of the nodes."""

    def row(other: str, edge: ServiceEdge) -> dict[str, Any]:
        return {
            "service": other,
            "nodeKind": kinds.get(other, "service"),
            "kind": edge.kind,
            "calls": edge.calls,
            "errors": edge.errors,
            "p95Ms": milliseconds(edge.p95_nano),
        }

    most_first = sorted(edges, key=lambda edge: (-edge.calls, edge.source, edge.target, edge.kind))
    data: dict[str, Any] = {
        "callers": [row(edge.source, edge) for edge in most_first if edge.target == service],
        "callees": [row(edge.target, edge) for edge in most_first if edge.source == service],
        "seconds": seconds,
        "palette": service_palette(),
    }
    NEIGHBOURS(data, key="neighbours-of-service", follow=follow)
