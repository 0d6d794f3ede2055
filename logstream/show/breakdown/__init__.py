"""Lines per severity as compact bars; a click filters by that severity."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import streamlit as st

from logstream.show.filter_bar import GRAVEST_FIRST, SEVERITY_SHAPES
from logstream.show.words import percent, whole

_HERE = Path(__file__).parent
_BREAKDOWN = st.components.v2.component(
    "logstream_breakdown",
    html="<div class='bars' role='group' aria-label='Lines by severity'></div>",
    css=(_HERE / "breakdown.css").read_text("utf-8"),
    js=(_HERE / "breakdown.js").read_text("utf-8"),
)


def breakdown(counts: Mapping[str, int], *, chosen: Iterable[str] = ()) -> str | None:
    """Draw the bars; the severity word that was just clicked, else None.

    `counts` holds every severity word; `chosen` are those the filter keeps.
    """
    total = sum(counts.values())
    most = max(counts.values(), default=0)
    kept = set(chosen)
    rows = [
        {
            "word": word,
            "shape": SEVERITY_SHAPES[word],
            "count": whole(counts.get(word, 0)),
            "percent": percent(counts.get(word, 0), total),
            "width": counts.get(word, 0) / most if most else 0,
            "isChosen": word in kept,
        }
        for word in GRAVEST_FIRST
    ]
    result = _BREAKDOWN(key="breakdown-bars", data={"rows": rows}, on_pick_change=_ignore)
    picked: str | None = result.pick
    return picked


def _ignore() -> None:
    """Having a callback makes the trigger part of the result."""
