"""The bar over one trace: the way back to the list, and what it is compared with."""

import streamlit as st

from logstream.show import url_state
from logstream.show.url_state import TYPICAL, View
from logstream.show.words import plain


def draw_trace_bar(view: View) -> None:
    """Back to the list, compare, and out of a comparison again."""
    with st.container(key="trace-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "All traces",
            key="trace-list-again",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=url_state.open_trace,
            args=("",),
        )
        if view.compare:
            st.button(
                "End comparison",
                key="trace-compare-end",
                icon=":material/close:",
                type="tertiary",
                on_click=_compare,
                args=("",),
            )
            return
        st.button(
            "Compare with the typical one",
            key="trace-compare-typical",
            icon=":material/compare_arrows:",
            type="tertiary",
            help=plain("The trace of the same root whose duration is the median of the time shown"),
            on_click=_compare,
            args=(TYPICAL,),
        )
        st.text_input(
            "Compare with trace",
            key="trace-compare-id",
            max_chars=100,
            placeholder="or with trace id",
            label_visibility="collapsed",
            width=220,
            on_change=_compare_chosen,
        )


def _compare(other: str) -> None:
    url_state.open_trace(url_state.shown().chosen.trace_id, compare=other)


def _compare_chosen() -> None:
    other = (st.session_state.get("trace-compare-id") or "").strip()
    if other:
        _compare(other)
