"""One service: how it goes over time, what takes its time, whom it calls, what it says."""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches

import streamlit as st

from logstream.filter import Choice
from logstream.show.asked import Asked
from logstream.show.cards import empty, guarded
from logstream.show.services import asked as questions
from logstream.show.services.components.detail_parts import (
    neighbours,
    operation_table,
    service_head,
    trends,
)
from logstream.show.services.map_tab import show_around
from logstream.show.services.notes import draw_notes, first_seen_words
from logstream.show.services.said import draw_patterns
from logstream.show.services.slow import chosen_operation, draw_slow, look_at_slow
from logstream.show.services.ways_out import go, go_from, links, open_service
from logstream.show.time_range import bucket_words
from logstream.show.url_state import View, shown
from logstream.text_query import term_for
from logstream.trace_port import ServiceFacts, Services


def draw_detail(view: View, service: str) -> None:
    """Everything about one service in the time shown; each part fails alone."""
    parts: dict[str, tuple[str, Callable[[View, str], None]]] = {
        "trends": ("The trends cannot be drawn.", _draw_trends),
        "operations": ("The operations cannot be listed.", _draw_operations),
        "neighbours": ("Callers and callees cannot be listed.", _draw_neighbours),
        "patterns": ("The patterns cannot be drawn.", draw_patterns),
    }

    def draw(name: str) -> None:
        title, act = parts[name]
        with st.container(key=f"service-{name}", gap=None):
            guarded(title)(lambda: act(view, service))()

    with st.container(key="service-detail", gap=None):
        found = guarded_head(view, service)
        if not found:
            return
        draw("trends")
        with st.container(key="service-columns", horizontal=True, gap="medium"):
            with st.container(key="service-doing", gap=None):
                draw("operations")
                draw("patterns")
            draw("neighbours")


def guarded_head(view: View, service: str) -> bool:
    """Draw the head; False when nothing more can be told."""
    told: list[bool] = []
    guarded("The service cannot be told about.")(lambda: told.append(_draw_head(view, service)))()
    return bool(told and told[0])


def _draw_head(view: View, service: str) -> bool:
    _, facts, _ = _facts(view, service)
    known = questions.known(questions.narrowed(view))
    before = "" if facts is not None else "nothing from it in this time"
    by = "told by its log lines" if facts is not None and facts.told_by == "lines" else before
    words = " · ".join(part for part in (by, first_seen_words(service, known, view)) if part)
    service_head(service, words, links=links(view), follow=_follow)
    draw_notes(service)
    if facts is not None:
        return True
    if service in known:
        empty("It sent nothing in this time.", "It did before: choose a longer time above.")
        return False
    near = get_close_matches(service[:100], known, n=2)
    empty(
        "No such service in this time.",
        f"Perhaps {' or '.join(f'“{name}”' for name in near)} is meant."
        if near
        else "Check the name and the environment, or go back to all services.",
    )
    return False


def _facts(view: View, service: str) -> tuple[Services, ServiceFacts | None, float]:
    found, as_of = questions.services(
        questions.narrowed(view), view.timezone, questions.CHART_PIECES
    )
    return found, next((one for one in found.services if one.service == service), None), as_of


def _draw_trends(view: View, service: str) -> None:
    found, facts, as_of = _facts(view, service)
    if facts is None:
        return
    log_filter = questions.narrowed(view)
    trends(
        facts,
        found,
        questions.duration_trend(log_filter, service, found),
        seconds=questions.seconds_of(log_filter),
        as_of=as_of,
        per=bucket_words(found.bucket_seconds),
        timezone=view.timezone,
        follow=_follow,
    )


def _draw_operations(view: View, service: str) -> None:
    log_filter = questions.narrowed(view)
    operation_table(
        questions.operations(log_filter, service),
        seconds=questions.seconds_of(log_filter),
        slow=chosen_operation(service),
        none_words="It sends no spans and no durations: nothing is known of its operations.",
        follow=lambda clicked: _follow_operation(clicked, service),
    )
    draw_slow(view, service)


def _draw_neighbours(view: View, service: str) -> None:
    log_filter = questions.narrowed(view)
    whole, _ = questions.service_map(log_filter)
    neighbours(
        service,
        [edge for edge in whole.edges if service in (edge.source, edge.target)],
        {node.service: node.kind for node in whole.nodes},
        seconds=questions.seconds_of(log_filter),
        follow=_follow,
    )


def _follow(clicked: Asked) -> None:
    match clicked.get("kind"):
        case "back":
            open_service("")
        case "open" if clicked.get("service"):
            open_service(str(clicked["service"]))
        case "around" if clicked.get("service"):
            show_around(str(clicked["service"]))
        case "go":
            go_from(clicked)


def _follow_operation(clicked: Asked, service: str) -> None:
    operation = str(clicked.get("operation", ""))
    match clicked.get("kind"):
        case "slow":
            look_at_slow(service, operation)
        case "operation":
            chosen = replace(shown().chosen, service=Choice((service,)))
            go("traces", replace(chosen, q=term_for("operation", operation)))
