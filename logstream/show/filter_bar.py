"""Severities, services, trace id; and every active filter as a chip with a way out."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice, LogFilter
from logstream.model import SEVERITY_WORDS, normal_trace_id
from logstream.show import preferences, session, url_state
from logstream.show.pinned_services import ERRORS, draw_pin, draw_pinned
from logstream.show.time_range import range_words
from logstream.show.url_state import View
from logstream.show.widget_values import is_echo, set_value
from logstream.show.words import clock_time, compact, plain, short, whole
from logstream.text_query import terms, without_term

# A severity is never told by colour alone; the feed draws alike shapes.
SEVERITY_SHAPES = {
    "fatal": "◆",
    "error": "⊗",
    "warn": "▲",
    "info": "●",
    "debug": "○",
    "trace": "–",
}
_MEANING, _DRAWN, _BEFORE_ERRORS = "service-meaning", "service-drawn", "before-errors"
# Every option costs the browser a label; others are found by typing their name.
MOST_OFFERED = 200
# Typed text stands for the services whose names hold it, if it narrows them to so few.
MOST_FOUND = 10
GRAVEST_FIRST = SEVERITY_WORDS[::-1]
# What chips of time are named, see filter_chips.
_NAMES = {"range": "time", "at": "time"}


def draw_filter_bar(view: View, *, is_of_traces: bool = False) -> None:
    """Draw the bar. Counts are of the filter without the facet's own condition.

    Traces are narrowed by errors, not by other severities, and the counts are those of lines.
    """
    services = _counts(view.log_filter, "service")
    with st.container(horizontal=True, vertical_alignment="center", key="filter-bar", gap="small"):
        with st.container(key="severities", width="content", horizontal=True, wrap=False, gap=None):
            _errors_only(view)
            if not is_of_traces:
                _severities(view, _counts(view.log_filter, "severity"))
        with st.container(key="services", width=340):
            _services(view, services, has_counts=not is_of_traces)
        with st.container(key="pin", width="content"):
            draw_pin(view)
        draw_pinned(view, services)
        with st.container(key="trace", width=250):
            _trace(view)


def _counts(log_filter: LogFilter, field: str) -> dict[str, int] | None:
    try:
        return session.facet(log_filter, field)
    except LogStreamError:
        session.note_missing_answer()
        return None


def _errors_only(view: View) -> None:
    st.button(
        "Errors only",
        key="errors-only",
        type="primary" if view.chosen.severity == ERRORS else "secondary",
        on_click=toggle_errors_only,
    )


def toggle_errors_only() -> None:
    """Show errors only, or the severities that were shown before."""
    chosen, state = url_state.shown().chosen, st.session_state
    if chosen.severity == ERRORS:
        severity = state.pop(_BEFORE_ERRORS, Choice())
    else:
        state[_BEFORE_ERRORS] = chosen.severity
        severity = ERRORS
    url_state.change(replace(chosen, severity=severity))


def _severities(view: View, counts: dict[str, int] | None) -> None:
    for word in GRAVEST_FIRST:
        count = "" if counts is None else f" {compact(counts.get(word, 0))}"
        is_chosen = word in view.chosen.severity.only
        st.button(
            f"{SEVERITY_SHAPES[word]} {word}{count}",
            key=f"severity-{word}",
            type="primary" if is_chosen else "secondary",
            on_click=toggle_severity,
            args=(word,),
        )


def toggle_severity(word: str) -> None:
    """Add a severity to those shown, or take it away."""
    chosen = url_state.shown().chosen
    kept = set(chosen.severity.only) ^ {word}
    severity = Choice(
        tuple(other for other in SEVERITY_WORDS if other in kept),
        tuple(other for other in chosen.severity.excluded if other != word),
    )
    url_state.change(replace(chosen, severity=severity))


def _services(view: View, counts: dict[str, int] | None, *, has_counts: bool) -> None:
    service = view.chosen.service
    chosen = [_option(name) for name in service.only]
    chosen += [_option(name, is_excluded=True) for name in service.excluded]
    pinned = [name for name in preferences.current().pinned if name in (counts or {})]
    most = list(counts or {})[:MOST_OFFERED]
    names = list(dict.fromkeys([*pinned, *most, *service.only, *service.excluded]))
    options = [_option(name) for name in names]
    options += [_option(name, is_excluded=True) for name in names]
    # The browser names an option by its label, and labels change with the counts. So a chosen
    # option carries no count (renaming it would end somebody's typing), and which option each
    # label meant is remembered.
    labels = {
        option: _service_words(option, counts if has_counts and option not in chosen else None)
        for option in options
    }
    meaning = st.session_state.setdefault(_MEANING, {})
    meaning.update({label: option for option, label in labels.items()})
    drawn = [labels[option] for option in chosen]
    if st.session_state.get("pick-service") != chosen or st.session_state.get(_DRAWN) != drawn:
        set_value("pick-service", chosen)
        st.session_state[_DRAWN] = drawn
    st.multiselect(
        "Services",
        options,
        key="pick-service",
        format_func=lambda option: labels.get(option, option),
        placeholder=_placeholder(counts),
        accept_new_options=True,
        label_visibility="collapsed",
        select_all=False,
        wrap=False,
        on_change=_services_chosen,
    )


def _placeholder(counts: dict[str, int] | None) -> str:
    if not counts:
        return "All services"
    if len(counts) <= MOST_OFFERED:
        return f"All services ({whole(len(counts))})"
    more = whole(len(counts) - MOST_OFFERED)
    return f"All services: {MOST_OFFERED} listed, {more} more by name"


def _service_words(option: str, counts: dict[str, int] | None) -> str:
    choice = Choice.from_url(option)
    if choice.excluded:
        return f"not {choice.excluded[0]}"
    name = choice.only[0]
    return name if counts is None else f"{name}  {whole(counts.get(name, 0))}"


def _services_chosen() -> None:
    if is_echo("pick-service"):
        return
    options = [option for value in st.session_state["pick-service"] for option in _meant(value)]
    service = Choice.from_url(",".join(options))
    url_state.change(replace(url_state.shown().chosen, service=service))


def _meant(value: str) -> list[str]:
    """The option of a label; or what somebody typed, who may look for one that is not listed."""
    meaning: dict[str, str] = st.session_state[_MEANING]
    if value in meaning or value in meaning.values():
        return [meaning.get(value, value)]
    is_excluded = value.startswith("not ")
    sought = value.removeprefix("not ").strip()
    known = _counts(url_state.shown().log_filter, "service") or {}
    found = [name for name in known if sought.casefold() in name.casefold()]
    is_name = sought in known or not 0 < len(found) <= MOST_FOUND
    return [_option(name, is_excluded) for name in ([sought] if is_name else found)]


def _option(name: str, is_excluded: bool = False) -> str:
    return (Choice((), (name,)) if is_excluded else Choice((name,))).to_url()


def _trace(view: View) -> None:
    if normal_trace_id((st.session_state.get("pick-trace") or "").strip()) != view.chosen.trace_id:
        set_value("pick-trace", view.chosen.trace_id)
    st.text_input(
        "Trace id",
        key="pick-trace",
        max_chars=100,
        placeholder="Trace id",
        icon=":material/route:",
        label_visibility="collapsed",
        on_change=_trace_changed,
    )


def _trace_changed() -> None:
    if is_echo("pick-trace"):
        return
    trace_id = normal_trace_id((st.session_state["pick-trace"] or "").strip())
    url_state.change(replace(url_state.shown().chosen, trace_id=trace_id))


@dataclass(frozen=True)
class Chip:
    """One active filter and what × does.

    `name` tells it from every other one, however its text changes. × takes out of the filter
    that is in force by then: the page may have been drawn before the last change.
    """

    name: str
    text: str
    remove: Callable[..., None]
    arguments: tuple[Any, ...] = ()
    is_problem: bool = False

    def narrows(self, fields: Collection[str]) -> bool:
        """Whether it is of one of these, or of the environment, or says what cannot be read."""
        field = self.name.split(" ")[0]
        return self.is_problem or field == "env" or _NAMES.get(field, field) in fields

    @property
    def key(self) -> str:
        """Of its button."""
        digest = hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()
        return f"{'problem' if self.is_problem else 'chip'}-{digest}"


def filter_chips(
    view: View, now: datetime, known_services: dict[str, int] | None = None
) -> Iterator[Chip]:
    """Every active filter in the order of the URL, then what could not be read."""
    chosen = view.chosen
    if view.saved is not None:
        mark = " · modified" if view.is_modified else ""
        yield Chip("view", f"view {short(view.saved.name)}{mark}", url_state.close_view)
    for name in ("env", "service", "severity"):
        choice = _choice(chosen, name)
        for value in choice.only:
            unknown = name == "service" and known_services is not None
            is_missing = unknown and value not in (known_services or {})
            note = " (no such service in this time)" if is_missing else ""
            text = f"{name} {short(value)}{note}"
            yield Chip(f"{name} {value}", text, _take_value, (name, value), is_missing)
        for value in choice.excluded:
            text = f"{name} not {short(value)}"
            yield Chip(f"{name} -{value}", text, _take_value, (name, value))
    if chosen.trace_id:
        yield Chip("trace", f"trace {short(chosen.trace_id, 40)}", _take_field, ("trace",))
    for term in terms(chosen.q):
        yield Chip(f"q {term.text}", short(term.words, 60), _take_term, (term.text,))
    if chosen.without("range") != chosen:
        words = range_words(chosen, view.zone, now)
        yield Chip("range", f"{words} ({view.timezone})", _take_field, ("range",))
    if chosen.at is not None:
        moment = clock_time(chosen.at, view.zone, near=now)
        words = "playing the past" if view.speed else f"as of {moment}"
        yield Chip("at", f"{words} ({view.timezone})", _take_field, ("at",))
    for place, problem in enumerate(view.problems):
        text = problem.one_line()
        yield Chip(f"{place} {text}", text, url_state.dismiss_problem, (problem,), is_problem=True)


def _take_value(name: str, value: str) -> None:
    chosen = url_state.shown().chosen
    choice = _choice(chosen, name)
    left = Choice(
        tuple(one for one in choice.only if one != value),
        tuple(one for one in choice.excluded if one != value),
    )
    url_state.change(_with_choice(chosen, name, left))


def _take_field(name: str) -> None:
    url_state.change(url_state.shown().chosen.without(name))


def _take_term(term: str) -> None:
    chosen = url_state.shown().chosen
    url_state.change(replace(chosen, q=without_term(chosen.q, term)))


def _known_services(view: View) -> dict[str, int] | None:
    """Services with any line in the time and environment shown; None when that is not known."""
    shown = view.log_filter
    scope = LogFilter(
        environment=shown.environment,
        range_text=shown.range_text,
        start=shown.start,
        end=shown.end,
        at=shown.at,
    )
    counts = _counts(scope, "service")
    return None if counts is None or len(counts) >= session.FACET_LIMIT else counts


def _choice(log_filter: LogFilter, name: str) -> Choice:
    match name:
        case "env":
            return log_filter.environment
        case "service":
            return log_filter.service
    return log_filter.severity


def _with_choice(log_filter: LogFilter, name: str, choice: Choice) -> LogFilter:
    match name:
        case "env":
            return replace(log_filter, environment=choice)
        case "service":
            return replace(log_filter, service=choice)
    return replace(log_filter, severity=choice)


def draw_filter_chips(
    view: View,
    now: datetime,
    *,
    what: str = "line",
    narrowed_by: Collection[str] | None = None,
) -> None:
    """The row under the bars: chips, Reset, and Undo right after a reset.

    `narrowed_by` names what narrows the page beside the environment, None for everything; chips
    of anything else have no place there.
    """
    known = _known_services(view) if view.chosen.service and narrowed_by is None else None
    # A term that is written twice is one chip.
    chips = {
        chip.key: chip
        for chip in filter_chips(view, now, known)
        if narrowed_by is None or chip.narrows(narrowed_by)
    }
    if narrowed_by is not None and not chips and not url_state.can_undo():
        return
    with st.container(
        horizontal=True, vertical_alignment="center", key="filter-chips", gap="small"
    ):
        for key, chip in chips.items():
            st.button(
                plain(chip.text),
                key=key,
                icon=":material/close:",
                icon_position="right",
                on_click=chip.remove,
                args=chip.arguments,
            )
        if not chips:
            st.html(f"<span class='quiet'>No filters: every {what} of the chosen time</span>")
        if url_state.can_undo():
            st.button(
                "Undo reset", key="undo-reset", icon=":material/undo:", on_click=url_state.undo
            )
        st.button(
            "Reset filters",
            key="reset-filters",
            type="tertiary",
            icon=":material/filter_alt_off:",
            disabled=not _has_filters(view),
            on_click=url_state.reset,
        )


def _has_filters(view: View) -> bool:
    return bool(view.problems) or view.chosen.without("range").without("at") != LogFilter()
