"""A page with nothing but the feed and the state pill; the URL is the filter.

Run by feed_harness_app.py; FEED_SERVICE_PORT names the service's port.
"""

import os

import streamlit as st

from logstream.filter import LogFilter
from logstream.show import session
from logstream.show.http_relay import relay_path
from logstream.show.live_feed import FeedEvent, live_feed
from logstream.show.lower_rungs import hand_over, keep_asking, read_wish
from logstream.show.state_pill import state_pill
from logstream.show.url_state import read_speed

st.set_page_config(layout="wide")
parameters = {name: st.query_params.get_all(name) for name in st.query_params}
log_filter, _ = LogFilter.read_url(parameters)

st.session_state.reruns = st.session_state.get("reruns", 0) + 1
left, right = st.columns([1, 3])
with left:
    state_pill()
    st.html(f"<span data-testid='reruns'>{st.session_state.reruns}</span>")
with right, st.container(key="filter-bar"):
    errors_only = st.button("Errors only")
    st.button("Rerun")
if errors_only:
    st.query_params["severity"] = "error"
    st.rerun()


@st.fragment
def draw_feed() -> None:
    wish = read_wish("feed")
    event = live_feed(
        log_filter,
        service_url="",
        service_port=int(os.environ["FEED_SERVICE_PORT"]),
        line=st.query_params.get("line", ""),
        timezone=st.query_params.get("tz", "UTC"),
        page_pass=session.page_pass(),
        relay_path=relay_path(),
        handed=hand_over(wish, log_filter),
        speed=read_speed(st.query_params.get("speed", "")),
    )
    keep_asking(wish)
    if event is not None:
        follow(event)


def follow(event: FeedEvent) -> None:
    if event.kind == "position":
        return
    if event.kind == "at":
        others = {name: st.query_params[name] for name in st.query_params if name != "speed"}
        others["at"] = event.applied_to(log_filter).to_url().get("at", "")
        speed = {"speed": str(event.speed)} if event.speed else {}
        st.query_params.from_dict({name: text for name, text in (others | speed).items() if text})
        st.rerun()
    kept = {name: st.query_params[name] for name in ("tz",) if name in st.query_params}
    st.query_params.from_dict({**event.applied_to(log_filter).to_url(), **kept})
    st.rerun()


draw_feed()
