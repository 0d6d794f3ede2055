"""Lines per severity as compact bars that grow as lines arrive; a click filters by a severity."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.filter_bar import GRAVEST_FIRST, SEVERITY_SHAPES
from logstream.show.live_trend import COUNTING_SCRIPTS, counting_filter

_HERE = Path(__file__).parent
_BREAKDOWN = st.components.v2.component(
    "logstream_breakdown",
    html="<div class='bars' role='group' aria-label='Lines by severity'></div>",
    css=(_HERE / "breakdown.css").read_text("utf-8"),
    js="\n".join(path.read_text("utf-8") for path in (*COUNTING_SCRIPTS, _HERE / "breakdown.js")),
)


def breakdown(
    counts: Mapping[str, int],
    log_filter: LogFilter,
    *,
    as_of_unix_ms: int,
    is_played: bool = False,
    chosen: Iterable[str] = (),
) -> str | None:
    """Draw the bars; the severity word that was just clicked, else None.

    `counts` holds every severity word as of `as_of_unix_ms` (see `live_trend`); `chosen` are
    those the filter keeps.
    """
    kept = set(chosen)
    rows = [
        {
            "word": word,
            "shape": SEVERITY_SHAPES[word],
            "count": counts.get(word, 0),
            "isChosen": word in kept,
        }
        for word in GRAVEST_FIRST
    ]
    result = _BREAKDOWN(
        key="breakdown-bars",
        data={
            "rows": rows,
            "filter": counting_filter(log_filter),
            "asOfMs": as_of_unix_ms,
            "isPlayed": is_played,
        },
        on_pick_change=_ignore,
    )
    picked: str | None = result.pick
    return picked


def _ignore() -> None:
    """Having a callback makes the trigger part of the result."""
