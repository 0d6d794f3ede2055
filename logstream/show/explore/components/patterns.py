"""The Python side of the patterns' table: patterns in, clicks out."""

from collections.abc import Callable, Iterable
from typing import Any

from logstream.ports import Patterns, PatternValues
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import HERE, SHOW, Panel, service_palette
from logstream.template import PLACE

_TREND = SHOW / "live_trend"
PATTERNS = Panel(
    "patterns",
    *(_TREND / name for name in ("axis.js", "bars.js")),
    *(HERE / name for name in ("patterns.js", "patterns.css")),
)


def pattern_table(
    patterns: Patterns,
    *,
    as_of: float,
    timezone: str,
    view: str,
    excluded: Iterable[str] = (),
    values: tuple[str, PatternValues | None, str] | None = None,
    follow: Callable[[Asked], None],
    key: str = "pattern-table",
) -> None:
    """Draw them. `values` answers what was asked last: (pattern id, places, why there are none).

    `view` names the question, so that answers about places are of the lines shown.
    """
    left_out = set(excluded)
    data: dict[str, Any] = {
        "patterns": [
            {
                "id": str(one.id),
                # Every second part is the kind of a place.
                "parts": PLACE.split(one.template),
                "example": one.example[:1000],
                "count": one.count,
                "severity": one.severity,
                "severities": dict(one.severities),
                "services": list(one.services)[:50],
                "firstSeen": one.first_seen.timestamp(),
                "lastSeen": one.last_seen.timestamp(),
                "isNew": one.is_new,
                "trend": list(one.trend),
                "isExcluded": str(one.id) in left_out,
            }
            for one in patterns.patterns
        ],
        "patternCount": patterns.pattern_count,
        "total": patterns.total,
        "asOf": as_of,
        "timezone": timezone,
        "view": view,
        "values": None if values is None else _answer(*values),
        "palette": service_palette(),
    }
    PATTERNS(data, key=key, follow=follow)


def _answer(pattern_id: str, values: PatternValues | None, error: str) -> dict[str, Any]:
    if values is None:
        return {"id": pattern_id, "places": [], "looked": 0, "total": 0, "error": error}
    return {
        "id": pattern_id,
        "places": [
            {"kind": place.kind, "values": list(place.values), "distinct": place.distinct}
            for place in values.places
        ],
        "looked": values.looked,
        "total": values.total,
        "error": error,
    }
