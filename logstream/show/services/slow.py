"""What the slow requests of one operation have in common, under the operations."""

import time
from dataclasses import replace

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice
from logstream.show import session
from logstream.show.asked import Asked
from logstream.show.cards import explain
from logstream.show.services.asked import narrowed
from logstream.show.services.ways_out import go
from logstream.show.traces.components.slow_fast import slow_fast_panel
from logstream.show.traces.slow_fast import terms_of, words_of
from logstream.show.url_state import View, shown
from logstream.text_query import term_for, with_term
from logstream.trace_port import SlowFast

# So many of the newest requests are looked at.
MOST_REQUESTS = 2_000
_OF = "service-slow"


def chosen_operation(service: str) -> str | None:
    """The operation whose slow requests are looked at, None for none."""
    of: tuple[str, str] | None = st.session_state.get(_OF)
    return of[1] if of is not None and of[0] == service else None


def look_at_slow(service: str, operation: str) -> None:
    """From a callback: open the panel for an operation; the same again closes it."""
    if st.session_state.get(_OF) == (service, operation):
        del st.session_state[_OF]
    else:
        st.session_state[_OF] = (service, operation)


def draw_slow(view: View, service: str) -> None:
    """Draw the panel while it is open."""
    operation = chosen_operation(service)
    if operation is None:
        return
    found: SlowFast | None = None
    try:
        found = session.ask_traces(
            lambda ask: ask.slow_and_fast(
                narrowed(view),
                service,
                operation,
                limit=MOST_REQUESTS,
                now_unix_nano=time.time_ns(),
            )
        )
        note = words_of(found)
    except LogStreamError as error:
        note = " ".join(explain(error))
    with st.container(key="service-slow", gap=None):
        slow_fast_panel(
            found,
            operations=[(service, operation)],
            operation=0,
            note=note,
            acts=_act,
            follow=lambda clicked: _follow(clicked, service, operation),
            key="slow-of-service",
        )


def _act(field: str, value: str) -> str:
    if field == "pattern":
        return "Show these lines on Explore"
    return "Show the traces like this" if terms_of(field, value) else ""


def _follow(clicked: Asked, service: str, operation: str) -> None:
    kind, field, value = (str(clicked.get(name, "")) for name in ("kind", "field", "value"))
    if kind == "close":
        st.session_state.pop(_OF, None)
    if kind != "choose":
        return
    chosen = replace(shown().chosen, service=Choice((service,)), severity=Choice())
    if field == "pattern" and value.isdecimal():
        go("explore", replace(chosen, service=Choice(), q=f"pattern:{value}"))
    elif wanted := terms_of(field, value):
        # A call is another span than this operation's: both terms would be asked of one.
        first = "root" if field == "call" else "operation"
        q = term_for(first, operation)
        for term in wanted:
            q = with_term(q, term)
        go("traces", replace(chosen, q=q))
