"""What is kept and shared of a search: saved views, recent searches, export, SQL."""

import streamlit as st

from logstream.show.keep.export_menu import draw_export
from logstream.show.keep.recent_menu import draw_recent, keep_search, known_look
from logstream.show.keep.sql_menu import draw_sql
from logstream.show.keep.views_menu import draw_views
from logstream.show.url_state import View


def draw_keep_bar(view: View) -> None:
    """The controls at the right of the tabs."""
    with st.container(key="keep-bar", horizontal=True, vertical_alignment="center", gap="small"):
        draw_views(view, known_look())
        draw_recent()
        draw_export(view)
        draw_sql(view)
        keep_search(view)
