"""The Python side of the drawing of all traces: points and counts in, what was chosen out."""

from collections.abc import Callable, Mapping
from typing import Any

from logstream.durations import low_edge_nano
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel
from logstream.trace_port import TraceShape

NANOS_PER_MS = 1_000_000
NANOS_PER_SECOND = 1_000_000_000
HERE = SHOW / "traces" / "components"
_TREND = SHOW / "live_trend"
TRACE_SHAPE = Panel(
    "trace_shape",
    *(_TREND / name for name in ("axis.js", "bars.js")),
    *(HERE / name for name in ("durations.js", "links.js", "trace_shape.js", "trace_shape.css")),
)


def trace_shape(
    shape: TraceShape,
    *,
    time_shown: tuple[float, float],
    as_of: float,
    timezone: str,
    view: str,
    link: str,
    words: str = "",
    back: str = "",
    is_errors_only: bool = False,
    can_explain: bool = False,
    is_explained: bool = False,
    follow: Callable[[Asked], None],
    key: str = "trace-shape",
) -> None:
    """Draw it. `time_shown` is from when to when, in seconds; `view` names the question.

    `link` are the filters as a query, for addresses of traces; `back` names what a double click
    brings back, "" for nothing.
    """
    roots: dict[tuple[str | None, str | None], int] = {}
    root_of = [
        roots.setdefault((point.root_service, point.root_name), len(roots))
        for point in shape.points
    ]
    percentiles = {"p50": shape.p50_nano, "p95": shape.p95_nano, "p99": shape.p99_nano}
    data: dict[str, Any] = {
        "ids": [point.trace_id for point in shape.points],
        "starts": [point.start_unix_nano / NANOS_PER_SECOND for point in shape.points],
        "durations": [point.duration_nano / NANOS_PER_MS for point in shape.points],
        "errors": [int(point.has_error) for point in shape.points],
        "roots": list(roots),
        "rootOf": root_of,
        "total": shape.total,
        "isComplete": shape.is_complete,
        "errorTotal": shape.error_total,
        "steps": _steps(shape.steps),
        "percentiles": [
            (name, nano / NANOS_PER_MS) for name, nano in percentiles.items() if nano is not None
        ],
        "from": time_shown[0],
        "to": time_shown[1],
        "asOf": as_of,
        "timezone": timezone,
        "view": view,
        "link": link,
        "words": words,
        "back": back,
        "isErrorsOnly": is_errors_only,
        "canExplain": can_explain,
        "isExplained": is_explained,
    }
    TRACE_SHAPE(data, key=key, follow=follow)


def _steps(steps: Mapping[int, int]) -> list[dict[str, float]]:
    """How many took how long, the shortest first, in milliseconds."""
    return [
        {
            "low": low_edge_nano(step) / NANOS_PER_MS,
            "high": low_edge_nano(step + 1) / NANOS_PER_MS,
            "count": count,
        }
        for step, count in sorted(steps.items())
        if count
    ]
