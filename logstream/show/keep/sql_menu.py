"""The question as SQL, for people's own tools."""

import time

import streamlit as st

from logstream.errors import LogStreamError
from logstream.query.export.as_sql import as_sql
from logstream.show.cards import failure
from logstream.show.url_state import View


def draw_sql(view: View) -> None:
    """The menu: the statement with a button that copies it."""
    with (
        st.container(key="keep-sql", width="content"),
        st.popover("SQL", icon=":material/database:"),
    ):
        st.markdown("The lines meant now, for psql or any tool that speaks PostgreSQL.")
        try:
            sql = as_sql(view.log_filter, now_unix_nano=time.time_ns())
        except LogStreamError as error:
            failure("This search cannot be written as SQL.", error)
            return
        st.code(sql, language="sql", wrap_lines=True)
