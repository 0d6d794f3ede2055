"""The box in which a search is typed: suggestions, mistakes in their place, help.

The browser keeps what is typed; Python hears it after a short rest, or at Enter, and changes
the URL. While it cannot be understood the search before stays in force, and the box shows where
the mistake is.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from logstream.show import session, url_state
from logstream.show.http_relay import relay_path
from logstream.show.query_box.examples import LINES, TRACES
from logstream.show.url_state import View
from logstream.text_query import MAX_CHARACTERS, QueryError

KEY = "pick-q"
_HEARD = "query-heard"
_HERE = Path(__file__).parent
_SCRIPTS = (
    _HERE.parent / "live_feed" / "questions.js",
    *(_HERE / name for name in ("suggestions.js", "help.js", "query_box.js")),
)
_UNFILTERED = "Not searched: these numbers count everything"


def draw_query_box(view: View, *, is_enabled: bool = True, is_of_traces: bool = False) -> None:
    """Draw the box; a search goes to the URL."""
    subject = TRACES if is_of_traces else LINES
    settings = session.settings()
    mistake = next((one for one in view.problems if isinstance(one, QueryError)), None)
    _component()(
        key=KEY,
        data={
            "text": view.written_q,
            "turn": st.session_state.get(_HEARD, 0),
            "mistake": None
            if mistake is None
            else {
                "problem": mistake.problem,
                "lines": mistake.caret_lines(),
                "hint": mistake.hint,
                # Somebody may be about to write the rest.
                "isAtEnd": mistake.position + mistake.length >= len(mistake.text.rstrip()),
            },
            "parameters": view.log_filter.without("q").to_url(),
            "isEnabled": is_enabled,
            "placeholder": subject.placeholder if is_enabled else _UNFILTERED,
            "maxCharacters": MAX_CHARACTERS,
            "intro": subject.intro,
            "examples": [list(example) for example in subject.examples],
            "offered": [list(term) for term in subject.offered],
            "refused": list(subject.refused),
            "serviceUrl": (settings.public_url or "").rstrip("/"),
            "servicePort": urlsplit(settings.url).port or settings.port,
            "pass": session.page_pass(),
            "relayPath": relay_path(),
        },
        on_typed_change=_hear,
    )


def _hear() -> None:
    typed = (st.session_state.get(KEY) or {}).get("typed")
    if not isinstance(typed, Mapping):
        return
    text, turn = typed.get("text"), typed.get("turn")
    # A run that is cut short by the next one leaves its trigger to that one.
    if not isinstance(text, str) or not isinstance(turn, int | float):
        return
    if turn > st.session_state.get(_HEARD, 0):
        st.session_state[_HEARD] = turn
        url_state.change_query(text.strip())


def query_box_script() -> str:
    """The component's JavaScript module."""
    return "\n".join(path.read_text("utf-8") for path in _SCRIPTS)


_mounts: list[Any] = []


def _component() -> Any:
    # Registered on first use: importing this module must not need a running Streamlit.
    if not _mounts:
        _mounts.append(
            st.components.v2.component(
                "logstream_query_box",
                html=(_HERE / "query_box.html").read_text("utf-8"),
                css=(_HERE / "query_box.css").read_text("utf-8"),
                js=query_box_script(),
            )
        )
    return _mounts[0]
