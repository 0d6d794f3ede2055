"""The Python side of what slow requests have in common: differences in, clicks out."""

from collections.abc import Callable, Collection, Sequence
from math import isfinite
from typing import Any

from logstream.show.asked import Asked
from logstream.show.explore.components.panel import HERE as EXPLORE
from logstream.show.explore.components.panel import SHOW, Panel
from logstream.show.traces.components.trace_shape import HERE, NANOS_PER_MS
from logstream.trace_port import SlowFast

SLOW_FAST = Panel(
    "slow_fast",
    SHOW / "live_trend" / "axis.js",
    EXPLORE / "difference_words.js",
    *(HERE / name for name in ("durations.js", "slow_fast.js", "slow_fast.css")),
)
_TITLES = {"call": "Calls", "pattern": "Logs", "error": "Errors"}
_ATTRIBUTE = "attribute:"


def slow_fast_panel(
    found: SlowFast | None,
    *,
    operations: Sequence[tuple[str, str]],
    operation: int,
    note: str = "",
    chosen: Collection[tuple[str, str]] = (),
    acts: Callable[[str, str], str] = lambda field, value: "",
    follow: Callable[[Asked], None],
    key: str = "slow-fast",
) -> None:
    """Draw it for one of `operations`, each (service, name).

    `chosen` are the (field, value) that the filter asks for; `acts` says what a click on one
    does, "" for nothing.
    """
    differences = () if found is None else found.differences
    rows: list[dict[str, Any]] = [
        {
            "field": one.field,
            "title": title_of(one.field),
            "value": one.value,
            "label": one.label,
            "count": one.count,
            "share": one.share,
            "baselineCount": one.baseline_count,
            "baselineShare": one.baseline_share,
            # JSON knows no infinity: no fast one has it.
            "lift": one.lift if isfinite(one.lift) else None,
            "p": one.p_value,
            "isOnly": (one.field, one.value) in chosen,
            "act": acts(one.field, one.value),
        }
        for one in differences
    ]
    data: dict[str, Any] = {
        "operations": [list(one) for one in operations],
        "operation": operation,
        "differences": rows,
        "slow": 0 if found is None else found.slow,
        "fast": 0 if found is None else found.fast,
        "slowMs": None if found is None or not found.slow else found.slow_nano / NANOS_PER_MS,
        "note": note,
    }
    SLOW_FAST(data, key=key, follow=follow)


def title_of(field: str) -> str:
    """What people call the field."""
    return _TITLES.get(field) or field.removeprefix(_ATTRIBUTE)
