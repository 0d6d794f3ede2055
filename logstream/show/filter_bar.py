"""Severities, services, trace id; and every active filter as a chip with a way out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import Choice, LogFilter, normal_trace_id
from logstream.model import SEVERITY_WORDS
from logstream.show import session, url_state
from logstream.show.time_range import range_words
from logstream.show.url_state import View
from logstream.show.words import compact, plain, short, whole

# A severity is never told by colour alone; the feed draws alike shapes.
SEVERITY_SHAPES = {
    "fatal": "◆",
    "error": "⊗",
    "warn": "▲",
    "info": "●",
    "debug": "○",
    "trace": "–",
}
GRAVEST_FIRST = SEVERITY_WORDS[::-1]


def draw_filter_bar(view: View) -> None:
    """Draw the bar. Counts are of the filter without the facet's own condition."""
    severities = _counts(view.log_filter, "severity")
    services = _counts(view.log_filter, "service")
    with st.container(horizontal=True, vertical_alignment="center", key="filter-bar", gap="small"):
        with st.container(key="severities", width="content"):
            _severities(view, severities)
        with st.container(key="services", width=340):
            _services(view, services)
        with st.container(key="trace", width=250):
            _trace(view)


def _counts(log_filter: LogFilter, field: str) -> dict[str, int] | None:
    try:
        return session.facet(log_filter, field)
    except LogStreamError:
        return None


def _severities(view: View, counts: dict[str, int] | None) -> None:
    chosen = [word for word in GRAVEST_FIRST if word in view.chosen.severity.only]
    if st.session_state.get("pick-severity") != chosen:
        st.session_state["pick-severity"] = chosen

    def words(word: str) -> str:
        count = "" if counts is None else f" :gray[{compact(counts.get(word, 0))}]"
        return f"{SEVERITY_SHAPES[word]} {word}{count}"

    st.pills(
        "Severity",
        GRAVEST_FIRST,
        selection_mode="multi",
        key="pick-severity",
        format_func=words,
        label_visibility="collapsed",
        on_change=_severities_chosen,
    )


def _severities_chosen() -> None:
    chosen = url_state.shown().chosen
    only = tuple(word for word in SEVERITY_WORDS if word in st.session_state["pick-severity"])
    url_state.change(replace(chosen, severity=Choice(only, chosen.severity.excluded)))


def _services(view: View, counts: dict[str, int] | None) -> None:
    service = view.chosen.service
    chosen = [
        *(_option(name) for name in service.only),
        *(_option(n, True) for n in service.excluded),
    ]
    names = list(dict.fromkeys([*(counts or {}), *service.only, *service.excluded]))
    options = [_option(name) for name in names] + [_option(name, True) for name in names]
    if st.session_state.get("pick-service") != chosen:
        st.session_state["pick-service"] = chosen

    def words(option: str) -> str:
        choice = Choice.from_url(option)
        if choice.excluded:
            return f"not {choice.excluded[0]}"
        if counts is None:
            return choice.only[0]
        return f"{choice.only[0]}  {whole(counts.get(choice.only[0], 0))}"

    st.multiselect(
        "Services",
        options,
        key="pick-service",
        format_func=words,
        placeholder="All services" if counts is None else f"All {len(counts)} services",
        label_visibility="collapsed",
        select_all=False,
        wrap=False,
        on_change=_services_chosen,
    )


def _option(name: str, is_excluded: bool = False) -> str:
    return (Choice((), (name,)) if is_excluded else Choice((name,))).to_url()


def _services_chosen() -> None:
    service = Choice.from_url(",".join(st.session_state["pick-service"]))
    url_state.change(replace(url_state.shown().chosen, service=service))


def _trace(view: View) -> None:
    if normal_trace_id((st.session_state.get("pick-trace") or "").strip()) != view.chosen.trace_id:
        st.session_state["pick-trace"] = view.chosen.trace_id
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
    trace_id = normal_trace_id((st.session_state["pick-trace"] or "").strip())
    url_state.change(replace(url_state.shown().chosen, trace_id=trace_id))


@dataclass(frozen=True)
class Chip:
    """One active filter and what × does."""

    text: str
    remove: Callable[..., None]
    arguments: tuple[Any, ...]
    is_problem: bool = False


def filter_chips(
    view: View, now: datetime, known_services: dict[str, int] | None = None
) -> Iterator[Chip]:
    """Every active filter in the order of the URL, then what could not be read."""
    chosen = view.chosen
    choices = {"env": chosen.environment, "service": chosen.service, "severity": chosen.severity}
    for name, choice in choices.items():
        for value in choice.only:
            unknown = name == "service" and known_services is not None
            is_missing = unknown and value not in (known_services or {})
            note = " (no such service here)" if is_missing else ""
            left = replace(choice, only=tuple(v for v in choice.only if v != value))
            text = f"{name} {short(value)}{note}"
            yield Chip(text, url_state.change, (_with_choice(chosen, name, left),), is_missing)
        for value in choice.excluded:
            left = replace(choice, excluded=tuple(v for v in choice.excluded if v != value))
            text = f"{name} not {short(value)}"
            yield Chip(text, url_state.change, (_with_choice(chosen, name, left),))
    if chosen.trace_id:
        yield Chip(
            f"trace {short(chosen.trace_id, 40)}", url_state.change, (chosen.without("trace"),)
        )
    if chosen.q:
        yield Chip(f"text {short(chosen.q)}", url_state.change, (chosen.without("q"),))
    without_time = chosen.without("range")
    if without_time != chosen:
        words = range_words(chosen, view.zone, now)
        yield Chip(f"{words} ({view.timezone})", url_state.change, (without_time,))
    for problem in view.problems:
        yield Chip(problem.one_line(), url_state.dismiss_problem, (problem,), is_problem=True)


def _with_choice(log_filter: LogFilter, name: str, choice: Choice) -> LogFilter:
    match name:
        case "env":
            return replace(log_filter, environment=choice)
        case "service":
            return replace(log_filter, service=choice)
    return replace(log_filter, severity=choice)


def draw_filter_chips(view: View, now: datetime) -> None:
    """The row under the bars: chips, Reset, and Undo right after a reset."""
    known = _counts(view.log_filter, "service") if view.chosen.service else None
    chips = list(filter_chips(view, now, known))
    with st.container(
        horizontal=True, vertical_alignment="center", key="filter-chips", gap="small"
    ):
        for place, chip in enumerate(chips):
            st.button(
                plain(chip.text),
                key=f"{'problem' if chip.is_problem else 'chip'}-{place}",
                icon=":material/close:",
                icon_position="right",
                on_click=chip.remove,
                args=chip.arguments,
                help=None if not chip.is_problem else plain(chip.text),
            )
        if not chips:
            st.html("<span class='quiet'>No filters: every line of the chosen time</span>")
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
            help="Clears every filter but time",
            on_click=url_state.reset,
        )


def _has_filters(view: View) -> bool:
    return bool(view.problems) or view.chosen.without("range") != LogFilter()
