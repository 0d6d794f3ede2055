"""Two traces beside each other: what took longer, and what only one of them did."""

import time
from urllib.parse import urlencode

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice
from logstream.query.trace_comparison import compared
from logstream.query.trace_view import TraceView, view_of
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import empty, failure
from logstream.show.traces import questions, terms
from logstream.show.traces.components.trace_comparison import root_of, trace_comparison
from logstream.show.url_state import TYPICAL, View
from logstream.show.words import short, whole


def draw_comparison(view: View) -> None:
    """The trace of the URL beside another one, or the typical one of its kind."""
    with st.container(key="trace-compared", gap=None):
        try:
            _draw(view)
        except LogStreamError as error:
            session.note_missing_answer()
            failure("The traces cannot be compared.", error)


def _draw(view: View) -> None:
    own = _trace(view.chosen.trace_id, view)
    if own is None:
        _missing(view.chosen.trace_id)
        return
    is_typical = view.compare == TYPICAL
    other_id = _typical(view, own) if is_typical else view.compare
    if other_id is None:
        empty(
            "There is no typical trace to compare with.",
            "None of the time shown begins with the same operation, nor of the day around it.",
        )
        return
    other = _trace(other_id, view)
    if other is None:
        _missing(other_id)
        return
    link = urlencode({name: text for name, text in view.to_url().items() if name not in _OWN})
    trace_comparison(
        compared(own, other),
        own,
        other,
        timezone=view.timezone,
        link=link,
        is_typical=is_typical,
        note=_note(own, other),
        follow=_follow,
    )


_OWN = ("trace", "span", "compare")


def _trace(trace_id: str, view: View) -> TraceView | None:
    found = questions.whole_trace(trace_id, view.chosen.environment)
    return None if found is None else view_of(found)


def _typical(view: View, own: TraceView) -> str | None:
    """The median of its kind in the time shown, or else on the day around it.

    Whatever else the list is filtered by.
    """
    root = root_of(own)
    if root is None:
        return None
    shown = terms.time_and_place(view.log_filter, Choice((root.environment,)))
    for meant in (shown, terms.around(shown, root.start_unix_nano)):
        found = questions.typical_trace(meant, root.service_name, root.name, time.time_ns())
        if found is not None:
            return found
    return None


def _missing(trace_id: str) -> None:
    empty(
        f"Nothing is stored of the trace {short(trace_id, 80)}.",
        "Its spans may not have arrived yet, be past their retention, or be of another "
        "environment than the one chosen.",
    )


def _note(own: TraceView, other: TraceView) -> str:
    notes = []
    if own.trace_id == other.trace_id:
        notes.append("This is the same trace twice.")
    most = questions.MOST_SPANS
    if max(len(one.tree.spans) for one in (own, other)) >= most:
        notes.append(f"Compared are the first {whole(most)} spans of each.")
    return " ".join(notes)


def _follow(asked: Asked) -> None:
    if asked.get("kind") == "open" and isinstance(asked.get("id"), str):
        url_state.open_trace(short(str(asked["id"]), 200))
