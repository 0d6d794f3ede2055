"""Recent searches, which only the browser remembers; and what it tells of how lines look."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.filter import FIELDS, LogFilter
from logstream.saved_view import LOOK
from logstream.show import url_state
from logstream.show.url_state import View

_HERE = Path(__file__).parent
_KEEPER = "keeper"
_mounts: dict[str, Any] = {}


def draw_recent() -> None:
    """The menu: the last 20 searches of this browser."""
    with (
        st.container(key="keep-recent", width="content"),
        st.popover("Recent", icon=":material/history:"),
    ):
        result = _mounted("recent_list.js", "<div class='recent'></div>")(
            key="recent-list", data={}, on_open_change=_ignore
        )
    if result.open:
        found, _ = LogFilter.read_url(_texts(result.open, FIELDS))
        url_state.change(found)
        st.rerun()


def known_look() -> dict[str, str]:
    """How the browser shows lines, as far as it has said; see saved_view.LOOK."""
    state = st.session_state.get(_KEEPER)
    return _texts(state.get("look") if isinstance(state, Mapping) else None, LOOK)


def keep_search(view: View) -> None:
    """Let the browser remember this search, and tell how it shows lines. Draws nothing."""
    chosen = view.chosen
    is_search = chosen.without("range").without("at").without("env") != LogFilter()
    with st.container(key="keep-quiet"):
        _mounted("keeper.js", "<span></span>")(
            key=_KEEPER,
            data={
                "parameters": chosen.to_url(),
                "words": view.log_filter.words() if is_search else "",
                "look": LOOK,
                "known": known_look(),
            },
            on_look_change=_ignore,
        )


def _mounted(script: str, html: str) -> Any:
    if script not in _mounts:
        scripts = (_HERE / "recent.js", _HERE / script)
        _mounts[script] = st.components.v2.component(
            f"logstream_{script.removesuffix('.js')}",
            html=html,
            css=(_HERE / "keep.css").read_text("utf-8"),
            js="\n".join(path.read_text("utf-8") for path in scripts),
        )
    return _mounts[script]


def _texts(given: object, names: tuple[str, ...]) -> dict[str, str]:
    """What comes from a browser, which may hold anything."""
    if not isinstance(given, Mapping):
        return {}
    return {name: given[name] for name in names if isinstance(given.get(name), str)}


def _ignore() -> None:
    """Having a callback makes the value part of the result."""
