"""The list of traces: all of them as points over time and as counts, then row by row."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from logstream.errors import FilterError, LogStreamError
from logstream.filter import LogFilter
from logstream.model import NANOS_PER_SECOND
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import failure, guarded
from logstream.show.explore.period import shown_time
from logstream.show.explore.rerun import redraw_page, redraw_when_changed
from logstream.show.explore.results import draw_problem
from logstream.show.time_range import range_words
from logstream.show.traces import loaded, slow_fast, terms
from logstream.show.traces.components.trace_shape import trace_shape
from logstream.show.traces.components.trace_table import trace_table
from logstream.show.traces.loaded import MOST_ROWS, PAGE_ROWS, Loaded
from logstream.show.traces.nothing_found import draw_nothing
from logstream.show.url_state import TRACE_SORTS, View
from logstream.show.words import short, whole
from logstream.trace_port import TraceShape

# Offered to find out what their slow requests have in common.
MOST_OPERATIONS = 100


def draw_trace_list(view: View) -> None:
    """The drawing, what the slow ones have in common, and the table."""
    with st.container(key="trace-list", gap=None):
        _list()


@st.fragment
@guarded("The traces cannot be listed.")
def _list() -> None:
    redraw_when_changed()
    slow_fast.leave_when_asked()
    view = url_state.shown()
    problem = next((one for one in view.problems if one.parameter == "q"), None)
    if problem is not None:
        # Without its text the filter would find traces that nobody asked for.
        draw_problem(problem)
        return
    try:
        shape, as_of = loaded.shape(view.log_filter)
        found = loaded.current(view.log_filter, view.sort)
    except FilterError as refused:
        draw_problem(refused, "The search cannot be asked of traces.")
        return
    except LogStreamError as error:
        session.note_missing_answer()
        failure("The traces cannot be listed.", error)
        return
    if not found.rows and not shape.total and not terms.can_step_back(view.chosen):
        draw_nothing(view)
        return
    link = urlencode({name: text for name, text in view.to_url().items() if name != "sort"})
    _draw_shape(view, shape, as_of, link)
    guarded("Slow and fast ones cannot be compared.")(
        partial(slow_fast.draw_slow_fast, view, roots_by_time(shape))
    )()
    if not found.rows:
        draw_nothing(view)
        return
    trace_table(
        found.rows,
        sort=view.sort,
        as_of=found.as_of_unix_nano / NANOS_PER_SECOND,
        timezone=view.timezone,
        link=link,
        more_words=more_words(found, shape.total if shape.is_complete else 0),
        end_words=end_words(found),
        follow=_follow,
    )


def _draw_shape(view: View, shape: TraceShape, as_of: int, link: str) -> None:
    now = datetime.fromtimestamp(as_of / NANOS_PER_SECOND, UTC)
    back = ""
    if terms.can_step_back(view.chosen):
        earlier = terms.before_box(view.chosen)
        shown = View(earlier).log_filter
        limits = terms.duration_words(earlier)
        back = ", ".join(filter(None, (range_words(shown, view.zone, now), limits)))
    trace_shape(
        shape,
        time_shown=_time_shown(view.log_filter, shape, now),
        as_of=as_of / NANOS_PER_SECOND,
        timezone=view.timezone,
        view=f"{link} {as_of}",
        link=link,
        words=range_words(view.log_filter, view.zone, now),
        back=back,
        is_errors_only=terms.has_term(view.chosen, terms.FAILED),
        can_explain=shape.total > 0,
        is_explained=slow_fast.is_open(),
        follow=_follow,
    )


def _time_shown(log_filter: LogFilter, shape: TraceShape, now: datetime) -> tuple[float, float]:
    """From when to when, in seconds: the time chosen, and what lies beyond by a fast clock."""
    starts = [point.start_unix_nano / NANOS_PER_SECOND for point in shape.points]
    shown = shown_time(log_filter, now)
    if shown is not None:
        begin, end = (moment.timestamp() for moment in shown)
        return begin, max([end, *starts])
    begin = min(starts, default=now.timestamp() - 1)
    return begin, max(max(starts, default=begin), begin + 1)


def roots_by_time(shape: TraceShape) -> list[tuple[str, str]]:
    """(service, operation) that traces begin with, those that took most time together first."""
    times: Counter[tuple[str, str]] = Counter()
    for point in shape.points:
        if point.root_service is not None and point.root_name is not None:
            times[point.root_service, point.root_name] += max(0, point.duration_nano)
    return [root for root, _ in times.most_common(MOST_OPERATIONS)]


def more_words(found: Loaded, total: int) -> str:
    """What the button under the rows offers; "" for no button."""
    if found.cursor is None or len(found.rows) >= MOST_ROWS:
        return ""
    left = total - len(found.rows)
    if left <= 0:  # not all were counted, or some landed since
        return f"Show {PAGE_ROWS} more"
    return f"Show {min(PAGE_ROWS, left)} more of the other {whole(left)}"


def end_words(found: Loaded) -> str:
    """Where the list ends, and why."""
    count = len(found.rows)
    if not found.is_complete:
        return (
            f"Time ran out after {whole(count)}: there may be more. "
            "Choose a shorter time, or fewer terms in the search."
        )
    if found.cursor is None:
        return "That was the only one." if count == 1 else f"All {whole(count)} are shown."
    if count >= MOST_ROWS:
        return f"The first {whole(count)} are shown. Choose a shorter time to see the others."
    return f"{whole(count)} shown."


def _follow(asked: Asked) -> None:
    """Do what was asked for with the mouse or keys."""
    chosen = url_state.shown().chosen
    value: Any = asked.get("value")
    match asked.get("kind"):
        case "open" if isinstance(asked.get("id"), str):
            compare = asked.get("compare")
            url_state.open_trace(
                short(str(asked["id"]), 200),
                compare=short(compare, 200) if isinstance(compare, str) else "",
            )
        case "sort" if value in TRACE_SORTS:
            url_state.change_sort(value)
        case "more":
            # Only the rows grow.
            _load_more()
            return
        case "refresh":
            loaded.look_again()
            return
        case "errors":
            url_state.change(terms.toggle_terms(chosen, [terms.FAILED]))
        case "service" if isinstance(value, str):
            url_state.change(terms.of_service(chosen, value))
        case "root" if isinstance(value, str):
            url_state.change(terms.of_root(chosen, _text(asked.get("service")), value))
        case "box":
            url_state.change(terms.with_box(chosen, asked))
        case "restore":
            before = terms.before_box(chosen)
            terms.forget_box()
            url_state.change(before)
        case "why":
            slow_fast.toggle()
            return
        case _:
            return
    redraw_page()


def _load_more() -> None:
    view = url_state.shown()
    try:
        loaded.load_more(view.log_filter, view.sort)
    except LogStreamError:
        # The rows that are there stay; the run that follows says what is wrong.
        session.note_missing_answer()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
