"""The tab Patterns: templates instead of walls of lines."""

import time
from dataclasses import replace

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.ports import PatternValues
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import empty, explain, guarded
from logstream.show.explore import questions
from logstream.show.explore.choices import choose, chosen_of
from logstream.show.explore.components.patterns import pattern_table
from logstream.show.explore.rerun import redraw_page, redraw_when_changed
from logstream.show.url_state import View
from logstream.text_query import with_term

FEW, MANY = 200, 1000
MOST_VALUES = 20
_LIMIT, _ASKED = "patterns-limit", "patterns-asked"


def draw_patterns(view: View) -> None:
    """One row a pattern, most frequent first."""
    _table()


@st.fragment
@guarded("The patterns cannot be drawn.")
def _table() -> None:
    redraw_when_changed()
    view = url_state.shown()
    log_filter = view.log_filter
    question = "&".join(f"{name}={value}" for name, value in log_filter.to_url().items())
    limit = MANY if st.session_state.get(_LIMIT) == question else FEW
    try:
        patterns = questions.patterns(log_filter, limit)
    except LogStreamError:
        session.note_missing_answer()
        raise
    if not patterns.patterns:
        empty(
            "No line, so no pattern.",
            "Choose a longer time, or take a filter away under the bar above.",
        )
        return
    ids = [str(one.id) for one in patterns.patterns]
    pattern_table(
        patterns,
        as_of=time.time(),
        timezone=view.timezone,
        view=question,
        excluded=chosen_of(log_filter, "pattern", ids).excluded,
        values=_values(log_filter),
        follow=lambda asked: _follow(asked, question),
    )


def _values(log_filter: LogFilter) -> tuple[str, PatternValues | None, str] | None:
    """What was last asked about the places of a pattern, with its answer."""
    asked: str | None = st.session_state.get(_ASKED)
    if asked is None:
        return None
    try:
        values = questions.pattern_values(log_filter, int(asked), MOST_VALUES)
    except LogStreamError as error:
        return asked, None, explain(error)[0]
    return asked, values, "" if values else "This pattern is no longer known."


def with_value(log_filter: LogFilter, pattern_id: str, value: str) -> LogFilter:
    """The lines of one pattern that hold a value; of the pattern alone when q cannot say it."""
    narrowed = choose(log_filter, "pattern", pattern_id, "toggle")
    if chosen_of(log_filter, "pattern", [pattern_id]).only:
        narrowed = log_filter
    if not value.strip() or '"' in value:
        return narrowed
    return replace(narrowed, q=with_term(narrowed.q, f'"{value.strip()}"'))


def _follow(asked: Asked, question: str) -> None:
    kind, pattern_id = str(asked.get("kind", "")), str(asked.get("id", ""))
    if kind == "more":
        st.session_state[_LIMIT] = question
        return
    if not pattern_id.isdecimal():
        return
    if kind == "places":
        st.session_state[_ASKED] = pattern_id
        return
    chosen = url_state.shown().chosen
    if kind == "value":
        url_state.change(with_value(chosen, pattern_id, str(asked.get("value", ""))[:200]))
        url_state.change_tab("lines")
    elif kind == "only":
        if not chosen_of(chosen, "pattern", [pattern_id]).only:
            url_state.change(choose(chosen, "pattern", pattern_id, "toggle"))
        url_state.change_tab("lines")
    elif kind == "exclude":
        url_state.change(choose(chosen, "pattern", pattern_id, "exclude"))
    redraw_page()
