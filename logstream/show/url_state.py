"""What a page shows, held in the URL: filters, time zone, opened line, moment of the past.

On the Traces page also what is open of a trace, which links to other pages leave out.

The URL is the truth: `current` reads it before any widget is drawn, so deep links, Back,
Forward and reload restore the view; `change` writes it. A menu link that carries no
parameters keeps the view. Where the URL names a saved view (`view=ID`), it holds beside it only
what differs (logstream/saved_view.py). Parameters of others are left alone.
Everything is per session, so two tabs never share a view.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, get_args

import streamlit as st

from logstream.errors import FilterError, LogStreamError
from logstream.filter import FIELDS, LogFilter
from logstream.model import normal_trace_id
from logstream.saved_view import SavedView, changes, merged, read_id
from logstream.show import preferences, session
from logstream.show.time_range import DEFAULT_RANGE
from logstream.text_query import TextQuery
from logstream.trace_port import TraceSort
from logstream.zones import read_zone

# The Traces page's url_path, and the parameters that are its alone.
TRACES = "traces"
OF_TRACES = ("span", "compare", "sort")
OWNED = ("view", *FIELDS, "tz", "line", "speed", "tab", *OF_TRACES)
# What Explore shows of the lines meant; the first one is usual.
TABS = ("lines", "patterns", "fields")
# How traces are listed; the first one is usual.
TRACE_SORTS: tuple[TraceSort, ...] = get_args(TraceSort)
# What a trace is compared with when not with another one: the median of its kind.
TYPICAL = "typical"
# How many times faster than it was the past is played; 0 stands still.
SPEEDS = (1, 2, 5, 10, 20, 50, 100)
_VIEW, _RAW, _PAGE, _UNDO = "url-view", "url-raw", "url-page", "url-undo"
_PICKS = "moment-picks"
_OPENED = "url-view-opened"


@dataclass(frozen=True)
class View:
    """One reading of the URL. `chosen` is what it says; `problems` what could not be read.

    `speed`, one of SPEEDS or 0, means something only with `chosen.at`: the past is played.
    `usual_timezone` is the reader's own, in force when the URL names none. `saved` is the saved
    view that was opened; what is shown may differ from it by now. `broken_q` is a search that
    cannot be read, as it was written; the last one that could is in force meanwhile.
    `span` is selected in the trace that is open, `compare` the trace it is compared with, or
    TYPICAL.
    """

    chosen: LogFilter = field(default_factory=LogFilter)
    timezone: str = "UTC"
    line: str = ""
    speed: int = 0
    problems: tuple[FilterError, ...] = ()
    usual_timezone: str = "UTC"
    tab: str = TABS[0]
    saved: SavedView | None = None
    broken_q: str = ""
    span: str = ""
    compare: str = ""
    sort: TraceSort = TRACE_SORTS[0]

    @property
    def written_q(self) -> str:
        """The search as the reader wrote it."""
        return self.broken_q or self.chosen.q

    @property
    def log_filter(self) -> LogFilter:
        """The filter in force: the last 15 minutes unless a time is chosen."""
        chosen = self.chosen
        if chosen.range_text or chosen.start is not None or chosen.end is not None:
            return chosen
        return replace(chosen, range_text=DEFAULT_RANGE)

    @property
    def zone(self) -> tzinfo:
        """The zone in which times are shown."""
        return read_zone(self.timezone)

    @property
    def is_modified(self) -> bool:
        """True when a saved view is open and what is shown is no longer that."""
        return self.saved is not None and bool(changes(*self._beside(self.saved)))

    def to_url(self) -> dict[str, str]:
        """The URL parameters of this view, defaults left out."""
        parameters = self._parameters()
        if self.saved is not None:
            parameters = {"view": self.saved.id, **changes(*self._beside(self.saved))}
        extra = {
            "line": self.line,
            "speed": str(self.speed) if self.speed and self.chosen.at is not None else "",
            "q": self.broken_q,
            "span": self.span if self.chosen.trace_id else "",
            "compare": self.compare if self.chosen.trace_id else "",
            "sort": self.sort if self.sort != TRACE_SORTS[0] else "",
        }
        return {**parameters, **{name: text for name, text in extra.items() if text}}

    def elsewhere(self) -> "View":
        """This view for the pages that show no traces."""
        return replace(self, span="", compare="", sort=TRACE_SORTS[0])

    def kept_state(self) -> dict[str, str]:
        """What a saved view holds of this one: everything but the line that is open.

        The zone always, for whoever opens the view may have another.
        """
        return {**self._parameters(), "tz": self.timezone}

    def _parameters(self) -> dict[str, str]:
        # Somebody else may open the link, for whom UTC is usual.
        is_usual = self.timezone == self.usual_timezone == "UTC"
        parameters = self.chosen.to_url()
        if not is_usual:
            parameters["tz"] = self.timezone
        if self.tab != TABS[0]:
            parameters["tab"] = self.tab
        return parameters

    def _beside(self, saved: SavedView) -> tuple[dict[str, str], dict[str, str]]:
        """What the saved view says and what is shown, both as this class writes them."""
        usual = self.usual_timezone
        was = read_view(dict(saved.state), saved.state.get("tz", usual))
        return was.kept_state(), self.kept_state()


def read_view(
    parameters: dict[str, str], usual_timezone: str = "UTC", saved: SavedView | None = None
) -> View:
    """The view that URL parameters name; never raises, see `problems`.

    `saved` is the view that they say they differ from.
    """
    if saved is not None:
        parameters = merged(saved.state, parameters)
    log_filter, problems = LogFilter.read_url(parameters)
    timezone = parameters.get("tz", "").strip() or usual_timezone
    try:
        read_zone(timezone)
    except FilterError as error:
        problems.append(error)
        timezone = usual_timezone
    speed = 0
    try:
        speed = read_speed(parameters.get("speed", ""))
    except FilterError as error:
        problems.append(error)
    is_broken = any(problem.parameter == "q" for problem in problems)
    broken_q = parameters.get("q", "").replace("\x00", "").strip() if is_broken else ""
    line = parameters.get("line", "").strip()
    tab = parameters.get("tab", "").strip() or TABS[0]
    if tab not in TABS:
        problems.append(FilterError("tab", f"tab '{tab}' is not known", f"use {', '.join(TABS)}"))
        tab = TABS[0]
    sort = parameters.get("sort", "").strip() or TRACE_SORTS[0]
    if sort not in TRACE_SORTS:
        known = ", ".join(TRACE_SORTS)
        problems.append(FilterError("sort", f"sort '{sort}' is not known", f"use {known}"))
        sort = TRACE_SORTS[0]
    # Of a trace that is open; alone they mean nothing.
    span = compare = ""
    if log_filter.trace_id:
        span, compare = (
            parameters.get(name, "").replace("\x00", "").strip()[:200] for name in OF_TRACES[:2]
        )
        compare = TYPICAL if compare == TYPICAL else normal_trace_id(compare)
    return View(
        log_filter,
        timezone,
        line,
        speed,
        tuple(problems),
        usual_timezone,
        tab,
        saved,
        broken_q,
        span,
        compare,
        next(one for one in TRACE_SORTS if one == sort),
    )


def read_speed(text: str) -> int:
    """One of SPEEDS, or 0 for none; raises FilterError (`speed`)."""
    text = text.strip()
    if text in ("", "0"):
        return 0
    for speed in SPEEDS:
        if text == str(speed):
            return speed
    known = ", ".join(map(str, SPEEDS))
    raise FilterError("speed", f"speed '{text}' is not offered", f"use one of {known}")


def current(page: str) -> View:
    """The view of this run; call once, before any widget, with the page's url_path."""
    state = st.session_state
    raw = {
        name: ",".join(st.query_params.get_all(name)) for name in OWNED if name in st.query_params
    }
    view: View | None = state.get(_VIEW)
    if page != TRACES and view is not None:
        view = state[_VIEW] = view.elsewhere()
    if view is not None and not raw and state.get(_PAGE) != page:
        _write(view.to_url())
    elif view is None or raw != state.get(_RAW):
        usual_timezone = preferences.current().timezone
        saved, problem = _saved(raw.pop("view", ""))
        read = read_view(raw, usual_timezone, saved)
        if saved is not None:
            raw["view"] = saved.id
        if problem is not None:
            read = replace(read, problems=(problem, *read.problems))
        state[_VIEW], state[_RAW] = read, raw
        # The feed writes `line` by itself; only another filter makes an undo meaningless.
        if view is not None and state[_VIEW].chosen != view.chosen:
            state.pop(_UNDO, None)
    state[_PAGE] = page
    return shown()


