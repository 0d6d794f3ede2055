"""The strip above the feed: trend and severity breakdown, counted in the database."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from logstream.errors import LogStreamError, StoreUnavailable
from logstream.model import SEVERITY_WORDS, TrendBucket
from logstream.show import charts, session, url_state
from logstream.show.breakdown import breakdown
from logstream.show.cards import empty, failure, guarded
from logstream.show.filter_bar import toggle_severity
from logstream.show.time_range import bucket_seconds, bucket_words, offset_steps
from logstream.show.url_state import View
from logstream.show.words import counted

REFRESH_SECONDS = 2
# The counts in the filter bar follow with a whole run of the page.
REDRAW_SECONDS = 15
# How long the mouse must rest before a drag counts as finished.
BRUSH_REST_SECONDS = 0.35
_ZOOM = "trend-zoom"
_DRAWN = "page-drawn"


@st.fragment(run_every=REFRESH_SECONDS)
@guarded("The counts cannot be drawn.")
def live_strip() -> None:
    """Draw the strip; it refreshes itself in place every two seconds."""
    view = url_state.shown()
    left, right = st.columns([2, 1], gap="small")
    with left, st.container(key="trend", gap=None):
        has_trend = _trend(view)
    with right, st.container(key="breakdown", gap=None):
        has_breakdown = _breakdown(view, is_told=not has_trend)
    if has_trend and has_breakdown and (session.answer_was_missing() or _is_old()):
        st.rerun()


def page_drawn() -> None:
    """Note that the whole page is being drawn now."""
    st.session_state[_DRAWN] = time.monotonic()


def _is_old() -> bool:
    drawn: float = st.session_state.get(_DRAWN, time.monotonic())
    return time.monotonic() - drawn > REDRAW_SECONDS


def _trend(view: View) -> bool:
    now = view.chosen.at or datetime.now(UTC)
    width = bucket_seconds(view.log_filter, now)
    try:
        buckets = session.trend(view.log_filter, width)
    except LogStreamError as error:
        if isinstance(error, StoreUnavailable) and session.is_database_away():
            empty(
                "The trend waits for the database.",
                "Breakdown and lines are the last ones that the ingest service holds in memory.",
            )
        else:
            failure("Trend and breakdown cannot be drawn.", error)
        return False
    st.html(_legend(buckets, width))
    if not buckets:
        return True
    start = datetime.fromtimestamp(buckets[0].start_unix_seconds, UTC)
    end = datetime.fromtimestamp(buckets[-1].start_unix_seconds + width, UTC)
    spec = _spec(width, tuple(offset_steps(view.zone, start, end)))
    frame = charts.trend_frame(buckets, width, now, view.zone)
    # A chosen range gets a chart of its own, so that the brush that chose it is gone.
    zoom = (view.chosen.range_text, view.chosen.start, view.chosen.end)
    generation = st.session_state.get(_ZOOM, (zoom, 0))
    if generation[0] != zoom:
        generation = (zoom, generation[1] + 1)
    st.session_state[_ZOOM] = generation
    chosen: Any = st.vega_lite_chart(
        frame,
        spec,
        key=f"trend-{generation[1]}",
        height=96,
        width="stretch",
        on_select="rerun",
        selection_mode=[charts.BRUSH, charts.RESTORE],
        alt="Lines, errors and warnings over time",
    )
    _follow_brush(view, chosen["selection"], now)
    return True


@st.cache_resource(max_entries=64, show_spinner=False)
def _spec(width: int, offsets: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    sample = charts.trend_frame([TrendBucket(0, 1, 0, 0)], width, datetime.now(UTC), UTC)
    return charts.compiled(charts.trend_chart(sample, bucket_seconds=width, offsets=offsets))


def _follow_brush(view: View, selection: Any, now: datetime) -> None:
    """Turn a finished drag into from/to, a double click into the default range."""
    brushed = (selection.get(charts.BRUSH) or {}).get("start")
    if brushed:
        # Still dragging: the next event interrupts this sleep and starts the fragment anew.
        time.sleep(BRUSH_REST_SECONDS)
        st.empty()
        start, end = whole_buckets(sorted(brushed), bucket_seconds(view.log_filter, now))
        end = min(end, now.replace(microsecond=0) + timedelta(seconds=1))
        if start < end:
            url_state.change(replace(view.chosen, range_text="", start=start, end=end))
            st.rerun()
    elif selection.get(charts.RESTORE) and view.chosen.without("range") != view.chosen:
        url_state.change(view.chosen.without("range"))
        st.rerun()


def whole_buckets(brushed_ms: Sequence[float], width: int) -> tuple[datetime, datetime]:
    """The buckets that a drag touched: half of one would be drawn as a sudden silence."""
    first, last = (at / 1000 for at in brushed_ms)
    start = math.floor(first / width) * width
    end = max(math.ceil(last / width) * width, start + width)
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def _legend(buckets: list[TrendBucket], width: int) -> str:
    total = sum(bucket.total for bucket in buckets)
    errors = sum(bucket.error for bucket in buckets)
    warnings = sum(bucket.warn for bucket in buckets)
    return (
        "<div class='legend'>"
        f"<span class='total'><i></i>{counted(total, 'line')}</span>"
        f"<span class='errors'><i></i>{counted(errors, 'error')}</span>"
        f"<span class='warnings'><i></i>{counted(warnings, 'warning')}</span>"
        f"<span class='quiet'>{bucket_words(width)}<em>, square-root scale</em></span></div>"
    )


def _breakdown(view: View, *, is_told: bool) -> bool:
    try:
        counts = session.severity_breakdown(view.log_filter)
    except LogStreamError as error:
        if not is_told:
            failure("The breakdown cannot be drawn.", error)
        return False
    picked = breakdown(counts, chosen=view.chosen.severity.only)
    if picked in SEVERITY_WORDS:
        toggle_severity(picked)
        st.rerun()
    return True
