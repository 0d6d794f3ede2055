"""What is kept and shared of a search: saved views, recent searches, export, SQL."""

from collections.abc import Mapping

import streamlit as st

from logstream.show.keep.export_menu import draw_export
from logstream.show.keep.recent_menu import draw_recent, keep_search, known_look
from logstream.show.keep.sql_menu import draw_sql
from logstream.show.keep.views_menu import differs, draw_views
from logstream.show.url_state import View


def draw_keep_bar(view: View) -> None:
    """The controls at the right of the tabs."""
    with st.container(key="keep-bar", horizontal=True, vertical_alignment="center", gap="small"):
        draw_views(view, known_look())
        draw_recent()
        draw_export(view)
        draw_sql(view)
        _keep_search(view, known_look())


@st.fragment
def _keep_search(view: View, drawn_look: Mapping[str, str]) -> None:
    """A fragment, because the browser tells how lines look soon after each page was drawn.

    A run of the whole page then would undo a click on the way to another page.
    """
    keep_search(view)
    saved, look = view.saved, known_look()
    if saved is not None and differs(saved, look) != differs(saved, drawn_look):
        st.rerun()