def shown() -> View:
    """The view of this session; pages, fragments and callbacks use it."""
    if _VIEW not in st.session_state:
        return current("")
    view: View = st.session_state[_VIEW]
    return view


def whole_url() -> dict[str, str]:
    """Every URL parameter of this view, those of others (`view`) included."""
    others = {name: st.query_params[name] for name in st.query_params if name not in OWNED}
    return {**others, **shown().to_url()}


def change(log_filter: LogFilter) -> None:
    """Show another filter: from a widget's callback, or before `st.rerun()`."""
    view = shown()
    if log_filter != view.chosen or view.problems:
        speed = view.speed if log_filter.at is not None else 0
        is_same_trace = log_filter.trace_id == view.chosen.trace_id
        span, compare = (view.span, view.compare) if is_same_trace else ("", "")
        changed = {"line": "", "speed": speed, "span": span, "compare": compare}
        _show(_readable(view, chosen=log_filter, **changed))


def change_query(q: str) -> None:
    """Search for what was written; what cannot be read is said, and leaves the filter alone."""
    view = shown()
    try:
        TextQuery.parse(q)
    except FilterError as error:
        _show(replace(view, problems=(error,), broken_q=q))
    else:
        change(replace(view.chosen, q=q))


def change_moment(at: datetime | None, speed: int = 0, *, is_pick: bool = False) -> None:
    """Show the page as it looked at a moment, or live again (None).

    `is_pick`: by a control outside the feed, which must then leave the moment it is at.
    """
    if is_pick:
        st.session_state[_PICKS] = moment_picks() + 1
    view = shown()
    moved = replace(view.chosen, at=at)
    kept_speed = speed if at is not None else 0
    _show(_readable(view, chosen=moved, line="", speed=kept_speed))


