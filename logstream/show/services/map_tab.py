"""Who depends on whom, as a map whose places stay while it is looked at."""

from collections.abc import Sequence

import streamlit as st

from logstream.filter import Choice, LogFilter
from logstream.show import url_state
from logstream.show.asked import Asked
from logstream.show.cards import empty, guarded
from logstream.show.services import asked as questions
from logstream.show.services.components.service_map import service_map
from logstream.show.services.layout.layers import Call
from logstream.show.services.layout.places import Layout, lay_out, lay_out_again
from logstream.show.services.neighbourhood import MOST_STEPS, Focus, around
from logstream.show.services.ways_out import go_from, links, open_service
from logstream.show.url_state import View
from logstream.trace_port import ServiceMap

# Parameters of the URL that are this page's alone.
FOCUS, STEPS, EXPANDED = "focus", "steps", "expand"
_STEPS = tuple(str(steps) for steps in range(1, MOST_STEPS + 1))
_MEMORY = "map-layout"


def draw_map(view: View) -> None:
    """The map, or why there is none."""
    with st.container(key="service-map", gap=None):
        guarded("The map cannot be drawn.")(lambda: _draw(view))()


def _draw(view: View) -> None:
    log_filter = questions.narrowed(view)
    whole, as_of = questions.service_map(log_filter)
    if not whole.nodes:
        empty(
            "No service sent anything in this time.",
            "Choose a longer time above. The map is drawn from traces, and from log lines that "
            "share a trace id.",
        )
        return
    focus = _focus()
    shown, hidden = whole, dict[str, int]()
    if focus is not None:
        shown, hidden = around(whole, focus)
        if not shown.nodes:
            _draw_unknown(focus.service)
            return
    question = _question_of(log_filter, focus)
    layout, is_untidy = _layout(question, shown)
    service_map(
        shown,
        layout,
        seconds=questions.seconds_of(log_filter),
        as_of=as_of,
        timezone=view.timezone,
        view=question,
        links=links(view),
        hidden=hidden,
        focus=focus,
        is_untidy=is_untidy,
        follow=_follow,
    )


def _draw_unknown(service: str) -> None:
    empty(
        f"No service “{service[:100]}” in this time.",
        "Choose a longer time above, or show the whole map.",
    )
    st.button("Show the whole map", key="map-whole", on_click=_show_whole)


def _layout(question: str, shown: ServiceMap) -> tuple[Layout, bool]:
    """Places as they were for this question, newcomers beside them; and whether any moved."""
    names = tuple(node.service for node in shown.nodes)
    calls = tuple(sorted({(edge.source, edge.target) for edge in shown.edges}))
    kept: tuple[str, Layout] | None = st.session_state.get(_MEMORY)
    if kept is None or kept[0] != question:
        layout = _new_layout(names, calls)
    else:
        layout = lay_out_again(kept[1], names, calls)
    st.session_state[_MEMORY] = (question, layout)
    return layout, layout.places != _new_layout(names, calls).places


@st.cache_data(ttl=3600, max_entries=50, show_spinner=False)
def _new_layout(names: Sequence[str], calls: Sequence[Call]) -> Layout:
    return lay_out(names, calls)


def _focus() -> Focus | None:
    service = st.query_params.get(FOCUS, "")
    if not service:
        return None
    steps = st.query_params.get(STEPS, "1")
    expanded = Choice.from_url(st.query_params.get(EXPANDED, "")).only
    return Focus(service, int(steps) if steps in _STEPS else 1, expanded)


def _question_of(log_filter: LogFilter, focus: Focus | None) -> str:
    parts = log_filter.to_url()
    if focus is not None:
        parts |= {FOCUS: focus.service, STEPS: str(focus.steps)}
    return "&".join(f"{name}={value}" for name, value in parts.items())


def _follow(clicked: Asked) -> None:
    service = str(clicked.get("service", ""))
    match clicked.get("kind"):
        case "open":
            open_service(service)
        case "go":
            go_from(clicked)
        case "focus" if clicked.get("steps") in range(1, MOST_STEPS + 1):
            _write(Focus(service, int(clicked["steps"])))
        case "expand" if (focus := _focus()) is not None:
            _write(Focus(focus.service, focus.steps, (*focus.expanded, service)))
        case "whole":
            _show_whole()
        case "tidy":
            st.session_state.pop(_MEMORY, None)


def _show_whole() -> None:
    _write(None)


def _write(focus: Focus | None) -> None:
    values = {FOCUS: "", STEPS: "", EXPANDED: ""}
    if focus is not None:
        expanded = Choice(tuple(dict.fromkeys(focus.expanded))).to_url()
        steps = "" if focus.steps == 1 else str(focus.steps)
        values = {FOCUS: focus.service, STEPS: steps, EXPANDED: expanded}
    others = {name: st.query_params.get_all(name) for name in st.query_params if name not in values}
    st.query_params.from_dict({**others, **{name: text for name, text in values.items() if text}})


def show_around(service: str) -> None:
    """From a callback: the map around one service, in place of its detail."""
    url_state.change(url_state.shown().chosen.without("service"))
    _write(Focus(service))
