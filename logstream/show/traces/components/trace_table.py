"""The Python side of the list of traces: rows in, clicks out."""

from collections.abc import Callable, Sequence
from typing import Any

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette
from logstream.show.traces.components.trace_shape import HERE, NANOS_PER_MS
from logstream.trace_port import TraceSort, TraceSummary

TRACE_TABLE = Panel(
    "trace_table",
    SHOW / "live_trend" / "bars.js",
    *(HERE / name for name in ("durations.js", "links.js", "trace_table.js", "trace_table.css")),
)
# Every service costs the browser a dot.
MOST_SERVICES = 60


def trace_table(
    traces: Sequence[TraceSummary],
    *,
    sort: TraceSort,
    as_of: float,
    timezone: str,
    link: str,
    more_words: str = "",
    end_words: str = "",
    follow: Callable[[Asked], None],
    key: str = "trace-table",
) -> None:
    """Draw them. `more_words` stand on the button that loads more, "" for none; `end_words`
    say where the list ends, and why.
    """
    rows: list[dict[str, Any]] = [
        {
            "key": f"{one.environment} {one.trace_id}",
            "id": one.trace_id,
            "environment": one.environment,
            "service": one.root_service,
            "name": None if one.root_name is None else one.root_name[:500],
            "start": one.start_unix_nano / NANOS_PER_MS,
            "duration": one.duration_nano / NANOS_PER_MS,
            "derived": one.is_derived,
            "spans": one.span_count,
            "errors": one.error_count,
            "lines": one.line_count,
            "errorLines": one.error_line_count,
            "services": _services(one),
        }
        for one in traces
    ]
    data: dict[str, Any] = {
        "rows": rows,
        "showEnvironment": len({one.environment for one in traces}) > 1,
        "sort": sort,
        "asOf": as_of,
        "timezone": timezone,
        "link": link,
        "hasMore": bool(more_words),
        "moreWords": more_words,
        "endWords": end_words,
        "palette": service_palette(),
    }
    TRACE_TABLE(data, key=key, follow=follow)


def _services(one: TraceSummary) -> list[str]:
    """The root's first, so that dots of like traces stand under one another."""
    others = sorted(name for name in one.services if name != one.root_service)
    first = [one.root_service] if one.root_service in one.services else []
    return [name for name in (*first, *others) if name is not None][:MOST_SERVICES]
