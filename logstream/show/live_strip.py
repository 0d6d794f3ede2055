"""The strip above the feed: trend and severity breakdown, counted in the database."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from logstream.errors import LogStreamError, StoreUnavailable
from logstream.model import SEVERITY_WORDS
from logstream.show import session, url_state
from logstream.show.breakdown import breakdown
from logstream.show.cards import empty, failure, guarded
from logstream.show.filter_bar import toggle_severity
from logstream.show.live_trend import Asked, live_trend
from logstream.show.time_range import bucket_seconds, bucket_words, range_words
from logstream.show.time_trail import step_back, with_time, with_time_before
from logstream.show.url_state import View

REFRESH_SECONDS = 2
# The counts in the filter bar follow with a whole run of the page.
REDRAW_SECONDS = 15
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
    log_filter = view.log_filter
    now = log_filter.at or datetime.now(UTC)
    width = bucket_seconds(log_filter, now)
    try:
        counted = session.trend(log_filter, width)
    except LogStreamError as error:
        if isinstance(error, StoreUnavailable) and session.is_database_away():
            empty(
                "The trend waits for the database.",
                "Breakdown and lines are the last ones that the ingest service holds in memory.",
            )
        else:
            failure("Trend and breakdown cannot be drawn.", error)
        return False
    before = with_time_before(view.chosen)
    has_before = view.chosen.start is not None or view.chosen.end is not None
    asked = live_trend(
        counted.answer,
        log_filter,
        as_of_unix_ms=counted.unix_ms,
        is_played=log_filter.at is not None,
        bucket_seconds=width,
        timezone=view.timezone,
        per=bucket_words(width),
        words=range_words(log_filter, view.zone, now),
        back=range_words(replace(view, chosen=before).log_filter, view.zone, now)
        if has_before
        else "",
    )
    if asked is not None:
        _follow(asked, now)
    return True


def _follow(asked: Asked, now: datetime) -> None:
    """Show the time chosen in the trend, as it is now, or the time shown before."""
    chosen = url_state.shown().chosen
    if asked.start is None or asked.end is None:
        changed = step_back(chosen)
    else:
        changed = with_time(chosen, asked.start, asked.end, now)
    if changed != chosen:
        url_state.change(changed)
        st.rerun()


def _breakdown(view: View, *, is_told: bool) -> bool:
    try:
        counts = session.severity_breakdown(view.log_filter)
    except LogStreamError as error:
        if not is_told:
            failure("The breakdown cannot be drawn.", error)
        return False
    picked = breakdown(
        counts.answer,
        view.log_filter,
        as_of_unix_ms=counts.unix_ms,
        is_played=view.log_filter.at is not None,
        chosen=view.chosen.severity.only,
    )
    if picked in SEVERITY_WORDS:
        toggle_severity(picked)
        st.rerun()
    return True
