"""The navigation rail: icons and words at the left, a bar at the bottom on a phone."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from logstream.show.theme_switch import theme_switch
from logstream.show.url_state import TRACES, View

_IS_NARROW = "rail-is-narrow"


def draw_rail(pages: Sequence[tuple[Any, str]], here: Any, view: View) -> None:
    """One link a page, each keeping the view, so that it can be opened in a new tab too."""
    is_narrow = st.session_state.get(_IS_NARROW, False)
    with st.container(key="nav-rail-narrow" if is_narrow else "nav-rail", gap=None):
        for page, icon in pages:
            with st.container(key=f"nav-{'here' if page == here else 'to'}-{page.url_path}"):
                carried = view if page.url_path == TRACES else view.elsewhere()
                st.page_link(page, label=page.title, icon=icon, query_params=carried.to_url())
        with st.container(key="nav-theme"):
            theme_switch([page.url_path for page, _ in pages], here.url_path)
        with st.container(key="nav-fold"):
            st.button(
                "Show words" if is_narrow else "Icons only",
                key="nav-fold-button",
                icon=":material/right_panel_close:" if is_narrow else ":material/left_panel_close:",
                type="tertiary",
                on_click=_fold,
            )


def _fold() -> None:
    st.session_state[_IS_NARROW] = not st.session_state.get(_IS_NARROW, False)
