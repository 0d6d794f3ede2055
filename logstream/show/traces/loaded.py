"""The part of the list that is on the screen, kept until the reader asks for another.

Nothing that is being read moves: the rows stay as they were found until the filters or the order
change, or the reader looks again.
"""

import time
from dataclasses import dataclass, replace

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.traces import questions
from logstream.trace_port import TraceShape, TraceSort, TraceSummary

PAGE_ROWS = 100
# The browser holds every row.
MOST_ROWS = 2_000
_LIST, _SHAPE = "traces-list", "traces-shape"


@dataclass(frozen=True)
class Loaded:
    """Rows found under one question, as of one moment; `cursor` leads on, None at the end."""

    question: tuple[object, ...]
    as_of_unix_nano: int
    rows: tuple[TraceSummary, ...]
    cursor: str | None
    is_complete: bool


def current(log_filter: LogFilter, sort: TraceSort) -> Loaded:
    """The rows of this filter and order, looked for when they are not those on the screen."""
    question = (log_filter, sort)
    kept: Loaded | None = st.session_state.get(_LIST)
    if kept is None or kept.question != question:
        kept = _more(Loaded(question, time.time_ns(), (), None, True), log_filter, sort)
        st.session_state[_LIST] = kept
    return kept


def load_more(log_filter: LogFilter, sort: TraceSort) -> None:
    """Add the next page to the rows on the screen."""
    kept = current(log_filter, sort)
    if kept.cursor is not None and len(kept.rows) < MOST_ROWS:
        st.session_state[_LIST] = _more(kept, log_filter, sort)


def shape(log_filter: LogFilter) -> tuple[TraceShape, int]:
    """All traces of this filter together, and the moment that holds for."""
    kept: tuple[LogFilter, TraceShape, int] | None = st.session_state.get(_SHAPE)
    if kept is None or kept[0] != log_filter:
        moment = time.time_ns()
        kept = st.session_state[_SHAPE] = (log_filter, questions.shape(log_filter, moment), moment)
    return kept[1:]


def look_again() -> None:
    """With the run that follows everything is asked anew."""
    st.session_state.pop(_LIST, None)
    st.session_state.pop(_SHAPE, None)


def _more(kept: Loaded, log_filter: LogFilter, sort: TraceSort) -> Loaded:
    page = questions.traces(log_filter, sort, PAGE_ROWS, kept.as_of_unix_nano, kept.cursor)
    return replace(
        kept,
        rows=(*kept.rows, *page.traces),
        cursor=page.cursor,
        is_complete=kept.is_complete and page.is_complete,
    )
