"""What the slow requests of one operation have in common, under the drawing of all traces."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import explain
from logstream.show.explore.rerun import redraw_page
from logstream.show.traces import questions, terms
from logstream.show.traces.components.slow_fast import slow_fast_panel
from logstream.show.url_state import View
from logstream.show.words import counted, whole
from logstream.text_query import term_for
from logstream.trace_port import SlowFast

Operation = tuple[str, str]
_OPEN, _LINES_OF = "slow-fast-open", "slow-fast-lines"
_ATTRIBUTE = "attribute:"
# What query/latency_analysis.py says behind a call.
_HOW_MUCH = re.compile(r" (?:failing|more than (?:once|\d+ times)|for more than \d+% of the time)$")
_PAGES = Path(__file__).resolve().parents[3] / "pages"


@dataclass(frozen=True)
class _Opened:
    """The panel while it is open: which operation was picked, None for the usual one."""

    picked: Operation | None = None
    offered: tuple[Operation, ...] = ()


def leave_when_asked() -> None:
    """Show the lines of a pattern on Explore when its row was clicked; ends this run."""
    pattern_id: str | None = st.session_state.pop(_LINES_OF, None)
    if pattern_id is not None:
        view = url_state.shown().elsewhere()
        lines = replace(view, chosen=replace(view.chosen, q=f"pattern:{pattern_id}"))
        st.switch_page(_PAGES / "explore.py", query_params=lines.to_url())


def is_open() -> bool:
    """Whether the panel is shown."""
    return _OPEN in st.session_state


def toggle() -> None:
    """Open the panel, or close it."""
    if is_open():
        del st.session_state[_OPEN]
    else:
        st.session_state[_OPEN] = _Opened()


def draw_slow_fast(view: View, operations: Sequence[Operation]) -> None:
    """Draw the panel while it is open; `operations` are offered, the first one is usual."""
    if not is_open():
        return
    opened: _Opened = st.session_state[_OPEN]
    named = named_operation(view.chosen)
    wanted = (opened.picked or named,) if opened.picked or named else ()
    offered = tuple(dict.fromkeys((*wanted, *operations)))
    if not offered:
        none = "No trace here begins with a known operation, so there is none to compare."
        slow_fast_panel(None, operations=(), operation=-1, note=none, follow=_follow)
        return
    at = offered.index(wanted[0]) if wanted else 0
    st.session_state[_OPEN] = replace(opened, offered=offered)
    service, operation = offered[at]
    found, note = None, ""
    try:
        # Whatever is asked of the durations: slow and fast are both needed.
        meant = terms.without_duration(view.log_filter)
        found = questions.slow_and_fast(meant, service, operation, time.time_ns())
        note = words_of(found)
    except LogStreamError as error:
        session.note_missing_answer()
        note = " ".join(explain(error))
    chosen = {
        (one.field, one.value)
        for one in (() if found is None else found.differences)
        if (asked := terms_of(one.field, one.value))
        and all(terms.has_term(view.chosen, term) for term in asked)
    }
    slow_fast_panel(
        found,
        operations=offered,
        operation=at,
        note=note,
        chosen=chosen,
        acts=_act,
        follow=_follow,
    )


def named_operation(log_filter: LogFilter) -> Operation | None:
    """The one operation that the filter asks for, if it does."""
    service = log_filter.service.only
    name = terms.value_of(log_filter, "operation") or terms.value_of(log_filter, "root")
    return (service[0], name) if len(service) == 1 and name else None


def words_of(found: SlowFast) -> str:
    """What else has to be said of an answer; "" for nothing."""
    if not found.total:
        return "There is no request of this operation in this time."
    if not found.slow or not found.fast:
        return f"{counted(found.total, 'request')}: too few to tell slow ones from fast ones."
    if not found.differences:
        return "Nothing is more or less frequent among the slow ones than chance would have it."
    if found.looked < found.total:
        return f"Compared over the newest {whole(found.looked)} of {whole(found.total)} requests."
    return ""


def terms_of(field: str, value: str) -> list[str]:
    """The terms of `q` that keep requests like this; none when nothing does."""
    match field:
        case "error":
            return [terms.FAILED]
        case "call":
            # How often, and for how long, no search can say.
            service, _, operation = _HOW_MUCH.sub("", value).partition(" ")
            found = [term_for("service", service), term_for("operation", operation)]
            return found if all(found) else []
    term = term_for(field.removeprefix(_ATTRIBUTE), value) if field.startswith(_ATTRIBUTE) else ""
    return [term] if term else []


def _act(field: str, value: str) -> str:
    if field == "pattern":
        return "Show these lines on Explore"
    if not terms_of(field, value):
        return ""
    what = "that make this call" if field == "call" else "like this"
    return f"Only traces {what}; again to undo"


def _follow(asked: Asked) -> None:
    opened: _Opened | None = st.session_state.get(_OPEN)
    kind, field, value = (str(asked.get(name, "")) for name in ("kind", "field", "value"))
    if opened is None or kind == "close":
        st.session_state.pop(_OPEN, None)
    elif kind == "operation":
        at = asked.get("at")
        if isinstance(at, int | float) and 0 <= int(at) < len(opened.offered):
            st.session_state[_OPEN] = replace(opened, picked=opened.offered[int(at)])
    elif kind == "choose" and field == "pattern" and value.isdecimal():
        st.session_state[_LINES_OF] = value
    elif kind == "choose" and (wanted := terms_of(field, value)):
        url_state.change(terms.toggle_terms(url_state.shown().chosen, wanted))
        redraw_page()
