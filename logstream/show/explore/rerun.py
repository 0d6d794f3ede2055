"""From a fragment to the whole page: what is clicked in a panel may change every other one."""

import streamlit as st

_CHANGED = "page-changed"


def redraw_page() -> None:
    """From a callback inside a fragment: the run that follows draws the whole page."""
    st.session_state[_CHANGED] = True


def redraw_when_changed() -> None:
    """First thing in a fragment whose callbacks call `redraw_page`."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
