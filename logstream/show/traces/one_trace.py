"""One trace as a waterfall, and what its clicks mean for the URL and for other pages."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from logstream.filter import Choice, LogFilter
from logstream.show import session, url_state
from logstream.show.asked import Asked
from logstream.show.cards import guarded
from logstream.show.http_relay import relay_path
from logstream.show.traces.waterfall import waterfall
from logstream.show.url_state import View
from logstream.text_query import term_for, with_term

_PAGES = Path(__file__).resolve().parents[3] / "pages"
_ASKED = "waterfall-asked"


def draw_trace(view: View) -> None:
    """The trace of the URL, filling the rest of the window."""
    _draw()


@st.fragment(run_every=session.PAGE_RENEWAL_SECONDS)
@guarded("The trace cannot be drawn.")
def _draw() -> None:
    asked: Asked | None = st.session_state.pop(_ASKED, None)
    if asked is not None:
        _follow(asked)
    view = url_state.shown()
    settings = session.settings()
    with st.container(key="waterfall", gap=None):
        waterfall(
            view.chosen.trace_id,
            environment=view.chosen.environment,
            service_url=settings.public_url or "",
            service_port=urlsplit(settings.url).port or settings.port,
            timezone=view.timezone,
            page_pass=session.page_pass(),
            relay_path=relay_path(),
            follow=_note,
        )


def _note(asked: Asked) -> None:
    # Another page can only be opened by a run itself, not by a callback before it.
    st.session_state[_ASKED] = asked


def _follow(asked: Asked) -> None:
    """Turn a click into URL state; ends this run when the page must be drawn anew."""
    chosen = url_state.shown().chosen
    match asked["kind"]:
        case "explore":
            _explore(chosen, asked)
        case "list":
            url_state.open_trace("")
        case "trace":
            url_state.open_trace(str(asked["value"]), str(asked.get("span", "")))
        case _:
            url_state.change(filter_meant(chosen, asked))
    st.rerun()


def filter_meant(chosen: LogFilter, asked: Asked) -> LogFilter:
    """The filter that a click in the waterfall asks for; one without a trace is the list's."""
    listed = replace(chosen, trace_id="")
    match asked["kind"]:
        case "anywhere":
            return replace(chosen, environment=Choice())
        case "filter":
            term = term_for(str(asked["key"]), str(asked["value"]), bool(asked["isExcluded"]))
            return replace(listed, q=with_term(listed.q, term))
        case "like":
            terms = [term_for(key, str(asked[key])) for key in ("service", "operation")]
            return replace(listed, q=with_term(with_term(listed.q, terms[0]), terms[1]))
    return chosen


def _explore(chosen: LogFilter, asked: Asked) -> None:
    """The lines of the trace, in the time they lie in, whatever else the list is filtered by."""
    lines = LogFilter(
        environment=chosen.environment,
        trace_id=str(asked["value"]),
        start=datetime.fromisoformat(str(asked["from"])),
        end=datetime.fromisoformat(str(asked["to"])),
    )
    there = replace(
        url_state.shown().elsewhere(),
        chosen=lines,
        line=str(asked.get("line", "")),
        saved=None,
    )
    st.switch_page(_PAGES / "explore.py", query_params=there.to_url())
