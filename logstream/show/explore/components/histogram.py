"""The Python side of the histogram: counts by severity in, what was chosen in it out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from logstream.filter import LogFilter
from logstream.show.asked import Asked
from logstream.show.explore.components.panel import HERE, SHOW, Panel

_TREND = SHOW / "live_trend"
HISTOGRAM = Panel(
    "histogram",
    *(_TREND / name for name in ("axis.js", "bars.js", "brush.js")),
    *(HERE / name for name in ("stacked_bars.js", "histogram.js", "histogram.css")),
)


def histogram(
    counts: Mapping[str, Sequence[int]],
    *,
    starts: Sequence[int],
    ends: Sequence[int],
    as_of: float,
    log_filter: LogFilter,
    timezone: str,
    before: Sequence[int] | None = None,
    before_words: str = "",
    comparison: str = "",
    words: str = "",
    per: str = "",
    back: str = "",
    chosen: Iterable[str] = (),
    selection: tuple[float, float] | None = None,
    is_explained: bool = False,
    follow: Callable[[Asked], None],
    key: str = "histogram-bars",
) -> None:
    """Draw it. `counts` are those of each severity word, a bucket each, the oldest first.

    `before` are the totals of the period before, bucket by bucket, and `comparison` says in
    words what they come to; `back` names the time that a double click brings back, "" for
    none; `selection` is a part of the time that is being explained. Times are in seconds.
    """
    data: dict[str, Any] = {
        "counts": {word: list(parts) for word, parts in counts.items()},
        "before": None if before is None else list(before),
        "beforeWords": before_words,
        "comparison": comparison,
        "starts": list(starts),
        "ends": list(ends),
        "asOf": as_of,
        "isMoving": log_filter.at is None and log_filter.end is None,
        "view": "&".join(f"{name}={value}" for name, value in log_filter.to_url().items()),
        "timezone": timezone,
        "words": words,
        "per": per,
        "back": back,
        "chosen": list(chosen),
        "selection": selection,
        "isExplained": is_explained,
    }
    HISTOGRAM(data, key=key, follow=follow)
