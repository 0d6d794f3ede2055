"""Every service as a row of numbers."""

import streamlit as st

from logstream.show.asked import Asked
from logstream.show.cards import empty, guarded
from logstream.show.services import asked as questions
from logstream.show.services.components.service_table import service_table
from logstream.show.services.ways_out import go_from, links, open_service
from logstream.show.time_range import bucket_words
from logstream.show.url_state import View


def draw_list(view: View) -> None:
    """The table, or why there is none."""
    with st.container(key="service-list", gap=None):
        guarded("The services cannot be listed.")(lambda: _draw(view))()


def _draw(view: View) -> None:
    log_filter = questions.narrowed(view)
    found, as_of = questions.services(log_filter, view.timezone)
    silent = questions.silent(log_filter, found)
    if not found.services and not silent:
        empty(
            "No service sent anything in this time.",
            "Choose a longer time above. Services appear by themselves with their first log line "
            "or span: `python -m logstream simulate` sends some.",
        )
        return
    service_table(
        found,
        silent,
        seconds=questions.seconds_of(log_filter),
        as_of=as_of,
        per=bucket_words(found.bucket_seconds),
        silent_words=f"but seen in the {questions.SILENT_DAYS} days before",
        timezone=view.timezone,
        links=links(view),
        follow=_follow,
    )


def _follow(clicked: Asked) -> None:
    match clicked.get("kind"):
        case "open":
            open_service(str(clicked.get("service", "")))
        case "go":
            go_from(clicked)
