"""The feed on the Live page, and what its clicks mean for the URL."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from logstream.filter import LogFilter
from logstream.model import normal_trace_id
from logstream.show import preferences, session, url_state
from logstream.show.cards import guarded
from logstream.show.http_relay import relay_path
from logstream.show.live_feed import FeedEvent, live_feed
from logstream.show.lower_rungs import hand_over, keep_asking, read_wish

FEED = "feed"
_PAGES = Path(__file__).resolve().parents[2] / "pages"


@st.fragment(run_every=session.PAGE_RENEWAL_SECONDS)
@guarded("The feed cannot be drawn.")
def draw_feed() -> None:
    """The feed under the filters of the URL, filling the rest of the window."""
    view = url_state.shown()
    settings = session.settings()
    wish = read_wish(FEED)
    with st.container(key="live-feed", gap=None):
        event = live_feed(
            view.log_filter,
            service_url=settings.public_url or "",
            service_port=urlsplit(settings.url).port or settings.port,
            line=view.line,
            timezone=view.timezone,
            page_pass=session.page_pass(),
            speed=view.speed,
            picks=url_state.moment_picks(),
            pinned=preferences.current().pinned,
            relay_path=relay_path(),
            handed=hand_over(wish, view.log_filter),
            key=FEED,
        )
        keep_asking(wish)
    if event is not None and follow(event):
        st.rerun()


def follow(event: FeedEvent) -> bool:
    """Turn a click in the feed into URL state or a pin; True when the page must be redrawn."""
    if event.kind == "refresh":
        return True
    if event.kind == "pin":
        preferences.toggle_pin(event.value)
        return True
    chosen = url_state.shown().chosen
    changed = changed_by(chosen, event)
    if event.kind == "page":
        go_to(event.field)
    if event.kind == "open":
        open_trace(event.value, event.field)
    if event.kind == "position":
        return changed.at is not None and url_state.note_position(changed.at, event.speed)
    if event.kind == "at":
        is_same = changed == chosen and event.speed == url_state.shown().speed
        if not is_same:
            url_state.change_moment(changed.at, event.speed)
        return not is_same
    if changed == chosen:
        return False
    url_state.change(changed)
    return True


def go_to(page: str) -> None:
    """Show the same filter on `explore` or `live`; ends this run. Live has no fixed end of time."""
    chosen = url_state.shown().chosen
    if page == "live":
        url_state.change(replace(chosen, start=None, end=None, at=None))
    if page in ("explore", "live"):
        # The browser alone knows which line is open by now.
        kept = {name: text for name, text in url_state.whole_url().items() if name != "line"}
        st.switch_page(_PAGES / f"{page}.py", query_params=kept)


def open_trace(trace_id: str, span: str) -> None:
    """Show the waterfall of a trace; ends this run.

    Time and environment are kept for the list beside it; a search for lines may mean nothing there.
    """
    view = url_state.shown()
    chosen = view.chosen
    of_trace = LogFilter(
        environment=chosen.environment,
        trace_id=normal_trace_id(trace_id),
        range_text=chosen.range_text,
        start=chosen.start,
        end=chosen.end,
    )
    bare = url_state.View(of_trace, view.timezone, usual_timezone=view.usual_timezone, span=span)
    st.switch_page(_PAGES / "traces.py", query_params=bare.to_url())


def changed_by(chosen: LogFilter, event: FeedEvent) -> LogFilter:
    """The filter a click in the feed asks for."""
    changed = event.applied_to(chosen)
    if event.kind == "trace":
        # The trace clicked on lies in the time shown, which may be long past.
        return replace(changed, range_text=chosen.range_text, start=chosen.start, end=chosen.end)
    return changed
