"""What words mean in questions here, as people taught it: a small list to edit."""

import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import service_calls
from logstream.show.words import plain, short

_SAID = "alias-said"


def draw_words() -> None:
    """The popover; its list is asked for when it is opened."""
    with st.popover(
        "Words",
        key="ask-words",
        type="tertiary",
        icon=":material/dictionary:",
        help="What words mean in questions here",
        on_change="rerun",
    ) as opened:
        if opened.open:
            with st.container(gap="xsmall"):
                _draw_list()


def _draw_list() -> None:
    try:
        aliases = service_calls.aliases()
    except LogStreamError as error:
        st.text(error.message)
        return
    if aliases:
        st.html("<p class='quiet'>In questions, these words mean:</p>")
    for place, alias in enumerate(aliases):
        word, value, environment = alias["word"], alias["value"], alias["environment"]
        where = f" in {environment}" if environment else ""
        st.button(
            plain(short(f"{word} → {value}{where}", 70)),
            key=f"alias-{place}",
            icon=":material/close:",
            icon_position="right",
            help="Forget this",
            on_click=_forget,
            args=(word, environment),
        )
    if not aliases:
        st.html("<p class='quiet'>What words mean in questions here. None yet; teach one:</p>")
    with st.form("alias-form", border=False, clear_on_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input("Word", key="alias-word", max_chars=60, placeholder="payment")
            st.text_input("means", key="alias-value", max_chars=200, placeholder="payment-gateway")
        kinds = {"service": "a service", "term": "words to search for"}
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.segmented_control(
                "which is",
                list(kinds),
                default="service",
                key="alias-kind",
                format_func=lambda kind: kinds[kind],
                label_visibility="collapsed",
                required=True,
            )
            st.form_submit_button("Keep", key="alias-kept", on_click=_keep)
    if said := st.session_state.pop(_SAID, ""):
        st.text(said)


def _keep() -> None:
    state = st.session_state
    try:
        service_calls.teach(
            state.get("alias-word") or "",
            state.get("alias-value") or "",
            state.get("alias-kind") or "service",
        )
    except LogStreamError as error:
        state[_SAID] = error.one_line()


def _forget(word: str, environment: str | None) -> None:
    try:
        service_calls.unteach(word, environment)
    except LogStreamError as error:
        st.session_state[_SAID] = error.one_line()
