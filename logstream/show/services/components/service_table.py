"""The Python side of the table of services: their numbers in, what was clicked out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import SHOW, Panel, service_palette
from logstream.show.services.components.service_map import HERE, milliseconds
from logstream.trace_port import ServiceFacts, Services

SERVICE_TABLE = Panel(
    "service_table",
    *(SHOW / "live_trend" / name for name in ("axis.js", "bars.js")),
    *(HERE / name for name in ("link.js", "numbers.js", "service_table.js")),
    *(HERE / name for name in ("bar.css", "service_table.css")),
)


def service_table(
    found: Services,
    silent: Sequence[str],
    *,
    seconds: float,
    as_of: float,
    per: str,
    silent_words: str,
    timezone: str,
    links: Mapping[str, str],
    follow: Callable[[Asked], None],
    key: str = "table-of-services",
) -> None:
    """Draw it. `silent` sent nothing in these `seconds`; links end where a name is to follow."""
    data: dict[str, Any] = {
        "services": [_row(one) for one in found.services],
        "silent": [{"service": name, "words": ""} for name in silent],
        "silentWords": silent_words,
        "seconds": seconds,
        "asOf": as_of,
        "per": per,
        "timezone": timezone,
        "links": dict(links),
        "palette": service_palette(),
    }
    SERVICE_TABLE(data, key=key, follow=follow)


def _row(one: ServiceFacts) -> dict[str, Any]:
    return {
        "service": one.service,
        "toldBy": one.told_by,
        "calls": one.calls,
        "errors": one.errors,
        "lines": one.lines,
        "errorLines": one.error_lines,
        "p50Ms": milliseconds(one.p50_nano),
        "p95Ms": milliseconds(one.p95_nano),
        "p99Ms": milliseconds(one.p99_nano),
        "callsBefore": one.calls_before,
        "errorsBefore": one.errors_before,
        "p95BeforeMs": milliseconds(one.p95_before_nano),
        "trend": list(one.trend),
        "errorTrend": list(one.error_trend),
    }
