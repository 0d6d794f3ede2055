"""The box for questions in plain words: one line, Enter asks; what it meant stands below."""

import streamlit as st

from logstream import wiring
from logstream.errors import LogStreamError, StoreUnavailable
from logstream.explain.ask.answer import LONGEST_QUESTION, Question
from logstream.explain.ask.asker import Asker
from logstream.filter import LogFilter
from logstream.show import service_calls, session, url_state
from logstream.show.explore.ask_answer import draw_answer
from logstream.show.explore.ask_words import draw_words
from logstream.show.explore.asked import Asked, remember, remembered
from logstream.show.url_state import TABS, View
from logstream.show.words import plain, short

MOST_EXAMPLES = 4
_PENDING, _PROBLEM = "ask-pending", "ask-problem"


def draw_ask(view: View) -> None:
    """The box, what was understood as chips, and what was not."""
    _draw_box(view)
    pending = st.session_state.pop(_PENDING, None)
    if pending is not None:
        question, is_refining = pending
        with st.spinner("Reading the question …"):
            _ask(view, question, is_refining)
        st.rerun()
    problem = st.session_state.get(_PROBLEM)
    asked = remembered()
    if problem is not None:
        with st.container(key="ask-problem"):
            st.text(problem)
    if asked is not None:
        draw_answer(view, asked)
    elif problem is None:
        _draw_examples(view)


def _draw_box(view: View) -> None:
    with st.container(key="ask-bar", horizontal=True, vertical_alignment="center", gap="small"):
        with (
            st.form("ask-form", border=False),
            st.container(key="ask-row", horizontal=True, vertical_alignment="center", gap="small"),
        ):
            st.text_input(
                "Ask in plain words",
                key="ask-question",
                max_chars=LONGEST_QUESTION,
                placeholder="Ask in plain words: payment errors yesterday between 2 and 3 pm",
                icon=":material/manage_search:",
                label_visibility="collapsed",
            )
            if _has_filters(view.chosen):
                # Off: a new start in the same environment and time.
                st.toggle("Keep filters", value=True, key="ask-refine")
            st.form_submit_button("Ask", key="ask-asked", on_click=_submitted)
        draw_words()


def _submitted() -> None:
    state = st.session_state
    question = (state.get("ask-question") or "").strip()
    if question:
        is_refining = bool(state.get("ask-refine", True))
        state[_PENDING] = (question, is_refining)


def _example_chosen(question: str) -> None:
    st.session_state["ask-question"] = question
    st.session_state[_PENDING] = (question, False)


def _ask(view: View, question: str, is_refining: bool) -> None:
    """Ask the service, or this process while it is away; apply what the question means."""
    st.session_state.pop(_PROBLEM, None)
    try:
        asked = _answer(view, question, is_refining)
    except LogStreamError as error:
        remember(None)
        st.session_state[_PROBLEM] = f"{error.message}. {error.hint}".rstrip(". ") + "."
        return
    remember(asked)
    url_state.change(asked.log_filter)
    show = asked.reply["show"]
    tab = show if show in TABS else TABS[0]
    if tab != url_state.shown().tab:
        url_state.change_tab(tab)


def _answer(view: View, question: str, is_refining: bool) -> Asked:
    try:
        reply = service_calls.ask(question, view.chosen, view.timezone, is_refining=is_refining)
        return Asked.of(question, reply)
    except StoreUnavailable:
        answer = _own_asker().by_rules(
            Question(question, view.zone, view.chosen, is_refining=is_refining)
        )
        return Asked.of(question, answer.to_api(), is_without_service=True)


@st.cache_resource(show_spinner=False)
def _own_asker() -> Asker:
    """The rules alone, for when the service is away."""
    return wiring.open_asker(session.settings(), session.reader(), has_model=False)


def _has_filters(chosen: LogFilter) -> bool:
    return chosen.without("range").without("at").without("env") != LogFilter()


def _draw_examples(view: View) -> None:
    questions = _examples(view)
    if not questions:
        return
    with st.container(key="ask-examples", horizontal=True, vertical_alignment="center", gap=None):
        st.html("<span class='quiet'>For example</span>", width="content")
        for place, question in enumerate(questions):
            st.button(
                plain(question),
                key=f"ask-example-{place}",
                type="tertiary",
                on_click=_example_chosen,
                args=(question,),
            )


def _examples(view: View) -> list[str]:
    """Questions about the services that there are."""
    try:
        services = list(session.facet(LogFilter(environment=view.chosen.environment), "service"))
    except LogStreamError:
        return []
    if not services:
        return []
    first, second = short(services[0], 30), short(services[min(1, len(services) - 1)], 30)
    return [
        f"errors of {first} in the last hour",
        "top 5 services by errors today",
        f"{second} slower than 500 ms",
        "new kinds of warnings since yesterday",
    ][:MOST_EXAMPLES]
