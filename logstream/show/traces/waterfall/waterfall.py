"""The Python side of the waterfall: what the browser is told, and how its clicks come back.

The browser asks for the trace by itself, at the ingest service or through the dashboard's relay;
Streamlit only says which trace, zone and environments are meant. Which span is selected the
browser reads from the URL's `span`, and keeps there.
"""

from collections.abc import Callable
from pathlib import Path

from logstream.filter import Choice, LogFilter
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette

_HERE = Path(__file__).parent
_FEED = SHOW / "live_feed"
# What the detail of a log line is built of, then one idea a file.
_SCRIPTS = (
    *(
        _FEED / name
        for name in ("predicate.js", "questions.js", "neighbours.js", "drawer.js", "keys.js")
    ),
    *(
        _HERE / name
        for name in (
            "durations.js",
            "model.js",
            "crowd.js",
            "visible_rows.js",
            "trace_search.js",
            "trace_source.js",
            "bar.js",
            "rows.js",
            "minimap.js",
            "time_axis.js",
            "trace_head.js",
            "trace_bar.js",
            "trace_states.js",
            "trace_keys.js",
            "statistics.js",
            "flame.js",
            "span_drawer.js",
            "reading_trace.js",
            "waterfall.js",
        )
    ),
)
_STYLES = (_FEED / "drawer.css", _HERE / "waterfall.css", _HERE / "parts.css")
WATERFALL = Panel("waterfall", *_SCRIPTS, *_STYLES)


def waterfall(
    trace_id: str,
    *,
    environment: Choice,
    service_url: str,
    service_port: int,
    timezone: str = "UTC",
    page_pass: str = "",
    relay_path: str = "",
    follow: Callable[[Asked], None],
    key: str = "trace-waterfall",
) -> None:
    """Draw one trace down to the window's lower edge.

    Service, pass and relay as in `live_feed`. `follow` is told what was asked for, as a
    callback, by `kind`: `list` and `anywhere` (the list; the trace in every environment),
    `trace` (`value`, another one, and its `span`), `filter` (`key`, `value`, `isExcluded`) and
    `like` (`service`, `operation`), which mean traces, `explore` (`value`, the trace, its time
    `from` and `to`, and perhaps a `line`).
    """
    WATERFALL(
        {
            "traceId": trace_id,
            "environment": LogFilter(environment=environment).to_url().get("env", ""),
            "serviceUrl": service_url.rstrip("/"),
            "servicePort": service_port,
            "pass": page_pass,
            "relayPath": relay_path,
            "timezone": timezone,
            "palette": service_palette(),
        },
        key=key,
        follow=follow,
    )
