"""What a click in the list means for the filter: terms of `q`, a service, time and duration."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from logstream.errors import FilterError
from logstream.filter import Choice, LogFilter
from logstream.model import to_datetime
from logstream.show.asked import Asked
from logstream.show.time_trail import time_of
from logstream.text_query import (
    MAX_CHARACTERS,
    term_for,
    terms,
    with_term,
    without_key,
    without_term,
)

_TRAIL = "trace-box-trail"
# Of traces with an error.
FAILED = "status:error"


def with_terms(log_filter: LogFilter, *added: str) -> LogFilter:
    """The filter narrowed by these terms; unchanged by one that no search can say."""
    q = log_filter.q
    for term in added:
        q = with_term(q, term) if term else q
    return replace(log_filter, q=q) if len(q) <= MAX_CHARACTERS else log_filter


def of_root(log_filter: LogFilter, service: str | None, name: str) -> LogFilter:
    """Only traces whose root is this operation."""
    changed = with_terms(log_filter, term_for("root", name))
    return changed if service is None else of_service(changed, service)


def of_service(log_filter: LogFilter, service: str) -> LogFilter:
    """Only traces in which this service takes part; not so any more when that is so already."""
    only = Choice((service,))
    return replace(log_filter, service=Choice() if log_filter.service == only else only)


def value_of(log_filter: LogFilter, key: str) -> str | None:
    """The value that `q` asks for under a key, when it is one to the letter."""
    try:
        found = [term.text for term in terms(log_filter.q)]
    except FilterError:
        return None
    for text in found:
        name, sign, value = text.partition(":")
        if name != key or not sign:
            continue
        value = value[1:-1].replace('""', '"') if value[:1] == '"' else value
        if term_for(key, value) == text:
            return value
    return None


def with_box(log_filter: LogFilter, asked: Asked) -> LogFilter:
    """The filter with the time and the durations that were dragged over; see `before_box`."""
    changed = log_filter
    start, end = _moment(asked.get("from")), _moment(asked.get("to"))
    if start is not None and end is not None and start < end:
        changed = replace(changed, range_text="", start=start, end=end)
    low, high = _milliseconds(asked.get("low")), _milliseconds(asked.get("high"))
    if low or high:
        q = without_key(changed.q, "duration")
        limits = [f"duration>={low}" * bool(low), f"duration<={high}" * bool(high)]
        changed = with_terms(replace(changed, q=q), *limits)
    if changed != log_filter:
        trail: list[tuple[LogFilter, LogFilter]] = st.session_state.get(_TRAIL, [])
        kept = trail if trail and trail[-1][0] == _box_of(log_filter) else []
        st.session_state[_TRAIL] = [*kept, (_box_of(changed), _box_of(log_filter))]
    return changed


def before_box(log_filter: LogFilter) -> LogFilter:
    """The filter with the time and durations that were shown before these were dragged over.

    Without any when they were chosen otherwise.
    """
    trail: list[tuple[LogFilter, LogFilter]] = st.session_state.get(_TRAIL, [])
    if trail and trail[-1][0] == _box_of(log_filter):
        before = trail[-1][1]
        time = replace(log_filter, range_text=before.range_text, start=before.start, end=before.end)
        bare = replace(time, q=without_key(time.q, "duration"))
        return with_terms(bare, *(term.text for term in terms(before.q)))
    bare = replace(log_filter, q=without_key(log_filter.q, "duration"))
    return bare if log_filter.start is None and log_filter.end is None else bare.without("range")


def forget_box() -> None:
    """What was dragged over last is given up."""
    st.session_state[_TRAIL] = st.session_state.get(_TRAIL, [])[:-1]


def _box_of(log_filter: LogFilter) -> LogFilter:
    """Nothing but the time and the durations."""
    try:
        found = [term.text for term in terms(log_filter.q)]
    except FilterError:
        found = []
    durations = [text for text in found if without_key(text, "duration") == ""]
    return replace(time_of(log_filter), q=" ".join(durations))


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(round(seconds, 3), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _milliseconds(value: object) -> str:
    """`120ms`, `1.5s`; "" for nothing that is a duration."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        return ""
    if value >= 1000:
        return f"{_plain(value / 1000)}s"
    return f"{_plain(value)}ms" if value >= 1 else f"{_plain(value * 1000)}us"


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def can_step_back(log_filter: LogFilter) -> bool:
    """True when a time or durations are chosen that can be given up."""
    return before_box(log_filter) != log_filter


def duration_words(log_filter: LogFilter) -> str:
    """The durations asked for, in words; "" for any."""
    try:
        found = terms(log_filter.q)
    except FilterError:
        return ""
    return ", ".join(one.words for one in found if without_key(one.text, "duration") == "")


def without_duration(log_filter: LogFilter) -> LogFilter:
    """The filter for traces of any duration."""
    return replace(log_filter, q=without_key(log_filter.q, "duration"))


def has_term(log_filter: LogFilter, term: str) -> bool:
    """True when the search has this term, however it is written."""
    return without_term(log_filter.q, term) != log_filter.q


def toggle_terms(log_filter: LogFilter, wanted: Sequence[str]) -> LogFilter:
    """The filter with these terms; without them when all are there."""
    if not all(has_term(log_filter, term) for term in wanted):
        return with_terms(log_filter, *wanted)
    q = log_filter.q
    for term in wanted:
        q = without_term(q, term)
    return replace(log_filter, q=q)


def time_and_place(log_filter: LogFilter, environment: Choice) -> LogFilter:
    """Nothing but the filter's time, in this environment."""
    return replace(time_of(log_filter), environment=environment)


def around(log_filter: LogFilter, unix_nano: int) -> LogFilter:
    """The filter for half a day before and after a moment."""
    moment = to_datetime(unix_nano)
    try:
        start, end = moment - timedelta(hours=12), moment + timedelta(hours=12)
    except OverflowError:
        return log_filter
    return replace(log_filter, range_text="", start=start, end=end)
