"""The tab Lines: what was found, page by page."""

import html
from urllib.parse import urlsplit

import streamlit as st

from logstream.errors import FilterError
from logstream.show import preferences, session, url_state
from logstream.show.cards import guarded
from logstream.show.explore.handed_page import hand_page
from logstream.show.http_relay import relay_path
from logstream.show.live_page import follow
from logstream.show.results import found_lines
from logstream.show.url_state import View

FOUND = "found"
_SEARCHES = "searches"


def draw_results(view: View) -> None:
    """The lines under the filters of the URL, or what is wrong with the search."""
    problem = next((one for one in view.problems if one.parameter == "q"), None)
    if problem is None:
        _draw_lines()
    else:
        # Without its text the filter would find lines that nobody asked for.
        draw_problem(problem)


def search_again() -> None:
    """With the run that follows, the lines are searched anew, as things are then."""
    st.session_state[_SEARCHES] = st.session_state.get(_SEARCHES, 0) + 1


@st.fragment(run_every=session.PAGE_RENEWAL_SECONDS)
@guarded("The lines cannot be drawn.")
def _draw_lines() -> None:
    view = url_state.shown()
    settings = session.settings()
    with st.container(key="found-lines", gap=None):
        event = found_lines(
            view.log_filter,
            service_url=settings.public_url or "",
            service_port=urlsplit(settings.url).port or settings.port,
            line=view.line,
            timezone=view.timezone,
            page_pass=session.page_pass(),
            pinned=preferences.current().pinned,
            relay_path=relay_path(),
            handed=hand_page(FOUND),
            searches=st.session_state.get(_SEARCHES, 0),
            key=FOUND,
        )
    if event is not None and follow(event):
        st.rerun()


def draw_problem(problem: FilterError, title: str = "The search cannot be read.") -> None:
    """The message stands in its own lines: a caret below a query points at the place."""
    st.html(
        f"<div class='card failed' role='alert'><strong>{html.escape(title)}</strong>"
        f"<pre class='told'>{html.escape(problem.message)}</pre>"
        f"<span>{html.escape(problem.hint)}</span></div>"
    )