def note_position(at: datetime, speed: int) -> bool:
    """Remember where a playback is, without a step for Back; True when it began or stopped.

    The URL already says so: the feed keeps it up to date in the browser.
    """
    view = shown()
    moved = replace(view, chosen=replace(view.chosen, at=at), speed=speed)
    if view.chosen.at is None or moved == view:
        return False
    st.session_state[_VIEW] = moved
    return view.speed == 0 or speed == 0


def moment_picks() -> int:
    """How often in this session a moment was picked outside the feed."""
    picks: int = st.session_state.get(_PICKS, 0)
    return picks


def change_tab(tab: str) -> None:
    """Open another of Explore's tabs."""
    _show(replace(shown(), tab=tab))


def open_trace(trace_id: str, span: str = "", compare: str = "") -> None:
    """Show one trace, the filters of the list kept for the way back; "" for the list."""
    chosen = replace(shown().chosen, trace_id=normal_trace_id(trace_id))
    if not chosen.trace_id:
        span = compare = ""
    _show(_readable(shown(), chosen=chosen, line="", span=span, compare=compare))


def change_span(span: str) -> None:
    """Select another span of the trace that is open, "" for none."""
    _show(replace(shown(), span=span if shown().chosen.trace_id else ""))


def change_sort(sort: TraceSort) -> None:
    """List the traces in another order."""
    _show(replace(shown(), sort=sort))


def open_view(saved: SavedView) -> None:
    """Show a saved view as it was saved; also to give up what was changed of it."""
    st.session_state[_OPENED] = times_opened() + 1
    _show(read_view({}, preferences.current().timezone, saved))


def close_view() -> None:
    """Keep what is shown, no longer as a saved view."""
    _show(replace(shown(), saved=None))


def note_saved(saved: SavedView) -> None:
    """What is shown is now this saved view."""
    _show(replace(shown(), saved=saved))


def times_opened() -> int:
    """How often in this session a saved view was opened by a click."""
    times: int = st.session_state.get(_OPENED, 0)
    return times


def change_timezone(timezone: str) -> None:
    """Show times in another zone, and remember it."""
    preferences.choose_timezone(timezone)
    _show(replace(shown(), timezone=timezone, usual_timezone=timezone))


def dismiss_problem(problem: FilterError) -> None:
    """Take one unreadable value off the screen and out of the URL."""
    view = shown()
    left = tuple(other for other in view.problems if other is not problem)
    _show(replace(view, problems=left, broken_q="" if problem.parameter == "q" else view.broken_q))


def reset() -> None:
    """Clear every filter but time; `undo` brings them back."""
    view = shown()
    chosen = view.chosen
    time_only = LogFilter(
        range_text=chosen.range_text, start=chosen.start, end=chosen.end, at=chosen.at
    )
    _show(_readable(view, chosen=time_only, line=""))
    st.session_state[_UNDO] = view


def undo() -> None:
    """Go back to the view before the last reset."""
    before: View | None = st.session_state.get(_UNDO)
    if before is not None:
        _show(before)


def can_undo() -> bool:
    """True from a reset until the next change."""
    return _UNDO in st.session_state


def _saved(view_id: str) -> tuple[SavedView | None, FilterError | None]:
    """The saved view that a URL names, or why there is none."""
    if not view_id.strip():
        return None, None
    try:
        found = session.saved_view(read_id(view_id))
    except FilterError as error:
        return None, error
    except LogStreamError as error:
        session.note_missing_answer()
        what = f"the saved view '{view_id}' cannot be read now: {error.message}"
        return None, FilterError("view", what, error.hint)
    if found is None:
        what = f"there is no saved view '{view_id}' (any more)"
        return None, FilterError("view", what, "ask whoever sent the link, or save it anew")
    return found, None


def _readable(view: View, **fields: Any) -> View:
    return replace(view, **fields, problems=(), broken_q="")


def _show(view: View) -> None:
    st.session_state.pop(_UNDO, None)
    st.session_state[_VIEW] = view
    _write(view.to_url())


def _write(parameters: dict[str, str]) -> None:
    others = {name: st.query_params.get_all(name) for name in st.query_params if name not in OWNED}
    st.session_state[_RAW] = parameters
    st.query_params.from_dict({**others, **parameters})
