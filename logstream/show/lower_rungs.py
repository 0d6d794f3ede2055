"""What the feed in the browser is handed when its own socket cannot open.

`relay`: frames that this process heard. `poll`: the newest lines from the database, asked for
by streamlit-autorefresh, so that they still come when hub and ingest service are away.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from logstream.errors import LogStreamError
from logstream.filter import LogFilter
from logstream.show import session
from logstream.show.cards import explain
from logstream.show.push_relay import PushRelay

POLL_MS = 2000
NEWEST_LIMIT = 200
SINCE_LIMIT = 1000
RUNGS = ("push", "relay", "poll")


@dataclass(frozen=True)
class Wish:
    """What the browser's feed wants of this process; see lower_rungs.js."""

    rung: str = "push"
    turn: int = 0
    relay_id: str = ""
    after: int = -1


@dataclass
class Seen:
    """The highest ids handed to a viewer, for one question: last and the time before.

    A page that skipped one answer has it in the next.
    """

    question: Mapping[str, str]
    last_id: int = 0
    id_before: int = 0


def read_wish(key: str) -> Wish:
    """The wish of the feed drawn under this key; to be pushed to for anything malformed."""
    wish = (st.session_state.get(key) or {}).get("wish")
    if not isinstance(wish, Mapping) or wish.get("rung") not in RUNGS:
        return Wish()
    try:
        return Wish(wish["rung"], int(wish["turn"]), str(wish["relayId"]), int(wish["after"]))
    except (KeyError, TypeError, ValueError):
        return Wish()


def hand_over(wish: Wish, log_filter: LogFilter) -> dict[str, Any]:
    """The `handed` part of the feed's data; empty when the browser needs nothing of us."""
    if wish.rung == "push":
        return {}
    heard = push_relay().frames_after(wish.relay_id, wish.after, log_filter.environment)
    handed: dict[str, Any] = {
        "rung": wish.rung,
        "turn": wish.turn,
        "relayId": heard.relay_id,
        "isListening": heard.is_listening,
        "problem": heard.problem,
        "after": heard.after,
        "frames": heard.frames if wish.rung == "relay" else [],
        "madeUnixMs": time.time_ns() // 1_000_000,
    }
    if wish.rung == "poll":
        handed |= _newest(log_filter)
    return handed


def keep_asking(wish: Wish) -> None:
    """While polling: rerun what this is drawn in every two seconds."""
    if wish.rung == "poll":
        with st.container(key="feed-polling", height=1, border=False):
            st_autorefresh(interval=POLL_MS, debounce=False, key="feed-autorefresh")


@st.cache_resource(show_spinner=False)
def push_relay() -> PushRelay:
    """The one relay of this process; it listens only while somebody asks."""
    return PushRelay(session.settings().url, session.authorization)


def _newest(log_filter: LogFilter) -> dict[str, Any]:
    question = log_filter.to_url()
    seen = st.session_state.get("feed-polled")
    if seen is None or seen.question != question:
        seen = Seen(question)
    try:
        lines = session.newest(log_filter, NEWEST_LIMIT)
        whole_from = seen.id_before + 1 if seen.id_before else None
        if whole_from is not None:
            since = session.lines_since(log_filter, whole_from, SINCE_LIMIT)
            lines += since
            newest = max((int(line["id"]) for line in lines), default=0)
            if len(since) == SINCE_LIMIT or newest > whole_from + session.WIDEST_IDS:
                whole_from = None
    except LogStreamError as error:
        return {"lines": [], "wholeFromId": None, "pollError": " ".join(explain(error))}
    seen.id_before = seen.last_id
    seen.last_id = max([seen.last_id, *(int(line["id"]) for line in lines)])
    st.session_state["feed-polled"] = seen
    # From that id on no line is left out; the browser asks for those before, if it lacks them.
    return {
        "lines": list({line["id"]: line for line in lines}.values()),
        "wholeFromId": whole_from,
        "pollError": "",
    }
