"""Pages of found lines from the database, for a browser that reaches no ingest service."""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from logstream.errors import LogStreamError
from logstream.filter import FIELDS, LogFilter
from logstream.model import iso_time
from logstream.query.cursor import read_cursor, write_cursor
from logstream.show.cards import explain
from logstream.show.session import Question, _ask

PAGE_LIMIT = 200


def hand_page(key: str) -> dict[str, Any]:
    """What the browser wished for under this key: its `turn`, and `page` or `problem`."""
    wish = (st.session_state.get(key) or {}).get("wish")
    if not isinstance(wish, Mapping) or not isinstance(wish.get("filter"), Mapping):
        return {}
    asked = {
        name: text
        for name, text in wish["filter"].items()
        if name in FIELDS and isinstance(text, str)
    }
    try:
        page = _page(tuple(asked.items()), str(wish.get("cursor") or ""))
    except LogStreamError as error:
        return {"turn": wish.get("turn"), "problem": " ".join(explain(error)).rstrip(".")}
    return {"turn": wish.get("turn"), "page": page}


@st.cache_data(ttl=30, max_entries=50, show_spinner=False)
def _page(question: Question, cursor: str) -> dict[str, Any]:
    """The answer of `/logs/search`, without the service."""
    log_filter = LogFilter.from_url(dict(question))
    found = _ask(
        lambda ask: ask.search(
            log_filter,
            limit=PAGE_LIMIT,
            now_unix_nano=time.time_ns(),
            before=read_cursor(cursor) if cursor else None,
        )
    )
    searched_to = found.searched_to_unix_nano
    return {
        "logs": [line.to_api() for line in found.lines],
        "cursor": None if found.before is None else write_cursor(found.before),
        "searchedTo": None if searched_to is None else iso_time(searched_to),
        "complete": found.is_complete,
    }
