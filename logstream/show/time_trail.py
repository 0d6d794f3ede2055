"""Times chosen in a chart, and the way back to those that were shown before."""

from dataclasses import replace
from datetime import datetime, timedelta

import streamlit as st

from logstream.filter import LogFilter

_TRAIL = "trend-trail"


def with_time(chosen: LogFilter, start: datetime, end: datetime, now: datetime) -> LogFilter:
    """The filter with the time that was dragged over; not beyond `now`.

    Itself when nothing of it has been yet. The time it replaces is remembered.
    """
    end = min(end, now.replace(microsecond=0) + timedelta(seconds=1))
    if start >= end:
        return chosen
    changed = replace(chosen, range_text="", start=start, end=end)
    trail: list[tuple[LogFilter, LogFilter]] = st.session_state.get(_TRAIL, [])
    is_ours = trail and trail[-1][0] == time_of(chosen)
    if changed != chosen:
        st.session_state[_TRAIL] = [
            *(trail if is_ours else []),
            (time_of(changed), time_of(chosen)),
        ]
    return changed


def step_back(chosen: LogFilter) -> LogFilter:
    """The filter with the time shown before, which is then no longer remembered."""
    changed = with_time_before(chosen)
    if changed != chosen:
        st.session_state[_TRAIL] = st.session_state.get(_TRAIL, [])[:-1]
    return changed


def with_time_before(chosen: LogFilter) -> LogFilter:
    """The filter with the time that was shown before this one was chosen in a chart.

    With the usual time when this one was chosen otherwise.
    """
    trail = st.session_state.get(_TRAIL)
    if not trail or trail[-1][0] != time_of(chosen):
        return chosen.without("range")
    before = trail[-1][1]
    return replace(chosen, range_text=before.range_text, start=before.start, end=before.end)


def time_of(chosen: LogFilter) -> LogFilter:
    """Nothing but the filter's time."""
    return LogFilter(range_text=chosen.range_text, start=chosen.start, end=chosen.end)
