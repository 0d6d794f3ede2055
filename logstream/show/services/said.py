"""What a service logs most: its patterns, as on Explore."""

import time
from dataclasses import replace

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice
from logstream.ports import PatternValues
from logstream.show.asked import Asked
from logstream.show.cards import empty, explain
from logstream.show.explore import questions
from logstream.show.explore.choices import choose
from logstream.show.explore.components.patterns import pattern_table
from logstream.show.explore.patterns_tab import MOST_VALUES, with_value
from logstream.show.services.asked import narrowed
from logstream.show.services.ways_out import go
from logstream.show.url_state import View, shown

FEW, MANY = 8, 200
_LIMIT, _ASKED = "service-patterns-limit", "service-patterns-asked"


def draw_patterns(view: View, service: str) -> None:
    """The most frequent ones; a click shows the lines on Explore."""
    log_filter = replace(narrowed(view), service=Choice((service,)))
    limit = MANY if st.session_state.get(_LIMIT) == service else FEW
    patterns = questions.patterns(log_filter, limit)
    if not patterns.patterns:
        empty("No log line from it in this time.", "Its spans alone tell of it.")
        return
    asked: str | None = st.session_state.get(_ASKED)
    values: tuple[str, PatternValues | None, str] | None = None
    if asked is not None:
        try:
            found = questions.pattern_values(log_filter, int(asked), MOST_VALUES)
            values = asked, found, "" if found else "This pattern is no longer known."
        except LogStreamError as error:
            values = asked, None, explain(error)[0]
    pattern_table(
        patterns,
        as_of=time.time(),
        timezone=view.timezone,
        view="&".join(f"{name}={value}" for name, value in log_filter.to_url().items()),
        values=values,
        follow=lambda clicked: _follow(clicked, service),
        key="patterns-of-service",
    )


def _follow(clicked: Asked, service: str) -> None:
    kind, pattern_id = str(clicked.get("kind", "")), str(clicked.get("id", ""))
    if kind == "more":
        st.session_state[_LIMIT] = service
    if not pattern_id.isdecimal():
        return
    if kind == "places":
        st.session_state[_ASKED] = pattern_id
        return
    lines = replace(shown().chosen, service=Choice((service,)), severity=Choice(), q="")
    match kind:
        case "value":
            go("explore", with_value(lines, pattern_id, str(clicked.get("value", ""))[:200]))
        case "only":
            go("explore", choose(lines, "pattern", pattern_id, "toggle"))
        case "exclude":
            go("explore", choose(lines, "pattern", pattern_id, "exclude"))
