"""The tabs over the results; which one is open stands in the URL."""

import streamlit as st

from logstream.show import url_state
from logstream.show.url_state import TABS, View
from logstream.show.widget_values import is_echo, show_value


def draw_tabs(view: View) -> None:
    """Lines, Patterns, Fields."""
    show_value("pick-tab", view.tab)
    st.segmented_control(
        "Show",
        TABS,
        key="pick-tab",
        format_func=str.capitalize,
        required=True,
        label_visibility="collapsed",
        on_change=_tab_chosen,
    )


def _tab_chosen() -> None:
    if not is_echo("pick-tab"):
        url_state.change_tab(st.session_state["pick-tab"])
