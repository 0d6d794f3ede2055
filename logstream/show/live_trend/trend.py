"""The Python side of the trend: the database's counts, and what the reader chose in it.

Between two answers the component counts the frames that the live feed hears, so the current
minute grows with every frame and without Python. An answer says as of which moment it is;
frames sent since stay on top of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.filter import LogFilter
from logstream.model import TrendBucket
from logstream.show.asked import keeping, taken
from logstream.show.live_feed.feed import FOLDER as FEED
from logstream.show.live_feed.feed import filter_for_browser

_HERE = Path(__file__).parent
# What every component needs that counts frames; joined in this order into its module.
COUNTING_SCRIPTS = (FEED / "predicate.js", FEED / "text.js", _HERE / "counts.js")
_SCRIPTS = (
    *COUNTING_SCRIPTS,
    *(_HERE / name for name in ("buckets.js", "axis.js", "bars.js", "brush.js", "trend.js")),
)
# The moment looked back to is not among them: a playback moves on from it by itself.
_COUNTED_BY = (
    "environment",
    "service",
    "severity",
    "traceId",
    "text",
    "rangeSeconds",
    "startUnixNano",
    "endUnixNano",
)


@dataclass(frozen=True)
class Asked:
    """What the reader chose: whole buckets from `start` to `end`; without them, the time before."""

    start: datetime | None = None
    end: datetime | None = None


def live_trend(
    buckets: list[TrendBucket],
    log_filter: LogFilter,
    *,
    as_of_unix_ms: int,
    is_played: bool = False,
    bucket_seconds: int,
    timezone: str = "UTC",
    per: str = "",
    words: str = "",
    back: str = "",
    key: str = "trend-bars",
) -> Asked | None:
    """Draw the trend; give what the reader chose in it, once.

    `buckets` are the counts as they were at `as_of_unix_ms`, which is now, or with `is_played`
    a moment somebody looks at. `per` (`per minute`) and `words` (`last 15 min`) say what is
    drawn; `back` names the time that a double click brings back, "" for none.
    """
    _component()(
        key=key,
        data={
            "key": key,
            "filter": counting_filter(log_filter),
            "bucketSeconds": bucket_seconds,
            "first": buckets[0].start_unix_seconds if buckets else 0,
            "total": [bucket.total for bucket in buckets],
            "error": [bucket.error for bucket in buckets],
            "warn": [bucket.warn for bucket in buckets],
            "asOfMs": as_of_unix_ms,
            "isPlayed": is_played,
            "timezone": timezone,
            "per": per,
            "words": words,
            "back": back,
        },
        on_asked_change=keeping(key),
    )
    return read_asked(taken(key))


def read_asked(asked: object) -> Asked | None:
    """What the browser sent; None for nothing and for anything malformed."""
    if not isinstance(asked, Mapping):
        return None
    if asked.get("kind") == "restore":
        return Asked()
    try:
        start, end = (datetime.fromtimestamp(int(asked[name]), UTC) for name in ("from", "to"))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return Asked(start, end) if start < end else None


@lru_cache(maxsize=256)
def counting_filter(log_filter: LogFilter) -> dict[str, Any]:
    """The part of the filter that says which frames count, and in which window."""
    whole = filter_for_browser(log_filter)
    return {name: whole[name] for name in _COUNTED_BY}


_mounts: list[Any] = []


def _component() -> Any:
    # Registered on first use: importing this module must not need a running Streamlit.
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_live_trend",
                html=(_HERE / "trend.html").read_text("utf-8"),
                css=(_HERE / "trend.css").read_text("utf-8"),
                js="\n".join(path.read_text("utf-8") for path in _SCRIPTS),
            )
        )
    return _mounts[0]
